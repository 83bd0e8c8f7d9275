"""Every activation of the registry against its double in torch.nn.functional, in float64, at kinks and beside them."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from networks_in_torch import NAMES, OTHER_DOUBLES, double
from scipy.special import expit
from torch import nn

from ndgm.engine.activations import ACTIVATIONS, Activation, activation
from ndgm.engine.networks import Networks
from ndgm.engine.objectives.network import NetworkLoss

KINKED = [name for name in NAMES if activation(name).kinks]
DTYPES = [torch.float32, torch.float64]
FAR = [sign * size for size in (100.0, 1000.0, 1e4) for sign in (-1, 1)]
ON_EITHER_SIDE = (-1e-12, 0.0, 1e-12)
BENT = 1e-6
"""The least jump of a first derivative that is a kink."""


def points(chosen):
    """Arguments near and far; kinks, the numbers next to them, and some near them."""
    special = torch.tensor(sorted({0.0, 1.0, -1.0, *chosen.kinks}), dtype=torch.float64)
    beside = [torch.nextafter(special, special + step) for step in (-1.0, 1.0)]
    near = [special + step for step in (-0.5, -1e-3, -1e-9, 1e-9, 1e-3, 0.5)]
    return torch.cat([torch.linspace(-30, 30, 4001, dtype=torch.float64), special, *beside, *near])


def value_of(chosen, z):
    """σ(z) in memory of its own."""
    return chosen.value(z, torch.empty_like(z))


def slope_of(chosen, z):
    """σ′(z) as a backward pass takes it, from a δ of 3."""
    seen = value_of(chosen, z) if chosen.from_output else z.clone()
    return chosen.slope(torch.full_like(z, 3.0), seen) / 3


def derivatives(name, z):
    """The double's value and its first two derivatives, from autograd."""
    z = z.clone().requires_grad_()
    value = double(name)(z)
    (first,) = torch.autograd.grad(value.sum(), z, create_graph=True)
    if not first.requires_grad:  # piecewise linear: the first derivative does not depend on z
        return value.detach(), first, torch.zeros_like(z)
    try:
        (second,) = torch.autograd.grad(first.sum(), z, materialize_grads=True)
    except RuntimeError as error:  # which names a kernel
        pytest.fail(f"{name}: write its double with functions that autograd knows twice, in OTHER_DOUBLES: {error}")
    return value.detach(), first.detach(), second


def agree(name, field, z, found, *expected, rtol, atol):
    """Fail unless each number lies between those expected, but for the tolerance, and say which does not."""
    low, high = torch.stack(expected).amin(0), torch.stack(expected).amax(0)
    slack = atol + rtol * expected[0].abs()
    wrong = ~((found >= low - slack) & (found <= high + slack))
    if wrong.any():
        place = int(wrong.nonzero()[0, 0])
        wanted = " to ".join(dict.fromkeys(repr(side[place].item()) for side in (low, high)))
        pytest.fail(
            f"{name}: {field} at {z[place].item()!r} ({z.dtype}) is {found[place].item()!r}, "
            f"that of its double {wanted}; {int(wrong.sum())} of {len(z)} arguments differ"
        )


