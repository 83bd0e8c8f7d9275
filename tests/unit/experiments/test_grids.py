"""Grids of runs."""

import numpy as np
import pytest

from ndgm.experiments.grids import grid, log_spaced, numbered


def test_grid_has_every_combination_once_and_the_last_factor_varies_fastest():
    runs = grid(a=["x", "y"], b=[1.0, 2.0, 3.0], c=np.array([5, 6]))
    assert runs.columns.tolist() == ["run", "a", "b", "c"]
    assert runs["run"].tolist() == list(range(12))
    assert runs.drop(columns="run").drop_duplicates().shape == (12, 3)
    assert runs["c"].tolist() == [5, 6] * 6 and runs["a"].tolist() == ["x"] * 6 + ["y"] * 6


def test_grids_one_after_the_other_are_numbered_anew():
    runs = numbered([grid(a=["x", "y"]), grid(a=["z"], b=[1.0, 2.0])])
    assert runs["run"].tolist() == [0, 1, 2, 3] and runs["a"].tolist() == ["x", "y", "z", "z"]
    assert runs["b"].isna().tolist() == [True, True, False, False]


def test_values_evenly_spaced_on_a_log_scale():
    values = log_spaced(low=0.01, high=100.0, count=5)
    assert values == pytest.approx([0.01, 0.1, 1.0, 10.0, 100.0])
    assert values[0] == 0.01 and values[-1] == 100.0
