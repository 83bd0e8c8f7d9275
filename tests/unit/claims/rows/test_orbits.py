"""Which rows of runs on functions of one variable are taken, on a table by hand."""

import pandas as pd
import pytest

from ndgm.claims.rows.orbits import arrived, at_double_threshold, beyond, both_points, curved, even, on_cycle
from ndgm.decide.statistics import MissingValue


@pytest.fixture
def runs():
    """Runs of 400 steps: |x| and √(1+x²), whose thresholds are 0 and 2, and eˣ − x, which is not even."""
    rows = [("absolute", 1.0), ("absolute", 4.0), ("pseudo_huber", 1.5), ("pseudo_huber", 2.001), ("pseudo_huber", 3.0)]
    table = pd.DataFrame([*rows, ("linex", 2.5)], columns=["design", "step_size"])
    table = table.assign(run=table.index, step=400, stopped_because="finished", sharpness=1.0, sharpness_before=0.5)
    return table.assign(threshold=table["design"].map({"absolute": 0.0}).fillna(2.0))


def kept(rows):
    return [*zip(rows["design"], rows["step_size"], strict=True)]


def test_functions(runs):
    assert set(even(runs)["design"]) == {"absolute", "pseudo_huber"}
    assert set(curved(runs)["design"]) == {"pseudo_huber"}


def test_steps_beyond_the_threshold_of_one_table_or_two(runs):
    longer = [("absolute", 1.0), ("absolute", 4.0), ("pseudo_huber", 2.001), ("pseudo_huber", 3.0), ("linex", 2.5)]
    assert kept(beyond(runs)) == longer and kept(beyond(runs, runs)) == 2 * longer
    with pytest.raises(MissingValue, match="no runs beyond the threshold"):
        beyond(runs, runs[runs["step_size"] == 1.5])


def test_runs_that_had_the_time_to_arrive(runs):
    # At 2.001 two steps leave .996 of a distance, and 400 steps half of it.
    assert kept(arrived(runs)) == [("absolute", 1.0), ("absolute", 4.0), ("pseudo_huber", 1.5), ("pseudo_huber", 3.0)]
    assert kept(on_cycle(runs)) == [("absolute", 1.0), ("absolute", 4.0), ("pseudo_huber", 3.0)]
    with pytest.raises(MissingValue, match="no runs that have arrived"):
        on_cycle(runs[runs["design"] == "linex"])


def test_what_is_shown_of_a_function(runs):
    shown = at_double_threshold(runs)
    assert {name: part["step_size"].iloc[0] for name, part in shown} == {
        "absolute": 4.0,
        "pseudo_huber": 3.0,
        "linex": 2.5,
    }
    ends = both_points(runs)
    assert list(ends["mean_sharpness_over_edge"] / ends["step_size"]) == [0.375] * 6
    assert list(ends["largest_sharpness_over_edge"] / ends["step_size"]) == [0.5] * 6
