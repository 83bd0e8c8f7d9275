"""Every activation of the registry against its double in torch.nn.functional, in float64, at kinks and beside them."""

import numpy as np
import pytest
import torch
from networks_in_torch import NAMES, double
from scipy.special import expit

from ndgm.engine.activations import ACTIVATIONS, activation

KINKED = [name for name in NAMES if activation(name).kinks]


def points(chosen):
    """Arguments near and far; kinks, the numbers next to them, and some near them."""
    special = torch.tensor(sorted({0.0, 1.0, -1.0, *chosen.kinks}), dtype=torch.float64)
    beside = [torch.nextafter(special, special + step) for step in (-1.0, 1.0)]
    near = [special + step for step in (-0.5, -1e-3, -1e-9, 1e-9, 1e-3, 0.5)]
    return torch.cat([torch.linspace(-30, 30, 4001, dtype=torch.float64), special, *beside, *near])


def slope(chosen, z):
    """σ′(z) as a backward pass takes it, times 3."""
    seen = chosen.value(z, torch.empty_like(z)) if chosen.from_output else z.clone()
    return chosen.slope(torch.full_like(z, 3.0), seen)


def derivatives(name, z):
    """The double's value and its first two derivatives, from autograd."""
    z = z.clone().requires_grad_()
    value = double(name)(z)
    (first,) = torch.autograd.grad(value.sum(), z, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), z)
    return value.detach(), first.detach(), second


