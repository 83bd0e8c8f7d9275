"""Orbits of gradient descent beyond the edge of stability, against a loop that keeps every iterate."""

import numpy as np
import pytest
import torch

from ndgm.data.classification import two_classes
from ndgm.data.max_affine import slopes_around_zero
from ndgm.engine.curvature.observer import Observed
from ndgm.engine.curvature.orbit import Orbit
from ndgm.engine.descent import Schedule, descend
from ndgm.engine.methods import METHODS
from ndgm.engine.objectives.logistic import Logistic
from ndgm.engine.objectives.max_affine import MaxAffine
from ndgm.engine.objectives.objective import Averages
from ndgm.engine.objectives.scalar import ScalarLoss
from ndgm.theory import edge_of_stability as theory

SIGNED = two_classes(np.random.default_rng(0), samples=30, features=3, wrong=0.2).signed


def normal(*shape, seed=0):
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape))


def orbit(kind, runs=6):
    """An objective with a step for each run, and starts."""
    step_size = torch.linspace(0.6, 3.1, runs, dtype=torch.float64).unsqueeze(1)
    if kind == "logistic":
        return Logistic(torch.tensor(SIGNED)), 10 * step_size, normal(runs, 4)
    if kind == "max_affine":
        rng = np.random.default_rng(3)
        slopes = torch.tensor(np.stack([slopes_around_zero(rng, 9, 3) for _ in range(runs)]))
        return MaxAffine(slopes, 0.0), step_size, normal(runs, 3)
    return ScalarLoss(kind), step_size, normal(runs, 1)


@pytest.mark.parametrize("kind", ["absolute", "log_cosh", "linex", "kink_aside", "logistic", "max_affine"])
def test_an_orbit_is_measured_as_a_plain_loop_would(kind):
    objective, step_size, start = orbit(kind)
    steps = 40
    observed = Observed(objective, Orbit(objective, step_size, start))
    trace = descend(observed, METHODS["subgradient"], start, step_size, Schedule(steps, (steps,), 0))

    path = [start]
    for _ in range(steps):
        path.append(path[-1] - step_size * objective.subgradient(path[-1]))
    values, slopes = (np.stack([of(w).numpy() for w in path]) for of in (objective.value, objective.subgradient))
    eta, squared = step_size.numpy()[:, 0], (slopes**2).sum(-1)
    curvature = 2 * (np.diff(values, axis=0) + eta * squared[:-1]) / (eta**2 * squared[:-1])
    smoothness = (slopes[:-1] * (slopes[:-1] - slopes[1:])).sum(-1) / (eta * squared[:-1])

    found = {name: rows[-1] for name, rows in trace.measured.items()}
    expected = {
        "start_objective": values[0],
        "objective": values[-1],
        "sharpness": objective.sharpness(path[-1]).numpy(),
        "sharpness_before": objective.sharpness(path[-2]).numpy(),
        "amplitude": np.linalg.norm(path[-1] - path[-2], axis=1) / 2,
        "smoothness": smoothness[-1],
        "mean_squared_gradient_norm": squared[:-1].mean(0),
        "mean_curvature": (curvature * squared[:-1]).mean(0),
        "mean_smoothness": (smoothness * squared[:-1]).mean(0),
    }
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-9, atol=1e-12, err_msg=name)
    # And what telescopes: the κ of the formula, from nothing but the ends.
    weighted = found["mean_curvature"] / found["mean_squared_gradient_norm"]
    ends = theory.mean_curvature(eta, values[0], values[-1], found["mean_squared_gradient_norm"], steps)
    np.testing.assert_allclose(weighted, ends, rtol=1e-11)


def test_relative_progress_and_curvature_are_one():
    # On a parabola of curvature a, κ and the directional smoothness are a, and the relative progress is ηa/2 − 1.
    zero, step_size = torch.zeros(1, 1, dtype=torch.float64), torch.tensor([[0.7]], dtype=torch.float64)
    inside = torch.tensor([[0.5]], dtype=torch.float64)  # Huber's function is x²/2 there
    huber = Orbit(ScalarLoss("huber"), step_size, inside)
    averages = Averages.zeros(huber.averaged, inside)
    loss = ScalarLoss("huber")
    huber.see(inside, loss.value(inside), loss.subgradient(inside), averages)
    assert averages.per_run["curvature"].item() == pytest.approx(0.25)
    assert averages.per_weight["smoothness"].item() == pytest.approx(0.25)
    assert huber.measure(zero, inside)["smoothness"].item() == pytest.approx(1 / 0.7)  # from g to 0
