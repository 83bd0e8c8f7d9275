"""Numbers that stand for a result, against NumPy on columns made up here."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import gmean

from ndgm.pipeline.summaries import BOUNDS, summary
from ndgm.store.files import write_json
from ndgm.store.run_tables import write_table

NORMS = {"ista": [1.0, 4.0, 2.0, 16.0], "adam": [-3.0, 5.0, np.nan, 0.25]}


@pytest.fixture
def table(tmp_path):
    """Two methods with two runs of two rows each."""
    rows = [
        {"design": "a", "method": method, "run": f"{method}{i // 2}", "step": i % 2, "l1_norm": value}
        for method, values in NORMS.items()
        for i, value in enumerate(values)
    ]
    write_table(tmp_path / "runs.parquet", pd.DataFrame(rows))
    return tmp_path / "runs.parquet"


def test_means_of_a_run_table_are_those_of_the_ends_and_of_all_rows(table):
    found = summary(table)
    assert found["ista.l1_norm, mean"] == 10.0
    assert found["ista.l1_norm, median"] == 10.0
    assert found["ista.l1_norm, geometric mean"] == pytest.approx(gmean([4, 16]), rel=1e-14)
    assert found["ista.l1_norm, mean over all rows"] == np.mean(NORMS["ista"])
    assert found["l1_norm, mean"] == np.mean([4, 16, 5, 0.25])
    assert found["adam.l1_norm, mean over all rows"] == pytest.approx(2.25 / 3)
    assert found["adam.l1_norm, mean size over all rows"] == pytest.approx(8.25 / 3)
    assert found["adam.l1_norm, share that is finite over all rows"] == 0.75
    assert "adam.l1_norm, geometric mean over all rows" not in found


@pytest.mark.parametrize("factor", [1.02, 0.98])
def test_a_column_that_is_wrong_by_two_percent_changes_each_of_its_numbers_by_that(table, tmp_path, factor):
    before = summary(table)
    changed = pd.read_parquet(table)
    changed["l1_norm"] *= factor
    write_table(tmp_path / "changed.parquet", changed)
    after = summary(tmp_path / "changed.parquet")
    of_column = [name for name in before if "l1_norm" in name and "share" not in name]
    assert len(of_column) > 10
    for name in of_column:
        assert after[name] == pytest.approx(factor * before[name], rel=1e-12), name


@pytest.mark.parametrize("name", BOUNDS)
def test_a_residual_is_held_against_the_bound_that_it_certifies(tmp_path, name):
    bound = BOUNDS[name]
    for values, share in (([0.0, bound / 1e6, bound], 0.0), ([2 * bound, 0, 0, np.nan], 0.5)):
        write_table(tmp_path / "exact.parquet", pd.DataFrame({name: values}))
        assert summary(tmp_path / "exact.parquet")[f"{name}, share above {bound:g}"] == share


def test_claims_give_their_verdict_and_their_numbers(tmp_path):
    claim = {"id": "a", "verdict": "supported", "measured": 2.0, "reference": None, "table": {"x": {"y": 3.0}}}
    write_json(tmp_path / "claims.json", [claim])
    assert summary(tmp_path / "claims.json") == {"a, verdict": "supported", "a, measured": 2.0, "a, x, y": 3.0}


def test_what_only_shows_numbers_has_none(tmp_path):
    (tmp_path / "paper.pdf").write_bytes(b"paper")
    assert summary(tmp_path / "paper.pdf") == {}
