"""Networks without their smallest weights, as a user of PyTorch would prune them."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

PROXIMAL_AND_PLAIN = [("ista", "subgradient"), ("truncated_gradient", "subgradient"), ("proximal_adam", "adam")]
"""Each method with exact zeros beside one that takes the same steps without the proximal map."""

ACTIVATIONS = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "hardtanh": nn.Hardtanh,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "elu": nn.ELU,
    "tanh": nn.Tanh,
}


def sequential(parameters: np.ndarray, widths: tuple[int, ...], activation: str) -> nn.Sequential:
    """The network of one run as `torch.nn.Sequential`.

    Args:
        parameters: For each layer the weights (in, out), then the biases (out); shape (P,).
        widths: Of inputs, of each hidden layer and of outputs.
        activation: A key of `ACTIVATIONS`, or softplus_<β>.
    """
    modules: list[nn.Module] = []
    position = 0
    for ins, outs in zip(widths, widths[1:], strict=False):
        matrix = torch.tensor(parameters[position : position + (ins + 1) * outs]).view(ins + 1, outs)
        position += matrix.numel()
        layer = nn.Linear(ins, outs, dtype=matrix.dtype)
        layer.weight.data, layer.bias.data = matrix[:-1].T.contiguous(), matrix[-1].clone()
        modules += [layer, _activation(activation)]
    return nn.Sequential(*modules[:-1])


def _activation(name: str) -> nn.Module:
    """PyTorch's module for one of our activations."""
    beta = name.removeprefix("softplus_")
    return ACTIVATIONS[name]() if beta == name else nn.Softplus(float(beta), threshold=40)


def keep_share(network: nn.Sequential, kept: float) -> None:
    """Leave the share `kept` of all weights of the network, the largest over all layers, and set the others to zero.

    Raises:
        ValueError: if `kept` is not a share.
    """
    if not 0 <= kept <= 1:
        raise ValueError(f"kept must be a share from 0 to 1, not {kept}")
    # A whole number of weights: a share is one of those that are removed, where 1 − kept is not exact.
    removed = sum(weights.numel() for weights in _weights(network))
    removed -= round(kept * removed)
    prune.global_unstructured(_places(network), prune.L1Unstructured, amount=removed)
    _make_permanent(network)


def drop_below(network: nn.Sequential, threshold: float) -> float:
    """Set weights smaller than `threshold` in size to zero; the share of them among all weights."""
    for weights in _weights(network):
        weights.masked_fill_(weights.abs() < threshold, 0)
    return sparsity(network)


def sparsity(network: nn.Sequential) -> float:
    """Share of weights that are exactly zero."""
    weights = torch.cat([part.flatten() for part in _weights(network)])
    return float((weights == 0).double().mean())


def accuracy(network: nn.Sequential, x: Tensor, y: Tensor) -> float:
    """Share of inputs whose largest output is that of their class, for one-hot targets."""
    with torch.no_grad():
        return float((network(x).argmax(1) == y.argmax(1)).double().mean())


def _places(network: nn.Sequential) -> list[tuple[nn.Module, str]]:
    return [(module, "weight") for module in network if isinstance(module, nn.Linear)]


def _weights(network: nn.Sequential) -> list[Tensor]:
    return [module.weight.data for module, _ in _places(network)]


def _make_permanent(network: nn.Sequential) -> None:
    for module, name in _places(network):
        prune.remove(module, name)
