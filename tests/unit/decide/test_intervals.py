"""Intervals that figures draw, against those of SciPy's tests."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ndgm.decide.intervals import mean_interval, median_interval, median_intervals
from ndgm.decide.statistics import ERROR_RATE


def test_mean_interval_is_scipys():
    rng = np.random.default_rng(7)
    table = pd.DataFrame(
        {"design": np.repeat(["a", "b"], 12), "penalty": np.tile([1, 2], 12), "x": rng.normal(size=24)}
    )
    found = mean_interval(table, ["design", "penalty"], "x")
    assert len(found) == 4
    for (design, penalty), row in found.iterrows():
        values = table["x"][(table["design"] == design) & (table["penalty"] == penalty)]
        low, high = stats.t.interval(1 - 2 * ERROR_RATE, len(values) - 1, values.mean(), stats.sem(values))
        assert (row["mean"], row["low"], row["high"]) == pytest.approx((values.mean(), low, high), rel=1e-12)


@pytest.mark.parametrize("n", [1, 2, 4, 5, 8, 20, 61])
@pytest.mark.parametrize("ties", [False, True])
def test_median_interval_is_scipys_and_of_few_values_their_range(n, ties):
    values = pd.Series(np.random.default_rng(n).normal(size=n).round(0 if ties else 9))
    low, high = stats.quantile_test(values, p=0.5).confidence_interval(1 - 2 * ERROR_RATE)
    expected = (low if np.isfinite(low) else values.min(), high if np.isfinite(high) else values.max())
    assert median_interval(values) == expected
    assert n != 4 or expected == (values.min(), values.max())


def test_median_intervals_are_those_of_each_cell():
    values = np.random.default_rng(3).normal(size=48)
    table = pd.DataFrame({"design": np.repeat(["a", "b"], 24), "penalty": np.tile([1, 2], 24), "x": values})
    found = median_intervals(table, ["design", "penalty"], "x")
    assert len(found) == 4
    for (design, penalty), row in found.iterrows():
        of_cell = table["x"][(table["design"] == design) & (table["penalty"] == penalty)]
        assert tuple(row) == (np.median(of_cell), *median_interval(of_cell))
    assert median_intervals(table[:0], ["design"], "x").empty


def test_median_interval_holds_what_overflowed_and_shows_no_end_beside_a_gap():
    assert median_interval(pd.Series([1.0, np.inf, 2.0])) == (1.0, np.inf)
    assert np.isnan(median_interval(pd.Series([1.0, np.nan, 2.0]))[1])
