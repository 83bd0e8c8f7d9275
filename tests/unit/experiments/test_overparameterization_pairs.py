"""Networks on pairs of points: what is predicted of them, and in how many steps they train."""

import numpy as np
import pytest
import torch

from ndgm.engine.activations import ACTIVATIONS
from ndgm.experiments.ensembles import sweep
from ndgm.experiments.overparameterization_pairs import gradient_at_start
from ndgm.store.files import InputError
from ndgm.store.run_tables import last_rows

START, PAIRS, NARROW = (f"overparameterization_{name}" for name in ("start", "pairs", "narrow"))


def test_gradients_at_the_start_are_those_of_the_closed_forms(smoke, tmp_path):
    plan = smoke.experiment(START, units=20_000, separations=[0.1], seeds=10)
    ends = last_rows(sweep(plan.ensembles(100), plan.build, tmp_path, experiment=START).table)
    means = ends.groupby("activation")[["least_gradient_ratio", "predicted_gradient_ratio"]].mean()
    # In the gap are 0.1/π of 10 · 10,000 units that are independent.
    error = 5 / np.sqrt(0.1 / np.pi * 100_000)
    np.testing.assert_allclose(means["least_gradient_ratio"], means["predicted_gradient_ratio"], rtol=error)


@pytest.mark.parametrize("name", [name for name, each in ACTIVATIONS.items() if not each.kinks])
def test_gradients_of_smooth_activations_are_means_of_autograds_derivatives(name):
    # φ²/2 times E σ′² + E σ″², by a sum over a fine grid.
    z, width = torch.linspace(-12, 12, 24_001, dtype=torch.float64, requires_grad=True), 24 / 24_000
    (slope,) = torch.autograd.grad(ACTIVATIONS[name].module()(z).sum(), z, create_graph=True)
    (second,) = torch.autograd.grad(slope.sum(), z)
    density = torch.exp(-z.square() / 2) / np.sqrt(2 * np.pi)
    expected = 0.01 / 2 * ((slope.square() + second.square()) * density).sum().item() * width
    # Where the second derivative jumps, at 0, its grid is off by a width, 0.001.
    slopes = torch.autograd.grad(ACTIVATIONS[name].module()(z).sum(), z)[0].detach()
    bends = slopes.diff(n=2).abs().max() > 10 * width**2
    assert gradient_at_start(name, np.array([0.1]))[0] == pytest.approx(expected, rel=2e-3 if bends else 1e-6)


def test_steps_are_enough_to_train_and_no_more_than_are_let_in(smoke, tmp_path):
    plan = smoke.experiment(PAIRS)
    assert (plan.runs["steps"] * plan.runs["units"]).max() <= smoke.settings(PAIRS)["most_steps_times_units"]
    np.testing.assert_array_equal(plan.runs["run"], np.arange(len(plan.runs)))
    table = sweep(plan.ensembles(100), plan.build, tmp_path, experiment=PAIRS).table
    first, last = table.groupby("run")["objective"].first(), last_rows(table).set_index("run")
    np.testing.assert_allclose(first, 1, rtol=1e-12)
    assert (last["objective"] <= last["target"]).all()
    assert (last["stopped_because"] == "reached").all() and (last["step"] <= last["steps"]).all()
    rest = table[table["step"] < table["run"].map(last["step"])]
    assert (rest["objective"] > rest["target"]).all()


def test_a_bound_that_lets_nothing_in_is_said(smoke):
    with pytest.raises(InputError, match=r"overparameterization\.pairs\.most_steps_times_units: 7 lets nothing in"):
        smoke.experiment(PAIRS, most_steps_times_units=7)


def test_a_narrow_network_takes_more_steps_than_the_kernel(smoke):
    runs = smoke.experiment(NARROW).runs
    assert (runs["steps"] > runs["kernel_steps"]).all() and set(runs["activation"]) == {"relu", "tanh"}
