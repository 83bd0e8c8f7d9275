"""Adaptive methods: where they start, with which steps, and what is predicted of them."""

import numpy as np
import pytest

from ndgm.engine.adaptive_methods import EPSILON


def test_every_method_takes_steps_of_one_length_at_the_largest_penalty(smoke):
    experiment = smoke.experiment("adaptive_lasso")
    runs, data = experiment.runs, smoke.inputs("adaptive_lasso").samples["l1_paradox"]
    assert (runs["penalty_over_max"] > 1).all()
    for name, part in runs.groupby("design"):
        penalty_max = np.abs(data[name].design.T @ data[name].target).max() / len(data[name].target)
        # On the kink of a penalty the subgradient method steps by ηλ, and one that divides by the gradient by η.
        length = part["step_size"] * np.where(part["method"] == "subgradient", penalty_max, 1)
        np.testing.assert_allclose(length, part["step_length_at_max"], rtol=1e-12)
    for part in experiment.ensembles(300):
        start = experiment.build(part).start
        # Gaussian with a deviation of ten steps in each weight.
        weights = (start.numpy() / part["step_length_at_max"].to_numpy()[:, None]).ravel()
        assert weights.std() == pytest.approx(10, rel=5 * np.sqrt(0.5 / len(np.unique(weights))))


def test_predictions_have_their_limits_far_above_the_largest_penalty(smoke):
    # There b no longer counts: η/2 for each weight, times λ for the subgradient method.
    far = smoke.experiment("adaptive_lasso", penalties_over_max={"low": 1e4, "high": 1e5, "count": 2}).runs
    for method, part in far.dropna(subset="predicted_l1_norm").groupby("method"):
        expected = part["step_size"] / 2 * part["dimension"] * (part["penalty"] if method == "subgradient" else 1)
        np.testing.assert_allclose(part["predicted_l1_norm"], expected, rtol=1e-5)


def test_methods_arrive_at_a_kink_after_half_of_the_steps(smoke):
    settings, experiment = smoke.settings("adaptive_one_weight"), smoke.experiment("adaptive_one_weight")
    runs = experiment.runs
    kinks = runs[(runs["penalty"] > 0) & (runs["method"] != "adagrad")]
    # A method that divides by |g| + ε moves by ηλ/(λ + ε) a step.
    moves = kinks["penalty"] / (kinks["penalty"] + EPSILON)
    np.testing.assert_allclose(kinks["steps_away"] / moves, settings["steps"] / 2, rtol=1e-12)
    assert (runs.loc[(runs["penalty"] == 0) | (runs["method"] == "adagrad"), "steps_away"] == 0).all()
    for part in experiment.ensembles(300):
        start = experiment.build(part).start[:, 0].numpy() / part["step_size"]
        assert np.abs(start - part["steps_away"]).max() < 60  # six deviations of ten steps


def test_cycles_start_from_as_many_places_as_the_config_says(smoke):
    experiment = smoke.experiment("adaptive_cycles", starts=7, seeds=3)
    starts = [experiment.build(part).start for part in experiment.ensembles(300)]
    assert [len(np.unique(start)) for start in starts] == [21] * len(starts)


def test_a_method_that_does_not_normalise_has_the_step_of_the_subgradient_method(smoke):
    """All methods but that one had the step of those that divide by the gradient."""
    runs = smoke.experiment("adaptive_lasso", methods=["subgradient", "ista", "heavy_ball", "sign"]).runs
    steps = runs.pivot_table(index=["design", "step_size_times_lipschitz"], columns="method", values="step_size")
    assert (steps["ista"] == steps["subgradient"]).all() and (steps["heavy_ball"] == steps["subgradient"]).all()
    assert (steps["sign"] != steps["subgradient"]).all()
    runs = smoke.experiment("adaptive_one_weight", methods=["heavy_ball", "sign"]).runs
    assert (runs.loc[runs["method"] == "heavy_ball", "steps_away"] == 0).all()
    assert (runs.loc[runs["method"] == "sign", "steps_away"].groupby(runs["design"]).max() > 0)["kink"]
