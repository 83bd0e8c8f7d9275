"""Convolutional networks in stacks, held against PyTorch's modules one by one."""

import numpy as np
import pytest
import torch
from torch import nn

from ndgm.engine.convolutions import Convolutions, largest_of_four

AUTHORS = Convolutions(channels=(32, 64, 128), colours=3, side=32, classes=10)
SMALL = Convolutions(channels=(2, 4), colours=3, side=8, classes=5)


def by_hand(networks: Convolutions) -> nn.Sequential:
    """The architecture, layer by layer, as PyTorch has it."""
    modules, ins = [], networks.colours
    for outs in networks.channels:
        for _ in range(3):
            modules += [nn.Conv2d(ins, outs, 3, padding="same"), nn.Sigmoid()]
            ins = outs
        modules.append(nn.MaxPool2d(2))
    features = ins * (networks.side // 2 ** len(networks.channels)) ** 2
    return nn.Sequential(*modules, nn.Flatten(), nn.Linear(features, networks.classes)).double()


def test_nine_convolutions_and_a_softmax_layer():
    parameters = {name: tuple(each.shape) for name, each in by_hand(AUTHORS).named_parameters()}
    kernels = [shape for shape in parameters.values() if len(shape) == 4]
    pairs = [(3, 32), (32, 32), (32, 32), (32, 64), (64, 64), (64, 64), (64, 128), (128, 128), (128, 128)]
    assert kernels == [(outs, ins, 3, 3) for ins, outs in pairs]
    assert AUTHORS.shapes == (*((9 * ins, outs) for ins, outs in pairs), (128 * 4 * 4, 10))
    assert AUTHORS.parameters == sum(map(np.prod, parameters.values()))
    views = AUTHORS.layers(torch.zeros(2, AUTHORS.parameters))
    assert [tuple(weights.shape) for weights, _ in views] == [(2, outs, ins) for ins, outs in AUTHORS.shapes]
    assert [tuple(biases.shape) for _, biases in views] == [(2, outs) for _, outs in AUTHORS.shapes]


@pytest.mark.parametrize("networks", [SMALL, AUTHORS], ids=["small", "authors"])
def test_outputs_and_gradients_are_those_of_modules(networks):
    """Each run on pictures of its own, with parameters in the order of the modules."""
    torch.manual_seed(0)
    w = torch.randn(3, networks.parameters, dtype=torch.float64).mul_(0.5).requires_grad_()
    x = torch.randn(3, 2, networks.colours, networks.side, networks.side, dtype=torch.float64)
    outputs = networks.forward(w, x)
    (gradient,) = torch.autograd.grad(outputs.square().sum(), w)
    for run in range(3):
        alone = by_hand(networks)
        nn.utils.vector_to_parameters(w[run].detach(), alone.parameters())
        expected = alone(x[run])
        torch.testing.assert_close(outputs[run], expected, rtol=1e-12, atol=1e-12)
        slopes = torch.autograd.grad(expected.square().sum(), list(alone.parameters()))
        torch.testing.assert_close(gradient[run], torch.cat([each.flatten() for each in slopes]), rtol=1e-9, atol=1e-12)


def test_runs_may_share_their_pictures():
    torch.manual_seed(1)
    w, x = torch.randn(3, SMALL.parameters), torch.randn(1, 4, 3, 8, 8)
    torch.testing.assert_close(SMALL.forward(w, x), SMALL.forward(w, x.expand(3, -1, -1, -1, -1)))


def test_the_largest_of_four_pixels_is_what_is_kept():
    x = torch.randn(2, 3, 6, 4)
    assert torch.equal(largest_of_four(x), nn.functional.max_pool2d(x, 2))


def test_pictures_that_cannot_be_halved():
    with pytest.raises(ValueError, match="12 pixels cannot be halved 3 times"):
        Convolutions(channels=(2, 2, 2), colours=1, side=12, classes=3)
