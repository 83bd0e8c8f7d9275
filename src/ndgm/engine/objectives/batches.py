"""Which samples mini-batches consist of."""

import numpy as np
import torch
from numpy.random import Generator


class Batches:
    """Rows of mini-batches drawn with replacement, for blocks of runs that share them.

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

    def coming(self, generator: Generator) -> np.ndarray:
        """Rows of the next batches of a block, shape (at_once, size)."""
        return generator.integers(self.samples, size=(self.at_once, self.size))

    def draw(self) -> None:
        """Put the next batch of each block into `rows`."""
        position = self._drawn % self.at_once
        if position == 0:
            draws = [torch.from_numpy(self.coming(generator)) for generator in self.generators]
            self._coming = torch.stack(draws, 1).to(self.rows.device)
        self._drawn += 1
        self.rows.copy_(self._coming[position])


class ShuffledBatches(Batches):
    """Rows of mini-batches by epochs: all samples in random order, without those at its end that fill no batch.

    Args:
        samples: Number of rows to draw from, one batch at least.
        size: Rows in a batch.
        generators: NumPy generator of each block.
        device: Where the rows are needed.

    Attributes:
        at_once: Batches of an epoch.
    """

    def __init__(self, samples: int, size: int, generators: list[Generator], device: torch.device) -> None:
        super().__init__(samples, size, generators, device)
        self.at_once = samples // size

    def coming(self, generator: Generator) -> np.ndarray:
        """Rows of the batches of an epoch, shape (at_once, size)."""
        return generator.permutation(self.samples)[: self.at_once * self.size].reshape(self.at_once, self.size)
