"""Products with Hessians of networks, against autograd, curvlinops, differences of gradients and a Hessian by hand."""

import pytest
import torch
from curvlinops import HessianLinearOperator
from hessians import dense, gaussian, targets
from networks_in_torch import CRITERIA, NAMES, OUTPUTS, RUNS, WIDTHS, flat, parameters, torch_model

from ndgm.engine.activations import activation
from ndgm.engine.curvature.network_hessian import NetworkHessian
from ndgm.engine.networks import Networks
from ndgm.engine.objectives.network import LOSSES, NetworkLoss

# Losses of torch.nn as curvlinops needs them, and what a mean over samples and outputs is too small by.
MODULES = {"squared": (torch.nn.MSELoss(), OUTPUTS / 2), "cross_entropy": (torch.nn.CrossEntropyLoss(), 1.0)}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("widths", WIDTHS, ids=lambda widths: f"depth {len(widths) - 2}")
@pytest.mark.parametrize("name", NAMES)
def test_products_are_those_of_autograd(name, widths, loss):
    networks = Networks(widths, activation(name))
    (x, y), w = targets(loss), parameters(networks)
    # Two runs and ten samples at once: parts and pieces of unequal size.
    objective = NetworkLoss(networks, x, y, RUNS, loss=loss, runs_at_once=2, samples_at_once=10)
    direction = gaussian(*w.shape)
    products = NetworkHessian(objective, w) @ direction
    for run in range(RUNS):
        model = torch_model(networks, name, w[run])
        weights = [p for m in model if isinstance(m, torch.nn.Linear) for p in (m.weight, m.bias)]
        gradient = torch.autograd.grad(CRITERIA[loss](model(x), y), weights, create_graph=True)
        other = torch_model(networks, name, direction[run])
        along = [p.detach() for m in other if isinstance(m, torch.nn.Linear) for p in (m.weight, m.bias)]
        expected = torch.autograd.grad(gradient, weights, along)
        for parameter, value in zip(weights, expected, strict=True):
            parameter.grad = value
        torch.testing.assert_close(products[run], flat(model, lambda p: p.grad), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", NAMES)
def test_products_are_differences_of_gradients(name, loss):
    networks = Networks(WIDTHS[1], activation(name))
    (x, y), w = targets(loss), parameters(networks)
    objective = NetworkLoss(networks, x, y, RUNS, loss=loss)
    direction, h = gaussian(*w.shape), 1e-7
    forward, backward = (objective.subgradient(w + step * direction).clone() for step in (h, -h))
    # Truncation h² and rounding 1e-16/h; no pre-activation or residual of these is within 1e-6 of its kink.
    expected = (forward - backward) / (2 * h)
    torch.testing.assert_close(NetworkHessian(objective, w) @ direction, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("loss", MODULES)
@pytest.mark.parametrize("name", NAMES)
def test_products_are_those_of_curvlinops(name, loss):
    networks = Networks(WIDTHS[1], activation(name))
    (x, y), w = targets(loss), parameters(networks, runs=1)
    direction, (criterion, scale) = gaussian(*w.shape), MODULES[loss]
    model, along = (torch_model(networks, name, part[0]) for part in (w, direction))
    weights = list(model.parameters())
    operator = HessianLinearOperator(model, criterion, weights, [(x, y)], check_deterministic=False)
    try:
        found = operator @ torch.cat([part.detach().flatten() for part in along.parameters()])
    except NotImplementedError as error:  # PyTorch has no forward derivative of the derivative of SiLU
        pytest.skip(str(error))
    for weight, part in zip(weights, found.split([weight.numel() for weight in weights]), strict=True):
        weight.grad = scale * part.view_as(weight)
    product = NetworkHessian(NetworkLoss(networks, x, y, 1, loss=loss), w) @ direction
    torch.testing.assert_close(product[0], flat(model, lambda p: p.grad), rtol=1e-11, atol=1e-13)


def test_hessian_of_one_unit_by_hand():
    # f = ½(c·relu(a·x + b) + d)² at x = 2, with a·x + b > 0, so r = c(2a + b) + d and ∇r = (2c, c, 2a + b, 1).
    a, b, c, d = 0.5, 0.25, 3.0, -1.0
    w = torch.tensor([[a, b, c, d], [a, -2.0, c, d]], dtype=torch.float64)
    x, y = torch.full((1, 1), 2.0, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
    objective = NetworkLoss(Networks((1, 1, 1), activation("relu")), x, y, 2)
    slope, r = torch.tensor([2 * c, c, 2 * a + b, 1.0], dtype=torch.float64), c * (2 * a + b) + d
    second = torch.zeros(4, 4, dtype=torch.float64)  # of r: ∂²/∂a∂c = 2 and ∂²/∂b∂c = 1
    second[0, 2] = second[2, 0] = 2.0
    second[1, 2] = second[2, 1] = 1.0
    off = torch.zeros(4, 4, dtype=torch.float64)  # 2a + b < 0: only d acts
    off[3, 3] = 1.0
    expected = torch.stack([torch.outer(slope, slope) + r * second, off])
    torch.testing.assert_close(dense(objective, w), expected, rtol=1e-14, atol=1e-14)
