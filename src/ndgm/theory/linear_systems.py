"""Linear systems that have a solution, singular ones among them."""

import numpy as np
from numpy.typing import NDArray

SINGULAR = 1e-12
"""A matrix whose smallest singular value is at most this share of its largest counts as singular."""


def solve_consistent(matrix: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """A solution X of AX = Y: the only one, or the smallest where A is singular to rounding and Y lies in its range.

    Columns of a design that depend on each other, duplicates for example, make A singular.

    Args:
        matrix: A, shape (k, k).
        target: Y, shape (k,) or (k, m).
    """
    if len(matrix) and not np.linalg.cond(matrix) < 1 / SINGULAR:
        return np.asarray(np.linalg.lstsq(matrix, target, rcond=SINGULAR)[0])
    return np.asarray(np.linalg.solve(matrix, target), dtype=np.float64)