@pytest.mark.parametrize("name", NAMES)
def test_value_is_that_of_the_double(name):
    z = points(activation(name))
    agree(name, "value", z, value_of(activation(name), z), derivatives(name, z)[0], rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_slope_is_the_first_derivative_of_the_double(name):
    z = points(activation(name))
    agree(name, "slope", z, slope_of(activation(name), z), derivatives(name, z)[1], rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", NAMES)
def test_second_is_the_second_derivative_of_the_double_and_zero_at_kinks(name):
    chosen = activation(name)
    z = points(chosen)
    # Where the second derivative jumps, as that of ELU does at 0, it may be that of either side.
    sides = [derivatives(name, z + step)[2] for step in ON_EITHER_SIDE]
    agree(name, "second", z, chosen.second(z), *sides, rtol=1e-9, atol=1e-11)
    kinks = torch.tensor(chosen.kinks, dtype=torch.float64)
    agree(name, "second, at a kink,", kinks, chosen.second(kinks), torch.zeros_like(kinks), rtol=0, atol=0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_overflows_far_out(name, dtype):
    # log(1 + exp(z)) is softplus until exp(z) overflows, at 89 in single precision.
    chosen, z = activation(name), torch.tensor(FAR, dtype=dtype)
    found = {"value": value_of(chosen, z), "slope": slope_of(chosen, z), "second": chosen.second(z)}
    for (field, ours), theirs in zip(found.items(), derivatives(name, z), strict=True):
        # Some doubles of PyTorch overflow themselves, as the second derivative of `mish` does; some take a difference
        # from 1, of which a rounding error is left.
        finite, eps = theirs.where(theirs.isfinite(), ours.nan_to_num()), torch.finfo(dtype).eps
        agree(name, field, z, ours, finite, rtol=4 * eps, atol=eps)


def grid():
    """Intervals between irregular points, a thousandth long up to ±30, and longer ones up to ±10,000."""
    rng = np.random.default_rng(0)
    far = np.geomspace(30, 1e4, 500)
    z = torch.tensor(np.sort(np.concatenate([-far, rng.uniform(-30, 30, 60_000), far])))
    return z[:-1], z[1:]


def jumps(function, least):
    """Where a function jumps by more than `BENT` over intervals that are halved until they are `least` long."""
    left, right = grid()
    at_left, at_right = function(left), function(right)
    while ((right - left) > least * (1 + left.abs())).any():
        middle = (left + right) / 2
        at_middle = function(middle)
        lower = (at_middle - at_left).abs() > (at_right - at_middle).abs()
        left, right = torch.where(lower, left, middle), torch.where(lower, middle, right)
        at_left, at_right = torch.where(lower, at_left, at_middle), torch.where(lower, at_middle, at_right)
    return right[(at_right - at_left).abs() > BENT]


def kinks_are(name, field, declared, found, accuracy):
    """Fail unless what was found are the kinks that are declared."""
    declared = torch.tensor(declared, dtype=torch.float64)
    distance = (found[:, None] - declared).abs()
    for kink, near in zip(declared.tolist(), distance.unbind(1), strict=True):
        assert (near < accuracy).any(), f"{name}: kinks has {kink!r}, where the slope of {field} does not jump"
    strange = found[(distance >= accuracy).all(1)]
    assert not len(strange), f"{name}: the slope of {field} jumps at {strange[0].item()!r}, which kinks lacks"


@pytest.mark.parametrize("name", NAMES)
def test_kinks_are_where_the_first_derivative_of_the_double_jumps(name):
    found = jumps(lambda z: derivatives(name, z)[1], least=1e-13)
    kinks_are(name, "the double", activation(name).kinks, found, accuracy=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_kinks_are_where_the_slope_of_a_backward_pass_jumps(name):
    found = jumps(lambda z: slope_of(activation(name), z), least=1e-13)
    kinks_are(name, "slope", activation(name).kinks, found, accuracy=1e-8)


@pytest.mark.parametrize("name", NAMES)
def test_kinks_are_where_one_sided_slopes_of_the_value_differ(name):
    chosen, (left, right) = activation(name), grid()
    near = (left.abs() < 30) & (right.abs() < 30)
    kinks = torch.tensor(chosen.kinks, dtype=torch.float64)
    z = torch.cat([left[near], kinks])
    # Over two thousandths, so that the intervals of neighbours overlap and none is left out.
    step = torch.cat([2 * (right - left)[near], torch.full_like(kinks, 1e-6)])
    below, here, above = (value_of(chosen, z + factor * step) for factor in (-1, 0, 1))
    second = chosen.second(z).abs() + chosen.second(z - step).abs() + chosen.second(z + step).abs()
    # A smooth function bends by its second derivative times the step; a kink of less than a hundredth is not seen.
    bent = ((above - here) - (here - below)).abs() > step * (0.01 + 2 * second * step)
    for kink in chosen.kinks:
        assert bent[z == kink].all(), f"{name}: kinks has {kink!r}, where the one-sided slopes of value are equal"
    distance = (z[bent, None] - kinks).abs().amin(1) if len(kinks) else torch.full((int(bent.sum()),), torch.inf)
    strange = z[bent][distance > 4 * step[bent]]
    assert not len(strange), f"{name}: one-sided slopes of value differ near {strange[0].item()!r}, which kinks lacks"


@pytest.mark.parametrize("name", NAMES)
def test_every_kink_has_a_slope_which_is_that_of_autograd(name):
    chosen = activation(name)
    assert list(chosen.kinks) == sorted(set(chosen.kinks)), f"{name}: kinks {chosen.kinks} do not ascend"
    assert len(chosen.at_kinks) == len(chosen.kinks), f"{name}: {chosen.at_kinks} for the kinks {chosen.kinks}"
    kinks, declared = torch.tensor([chosen.kinks, chosen.at_kinks], dtype=torch.float64)
    agree(name, "at_kinks", kinks, declared, derivatives(name, kinks)[1], rtol=1e-13, atol=0)


@pytest.mark.parametrize("name", KINKED)
@pytest.mark.parametrize("at_kink", [None, 0.0, 0.01, 0.5, 1.0, -2.0])
def test_slope_at_kinks_is_the_one_asked_for_and_else_that_of_autograd(name, at_kink):
    chosen = activation(name, at_kink)
    z = points(chosen)
    expected = derivatives(name, z)[1]
    for kink, conventional, value in zip(chosen.kinks, activation(name).at_kinks, chosen.at_kinks, strict=True):
        assert value == (conventional if at_kink is None else at_kink), f"{name}: at_kinks at {kink!r} is {value!r}"
        expected[z == kink] = value
    agree(name, "slope", z, slope_of(chosen, z), expected, rtol=1e-15, atol=0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", KINKED)
def test_values_at_the_kink_are_taken_on_one_path(name, dtype):
    # The convention's value once went another way through memory: 1e-30 in its place changed 7 of 20 runs by rounding.
    (x, y), widths = (torch.rand(40, 6, dtype=dtype), torch.rand(40, 3, dtype=dtype)), (6, 16, 16, 3)
    start = torch.tensor(Networks(widths, activation(name)).initial([np.random.default_rng(0)])).to(dtype)
    start += 0.1  # no pre-activation is on a kink
    gradients = [
        NetworkLoss(Networks(widths, activation(name, at_kink)), x, y, 1).subgradient(start)
        for at_kink in (*activation(name).at_kinks[:1], 0.5, 1e-30, -3.0)
    ]
    assert all(torch.equal(gradient, gradients[0]) for gradient in gradients)


@pytest.mark.parametrize("name", NAMES)
def test_the_module_is_the_double(name):
    z = points(activation(name))
    agree(name, "module", z, activation(name).module()(z), double(name)(z), rtol=1e-15, atol=0)


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
@pytest.mark.parametrize("name", NAMES)
def test_bits_do_not_depend_on_whether_rows_lie_apart(name, dtype):
    """Where they do, PyTorch may give the last 4 of 20 columns to the C library, of which releases differ."""
    one = activation(name)
    z, delta = 3 * torch.randn(2, 8, 100, 20, dtype=dtype, generator=torch.Generator().manual_seed(1))
    out = torch.empty(8, 100, 21, dtype=dtype)[..., :-1]
    before = out.copy_(z) if one.from_output else z  # as on a tape, which keeps z where its slope needs it
    value = one.value(z, torch.empty_like(z))
    assert torch.equal(one.value(before, out), value)
    if one.from_output:
        assert torch.equal(one.slope(delta.clone(), out), one.slope(delta.clone(), value))


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


@pytest.mark.parametrize("name", ["swish", "softplus", "softplus_", "softplus_0", "softplus_-1", "softplus_x", ""])
def test_an_activation_that_does_not_exist(name):
    with pytest.raises(ValueError, match=r"^no activation .*; there are .*softplus_<positive number>$") as error:
        activation(name)
    assert "\n" not in str(error.value) and all(known in str(error.value) for known in ACTIVATIONS)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in KINKED])
def test_a_smooth_activation_has_no_value_at_a_kink(name):
    with pytest.raises(ValueError, match="smooth"):
        activation(name, at_kink=0.0)


def holds(name):
    """Run every test of a single entry."""
    for test in (
        test_value_is_that_of_the_double,
        test_slope_is_the_first_derivative_of_the_double,
        test_second_is_the_second_derivative_of_the_double_and_zero_at_kinks,
        test_every_kink_has_a_slope_which_is_that_of_autograd,
        test_kinks_are_where_the_first_derivative_of_the_double_jumps,
        test_kinks_are_where_the_slope_of_a_backward_pass_jumps,
        test_kinks_are_where_one_sided_slopes_of_the_value_differ,
        test_the_module_is_the_double,
    ):
        test(name)
    for dtype in DTYPES:
        test_nothing_overflows_far_out(name, dtype)
        test_results_go_where_they_are_told(name, dtype)
    for at_kink in (None, 0.25) if activation(name).kinks else ():
        test_slope_at_kinks_is_the_one_asked_for_and_else_that_of_autograd(name, at_kink)


def elementwise(value, slope, **others):
    """An entry whose value and slope are written with plain functions of z."""
    return Activation(
        value=lambda z, out: out.copy_(value(z)),
        slope=lambda delta, z: delta.mul_(slope(z)),
        **({"second": torch.zeros_like, "kinks": (), "at_kinks": (), "from_output": False} | others),
    )


WITH_KINKS = {
    "hardshrink": elementwise(
        lambda z: z * (z.abs() > 0.5),
        lambda z: (z.abs() > 0.5).to(z.dtype),
        kinks=(-0.5, 0.5),
        at_kinks=(0.0, 0.0),
        module=nn.Hardshrink,
    ),
    "softshrink": elementwise(
        lambda z: z - z.clamp(-0.5, 0.5),
        lambda z: (z.abs() > 0.5).to(z.dtype),
        kinks=(-0.5, 0.5),
        at_kinks=(0.0, 0.0),
        module=nn.Softshrink,
    ),
    "relu6": elementwise(
        lambda z: z.clamp(0, 6),
        lambda z: ((z > 0) & (z < 6)).to(z.dtype),
        kinks=(0.0, 6.0),
        at_kinks=(0.0, 0.0),
        module=nn.ReLU6,
    ),
    # At 3 PyTorch takes the slope of the right, at −3 that of the left: one number for all kinks would not do.
    "hardswish": elementwise(
        lambda z: z * (z + 3).clamp(0, 6) / 6,
        lambda z: torch.where(z <= -3, 0, torch.where(z < 3, z / 3 + 0.5, 1)),
        second=lambda z: (z.abs() < 3).to(z.dtype) / 3,
        kinks=(-3.0, 3.0),
        at_kinks=(0.0, 1.0),
        module=nn.Hardswish,
    ),
    "hardsigmoid": elementwise(
        lambda z: (z + 3).clamp(0, 6) / 6,
        lambda z: (z.abs() < 3).to(z.dtype) / 6,
        kinks=(-3.0, 3.0),
        at_kinks=(0.0, 0.0),
        module=nn.Hardsigmoid,
    ),
}
"""Activations of PyTorch with kinks which the registry does not have, in its form."""


@pytest.mark.parametrize("name", WITH_KINKS)
def test_the_form_of_an_entry_holds_what_pytorch_has_with_kinks(name, monkeypatch):
    monkeypatch.setitem(ACTIVATIONS, name, WITH_KINKS[name])
    # PyTorch has no second derivative of it.
    monkeypatch.setitem(OTHER_DOUBLES, "hardsigmoid", lambda z: (nn.functional.hardtanh(z, -3, 3) + 3) / 6)
    holds(name)


class Piecewise(nn.Module):
    """A function of z as a module."""

    def __init__(self, function):
        super().__init__()
        self.forward = function


def entry_and_double(monkeypatch, name, function, slope, **others):
    """Put an entry and its double in place."""
    monkeypatch.setitem(ACTIVATIONS, name, elementwise(function, slope, module=lambda: Piecewise(function), **others))
    monkeypatch.setitem(OTHER_DOUBLES, name, function)


def test_a_double_without_a_second_graph_is_piecewise_linear(monkeypatch):
    def line(z):
        return 2 * z + 1

    first = torch.autograd.grad(line(z := torch.ones(1, requires_grad=True)).sum(), z, create_graph=True)[0]
    assert not first.requires_grad
    entry_and_double(monkeypatch, "line", line, lambda z: torch.full_like(z, 2))
    holds("line")


@pytest.mark.parametrize("kink", [0.12345, -1 / 3, 7.654321, 29.99, 1234.5])
def test_a_kink_that_is_not_declared_is_found(kink, monkeypatch):
    def bent(z):
        return z + 0.5 * (z - kink).clamp(min=0)

    entry_and_double(monkeypatch, "bent", bent, lambda z: torch.where(z > kink, 1.5, 1.0))
    for test in (
        test_kinks_are_where_the_first_derivative_of_the_double_jumps,
        test_kinks_are_where_the_slope_of_a_backward_pass_jumps,
        *([test_kinks_are_where_one_sided_slopes_of_the_value_differ] if abs(kink) < 30 else []),
    ):
        with pytest.raises(AssertionError, match="^bent: .* which kinks lacks"):
            test("bent")


def test_a_kink_that_is_none_is_refused(monkeypatch):
    monkeypatch.setitem(ACTIVATIONS, "tanh", replace(ACTIVATIONS["tanh"], kinks=(0.3,), at_kinks=(0.9,)))
    for test in (
        test_kinks_are_where_the_first_derivative_of_the_double_jumps,
        test_kinks_are_where_the_slope_of_a_backward_pass_jumps,
        test_kinks_are_where_one_sided_slopes_of_the_value_differ,
    ):
        with pytest.raises(AssertionError, match="^tanh: kinks has 0.3, where"):
            test("tanh")


WRONG = [
    ("tanh", "value", lambda z, out: out.copy_(z.tanh() * (1 + 1e-9)), "tanh: value at"),
    ("tanh", "slope", lambda delta, out: delta.mul_(1 - out), "tanh: slope at"),
    ("tanh", "second", torch.zeros_like, "tanh: second at"),
    ("tanh", "second", lambda z: z.tanh() * (z.tanh().square() - 1), "tanh: second at"),
    ("tanh", "module", nn.Sigmoid, "tanh: module at"),
    ("softplus_1", "value", lambda z, out: out.copy_((1 + z.exp()).log()), "softplus_1: value at 100.0 .* is inf, "),
    (
        "softplus_1",
        "slope",
        lambda delta, z: delta.mul_(z.exp() / (1 + z.exp())),
        "softplus_1: slope at 100.0 .* nan, ",
    ),
    ("softplus_1", "second", lambda z: z.exp() / (1 + z.exp()) ** 2, "softplus_1: second at 100.0 .* nan, "),
    ("relu", "second", lambda z: (z == 0).to(z.dtype), "relu: second at 0.0 .* is 1.0, that of its double 0.0"),
    ("relu", "at_kinks", (0.5,), "relu: at_kinks at 0.0 .* is 0.5, that of its double 0.0"),
    ("hardtanh", "at_kinks", (0.0, 1.0), "hardtanh: at_kinks at 1.0 .* is 1.0, that of its double 0.0"),
    ("hardtanh", "at_kinks", (0.0,), "hardtanh: (0.0,) for the kinks (-1.0, 1.0)"),
]


@pytest.mark.parametrize(
    ("name", "field", "wrong", "said"), WRONG, ids=lambda part: part if isinstance(part, str) else ""
)
def test_a_wrong_entry_is_named_with_field_argument_and_both_values(name, field, wrong, said, monkeypatch):
    # An activation with a wrong derivative passed 293 tests, because they looped over a list of their own.
    monkeypatch.setitem(ACTIVATIONS, "changed", replace(activation(name), **{field: wrong}))
    monkeypatch.setitem(OTHER_DOUBLES, "changed", double(name))
    pattern = re.escape(said.replace(name, "changed")).replace(r"\.\*", ".*")
    with pytest.raises((AssertionError, pytest.fail.Exception), match=f"^{pattern}"):
        holds("changed")


def test_an_activation_without_a_double_says_where_one_belongs(monkeypatch):
    monkeypatch.setitem(ACTIVATIONS, "bent", ACTIVATIONS["relu"])
    with pytest.raises(AssertionError, match="add a double to OTHER_DOUBLES in .*networks_in_torch.py"):
        test_value_is_that_of_the_double("bent")
