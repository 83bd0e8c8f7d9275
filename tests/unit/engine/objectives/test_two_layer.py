"""Losses of two-layer networks with a fixed output layer, against PyTorch's autograd."""

import pytest
import torch

from ndgm.engine.activations import ACTIVATIONS, activation
from ndgm.engine.objectives.two_layer import TwoLayerLoss

RUNS, SAMPLES, INPUTS, UNITS = 5, 7, 3, 6


@pytest.fixture(autouse=True)
def draws():
    torch.manual_seed(0)


def problem(own):
    """Inputs and targets, of each run its own or the same for all, an output layer and iterates."""
    own_shape = (RUNS,) if own else ()
    x, y = torch.randn(*own_shape, SAMPLES, INPUTS), torch.randn(*own_shape, SAMPLES)
    return [each.double() for each in (x, y, torch.randn(RUNS, UNITS), torch.randn(RUNS, INPUTS * UNITS))]


@pytest.mark.parametrize("own", [True, False], ids=["own data", "shared data"])
@pytest.mark.parametrize("runs_at_once", [None, 2])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_value_and_gradient_are_those_of_autograd(name, runs_at_once, own):
    x, y, output, w = problem(own)
    loss = TwoLayerLoss(activation(name), x, y, output, runs_at_once)
    leaf = w.clone().requires_grad_()
    hidden = ACTIVATIONS[name].module()(x @ leaf.view(RUNS, INPUTS, UNITS))
    expected = ((hidden * output.unsqueeze(1)).sum(2) - y).square().sum(1) / 2
    expected.sum().backward()
    value, g = loss.value_and_subgradient(w)
    torch.testing.assert_close(value, expected.detach(), rtol=1e-13, atol=0)
    torch.testing.assert_close(g, leaf.grad, rtol=1e-12, atol=1e-13)


def test_a_column_is_a_unit():
    x, y, output, w = problem(own=True)
    loss = TwoLayerLoss(activation("relu"), x, y, output)
    unit = loss.matrices(w)[2, :, 4]
    torch.testing.assert_close(loss.preactivations(w)[2, :, 4], x[2] @ unit, rtol=1e-14, atol=1e-15)


def test_units_in_pairs_of_opposite_output_start_as_zero():
    x, y, output, w = problem(own=False)
    half, units = w.view(RUNS, INPUTS, UNITS), torch.cat([output, -output], 1)
    loss = TwoLayerLoss(activation("relu"), x, y, units)
    both = torch.cat([half, half], 2).flatten(1)
    torch.testing.assert_close(loss.value(both), (y.square().sum() / 2).expand(RUNS), rtol=1e-14, atol=0)
