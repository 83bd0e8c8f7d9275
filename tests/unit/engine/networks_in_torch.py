"""Small networks and data, and the same networks, activations and losses in PyTorch."""

import numpy as np
import torch
from torch import nn

RUNS, SAMPLES, INPUTS, OUTPUTS = 5, 23, 4, 3
# PyTorch's own threshold of 20, from which softplus is linear, leaves an error of 2e-9/β.
MODULES = {
    "relu": nn.ReLU(),
    "leaky_relu": nn.LeakyReLU(0.01),
    "hardtanh": nn.Hardtanh(),
    "gelu": nn.GELU(),
    "silu": nn.SiLU(),
    "elu": nn.ELU(),
    "tanh": nn.Tanh(),
    "softplus_10": nn.Softplus(10, 40),
    "softplus_0.5": nn.Softplus(0.5, 40),
}
WIDTHS = [(INPUTS, 7, OUTPUTS), (INPUTS, 7, 6, OUTPUTS), (INPUTS, 7, 6, 5, OUTPUTS)]
CRITERIA = {
    "squared": lambda outputs, y: 0.5 * (outputs - y).square().sum(1).mean(),
    "absolute": lambda outputs, y: (outputs - y).abs().sum(1).mean(),
    "cross_entropy": nn.functional.cross_entropy,
}


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
        modules += [linear, MODULES[name]]
    assert position == len(w)
    return nn.Sequential(*modules[:-1])


def flat(model, what=lambda p: p):
    return torch.cat([p for m in model if isinstance(m, nn.Linear) for p in (what(m.weight).T.ravel(), what(m.bias))])


def relative_error(found, expected):
    return ((found - expected).norm() / expected.norm()).item()
