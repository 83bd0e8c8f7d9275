"""Rules on scores of pictures: areas beside scikit-learn's, shares by hand, sizes by simulation, gaps and ties."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from ndgm.decide.resampling import (
    DRAWS,
    STATISTICS,
    area_interval,
    area_of,
    by_arm,
    no_area_lost,
    resamples,
    share_above,
    share_added,
    share_within,
    told_apart,
    weights_of_all,
)
from ndgm.decide.statistics import ERROR_RATE, MissingValue

NETWORKS, PICTURES = 5, 60


def scores(cell="one", **arms):
    """A series of arms, each of shape (networks, pictures)."""
    parts = {
        (cell, name): pd.DataFrame(values).rename_axis(index="seed", columns="picture").stack(future_stack=True)
        for name, values in arms.items()
    }
    return pd.concat(parts, names=["attack", "arm"])


def drawn(shift=0.0, seed=0, pictures=PICTURES):
    """Clean scores that are alike for every network, and attacked ones of a larger mean; a third of attacks fails."""
    rng = np.random.default_rng(seed)
    clean = np.tile(rng.standard_normal(pictures), (NETWORKS, 1))
    attacked = rng.standard_normal((NETWORKS, pictures)) + shift
    attacked[rng.uniform(size=attacked.shape) < 1 / 3] = np.nan
    return {"clean": clean, "attacked": attacked}


def decided(rule, *cells):
    decision = rule.decide(pd.concat(cells), 0.0, "picture")
    supported, refuted = decision.p_support <= ERROR_RATE, decision.p_refute <= ERROR_RATE
    return decision, {(True, False): "supported", (False, True): "refuted"}.get((supported, refuted), "inconclusive")


def test_the_area_is_scikit_learns_within_each_network():
    arms = drawn(0.7)
    arms["attacked"] = arms["attacked"].round(1)  # with ties
    arms["clean"] = arms["clean"].round(1)
    wins = pairs = 0.0
    for attacked, clean in zip(arms["attacked"], arms["clean"], strict=True):
        there = attacked[np.isfinite(attacked)]
        labels = np.repeat([1, 0], [len(there), len(clean)])
        wins += roc_auc_score(labels, np.concatenate([there, clean])) * len(there) * len(clean)
        pairs += len(there) * len(clean)
    found, (low, high) = area_of(scores(**arms), "picture"), area_interval(scores(**arms), "picture")
    assert found == pytest.approx(wins / pairs) and low < found < high


def test_a_resample_is_a_sample_with_some_pictures_and_networks_more_than_once():
    arms = drawn(0.3)
    networks, pictures = resamples(arms)
    assert (networks.sum(1) == NETWORKS).all() and (pictures.sum(1) == PICTURES).all() and len(pictures) == DRAWS
    rows, columns = (np.repeat(np.arange(len(each[7])), each[7].astype(int)) for each in (networks, pictures))
    again = {name: values[rows][:, columns] for name, values in arms.items()}
    for name in ("area", "share", "clean share", "added share"):
        one = STATISTICS[name](arms, (networks[7:8], pictures[7:8]))
        assert one == pytest.approx(STATISTICS[name](again, weights_of_all(again))), name


def test_shares_are_means_of_what_there_is():
    arms = {"attacked": np.array([[1, np.nan, 0.0], [1, 1, np.nan]]), "clean": np.array([[0, 0, 1.0], [0, 0, 1]])}
    found = {name: float(STATISTICS[name](arms, weights_of_all(arms))[0]) for name in ("share", "added share")}
    assert found == {"share": 0.75, "added share": pytest.approx(0.75 - 1 / 3)}
    np.testing.assert_array_equal(by_arm(scores(**arms), "picture")["attacked"], arms["attacked"])


@pytest.mark.parametrize(
    ("rule", "shift", "expected"),
    [
        (told_apart(0.5), 1.0, "supported"),
        (told_apart(0.5), -1.0, "refuted"),
        (told_apart(0.5), 0.02, "inconclusive"),
        (told_apart(0.9), 1.0, "refuted"),
        (told_apart(0.9), 4.0, "supported"),
    ],
)
def test_verdicts_on_an_area(rule, shift, expected):
    decision, verdict = decided(rule, scores(**drawn(shift)))
    assert verdict == expected
    assert decision.interval[0] < decision.measured < decision.interval[1] and decision.n <= PICTURES


def test_scores_that_are_equal_tell_nothing_apart_for_certain():
    equal = {name: np.zeros((NETWORKS, PICTURES)) for name in ("clean", "attacked")}
    decision, verdict = decided(told_apart(0.5), scores(**equal))
    assert decision.measured == 0.5 and verdict == "refuted"


def test_every_cell_has_to_hold_and_one_is_enough_to_refute():
    good, bad = scores("good", **drawn(2.0)), scores("bad", **drawn(-1.0, seed=1))
    decision, verdict = decided(told_apart(0.5), good, bad)
    assert verdict == "refuted" and decision.where == {"attack": "bad"} and decision.cells == 2
    assert (decision.over_cells.above, decision.over_cells.near) == (1, 1)
    assert decided(told_apart(0.5), good, scores("too", **drawn(2.0, seed=2)))[1] == "supported"


def test_noise_beside_an_attack():
    arms, strong = drawn(1.0), drawn(2.5, seed=3)
    for noisy, expected in ((strong["attacked"], "refuted"), (arms["clean"], "supported")):
        assert decided(no_area_lost(0.01), scores(**arms, noisy=noisy))[1] == expected
    same = scores(**arms, noisy=arms["attacked"])
    assert decided(no_area_lost(0.01), same)[0].measured == 0


def shares(attacked, clean=0.05, pictures=400, seed=0):
    rng = np.random.default_rng(seed)
    found = {"attacked": rng.uniform(size=(NETWORKS, pictures)) < attacked}
    found["clean"] = np.tile(rng.uniform(size=pictures) < clean, (NETWORKS, 1))
    return scores(**{name: values.astype(float) for name, values in found.items()})


@pytest.mark.parametrize(
    ("rule", "attacked", "clean", "expected"),
    [
        (share_above(0.5), 0.6, 0.1, "supported"),
        (share_above(0.5), 0.4, 0.1, "refuted"),
        (share_above(0.5), 0.5, 0.1, "inconclusive"),
        (share_added(0.05), 0.05, 0.05, "supported"),
        (share_added(0.05), 0.5, 0.05, "refuted"),
        (share_within(0.02, 0.1), 0.5, 0.06, "supported"),
        (share_within(0.02, 0.1), 0.5, 0.2, "refuted"),
        (share_within(0.02, 0.1), 0.5, 0.0, "refuted"),
        (share_within(0.02, 0.1), 0.5, 0.1, "inconclusive"),
    ],
)
def test_verdicts_on_shares(rule, attacked, clean, expected):
    assert decided(rule, shares(attacked, clean))[1] == expected


def test_the_verdict_at_another_margin_follows_from_the_decision():
    decision, verdict = decided(told_apart(0.5), scores(**drawn(1.0)))
    rule = told_apart(0.5)
    assert verdict == "supported" and rule.at(decision.deviations, 0.5) == (decision.p_support, decision.p_refute)
    p_support, p_refute = rule.at(decision.deviations, 0.99)
    assert p_refute <= ERROR_RATE < p_support


def test_a_verdict_is_as_rare_as_the_error_rate_where_the_area_is_at_the_margin():
    simulations = 100
    samples = (scores(**drawn(0.0, seed=10 + seed, pictures=40)) for seed in range(simulations))
    verdicts = [decided(told_apart(0.5), sample)[1] for sample in samples]
    for verdict in ("supported", "refuted"):
        # Three standard errors of a count of such a share.
        assert verdicts.count(verdict) / simulations < ERROR_RATE + 3 * np.sqrt(ERROR_RATE / simulations), verdict


@pytest.mark.parametrize("shift", [9.0, -9.0])
def test_networks_without_a_score_speak_for_neither_verdict(shift):
    """One network of five has scores, and a third of the resamples, (4/5)⁵ of them, lack it."""
    arms = drawn(shift)
    arms["attacked"][1:] = np.nan
    decision, verdict = decided(told_apart(0.5), scores(**arms))
    assert verdict == "inconclusive" and decision.measured == (shift > 0)
    assert min(decision.p_support, decision.p_refute) == pytest.approx(0.8**NETWORKS, abs=4 / np.sqrt(4 * DRAWS))
    assert np.isfinite(decision.interval).all()


def test_gaps_are_said():
    arms = drawn(1.0)
    with pytest.raises(MissingValue, match="no noisy pictures"):
        decided(no_area_lost(0.01), scores(**arms))
    with pytest.raises(MissingValue, match="too few attacked pictures to decide: 0 of 20 needed"):
        decided(told_apart(0.5), scores(**arms | {"attacked": np.full((NETWORKS, PICTURES), np.nan)}))
    with pytest.raises(MissingValue, match="no runs"):
        told_apart(0.5).decide(scores(**arms).iloc[:0], 0.0, "picture")
