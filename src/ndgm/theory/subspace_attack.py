"""Networks trained on data of a linear subspace P of R^d, in directions that are orthogonal to P.

f(x) = Σuᵢ·relu(wᵢ·x + bᵢ) + c. No gradient step moves the part of wᵢ that is orthogonal to P, because no input has such
a part: at a Gaussian start of variance σ² it stays N(0, σ²I) in ℓ = d − dim P dimensions, independent of all that is
learnt. So is everything below at a point x₀ of P, given a, the values wᵢ·x₀ + bᵢ, and u. A unit is active where aᵢ > 0,
and U = Σuᵢ² over the active units.

Source of the setting: Melamed, Yehudai and Vardi (2023), Adversarial examples exist in two-layer ReLU networks for low
dimensional linear subspaces. The laws are derived here.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import chi2

FURTHEST = 64
"""A flip is looked for up to so many times the distance at which the tangent of f is zero."""

STEPS_OF_TANGENT = 16
"""Points of the curve that are looked at for each such distance."""


def decay_factor(step_size: ArrayLike, penalty: ArrayLike, steps: ArrayLike) -> np.ndarray:
    """Factor (1 − ηλ)^t that a weight without a gradient has after t steps of SGD with (λ/2)w², or of AdamW."""
    shrunk = 1 - np.multiply(step_size, penalty)
    return np.power(shrunk, steps)


def heavy_ball_factor(step_size: float, penalty: float, steps: int, momentum: float = 0.9) -> float:
    """Factor of such a weight under the heavy-ball method: v ← momentum·v + λw, w ← w − ηv, from w = 1 and v = 0."""
    weight, velocity = 1.0, 0.0
    for _ in range(steps):
        velocity = momentum * velocity + penalty * weight
        weight -= step_size * velocity
    return weight


def adam_weight(
    start: ArrayLike, step_size: ArrayLike, steps: int, momentum: float = 0.9, decay: float = 0.999
) -> np.ndarray:
    """Weight w_t after t steps of Adam whose gradient is λw, for every λ > 0, as long as ε is far below λ|w|.

    With M_t = Σ_s (1 − β₁)β₁^(t−s) w_s/(1 − β₁^t) and V_t likewise of w_s² with β₂, w ← w − η·M/√V: λ cancels. Far from
    zero a step is about η long, whatever the weight.

    Args:
        start: w₀, shape (...).
        step_size: η, shape (...).
        steps: t.
        momentum: β₁.
        decay: β₂.
    """
    w = np.array(np.broadcast_arrays(np.asarray(start, dtype=float), step_size)[0])
    first, second = np.zeros_like(w), np.zeros_like(w)
    for step in range(1, steps + 1):
        first = momentum * first + (1 - momentum) * w
        second = decay * second + (1 - decay) * w**2
        w -= np.asarray(step_size) * (first / (1 - momentum**step)) / np.sqrt(second / (1 - decay**step))
    return w


def squared_gradient(gradient_norm: ArrayLike, active: ArrayLike, variance: ArrayLike) -> np.ndarray:
    """‖g‖²/(σ²U) of the off-subspace gradient g = Σ_active uᵢwᵢ: it has the law χ²_ℓ.

    Args:
        gradient_norm: ‖g‖.
        active: U.
        variance: σ² of each off-subspace first weight.
    """
    return np.square(gradient_norm) / np.multiply(active, variance)


def probability_of_gradient(
    gradient_norm: ArrayLike, active: ArrayLike, variance: ArrayLike, dimensions: ArrayLike
) -> np.ndarray:
    """P(χ²_ℓ ≤ ‖g‖²/(σ²U)), with ℓ the `dimensions`: uniform on (0, 1)."""
    return chi2.cdf(squared_gradient(gradient_norm, active, variance), dimensions)


def median_of_gradient(dimensions: ArrayLike) -> np.ndarray:
    """Median m of ‖g‖²/(σ²U), that of χ²_ℓ."""
    return chi2.median(dimensions)


def median_deviation_of_gradient(dimensions: ArrayLike) -> np.ndarray:
    """Median of |X − m| for X ~ χ²_ℓ with the median m: the root δ of P(m − δ ≤ X ≤ m + δ) = ½."""
    off, place = np.unique(np.asarray(dimensions), return_inverse=True)
    middle = chi2.median(off)

    def excess(deviation: float, m: float, ell: float) -> float:
        return float(chi2.cdf(m + deviation, ell) - chi2.cdf(m - deviation, ell)) - 0.5

    found = [brentq(excess, 0, 10 * m + 10, args=(m, ell)) for m, ell in zip(middle, off, strict=True)]
    return np.array(found)[place].reshape(np.shape(dimensions))


def flip_estimate(output: ArrayLike, dimension: ArrayLike, off_dimensions: ArrayLike, scale: ArrayLike) -> np.ndarray:
    """Rough flip distance |f(x₀)|·√(2d/ℓ)/α at σ² = α²/d: that of the tangent where half of Σu² = 1 is active."""
    return np.abs(output) * np.sqrt(2 * np.divide(dimension, off_dimensions)) / scale


def rectified_mean(mean: ArrayLike, deviation: ArrayLike) -> np.ndarray:
    """E relu(a + sZ) = aΦ(a/s) + sφ(a/s), Z standard normal; relu(a) where s = 0."""
    a, s = np.broadcast_arrays(np.asarray(mean, dtype=float), np.asarray(deviation, dtype=float))
    ratio = np.divide(a, s, out=np.zeros(a.shape), where=s > 0)
    density = np.exp(-np.square(ratio) / 2) / np.sqrt(2 * np.pi)
    return np.where(s > 0, a * ndtr(ratio) + s * density, np.maximum(a, 0))


class Point(NamedTuple):
    """What is known of a network at a point x₀ of the subspace.

    Attributes:
        preactivations: a, shape (units,).
        weights: Output weights u, shape (units,).
        bias: c.
        gradient_norm: ‖g‖ of the off-subspace gradient g at x₀.
        variance: σ² of each off-subspace first weight.
    """

    preactivations: np.ndarray
    weights: np.ndarray
    bias: float
    gradient_norm: float
    variance: float

    @property
    def output(self) -> float:
        """f(x₀)."""
        return float(self.weights @ np.maximum(self.preactivations, 0) + self.bias)


def laws_of_slopes(point: Point) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance, given g, of the slope wᵢ·g/‖g‖ of each unit, each of shape (units,).

    Active units: uᵢ‖g‖/U and σ²(1 − uᵢ²/U); all others: 0 and σ².
    """
    active = point.preactivations > 0
    squares = np.where(active, np.square(point.weights), 0)
    total = squares.sum()
    if total == 0:
        return np.zeros(len(active)), np.full(len(active), point.variance)
    mean = np.where(active, point.weights * point.gradient_norm / total, 0)
    return mean, point.variance * np.maximum(1 - squares / total, 0)


