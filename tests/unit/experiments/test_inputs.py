"""Inputs of experiments, read from files."""

import numpy as np
import pandas as pd
import pytest

from ndgm.data.kinds import Regression, Weights
from ndgm.experiments.inputs import read_inputs
from ndgm.store.arrays import write_data
from ndgm.store.files import InputError, write_json
from ndgm.store.run_tables import write_table


def test_files_are_read_by_what_they_are(tmp_path):
    regression, weights = Regression(np.ones((3, 2)), np.ones(3)), Weights(np.ones((2, 5)))
    places = [tmp_path / f"data/{entry}.npz" for entry in ("second/b", "first/a", "first/c")]
    for place in places:
        write_data(place, regression)
    reads = [tmp_path / name for name in ("runs/x.parquet", "weights/x.npz", "certificates.json")]
    write_table(reads[0], pd.DataFrame({"run": [1, 2]}))
    write_data(reads[1], weights)
    write_json(reads[2], {"rows": []})
    inputs = read_inputs(places, reads)
    # In the order of the files, which is that of the config.
    assert {owner: list(names) for owner, names in inputs.samples.items()} == {"second": ["b"], "first": ["a", "c"]}
    np.testing.assert_array_equal(inputs.samples["first"]["a"].design, regression.design)
    assert inputs.reads["x.parquet"]["run"].tolist() == [1, 2] and inputs.reads["certificates.json"] == {"rows": []}
    np.testing.assert_array_equal(inputs.reads["x.npz"].weights, weights.weights)
    assert inputs.found == {}


def test_a_file_that_is_not_there_is_an_input_error(tmp_path):
    for samples, reads in [([tmp_path / "owner/a.npz"], []), ([], [tmp_path / "a.parquet"])]:
        with pytest.raises(InputError, match="no such file"):
            read_inputs(samples, reads)
