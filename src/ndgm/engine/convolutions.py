"""Ensembles of convolutional networks with stacked parameters; runs are groups of one convolution."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

KERNEL = 3
"""Pixels along each side of a kernel."""

IN_A_BLOCK = 3
"""Convolutions before pixels are pooled."""


@dataclass(frozen=True)
class Convolutions:
    """Sigmoid networks of one architecture: blocks of three 3 × 3 convolutions, and a linear layer last.

    Pictures are padded by zeros, so that a convolution keeps their size; after each block the largest of 2 × 2 pixels
    is kept. The parameters of an ensemble are one tensor of shape (runs, P): for each layer the weights (out, in), the
    inputs of a convolution being channels × 3 × 3, then the biases (out).

    Attributes:
        channels: Of the convolutions of each block.
        colours: Channels of a picture.
        side: Pixels along each side of it, a multiple of two to the number of blocks.
        classes: Outputs.

    Example:
        >>> networks = Convolutions(channels=(2, 3), colours=1, side=4, classes=5)
        >>> networks.shapes
        ((9, 2), (18, 2), (18, 2), (18, 3), (27, 3), (27, 3), (3, 5))
        >>> networks.forward(torch.zeros(7, networks.parameters), torch.zeros(7, 6, 1, 4, 4)).shape
        torch.Size([7, 6, 5])
    """

    channels: tuple[int, ...]
    colours: int
    side: int
    classes: int

    def __post_init__(self) -> None:
        """Check that pixels can be pooled.

        Raises:
            ValueError: if a picture is halved until there is half a pixel.
        """
        if self.side % 2 ** len(self.channels):
            raise ValueError(f"{self.side} pixels cannot be halved {len(self.channels)} times")

    @property
    def shapes(self) -> tuple[tuple[int, int], ...]:
        """Inputs N of a unit, and units, of each layer."""
        units = [self.colours, *(count for count in self.channels for _ in range(IN_A_BLOCK))]
        last = self.channels[-1] * (self.side // 2 ** len(self.channels)) ** 2
        pairs = zip(units, units[1:], strict=False)
        return (*((ins * KERNEL**2, outs) for ins, outs in pairs), (last, self.classes))

    @property
    def parameters(self) -> int:
        """P, the number of parameters of one network."""
        return sum(ins * outs + outs for ins, outs in self.shapes)

    def layers(self, w: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Weights, shape (runs, out, in), and biases, shape (runs, out), of each layer: views of parameters."""
        sizes = [size for ins, outs in self.shapes for size in (ins * outs, outs)]
        parts = w.split(sizes, 1)
        weights = [part.unflatten(1, (outs, ins)) for part, (ins, outs) in zip(parts[::2], self.shapes, strict=True)]
        return list(zip(weights, parts[1::2], strict=True))

    def forward(self, w: Tensor, x: Tensor) -> Tensor:
        """Outputs, shape (runs, samples, classes).

        Args:
            w: Parameters, shape (runs, P).
            x: Pictures, shape (runs, samples, colours, side, side), or with a 1 in the place of the runs.
        """
        *convolutions, (weights, biases) = self.layers(w)
        runs = len(w)
        h = x.expand(runs, *x.shape[1:]).transpose(0, 1).flatten(1, 2)  # the channels of one run after the other's
        for number, (kernels, shifts) in enumerate(convolutions, start=1):
            stacked = kernels.unflatten(2, (-1, KERNEL, KERNEL)).flatten(0, 1)
            h = torch.sigmoid(functional.conv2d(h, stacked, shifts.flatten(), padding=KERNEL // 2, groups=runs))
            if number % IN_A_BLOCK == 0:
                h = largest_of_four(h)
        features = h.unflatten(1, (runs, -1)).flatten(2).transpose(0, 1)
        return torch.baddbmm(biases.unsqueeze(1), features, weights.mT)


def largest_of_four(pictures: Tensor) -> Tensor:
    """The largest of every 2 × 2 pixels, shape (…, side/2, side/2).

    PyTorch's own pooling has no deterministic gradient on a CUDA device.
    """
    *others, rows, columns = pictures.shape
    return pictures.reshape(*others, rows // 2, 2, columns // 2, 2).amax((-3, -1))
