"""Which samples mini-batches consist of."""

import torch
from numpy.random import Generator


class Batches:
    """Rows of mini-batches drawn with replacement, for blocks of runs that see the same ones.

    Many batches are drawn at once, because a call of a generator costs more than a small step.

    Args:
        samples: Number of rows to draw from.
        size: Rows in a batch.
        generators: NumPy generator of each block.
        device: Where the rows are needed.

    Attributes:
        rows: The batch of each block, shape (blocks, size).
    """

    at_once = 1000

    def __init__(self, samples: int, size: int, generators: list[Generator], device: torch.device) -> None:
        self.samples = samples
        self.size = size
        self.generators = generators
        self.rows = torch.full((len(generators), size), samples, device=device)  # no row, until one is drawn
        self._drawn = 0
        self._coming = torch.empty(0)

    def draw(self) -> None:
        """Put the next batch of each block into `rows`."""
        position = self._drawn % self.at_once
        if position == 0:
            shape = (self.at_once, self.size)
            draws = [torch.from_numpy(g.integers(self.samples, size=shape)) for g in self.generators]
            self._coming = torch.stack(draws, 1).to(self.rows.device)
        self._drawn += 1
        self.rows.copy_(self._coming[position])
