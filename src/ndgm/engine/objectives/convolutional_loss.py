"""Cross entropy of convolutional networks on mini-batches, for an ensemble of runs."""

import torch
from torch import Tensor

from ndgm.engine.convolutions import Convolutions
from ndgm.engine.objectives.batches import Batches
from ndgm.engine.objectives.network import LOSSES
from ndgm.engine.objectives.objective import Averages, Objective

CROSS_ENTROPY = LOSSES["cross_entropy"].value
RANKS = 5
"""Classes among which `top_five_accuracy` looks for that of a picture."""


class ConvolutionalLoss(Objective):
    """Mean over pictures of −⟨y, log softmax f(x)⟩, f a network of each run; gradients are those of mini-batches.

    Args:
        networks: The architecture.
        x: Pictures, shape (n, colours, side, side).
        y: One-hot classes, shape (n, classes).
        batches: Draws the rows of gradients; one block of one run or more for each of its generators.
        samples_at_once: Pictures in one pass where all are looked at, at most.
    """

    def __init__(self, networks: Convolutions, x: Tensor, y: Tensor, batches: Batches, *, samples_at_once: int) -> None:
        self.networks = networks
        self.pictures = x
        self.targets = y
        self.batches = batches
        self.samples = list(zip(x.split(samples_at_once), y.split(samples_at_once), strict=True))

    def draw(self) -> None:
        """Draw the batches of the next gradients."""
        self.batches.draw()

    def value(self, w: Tensor) -> Tensor:
        """Loss of each run over all pictures, shape (runs,)."""
        return self.measure(w, w)["objective"]

    def subgradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """Mini-batch gradient on the pictures that were drawn."""
        rows = self.batches.rows.repeat_interleave(len(w) // len(self.batches.rows), 0)  # (runs, |B|)
        x, y = self.pictures[rows], self.targets[rows]
        with torch.enable_grad():  # by `torch.func` it would import the compiler
            at = w.detach().requires_grad_()
            losses = CROSS_ENTROPY(self.networks.forward(at, x), y).mean(1)
            (gradient,) = torch.autograd.grad(losses.sum(), at)
        return gradient

    @torch.no_grad()
    def measure(self, w: Tensor, before: Tensor) -> dict[str, Tensor]:
        """What is recorded of iterates `w`, over all pictures.

        `objective` is the loss, `accuracy` the share of pictures whose largest output is that of their class, and
        `top_five_accuracy` the share whose class has one of the five largest.
        """
        sums = w.new_zeros(3, len(w))
        for x, y in self.samples:
            outputs = self.networks.forward(w, x.unsqueeze(0))
            own = (outputs * y).sum(-1, keepdim=True)
            larger = (~(outputs <= own)).sum(-1)  # all of them where outputs are no numbers
            sums[0] += CROSS_ENTROPY(outputs, y).sum(1)
            sums[1] += (larger < 1).sum(1)
            sums[2] += (larger < RANKS).sum(1)
        loss, first, among_five = sums / len(self.pictures)
        return {"objective": loss, "accuracy": first, "top_five_accuracy": among_five}
