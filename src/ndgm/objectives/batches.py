"""Which samples mini-batches consist of."""

import torch
from numpy.random import Generator
from torch import Tensor


class Batches:
    """Rows of mini-batches drawn with replacement, for blocks of runs that see the same ones.

    Many batches are drawn at once, because a call of a generator costs more than a small step.

    Args:
        samples: Number of rows to draw from.
        size: Rows in a batch.
        generators: NumPy generator of each block.
        device: Where the rows are needed.
    """

    at_once = 1000

    def __init__(self, samples: int, size: int, generators: list[Generator], device: torch.device) -> None:
        self.samples = samples
        self.size = size
        self.generators = generators
        self.device = device
        self._drawn = 0
        self._rows = torch.empty(0)

    def draw(self) -> Tensor:
        """The next batch of each block, shape (blocks, size)."""
        position = self._drawn % self.at_once
        if position == 0:
            shape = (self.at_once, self.size)
            draws = [torch.from_numpy(g.integers(self.samples, size=shape)) for g in self.generators]
            self._rows = torch.stack(draws, 1).to(self.device)
        self._drawn += 1
        return self._rows[position]
