"""Statistics of the singular values of pictures, perturbations that they cannot see, and what noise adds to them.

A channel of a picture is an n × n matrix A = Σsᵢuᵢvᵢᵀ with s₁ ≥ … ≥ sₙ ≥ 0, and r = n/2. With U, V the leading r
singular vectors and P, Q the others, tail(A) = ‖PᵀAQ‖²_F = Σ_{i>r} sᵢ².

The metric of Kumar (2018), A general metric for identifying adversarial images, is in no source at hand. These
statistics are ours.
"""

from typing import NamedTuple

import numpy as np

SMALLEST = 1e-12
"""A singular value that is this small, relative to the largest, counts as this: below lies what rounding makes of 0."""


class Statistics(NamedTuple):
    """Statistics of pictures, each of shape (pictures,): means over channels.

    Attributes:
        smallest: T_min = log(sₙ/s₁).
        slope: T_slope = log sₙ − log s_r.
        tail: T_tail = log(Σ_{i>r} sᵢ²/Σsᵢ²).
        second_difference: Logarithm of the mean square of A_ij − A_{i+1,j} − A_{i,j+1} + A_{i+1,j+1}; no spectrum.
    """

    smallest: np.ndarray
    slope: np.ndarray
    tail: np.ndarray
    second_difference: np.ndarray


def singular_values(matrices: np.ndarray) -> np.ndarray:
    """Singular values in descending order, shape (…, n), of matrices of shape (…, n, n)."""
    return np.linalg.svd(matrices, compute_uv=False)


def relative_values(matrices: np.ndarray) -> np.ndarray:
    """sᵢ/s₁, but `SMALLEST` where it is less, shape (…, n); of a matrix of zeros 1 and `SMALLEST`s."""
    values = singular_values(matrices)
    first = values[..., :1]
    relative = np.divide(values, first, out=np.zeros(values.shape), where=first > 0)
    relative[..., 0] = 1
    return np.maximum(relative, SMALLEST)


def statistics(pictures: np.ndarray) -> Statistics:
    """Statistics of pictures.

    Args:
        pictures: Shape (pictures, channels, n, n).
    """
    values = relative_values(pictures)
    leading = values.shape[-1] // 2
    squares = np.square(values)
    tail = squares[..., leading:].sum(-1) / squares.sum(-1)
    mixed = np.diff(np.diff(pictures, axis=-1), axis=-2)
    each = (
        np.log(values[..., -1]),
        np.log(values[..., -1]) - np.log(values[..., leading - 1]),
        np.log(tail),
        np.log(np.maximum(np.square(mixed).mean((-2, -1)), SMALLEST**2)),
    )
    return Statistics(*(one.mean(-1) for one in each))


def leading_subspaces(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """U and V of matrices of shape (…, n, n), each of shape (…, n, r) with r = n/2."""
    left, _, right = np.linalg.svd(matrices)
    leading = matrices.shape[-1] // 2
    return left[..., :leading], np.swapaxes(right, -2, -1)[..., :leading]


def invisible_perturbation(matrix: np.ndarray, coefficients: np.ndarray, share: float = 0.9) -> np.ndarray:
    """E = UCVᵀ, scaled to ‖E‖₂ = share·(s_r − s_{r+1}): A + E has the singular values s_{r+1}, …, sₙ of A as its last.

    No singular value of the leading block falls below s_r − ‖E‖₂ > s_{r+1}, and the rest of A is untouched.

    Args:
        matrix: A, shape (n, n).
        coefficients: C up to its scale, shape (r, r), not zero.
        share: Below 1.

    Raises:
        ValueError: if `share` is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise ValueError(f"share is {share}, not between 0 and 1")
    left, values, right = np.linalg.svd(matrix)
    leading = len(values) // 2
    size = share * (values[leading - 1] - values[leading])
    scaled = coefficients * (size / np.linalg.norm(coefficients, 2))
    return left[:, :leading] @ scaled @ right[:leading]


def tail_change(before: np.ndarray, after: np.ndarray) -> float:
    """Largest change of the last n − r singular values, relative to s₁ of the matrix before."""
    leading = len(before) // 2
    old, new = singular_values(before), singular_values(after)
    return float(np.abs(new[leading:] - old[leading:]).max() / old[0])


def tail(matrix: np.ndarray) -> float:
    """Σ_{i>r} sᵢ² of a matrix of shape (n, n)."""
    return float(np.square(singular_values(matrix)[len(matrix) // 2 :]).sum())


def noisy_tail(matrix: np.ndarray, size: float) -> float:
    """E‖Pᵀ(A + εS)Q‖²_F over random signs S: tail(A) + ε²(n − r)², for E SᵢⱼS_kl is 0 but for the same place.

    Args:
        matrix: A, shape (n, n).
        size: ε.
    """
    return tail(matrix) + size**2 * (len(matrix) - len(matrix) // 2) ** 2


def projected_tails(matrix: np.ndarray, others: np.ndarray) -> np.ndarray:
    """‖PᵀBQ‖²_F of each matrix B of `others`, shape (…,), with the P and Q of A.

    Args:
        matrix: A, shape (n, n).
        others: Shape (…, n, n).
    """
    left, _, right = np.linalg.svd(matrix)
    leading = len(matrix) // 2
    return np.square(left[:, leading:].T @ others @ right[leading:].T).sum((-2, -1))
