"""Networks without their smallest weights, as a user of PyTorch would prune them."""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from ndgm.engine.activations import activation

USUAL_THRESHOLDS = {"1e-2": 1e-2, "1e-3": 1e-3, "1e-4": 1e-4}
"""Sizes below which people take a weight for zero, by what they write."""


def sequential(
    parameters: np.ndarray, widths: tuple[int, ...], activation_name: str, device: str = "cpu"
) -> nn.Sequential:
    """The network of one run as `torch.nn.Sequential`.

    Args:
        parameters: For each layer the weights (in, out), then the biases (out); shape (P,).
        widths: Of inputs, of each hidden layer and of outputs.
        activation_name: As for `ndgm.engine.activations.activation`.
        device: Where the network is.
    """
    modules: list[nn.Module] = []
    position = 0
    for ins, outs in zip(widths, widths[1:], strict=False):
        matrix = torch.tensor(parameters[position : position + (ins + 1) * outs], device=device).view(ins + 1, outs)
        position += matrix.numel()
        layer = nn.Linear(ins, outs, device=device, dtype=matrix.dtype)
        layer.weight.data, layer.bias.data = matrix[:-1].T.contiguous(), matrix[-1].clone()
        modules += [layer, activation(activation_name).module()]
    return nn.Sequential(*modules[:-1])


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
    places = [(module, "weight") for module in _linear(network)]
    prune.global_unstructured(places, prune.L1Unstructured, amount=removed)
    for module, name in places:
        prune.remove(module, name)


def drop_below(network: nn.Sequential, threshold: float) -> float:
    """Set weights below `threshold` in magnitude to zero and return the share that is zero."""
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


def _linear(network: nn.Sequential) -> list[nn.Linear]:
    return [module for module in network if isinstance(module, nn.Linear)]


def _weights(network: nn.Sequential) -> list[Tensor]:
    return [module.weight.data for module in _linear(network)]
