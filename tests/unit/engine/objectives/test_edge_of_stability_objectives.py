"""Objectives beyond the edge of stability, against autograd, plain formulas and a loop that keeps every iterate."""

import numpy as np
import pytest
import torch

from ndgm.data.classification import two_classes
from ndgm.data.max_affine import slopes_around_zero
from ndgm.engine.curvature.orbit import Orbit
from ndgm.engine.descent import Schedule, descend
from ndgm.engine.methods import METHODS
from ndgm.engine.objectives.logistic import Logistic
from ndgm.engine.objectives.max_affine import MaxAffine
from ndgm.engine.objectives.scalar import FAMILIES, SCALARS, ScalarLoss
from ndgm.theory import edge_of_stability as theory

TILTED = ["tilted_softplus_0.2", "tilted_pseudo_huber_0.5"]
NAMES = [*SCALARS, "power_1.25", "power_1.75", *TILTED]
POINTS = torch.tensor([-30.0, -2.5, -0.9, -0.1, 0.03, 0.6, 1.4, 3.0, 12.0], dtype=torch.float64).unsqueeze(1)
SIGNED = two_classes(np.random.default_rng(0), samples=30, features=3, wrong=0.2).signed

# The functions as one would write them; autograd gives their derivatives.
PLAIN = {
    "absolute": lambda x: x.abs(),
    "huber": lambda x: torch.nn.functional.huber_loss(x, 0 * x, reduction="none"),
    "pseudo_huber": lambda x: (1 + x**2).sqrt() - 1,
    "log_cosh": lambda x: x.cosh().log(),
    "softplus_pair": lambda x: (1 + x.exp()).log() + (1 + (-x).exp()).log() - 2 * np.log(2),
    "linex": lambda x: x.exp() - 1 - x,
    "kink_aside": lambda x: (1 + x**2).sqrt() - 1 + (x - 1).relu(),
    "power_1.25": lambda x: x.abs() ** 1.25 / 1.25,
    "power_1.75": lambda x: x.abs() ** 1.75 / 1.75,
    "tilted_softplus_0.2": lambda x: (1 + (x - np.log(4)).exp()).log() - 0.2 * x + np.log(0.8),
    "tilted_pseudo_huber_0.5": lambda x: (1 + (x + 3**-0.5) ** 2).sqrt() - 0.5 * x - (4 / 3) ** 0.5,
}


def normal(*shape, seed=0):
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape))


@pytest.mark.parametrize("name", NAMES)
def test_scalar_functions_and_their_derivatives(name):
    loss, x = ScalarLoss(name), POINTS.clone().requires_grad_()
    value = PLAIN[name](x)
    (slope,) = torch.autograd.grad(value.sum(), x, create_graph=True)
    curvature = torch.autograd.grad(slope.sum(), x)[0] if slope.requires_grad else torch.zeros_like(x)
    if name == "huber":
        curvature = (POINTS.abs() < 1).double()
    torch.testing.assert_close(loss.value(POINTS), value.detach()[:, 0], rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(loss.subgradient(POINTS), slope.detach(), rtol=1e-11, atol=1e-14)
    torch.testing.assert_close(loss.sharpness(POINTS), curvature.detach()[:, 0], rtol=1e-9, atol=1e-12)
    measured = loss.measure(POINTS, POINTS)
    assert torch.equal(measured["objective"], loss.value(POINTS)) and torch.equal(measured["position"], POINTS[:, 0])


@pytest.mark.parametrize("name", NAMES)
def test_scalar_functions_are_those_of_the_closed_forms(name):
    loss, function, x = ScalarLoss(name), theory.scalar(name), POINTS.numpy()
    np.testing.assert_allclose(loss.subgradient(POINTS).numpy(), function.slope(x), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(loss.sharpness(POINTS).numpy(), function.curvature(x)[:, 0], rtol=1e-12, atol=1e-20)
    assert {*SCALARS} == {*theory.SCALARS} and {*FAMILIES} == {*theory.FAMILIES}


@pytest.mark.parametrize("name", NAMES)
def test_the_minimum_is_zero_at_zero(name):
    loss, zero = ScalarLoss(name), torch.zeros(1, 1, dtype=torch.float64)
    assert abs(loss.value(zero).item()) < 1e-15 and abs(loss.subgradient(zero).item()) < 1e-15
    assert (loss.value(POINTS) > loss.lowest).all()
    # Convex: f(y) ≥ f(x) + g(x)(y − x) for all x and y, at kinks too; rounding leaves 1e-16 of e¹².
    x = torch.cat([POINTS, zero, zero + 1])
    above = loss.value(x) - loss.value(x)[:, None] - loss.subgradient(x) * (x.T - x)
    assert (above >= -1e-10).all()


def test_a_large_argument_does_not_overflow_or_lose_its_tail():
    far = torch.tensor([[-800.0], [800.0]], dtype=torch.float64)
    for name in ("log_cosh", "softplus_pair", "tilted_softplus_0.2"):
        assert torch.isfinite(ScalarLoss(name).value(far)).all()
    # log(1 + e⁻³⁰) = 9.36e-14, which torch's own softplus(30) − 30 gives as 0.
    thirty = torch.tensor([[30.0]], dtype=torch.float64)
    tail = ScalarLoss("softplus_pair").value(thirty).item() - 30 + 2 * np.log(2)
    assert tail == pytest.approx(2 * np.log1p(np.exp(-30)), abs=1e-14)


def test_logistic_loss_and_its_derivatives():
    rows, w = torch.tensor(SIGNED), normal(5, 4, seed=1)
    loss, point = Logistic(rows), w.clone().requires_grad_()
    value = torch.log1p(torch.exp(-point @ rows.T)).mean(1)
    torch.testing.assert_close(loss.value(w), value.detach(), rtol=1e-13, atol=0)
    torch.testing.assert_close(loss.subgradient(w), torch.autograd.grad(value.sum(), point)[0], rtol=1e-12, atol=1e-16)
    for run in range(5):
        hessian = torch.autograd.functional.hessian(lambda v: torch.log1p(torch.exp(-rows @ v)).mean(), w[run])
        assert loss.sharpness(w)[run].item() == pytest.approx(np.linalg.eigvalsh(hessian.numpy())[-1], rel=1e-12)
    torch.testing.assert_close(loss.measure(w, w)["smallest_margin"], (rows @ w.T).min(0).values, rtol=1e-13, atol=0)


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
    trace = descend(
        Orbit(objective, step_size, start), METHODS["subgradient"], start, step_size, Schedule(steps, (steps,), 0)
    )

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
    sums = {name: torch.zeros(1, 1, dtype=torch.float64) for name in huber.averaged}
    huber.accumulate(inside, huber.subgradient(inside), sums)
    assert sums["curvature"].item() == pytest.approx(0.25) and sums["smoothness"].item() == pytest.approx(0.25)
    assert huber.measure(zero, inside)["smoothness"].item() == pytest.approx(1 / 0.7)  # from g to 0
