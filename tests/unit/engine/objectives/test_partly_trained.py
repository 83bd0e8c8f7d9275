"""Partly trained networks: against PyTorch's optimisers on modules whose other parameters are frozen."""

import pytest
import torch
from networks_in_torch import RUNS, WIDTHS, data, flat, parameters, relative_error, torch_model

from ndgm.engine.activations import activation
from ndgm.engine.methods import METHODS
from ndgm.engine.networks import Networks
from ndgm.engine.objectives.network import NetworkLoss
from ndgm.engine.objectives.partly_trained import PartlyTrained, of_layers

PENALTY = torch.tensor([[0.0], [0.01], [0.1], [1.0], [0.5]], dtype=torch.float64)
OPTIMISERS = {
    "subgradient": lambda p, decay: torch.optim.SGD(p, lr=0.05, weight_decay=decay),
    "heavy_ball": lambda p, decay: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=decay),
    "adam": lambda p, decay: torch.optim.Adam(p, lr=0.05, weight_decay=decay),
    "adam_decoupled": lambda p, decay: torch.optim.AdamW(p, lr=0.05, weight_decay=decay),
}
"""PyTorch's optimiser with an L2 penalty, coupled or decoupled, by the name of our method."""


def objective_of(trained, name="tanh"):
    networks = Networks(WIDTHS[1], activation(name))
    w = parameters(networks)
    return networks, w, PartlyTrained(NetworkLoss(networks, *data(), RUNS), of_layers(networks, trained, w), PENALTY)


def test_a_mask_is_of_whole_layers():
    networks = Networks((2, 3, 1), activation("relu"))
    like = torch.zeros(1, dtype=torch.float32)
    assert of_layers(networks, [1], like).tolist() == [[0.0] * 9 + [1.0] * 4]
    assert of_layers(networks, [0, 1], like).all() and of_layers(networks, [0], like).dtype == torch.float32


@pytest.mark.parametrize("trained", [(0,), (0, 2), (0, 1, 2)])
@pytest.mark.parametrize("method", OPTIMISERS)
def test_steps_are_those_of_torch_with_frozen_layers(method, trained):
    networks, w, objective = objective_of(trained)
    start, state = w.clone(), METHODS[method].start(w)
    step_size = torch.full((RUNS, 1), 0.05, dtype=torch.float64)
    for _ in range(20):
        w, state = METHODS[method].step(objective, w, state, step_size)
    mask = of_layers(networks, trained, w)
    assert torch.equal(w * (1 - mask), start * (1 - mask)) and not torch.equal(w, start)
    x, y = data()
    for run in range(RUNS):
        model = torch_model(networks, "tanh", start[run])
        linear = [module for module in model if isinstance(module, torch.nn.Linear)]
        optimiser = OPTIMISERS[method]([p for n in trained for p in linear[n].parameters()], PENALTY[run].item())
        for _ in range(20):
            optimiser.zero_grad()
            (0.5 * (model(x) - y).square().sum(1).mean()).backward()
            optimiser.step()
        assert relative_error(w[run], flat(model).detach()) < 1e-9


def test_the_subgradient_is_the_slope_of_the_value_along_what_is_trained():
    networks, w, objective = objective_of((0, 2))
    direction = of_layers(networks, (0, 2), w) * torch.randn(w.shape, generator=torch.Generator().manual_seed(0))
    h = 1e-6
    slope = (objective.value(w + h * direction) - objective.value(w - h * direction)) / (2 * h)
    torch.testing.assert_close((objective.subgradient(w) * direction).sum(1), slope, rtol=1e-7, atol=1e-8)
