"""Signals in random deep networks without biases: forward passes of an ensemble, whose weights are never kept."""

from collections.abc import Iterator

import torch
from torch import Tensor

from ndgm.engine.activations import Activation


def deep_signals(
    weights: Tensor, activation: Activation, signal: Tensor, signs: Tensor, scale: float = 1.0
) -> Iterator[tuple[Tensor, Tensor]]:
    """Pre-activations z and activations h of every layer, each of shape (networks, signals, units).

    Flipping signs of a layer's inputs is flipping those of its weights, row by row. Under a law that is symmetric about
    0 the weights with flipped signs are as probable, so that each signal with signs of its own sees a random network of
    its own, and all of them share the weights that were drawn. Two such networks are nearly independent: in one layer
    the inputs of two signals then have a correlation of 0 ± 1/√units.

    Args:
        weights: Shape (networks, layers, units, units), inputs of a layer before its units.
        activation: Of every layer.
        signal: What the first layer sees, shape (networks, signals, units).
        signs: ±1, what the inputs of each layer are multiplied by, shape (layers, signals, units), or with the networks
            in front.
        scale: Factor on all weights.

    Example:
        >>> from ndgm.engine.activations import activation
        >>> halving, signs = torch.eye(2).expand(1, 3, 2, 2) / 2, torch.tensor([1.0, -1.0]).expand(3, 1, 2)
        >>> [h for _, h in deep_signals(halving, activation("relu"), torch.tensor([[[8.0, 8.0]]]), signs)]
        [tensor([[[4., 0.]]]), tensor([[[2., 0.]]]), tensor([[[1., 0.]]])]
    """
    for number in range(weights.shape[1]):
        z = torch.bmm(signal * signs[..., number, :, :], weights[:, number]).mul_(scale)
        signal = activation.value(z, torch.empty_like(z))
        yield z, signal
