"""The population loss of a ReLU student and teacher in closed form, with its gradient and its Hessian.

Student neurons w₁ … w_n and teacher neurons v₁ … v_k in R^d see inputs x ~ N(0, I). Half of the mean squared difference
of Σrelu(wᵢ·x) and Σrelu(vⱼ·x) is L = ½Σk(wᵢ, wⱼ) − Σk(wᵢ, vⱼ) + ½Σk(vᵢ, vⱼ) with
k(w, v) = E relu(w·x)relu(v·x) = ‖w‖‖v‖(sin t + (π − t)cos t)/(2π), t the angle between them.

Neurons are rows of matrices, shape (n, d). Leading axes are batches. By symmetry many coordinates may be alike: then
one stands for all, with their number as its `measure`, which need not be a whole number.

Source: Cho and Saul (2009), Kernel methods for deep learning; Safran and Shamir (2018), Spurious local minima are
common in two-layer ReLU neural networks. Second derivatives and the splitting law are derived here.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ndgm.theory.checks import fraction, positive

Array = NDArray[np.float64]

TURN = 2 * np.pi

BULK = 0.25 - 1 / TURN, 0.25 + 1 / TURN
"""Eigenvalues ¼ ∓ 1/(2π) of the Hessian at the global minimum that nearly all directions have, for every k."""

FLAT = 1e-13
"""Length of the gradient at which a point counts as critical."""


class Pairs(NamedTuple):
    """Angles between the rows of two matrices.

    Attributes:
        lengths: Of the rows of the first, shape (..., n, 1).
        others: Lengths of the rows of the second, shape (..., 1, m).
        units: Rows of the first over their lengths, shape (..., n, d).
        other_units: Those of the second, shape (..., m, d).
        angle: t, shape (..., n, m).
        sine: sin t.
        cosine: cos t.
    """

    lengths: Array
    others: Array
    units: Array
    other_units: Array
    angle: Array
    sine: Array
    cosine: Array

    @classmethod
    def of(cls, one: ArrayLike, other: ArrayLike, measure: ArrayLike = 1.0) -> "Pairs":
        """Angles t = 2 atan2(‖â − b̂‖, ‖â + b̂‖): the arc cosine loses half of the digits near 0.

        Raises:
            ValueError: if a row has length 0.
        """

        def length(rows: Array) -> Array:
            return np.asarray(np.sqrt((np.square(rows) * measure).sum(-1)))

        rows, columns = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
        lengths, others = positive("length of a neuron", length(rows)), positive("length of a neuron", length(columns))
        units, other_units = rows / lengths[..., np.newaxis], columns / others[..., np.newaxis]
        here, there = units[..., :, np.newaxis, :], other_units[..., np.newaxis, :, :]
        apart, together = length(here - there), length(here + there)
        return cls(
            lengths[..., :, np.newaxis],
            others[..., np.newaxis, :],
            units,
            other_units,
            2 * np.arctan2(apart, together),
            apart * together / 2,
            (together**2 - apart**2) / 4,
        )

    def kernel(self) -> Array:
        """Values k(w, v), shape (..., n, m)."""
        return self.lengths * self.others * (self.sine + (np.pi - self.angle) * self.cosine) / TURN


def loss(neurons: ArrayLike, teacher: ArrayLike) -> Array:
    """L, shape (...), of neurons of shape (..., n, d) and a teacher of shape (k, d)."""

    def total(one: ArrayLike, other: ArrayLike) -> Array:
        return np.asarray(Pairs.of(one, other).kernel().sum((-1, -2)))

    return total(neurons, neurons) / 2 - total(neurons, teacher) + total(teacher, teacher) / 2


def gradient(neurons: ArrayLike, teacher: ArrayLike) -> Array:
    """∂L/∂wᵢ = ½wᵢ + Σ_{j≠i} ∂k(wᵢ, wⱼ)/∂wᵢ − Σⱼ ∂k(wᵢ, vⱼ)/∂wᵢ, shape (..., n, d).

    ∂k/∂w = (‖v‖ sin t ŵ + (π − t)v)/(2π).
    """
    return pull(*_stacked(neurons, teacher))


def hessian(neurons: ArrayLike, teacher: ArrayLike) -> Array:
    """Second derivatives of L, shape (..., n·d, n·d), wᵢ by wᵢ in order."""
    blocks = second_derivatives(*_stacked(neurons, teacher))
    shape = blocks.shape
    return blocks.reshape(*shape[:-4], shape[-4] * shape[-3], shape[-2] * shape[-1])


def kink_curvature(neurons: ArrayLike, teacher: ArrayLike) -> Array:
    """Mᵢ = Σ_{j≠i} ∂²k(wᵢ, wⱼ)/∂wᵢ² − Σⱼ ∂²k(wᵢ, vⱼ)/∂wᵢ², shape (..., n, d, d): what kinks add to block i.

    Without a kink at unit i block i of the Hessian would be ½I, the mean of xxᵀ where the unit is on.
    """
    student, others, signs = _stacked(neurons, teacher)
    pairs = Pairs.of(student, others)
    return _curvature(pairs, _directions(pairs)[1], signs)


def pull(neurons: Array, others: Array, signs: Array, measure: ArrayLike = 1.0) -> Array:
    """½wᵢ + Σⱼ sⱼ ∂k(wᵢ, zⱼ)/∂wᵢ over other vectors zⱼ, of which the first n are the neurons, shape (..., n, d).

    Args:
        neurons: wᵢ, shape (..., n, d).
        others: zⱼ, shape (..., m, d).
        signs: sⱼ for each i, shape (n, m): 0 for wᵢ itself, negative for the teacher, of a size that counts copies.
        measure: Number of coordinates that each one stands for.
    """
    pairs = Pairs.of(neurons, others, measure)
    along = (signs * pairs.others * pairs.sine).sum(-1)[..., np.newaxis] * pairs.units
    return neurons / 2 + (along + (signs * (np.pi - pairs.angle)) @ others) / TURN


def second_derivatives(neurons: Array, others: Array, signs: Array, measure: ArrayLike = 1.0) -> Array:
    """Blocks ½I + Mᵢ and ∂²k(wᵢ, wⱼ)/∂wᵢ∂wⱼ, shape (..., n, d, n, d); arguments as for `pull`.

    ∂²k/∂w∂v = [(π − t)I + sin t (cos t(ŵŵᵀ − nnᵀ) + sin t(ŵnᵀ + nŵᵀ))]/(2π) with n = (v̂ − cos t ŵ)/sin t.
    """
    count, dimension = neurons.shape[-2:]
    pairs = Pairs.of(neurons, others, measure)
    identity = np.eye(dimension)
    directions = _directions(pairs)
    along, across = (each[..., :count, :] for each in directions)
    angle, sine, cosine = (
        each[..., :count, np.newaxis, np.newaxis] for each in (pairs.angle, pairs.sine, pairs.cosine)
    )
    mixed = along[..., :, np.newaxis] * across[..., np.newaxis, :]
    blocks = (np.pi - angle) * identity
    blocks = blocks + sine * cosine * (_squared(along) - _squared(across))
    blocks = (blocks + sine**2 * (mixed + np.swapaxes(mixed, -1, -2))) / TURN
    at = np.arange(count)
    blocks[..., at, at, :, :] = identity / 2 + _curvature(pairs, directions[1], signs)
    return np.moveaxis(blocks, -3, -2)


def _stacked(neurons: ArrayLike, teacher: ArrayLike) -> tuple[Array, Array, Array]:
    """Neurons, all vectors that they meet, and the signs with which they meet them."""
    student, fixed = np.asarray(neurons, dtype=np.float64), np.asarray(teacher, dtype=np.float64)
    count = student.shape[-2]
    signs = np.hstack([1 - np.eye(count), -np.ones((count, len(fixed)))])
    spread = np.broadcast_to(fixed, student.shape[:-2] + fixed.shape)
    return student, np.concatenate([student, spread], axis=-2), signs


def _directions(pairs: Pairs) -> tuple[Array, Array]:
    """ŵ and n of each pair, both of shape (..., n, m, d); n = 0 where the two are parallel."""
    along = np.broadcast_to(pairs.units[..., :, np.newaxis, :], (*pairs.angle.shape, pairs.units.shape[-1]))
    across = pairs.other_units[..., np.newaxis, :, :] - pairs.cosine[..., np.newaxis] * along
    sine = pairs.sine[..., np.newaxis]
    return along, np.divide(across, sine, out=np.zeros_like(across), where=sine > 0)


def _squared(vectors: Array) -> Array:
    """Outer products aaᵀ of vectors, shape (..., d, d)."""
    return vectors[..., :, np.newaxis] * vectors[..., np.newaxis, :]


def _curvature(pairs: Pairs, across: Array, signs: Array) -> Array:
    """Σⱼ sⱼ ∂²k(wᵢ, zⱼ)/∂wᵢ² with ∂²k/∂w² = ‖v‖ sin t (I − ŵŵᵀ + nnᵀ)/(2π‖w‖), shape (..., n, d, d), n in `across`."""
    weights = signs * pairs.others * pairs.sine / pairs.lengths
    flat = np.eye(pairs.units.shape[-1]) - _squared(pairs.units)
    bent = np.einsum("...nm,...nmp,...nmq->...npq", weights, across, across)
    return (weights.sum(-1)[..., np.newaxis, np.newaxis] * flat + bent) / TURN


def split(neurons: ArrayLike, at: int, share: float = 0.5) -> Array:
    """Neurons with number `at` in two, (t wᵢ, (1 − t)wᵢ), the second one last, shape (..., n + 1, d).

    Loss and criticality stay.
    """
    first, share = np.array(neurons, dtype=np.float64), fraction("share", share)
    second = (1 - share) * first[..., at : at + 1, :]
    first[..., at, :] *= share
    return np.concatenate([first, second], axis=-2)


def split_curvature(eigenvalue: ArrayLike, share: float = 0.5) -> Array:
    """Curvature μ(1/t + 1/(1 − t))/2 along (u, −u)/√2 after a split, u an eigenvector of Mᵢ with the value μ.

    A negative μ makes the split minimum a saddle.
    """
    share = fraction("share", share)
    return np.asarray(eigenvalue, dtype=np.float64) * (1 / share + 1 / (1 - share)) / 2


def split_direction(vector: ArrayLike, neurons: int, at: int) -> Array:
    """(u, −u)/√2 on neuron `at` and on the last one of n + 1, shape (..., n + 1, d), u of shape (..., d)."""
    half = np.asarray(vector, dtype=np.float64) / np.sqrt(2)
    direction = np.zeros((*half.shape[:-1], neurons + 1, half.shape[-1]))
    direction[..., at, :], direction[..., -1, :] = half, -half
    return direction


def global_spectrum(dimension: int) -> dict[float, int]:
    """Eigenvalues of the Hessian at the global minimum wᵢ = vᵢ = eᵢ of k = n = d neurons, with multiplicities.

    ¼ − 1/(2π) on antisymmetric matrices with zero sums, ¼ + 1/(2π) on symmetric ones with zero diagonal and sums; the
    rest from a 3 × 3 matrix, k − 1 times, and a 2 × 2 one.

    Raises:
        ValueError: if there are fewer than 4 neurons.
    """
    if dimension < 4:
        raise ValueError(f"a spectrum with all of its kinds takes 4 neurons, got {dimension}")
    k, bent = dimension, 1 / TURN
    # On diag(u), u_i and u_j off the diagonal, Σu = 0.
    standard = [[0.5 - bent, -0.25, (k - 1) / 4], [0, 0.25, bent], [0.25, bent - 0.25, 0.25 + (k - 1) / 4]]
    # On I and 11ᵀ − I.
    trivial = [[0.5 + (k - 1) * bent, (k - 1) / 4], [0.25, 0.25 + (k - 1) / 4 + bent]]
    return {
        BULK[0]: (k - 1) * (k - 2) // 2 + (k - 1),
        BULK[1]: k * (k - 3) // 2,
        **dict.fromkeys(np.sort(np.linalg.eigvals(standard).real)[1:].tolist(), k - 1),
        **dict.fromkeys(np.sort(np.linalg.eigvals(trivial).real).tolist(), 1),
    }


LIMITS = {"A": 0.5 - 1 / np.pi, "I": 0.5 - 1 / np.pi, "II": 0.5 - 2 / np.pi**2}
"""Limits of the loss of the families A and I, and of k times that of II, as k grows."""
