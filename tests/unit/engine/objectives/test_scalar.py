"""Functions of one variable against autograd on their plain formulas, and against the closed forms of the theory."""

import numpy as np
import pytest
import torch

from ndgm.engine.objectives.scalar import FAMILIES, SCALARS, ScalarLoss
from ndgm.theory import edge_of_stability as theory

POINTS = torch.tensor([-30.0, -2.5, -0.9, -0.1, 0.03, 0.6, 1.4, 3.0, 12.0], dtype=torch.float64).unsqueeze(1)
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


def test_every_function_and_family_has_a_plain_formula():
    named = {name for name in PLAIN if name not in SCALARS}
    assert SCALARS.keys() <= PLAIN.keys(), "write the function in PLAIN, as one would by hand"
    assert {name.rpartition("_")[0] for name in named} == set(FAMILIES)


@pytest.mark.parametrize("name", PLAIN)
def test_functions_and_their_derivatives(name):
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


@pytest.mark.parametrize("name", PLAIN)
def test_functions_are_those_of_the_closed_forms(name):
    loss, function, x = ScalarLoss(name), theory.scalar(name), POINTS.numpy()
    np.testing.assert_allclose(loss.subgradient(POINTS).numpy(), function.slope(x), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(loss.sharpness(POINTS).numpy(), function.curvature(x)[:, 0], rtol=1e-12, atol=1e-20)
    assert {*SCALARS} == {*theory.SCALARS} and {*FAMILIES} == {*theory.FAMILIES}


@pytest.mark.parametrize("name", PLAIN)
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
