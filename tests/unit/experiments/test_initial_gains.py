"""Gains by their names, against numbers known without them."""

import numpy as np
import pytest
import torch

from ndgm.engine.activations import ACTIVATIONS, activation
from ndgm.experiments.initial_gains import gain_of, unit_of
from ndgm.store.files import InputError
from ndgm.theory.weight_initialization import fixed_point, susceptibility

BY_HAND = {"relu": 2.0, "sigmoid": 12.8, "tanh": 1.0, "gelu": 4.0, "softplus_1": 4 / (1 + np.log(2) ** 2)}
"""The formula's gains, from g(0) and g'(0) as they stand in textbooks; of ReLU, from the half of its inputs."""


def at(name, point):
    """Value and slope of PyTorch's module at a point, by autograd."""
    leaf = torch.tensor(point, dtype=torch.float64, requires_grad=True)
    value = activation(name).module()(leaf)
    return value.item(), torch.autograd.grad(value, leaf)[0].item()


@pytest.mark.parametrize("name", [*ACTIVATIONS, "softplus_1"])
def test_the_formula_takes_value_and_slope_at_0(name):
    value, slope = at(name, 0.0)
    below, above = at(name, -1e-9)[1], at(name, 1e-9)[1]
    smooth = abs(below - above) < 1e-6
    expected = 1 / (slope**2 * (1 + value**2)) if smooth else 2 / (below**2 + above**2)
    assert gain_of(name, "formula") == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", BY_HAND)
def test_the_formula_is_the_one_by_hand(name):
    assert gain_of(name, "formula") == pytest.approx(BY_HAND[name], rel=1e-12)


@pytest.mark.parametrize("name", [*ACTIVATIONS, "softplus_1"])
def test_a_unit_is_the_activation_and_its_slope(name):
    z = np.linspace(-3, 3, 61).reshape(1, -1) + 0.013
    leaf = torch.tensor(z, requires_grad=True)
    value = activation(name).module()(leaf)
    (slope,) = torch.autograd.grad(value.sum(), leaf)
    np.testing.assert_allclose(unit_of(name).value(z), value.detach(), rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(unit_of(name).slope(z), slope, rtol=1e-12, atol=1e-15)


def test_a_number_is_itself():
    assert gain_of("gelu", 3.6) == 3.6


def test_the_critical_gain_keeps_gradients():
    gain = gain_of("sigmoid", "critical")
    unit = unit_of("sigmoid")
    assert susceptibility(fixed_point(gain, unit), gain, unit) == pytest.approx(1, rel=1e-10)


@pytest.mark.parametrize("name", ["relu", "gelu"])
def test_a_gain_that_there_is_not_is_one_line(name):
    with pytest.raises(InputError, match=f"^weight_initialization: {name} has no gain 'critical': [^\n]*$"):
        gain_of(name, "critical")