def expected_output(point: Point, distance: ArrayLike) -> np.ndarray:
    """E f(x₀ − t·sign(f(x₀))·g/‖g‖) given g, over what the off-subspace weights may be besides.

    Args:
        point: The network at x₀.
        distance: t ≥ 0, shape (distances,).

    Returns:
        Σuᵢ·E relu(aᵢ − t·sign(f)·Sᵢ) + c with the laws of the slopes Sᵢ, shape (distances,).
    """
    mean, variance = laws_of_slopes(point)
    t = np.asarray(distance, dtype=float)[..., np.newaxis]
    a = point.preactivations - np.sign(point.output) * t * mean
    return rectified_mean(a, t * np.sqrt(variance)) @ point.weights + point.bias


def flip_distance(point: Point) -> float:
    """Smallest t > 0 with E f(x₀ − t·sign(f(x₀))·g/‖g‖) = 0; NaN where there is none up to `FURTHEST` tangents."""
    if point.gradient_norm == 0 or point.output == 0:
        return np.nan
    tangent = abs(point.output) / point.gradient_norm
    for start, end in ((0, 4), (4, FURTHEST)):
        distances = tangent * np.linspace(start, end, (end - start) * STEPS_OF_TANGENT + 1)
        flipped = np.sign(point.output) * expected_output(point, distances) <= 0
        if flipped.any():
            place = int(flipped.argmax())
            return float(brentq(lambda t: expected_output(point, t), distances[place - 1], distances[place]))
    return np.nan
