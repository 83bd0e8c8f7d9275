"""Rows that count: which ones are taken, and what is said where one is missing."""

import pandas as pd
import pytest

from ndgm.decide.selection import ends_of, none_diverged, nonempty, select, variants
from ndgm.decide.statistics import MissingValue


@pytest.fixture
def runs():
    """Two runs each of three methods in two designs, with two rows a run; run 3 of design b diverged."""
    table = pd.DataFrame(
        [(design, run, step) for design in "ab" for run in range(6) for step in (1, 2)],
        columns=["design", "run", "step"],
    )
    diverged = (table["design"] == "b") & (table["run"] == 3)
    return table.assign(
        method=table["run"].map(dict(enumerate(["ista", "ista", "adam", "adam", "sign", "sign"]))),
        stopped_because=diverged.map({True: "diverged", False: "finished"}),
    )


def test_select_takes_rows_with_one_value_or_one_of_several(runs):
    one = select(runs, method="ista", design="a")
    assert set(one["method"]) == {"ista"} and set(one["design"]) == {"a"} and len(one) == 4
    pd.testing.assert_frame_equal(select(runs, method=["ista", "sign"]), runs[runs["method"] != "adam"])
    pd.testing.assert_frame_equal(select(runs), runs)


def test_select_says_which_value_is_missing(runs):
    with pytest.raises(MissingValue, match="^no runs of adagrad, sgd$"):
        select(runs, method=["sgd", "ista", "adagrad"])
    # A value counts as missing where it is missing among the rows that the factors before it left.
    with pytest.raises(MissingValue, match="^no runs of ista$"):
        select(runs[(runs["design"] == "a") | (runs["method"] != "ista")], design="b", method="ista")
    with pytest.raises(MissingValue, match="^no runs$"):
        select(runs.iloc[:0])


def test_ends_are_last_rows_of_runs_that_did_not_diverge(runs):
    ends = ends_of(runs, method=["ista", "sign"])
    assert (ends["step"] == 2).all() and len(ends) == 8
    with pytest.raises(MissingValue, match="^1 of 4 runs diverged$"):
        ends_of(runs, method="adam")
    assert len(ends_of(runs, design="a", method="adam")) == 2


def test_runs_of_which_none_diverged_are_given_whole(runs):
    kept = runs[runs["design"] == "a"]
    assert none_diverged(kept) is kept
    with pytest.raises(MissingValue, match="^1 of 12 runs diverged$"):
        none_diverged(runs)


def test_a_new_variant_of_a_method_is_one_of_its_family(runs):
    named = runs.assign(method=runs["method"].replace({"adam": "rmsprop_0.5", "sign": "rmsprop_0.9", "ista": "rms"}))
    assert variants(named, "rmsprop") == ["rmsprop_0.5", "rmsprop_0.9"]
    with pytest.raises(MissingValue, match="^no runs of adagrad$"):
        variants(named, "adagrad")


def test_no_rows_are_a_gap(runs):
    assert nonempty(runs) is runs
    with pytest.raises(MissingValue, match="^no runs$"):
        nonempty(runs.iloc[:0])
