"""Small networks and data, and the same networks, activations and losses in PyTorch."""

from functools import partial

import numpy as np
import torch
from torch import nn

from ndgm.engine.activations import ACTIVATIONS

RUNS, SAMPLES, INPUTS, OUTPUTS = 5, 23, 4, 3
NAMES = [*ACTIVATIONS, "softplus_10", "softplus_0.5"]
WIDTHS = [(INPUTS, 7, OUTPUTS), (INPUTS, 7, 6, OUTPUTS), (INPUTS, 7, 6, 5, OUTPUTS)]
CRITERIA = {
    "squared": lambda outputs, y: 0.5 * (outputs - y).square().sum(1).mean(),
    "absolute": lambda outputs, y: (outputs - y).abs().sum(1).mean(),
    "cross_entropy": nn.functional.cross_entropy,
    "logistic": lambda outputs, y: nn.functional.softplus(-y * outputs, threshold=40).sum(1).mean(),
}
OTHER_DOUBLES = {}
"""Activations that `torch.nn.functional` does not have under our name, written with functions that autograd knows."""


def double(name):
    """The activation of this name whose derivatives are those of autograd."""
    if name.startswith("softplus_"):
        # PyTorch's own threshold of 20, from which softplus is linear, leaves an error of 2e-9/β.
        return partial(nn.functional.softplus, beta=float(name.removeprefix("softplus_")), threshold=40)
    found = OTHER_DOUBLES.get(name) or getattr(nn.functional, name, None)
    assert found, f"torch.nn.functional has no {name}: add a double to OTHER_DOUBLES in {__file__}"
    return found


class Elementwise(nn.Module):
    """An activation of ours as a module, from its double."""

    def __init__(self, name):
        super().__init__()
        self.forward = double(name)


def generators(*seeds):
    return [np.random.default_rng(seed) for seed in seeds]


def data(dtype=torch.float64):
    """x and one-hot y."""
    rng = np.random.default_rng(0)
    x = torch.tensor(rng.standard_normal((SAMPLES, INPUTS)), dtype=dtype)
    return x, torch.eye(OUTPUTS, dtype=dtype)[torch.tensor(rng.integers(OUTPUTS, size=SAMPLES))]


def parameters(networks, dtype=torch.float64, runs=RUNS):
    """Parameters with biases that are not zero."""
    noise = np.random.default_rng(1).standard_normal((RUNS, networks.parameters))[:runs]
    return torch.tensor(networks.initial(generators(*range(runs))) + 0.3 * noise, dtype=dtype)


def torch_model(networks, name, w):
    """nn.Sequential with the parameters of one run, laid out as the docstring of `Networks` says."""
    modules, position = [], 0
    for ins, outs in zip(networks.widths, networks.widths[1:], strict=False):
        linear = nn.Linear(ins, outs, dtype=w.dtype)
        weights, biases = w[position:].split([ins * outs, outs, len(w) - position - (ins + 1) * outs])[:2]
        linear.weight.data, linear.bias.data = weights.view(ins, outs).T.clone(), biases.clone()
        position += (ins + 1) * outs
        modules += [linear, Elementwise(name)]
    assert position == len(w)
    return nn.Sequential(*modules[:-1])


def flat(model, what=lambda p: p):
    return torch.cat([p for m in model if isinstance(m, nn.Linear) for p in (what(m.weight).T.ravel(), what(m.bias))])


def relative_error(found, expected):
    return ((found - expected).norm() / expected.norm()).item()