@pytest.mark.parametrize("name", NAMES)
def test_value_and_first_derivative_are_those_of_autograd(name):
    chosen = activation(name)
    z = points(chosen)
    value, first, _ = derivatives(name, z)
    torch.testing.assert_close(chosen.value(z, torch.empty_like(z)), value, rtol=1e-13, atol=1e-15)
    torch.testing.assert_close(slope(chosen, z), 3 * first, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_second_derivative_is_that_of_autograd(name):
    chosen = activation(name)
    z = points(chosen)
    # Where the second derivative jumps, as that of ELU does at 0, it may be that of either side.
    sides = torch.stack([derivatives(name, z + step)[2] for step in (-1e-12, 0.0, 1e-12)])
    found, slack = chosen.second(z), 1e-9 * sides[1].abs() + 1e-11
    assert ((found >= sides.amin(0) - slack) & (found <= sides.amax(0) + slack)).all()
    kinks = torch.tensor(chosen.kinks, dtype=torch.float64)
    assert (chosen.second(kinks) == 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_kinks_are_where_one_sided_slopes_differ(name):
    chosen, h = activation(name), 1e-6
    z = torch.cat([torch.linspace(-8, 8, 1601, dtype=torch.float64), torch.tensor(chosen.kinks, dtype=torch.float64)])
    left, here, right = (chosen.value(z + step, torch.empty_like(z)) for step in (-h, 0, h))
    bent = ((right - here) - (here - left)).abs() > 1e-3 * h  # a second derivative would have to be 1,000
    assert sorted({*z[bent].round(decimals=9).tolist()}) == list(chosen.kinks)
    assert (chosen.at_kink is None) == (not chosen.kinks)


@pytest.mark.parametrize("name", KINKED)
@pytest.mark.parametrize("at_kink", [None, 0.0, 0.01, 0.5, 1.0, -2.0])
def test_slope_at_kinks_is_the_one_asked_for_and_else_that_of_autograd(name, at_kink):
    chosen = activation(name, at_kink)
    z = points(chosen)
    kinks = torch.tensor(chosen.kinks, dtype=torch.float64)
    conventional = derivatives(name, kinks)[1]
    assert (conventional == activation(name).at_kink).all()
    wanted = conventional if at_kink is None else torch.full_like(kinks, at_kink)
    assert (chosen.at_kink == wanted).all()
    expected = torch.where(torch.isin(z, kinks), chosen.at_kink, derivatives(name, z)[1])
    torch.testing.assert_close(slope(chosen, z), 3 * expected, rtol=1e-15, atol=0)


@pytest.mark.parametrize("name", NAMES)
def test_the_module_is_the_double(name):
    z = points(activation(name))
    torch.testing.assert_close(activation(name).module()(z), double(name)(z), rtol=1e-15, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", NAMES)
def test_results_go_where_they_are_told(name, dtype):
    # Into a part of a larger buffer, as on a tape: gelu.out of PyTorch 2.13 ignored the strides.
    chosen, z = activation(name), torch.linspace(-3, 3, 24, dtype=dtype).view(4, 6)
    room = torch.full((4, 7), 9.0, dtype=dtype)
    chosen.value(z, room[:, :-1])
    torch.testing.assert_close(room[:, :-1], double(name)(z))
    seen = room[:, :-1] if chosen.from_output else z
    delta = torch.ones(4, 7, dtype=dtype)
    result = chosen.slope(delta[:, :-1], seen)
    assert result.data_ptr() == delta.data_ptr() and (delta[:, -1] == 1).all() and (room[:, -1] == 9).all()
    torch.testing.assert_close(delta[:, :-1], derivatives(name, z)[1])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("beta", [0.5, 1.0, 10.0])
def test_softplus_far_out(beta, dtype):
    softplus = activation(f"softplus_{beta:g}")
    z = torch.tensor([-1000.0, -30.0, 0.0, 30.0, 1000.0], dtype=dtype)
    value = softplus.value(z, torch.empty_like(z)).double()
    first = softplus.slope(torch.ones_like(z), z).double()
    z = z.double().numpy()
    tolerance = 4 * torch.finfo(dtype).eps
    np.testing.assert_allclose(value, np.logaddexp(0, beta * z) / beta, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(first, expit(beta * z), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("beta", [0.5, 1.0, 10.0])
def test_softplus_where_pytorch_is_linear_already(beta):
    softplus = activation(f"softplus_{beta}")
    z = torch.linspace(19, 45, 400, dtype=torch.float64) / beta
    value = softplus.value(z, torch.empty_like(z))
    np.testing.assert_allclose(value, np.logaddexp(0, beta * z.numpy()) / beta, rtol=4e-16)
    first = softplus.slope(torch.ones_like(z), z)
    np.testing.assert_allclose(first, expit(beta * z.numpy()), rtol=4e-16)


@pytest.mark.parametrize("name", ["sigmoid", "softplus", "softplus_", "softplus_0", "softplus_-1", "softplus_x", ""])
def test_an_activation_that_does_not_exist(name):
    with pytest.raises(ValueError, match=r"^no activation .*; there are .*softplus_<positive number>$") as error:
        activation(name)
    assert "\n" not in str(error.value) and all(known in str(error.value) for known in ACTIVATIONS)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in KINKED])
def test_a_smooth_activation_has_no_value_at_a_kink(name):
    with pytest.raises(ValueError, match="smooth"):
        activation(name, at_kink=0.0)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("value", lambda z, out: out.copy_(z.tanh() * (1 + 1e-9))),
        ("slope", lambda delta, out: delta.mul_(1 - out)),
        ("second", torch.zeros_like),
        ("second", lambda z: z.tanh() * (z.tanh().square() - 1)),
        ("module", torch.nn.Sigmoid),
    ],
)
def test_a_wrong_entry_fails(field, wrong, monkeypatch):
    # An activation with a wrong derivative passed 293 tests, because they looped over a list of their own.
    entry = ACTIVATIONS["tanh"]
    monkeypatch.setitem(ACTIVATIONS, "tanh", type(entry)(**(vars(entry) | {field: wrong})))
    tests = {
        "second": test_second_derivative_is_that_of_autograd,
        "module": test_the_module_is_the_double,
    }
    with pytest.raises(AssertionError):
        tests.get(field, test_value_and_first_derivative_are_those_of_autograd)("tanh")


def test_an_activation_without_a_double_says_where_one_belongs(monkeypatch):
    monkeypatch.setitem(ACTIVATIONS, "bent", ACTIVATIONS["relu"])
    with pytest.raises(AssertionError, match="add a double to OTHER_DOUBLES in .*networks_in_torch.py"):
        test_value_and_first_derivative_are_those_of_autograd("bent")
