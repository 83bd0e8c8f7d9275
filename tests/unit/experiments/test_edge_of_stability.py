"""The edge of stability of convex functions: thresholds, starts, and orbits that are predicted."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit

from ndgm.data.classification import two_classes
from ndgm.data.kinds import Classes
from ndgm.experiments.edge_of_stability import first_and_even_steps, last_steps, logistic, separable
from ndgm.store.files import InputError

# Largest curvature of each function, from its second derivative by hand.
CURVATURES = {"huber": 1, "pseudo_huber": 1, "log_cosh": 1, "softplus_pair": 1 / 2}


def steps_of(signed, w, step_size, count):
    """Iterates of gradient descent on the logistic loss."""
    for _ in range(count):
        w = w + step_size * signed.T @ expit(-(signed @ w)) / len(signed)
    return w


def test_the_threshold_of_a_function_is_that_of_its_curvature(smoke):
    runs = smoke.experiment("edge_of_stability_cycles").runs
    thresholds = runs.groupby("design")["threshold"].first()
    assert {name: thresholds[name] for name in CURVATURES} == {name: 2 / most for name, most in CURVATURES.items()}
    assert thresholds["absolute"] == 0
    # Where no step is below the threshold, steps are multiples of 2.
    unit = runs["step_size"] / runs["step_size_over_threshold"]
    np.testing.assert_allclose(unit, runs["threshold"].replace(0, 2), rtol=1e-15)
    near = smoke.experiment("edge_of_stability_near_threshold").runs
    near = near[near["design"] == "pseudo_huber"]
    np.testing.assert_allclose(near["step_size"], 2 + near["excess"], rtol=1e-15)


@pytest.mark.parametrize(("name", "length"), [("cycles", 3.0), ("asymmetric", 1.0), ("near_threshold", 0.1)])
def test_starts_are_random_of_a_given_length(smoke, name, length):
    experiment = smoke.experiment(f"edge_of_stability_{name}", seeds=400)
    start = experiment.build(next(experiment.ensembles(15_000))).start.numpy()
    draws = np.unique(start)
    assert len(draws) == 400 and draws.std() == pytest.approx(length, rel=5 * np.sqrt(0.5 / 400))


def test_functions_of_a_seed_are_those_of_every_step(smoke):
    experiment = smoke.experiment("edge_of_stability_max_affine")
    part = experiment.runs[experiment.runs["features"] == 5]
    slopes = experiment.build(part).objective.objective.subgradient
    found = slopes(experiment.build(part).start).numpy()
    for _, rows in part.reset_index(drop=True).groupby("seed"):
        assert (found[rows.index] == found[rows.index[0]]).all()
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, rtol=1e-12)


def test_the_predicted_cycle_is_one_of_descent(smoke):
    runs = smoke.experiment("edge_of_stability_logistic").runs
    data = smoke.inputs("edge_of_stability_logistic").samples["edge_of_stability_logistic"]
    assert runs["predicted_amplitude"].isna().equals(runs["step_size_over_threshold"] <= 1)
    for name, part in runs.groupby("design", sort=False):
        # Just beyond the threshold the cycle attracts, so that descent finds it.
        row = part[part["step_size_over_threshold"] > 1].sort_values("step_size").iloc[0]
        assert row["multiplier"] < 1
        signed = data[name].signed
        w = steps_of(signed, np.full(signed.shape[1], 0.1), row["step_size"], 20_000)
        after = steps_of(signed, w, row["step_size"], 1)
        assert np.linalg.norm(after - w) / 2 == pytest.approx(row["predicted_amplitude"], rel=1e-6)
    assert list(runs["design"].unique()) == sorted(data)


def test_the_threshold_of_separable_data_is_that_of_the_hessian_at_zero(smoke):
    runs = smoke.experiment("edge_of_stability_separable").runs
    for name, classes in smoke.inputs("edge_of_stability_separable").samples["edge_of_stability_separable"].items():
        part, signed = runs[runs["design"] == name], classes.signed
        hessian = sum(np.outer(row, row) / 4 for row in signed) / len(signed)
        np.testing.assert_allclose(part["threshold"], 2 / np.linalg.norm(hessian, 2), rtol=1e-12)
        assert (part["samples"] == len(signed)).all() and (part["margin"] > 0).all()
        np.testing.assert_allclose(part["longest_row"], max(np.sqrt(row @ row) for row in signed), rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "wrong", "fault"), [(logistic, 0.0, "are separable"), (separable, 0.2, "are not separable")]
)
def test_data_of_the_other_kind_are_refused(smoke, make, wrong, fault):
    name = f"edge_of_stability_{make.__name__}"
    data = two_classes(np.random.default_rng(0), samples=50, features=2, wrong=wrong)
    inputs = replace(smoke.inputs(name), samples={name: {"mine": data}})
    with pytest.raises(InputError, match=f"samples.{name}.mine: these data {fault}"):
        make(smoke.settings(name), inputs)


def test_a_cycle_that_cannot_be_followed_names_the_data(smoke):
    # A LinAlgError once came through: at the longest steps both points are where the loss is linear, and rounding
    # decides whether the derivative there is singular.
    mine = {"mine": Classes(np.array([[1.0], [1.0], [-1.0]]))}
    inputs = replace(smoke.inputs("edge_of_stability_logistic"), samples={"edge_of_stability_logistic": mine})
    settings = smoke.settings("edge_of_stability_logistic") | {
        "step_sizes_over_threshold": {"low": 1.1, "high": 50.0, "count": 3}
    }
    with pytest.raises(InputError, match="samples.edge_of_stability_logistic.mine: "):
        logistic(settings, inputs)


def test_which_steps_are_recorded():
    told = {"steps": 400, "recorded_steps": 8}
    assert last_steps(told).recorded == tuple(range(393, 401)) and last_steps(told).average_from == 0
    first = first_and_even_steps(told)
    assert first.recorded == (1, 2, 3, 4, 103, 202, 301, 400) and first.steps == 400
