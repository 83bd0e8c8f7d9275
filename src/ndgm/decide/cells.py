"""Replicates by cell, and what the signs of their deviations say of the median of each cell.

A sign test knows only on which side of a bound each value lies, so that its size holds for every distribution: skewed,
with rare outliers, with ties. Source: Dixon and Mood (1946).
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy import special

ROUNDING = 1e-12
"""A relative deviation that is this close to a bound lies on it, and speaks for neither side."""


@dataclass(frozen=True)
class Cells:
    """Deviations of replicates from their reference, sorted by cell and within it.

    Attributes:
        deviation: Of every value, shape (values,). With draws of them in front it is (..., values), and what is counted
            (..., cells).
        cell: Place of its cell, shape (values,).
        n: Replicates of each cell, shape (cells,).
        unordered: Whether nobody knows on which side of a bound a value lies, in the shape of `deviation`. Such a value
            counts on neither side of any bound; only in medians and in their intervals it is what `deviation` says.
    """

    deviation: np.ndarray
    cell: np.ndarray
    n: np.ndarray
    unordered: np.ndarray

    @classmethod
    def of(cls, deviation: np.ndarray, cell: np.ndarray, unordered: np.ndarray | None = None) -> "Cells":
        """Sort deviations by cell; cells are numbered from zero without a gap."""
        order = np.lexsort([deviation, cell])
        unknown = np.zeros(len(cell), dtype=bool) if unordered is None else unordered[order]
        return cls(deviation[order], cell[order], np.bincount(cell), unknown)

    def drawn(self, places: np.ndarray) -> "Cells":
        """The same cells with the values at these places, of shape (..., values), in the place of their own."""
        return replace(self, deviation=self.deviation[places], unordered=self.unordered[places])

    def above(self, bound: float) -> np.ndarray:
        """How many values of each cell lie above a bound."""
        return self._count((self.deviation > bound + ROUNDING) & ~self.unordered)

    def below(self, bound: float) -> np.ndarray:
        """How many values of each cell lie below a bound."""
        return self._count((self.deviation < bound - ROUNDING) & ~self.unordered)

    def medians(self) -> np.ndarray:
        """Median deviation of each cell."""
        first = self.first()
        low, high = self.deviation[first + (self.n - 1) // 2], self.deviation[first + self.n // 2]
        middle = np.isfinite(low) & np.isfinite(high)  # of two infinite values there is no mean
        return np.where(middle, np.add(low, high, where=middle, out=np.zeros(len(low))) / 2, low)

    def interval(self, place: int, tail: float) -> tuple[float, float] | None:
        """Interval of the median deviation of one cell, that misses it on either side with probability `tail` at most.

        None where the cell has too few replicates for it.
        """
        here = self.deviation[self.cell == place]
        rank = rank_of_bound(len(here), tail)
        return (float(here[rank - 1]), float(here[-rank])) if rank else None

    def first(self) -> np.ndarray:
        """Place of the first value of each cell."""
        return np.cumsum(self.n) - self.n

    def _count(self, which: np.ndarray) -> np.ndarray:
        return np.add.reduceat(which, self.first(), axis=-1, dtype=np.intp)


def sign_test(count: np.ndarray, n: np.ndarray) -> np.ndarray:
    """P value P(Bin(n, ½) ≥ count) of this many of n values on one side, if the median is not on that side."""
    return special.bdtrc(count - 1, n, 0.5)


def rank_of_bound(n: int, tail: float) -> int:
    """Largest rank k with P(Bin(n, ½) < k) ≤ tail: the k-th smallest value bounds the median from below.

    Zero where not even the smallest value does.
    """
    return int(np.searchsorted(special.bdtr(np.arange(n), n, 0.5), tail, side="right"))
