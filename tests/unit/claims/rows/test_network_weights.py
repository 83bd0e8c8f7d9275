"""Which rows of single weights and of pruned networks are taken, on tables by hand."""

import pandas as pd
import pytest

from ndgm.claims.rows.network_weights import (
    accurate,
    beside_proximal,
    crossing_weights,
    kinks_where,
    norm_by_law,
    of_rule,
    on_kink,
    sums_of,
    weights_in_strip,
    worst_overlaps,
)
from ndgm.decide.statistics import MissingValue


@pytest.fixture
def rows():
    """Two seeds at two penalties, of which the larger one leaves one network of two accurate."""
    table = pd.DataFrame(
        [
            ("full_batch", penalty, seed, 1, state, over_width, crossing, accuracy)
            for penalty, accuracies in ((0.1, (0.92, 0.9)), (0.2, (0.95, 0.8)))
            for seed, accuracy in enumerate(accuracies)
            for state, over_width, crossing in (("turning", 0.5, 2), ("near_half", 0.1, 1), ("turning", 1.5, 0))
        ],
        columns=["design", "penalty", "seed", "layer", "state", "over_width", "crossing", "test_accuracy"],
    )
    return table.assign(method="subgradient", count=1, data="digits")


def test_penalties_that_leave_networks_accurate_in_the_mean(rows):
    assert set(accurate(rows, "full_batch")["penalty"]) == {0.1}
    with pytest.raises(MissingValue, match="leave a network accurate"):
        accurate(rows.assign(test_accuracy=0.5), "full_batch")
    with pytest.raises(MissingValue):
        accurate(rows, "minibatch")


def test_data_whose_networks_are_nowhere_accurate_are_not_left_out(rows):
    both = pd.concat([rows, rows.assign(data="mnist")], ignore_index=True)
    assert sums_of(weights_in_strip(accurate(both, "full_batch"), "turning"), ["data"])["count"].to_dict() == {
        "digits": 2,
        "mnist": 2,
    }
    both.loc[both["data"] == "mnist", "test_accuracy"] = 0.89
    with pytest.raises(MissingValue, match="leave a network accurate: mnist, full_batch"):
        accurate(both, "full_batch")
    with pytest.raises(MissingValue, match="mnist"):
        weights_in_strip(both.assign(state=both["state"].where(both["data"] == "digits", "moving")), "turning")


def test_penalties_are_those_of_their_data(rows):
    """At 0.2 the networks of the other data are accurate, so that those rows alone are left."""
    both = pd.concat([rows, rows.assign(data="mnist", test_accuracy=0.95)], ignore_index=True)
    kept = accurate(both, "full_batch").groupby("data")["penalty"].unique().map(list).to_dict()
    assert kept == {"digits": [0.1], "mnist": [0.1, 0.2]}


def test_weights_within_a_step_in_some_states(rows):
    assert len(weights_in_strip(rows, "turning")) == 4 and len(weights_in_strip(rows, "turning", "near_half")) == 8
    assert (sums_of(weights_in_strip(rows, "turning", "near_half"))["count"] == 2).all()
    with pytest.raises(MissingValue, match="locked"):
        weights_in_strip(rows, "locked")


def test_shares_and_norms_of_the_strip_by_hand(rows):
    """At 0.1, of a turning weight at 0.5 and a weight near half at 0.1, one of whose signs is that of the kink."""
    rows = rows.assign(on_kink=(rows["state"] == "turning").astype(int), modulus=2.0, law_modulus=1.5)
    assert on_kink(rows, "turning", "near_half").to_dict() == {("digits", 1, 0.1, 0): 0.5, ("digits", 1, 0.1, 1): 0.5}
    assert on_kink(rows, "turning", cell=["data", "seed"]).tolist() == [1, 1]
    noise = rows["state"].map({"turning": 0.3, "near_half": 0.1})
    evidence = norm_by_law(rows.assign(noise_over_penalty=noise, count=rows["crossing"].clip(lower=1)))
    assert evidence.measured.tolist() == [4, 4] and evidence.reference.tolist() == [3, 3]
    assert evidence.table.loc["strip", "noise"] == 0.23  # of (2·0.3 + 0.1)/3


def test_weights_that_cross(rows):
    found = crossing_weights(rows.assign(design="minibatch"))
    assert found["crossing"].tolist() == [3, 3] and found["count"].tolist() == [2, 2]


def test_pruned_networks_that_were_accurate():
    rules = [("none", 0.1, 0.95), ("none", 0.2, 0.85), ("strip", 0.1, 0.5), ("strip", 0.2, 0.85)]
    table = pd.DataFrame(rules, columns=["rule", "penalty", "accuracy"]).assign(
        data="digits", design="full_batch", seed=0
    )
    assert of_rule(table, "strip", "accuracy").to_dict() == {("digits", "full_batch", 0.1, 0): 0.5}
    with pytest.raises(MissingValue, match="mnist, full_batch"):
        of_rule(pd.concat([table, table.query("penalty > 0.1").assign(data="mnist")]), "strip", "accuracy")
    with pytest.raises(MissingValue, match="below_1e-2"):
        of_rule(table, "below_1e-2", "accuracy")


def test_each_rule_at_the_penalty_where_it_does_worst():
    overlaps = {"none": (0, 0), "strip": (0.9, 0.7), "below_1e-2": (0.5, 0.8), "below_1e-4": (0.6, 0.1)}
    rows = [(rule, at, value) for rule, both in overlaps.items() for at, value in zip((1, 2), both, strict=True)]
    table = pd.DataFrame(rows, columns=["rule", "penalty", "overlap"])
    strip, thresholds = worst_overlaps(table.assign(data="digits", design="full_batch", seed=0, accuracy=0.95))
    assert strip.droplevel(["data", "design", "seed"]).to_dict() == {"1e-2": 0.7, "1e-4": 0.7}
    assert thresholds.droplevel(["data", "design", "seed"]).to_dict() == {"1e-2": 0.5, "1e-4": 0.1}


def test_data_with_proximal_networks():
    table = pd.DataFrame({"rule": ["strip", "zeros", "strip"], "data": ["digits", "digits", "mnist"]})
    assert beside_proximal(table).index.tolist() == [0, 1]
    with pytest.raises(MissingValue, match="no runs of proximal networks"):
        beside_proximal(table.tail(1))


def test_kinks_of_a_kind():
    table = pd.DataFrame({"arithmetic": ["fused"] * 2, "sign_of_zero": [0.0, 1.0], "noise": 0.0, "seed": 0})
    assert len(kinks_where(table, "sign_of_zero > 0")) == 1
    with pytest.raises(MissingValue):
        kinks_where(table, "noise > 0")
