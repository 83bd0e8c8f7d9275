"""Closed forms for wide two-layer networks: their kernel, its dynamics, and what it costs to step across a kink.

The network is f(x) = Σ_r v_r σ(w_r·x) with w_r ~ N(0, I) and v_r = ±1/√m fixed, in pairs of opposite v_r with the same
w_r, so that f starts as 0. It is trained by gradient descent on ½Σ(f(xᵢ) − yᵢ)², and all inputs have length 1.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, log

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ndgm.theory.checks import fraction, positive

Array = NDArray[np.float64]
NODES = 120
"""Nodes of quadrature: enough for activations whose derivatives have no kink, or one at 0."""
BESIDE = 1e-9
"""Distance from 0 at which a second derivative is asked whether it jumps there."""
FURTHEST = 12.0
"""Argument beyond which a standard normal density is nothing in double precision."""


def arc_cosine_kernel(inputs: ArrayLike) -> Array:
    """Kernel H_ij = xᵢ·xⱼ (π − θ_ij)/(2π) of an infinitely wide ReLU network whose hidden weights alone are trained.

    (π − θ)/(2π) is the probability that a unit is active on both inputs. The angle is taken from ‖a − b‖ and ‖a + b‖,
    because the arc cosine loses half of the digits near 0.

    Args:
        inputs: x of any length but 0, shape (..., n, d).

    Source: Cho and Saul (2009), Kernel methods for deep learning.
    """
    inputs = np.asarray(inputs, dtype=np.float64)
    unit = inputs / np.linalg.norm(inputs, axis=-1, keepdims=True)
    one, other = unit[..., :, np.newaxis, :], unit[..., np.newaxis, :, :]
    angle = 2 * np.arctan2(np.linalg.norm(one - other, axis=-1), np.linalg.norm(one + other, axis=-1))
    return inputs @ np.swapaxes(inputs, -1, -2) * (np.pi - angle) / (2 * np.pi)


@dataclass(frozen=True)
class KernelDynamics:
    """Gradient descent as the kernel has it: residuals r_t = (I − ηH)^t r₀, with r₀ = −y.

    Attributes:
        eigenvalues: l of H, ascending, shape (n,).
        squares: c = (q·r₀)² for its eigenvectors q, shape (n,).
        step_size: η, below 2/l_max.
    """

    eigenvalues: Array
    squares: Array
    step_size: float

    @classmethod
    def of(cls, kernel: ArrayLike, targets: ArrayLike, step_size: float) -> "KernelDynamics":
        """Dynamics of a kernel, shape (n, n), and targets, shape (n,).

        Raises:
            ValueError: if the kernel has an eigenvalue that is not positive, or the step is not below 2/l_max.
        """
        eigenvalues, vectors = np.linalg.eigh(np.asarray(kernel, dtype=np.float64))
        positive("eigenvalue", eigenvalues)
        if not 0 < step_size < 2 / eigenvalues[-1]:
            raise ValueError(f"a step size must be between 0 and {2 / eigenvalues[-1]:.6g}, got {step_size}")
        return cls(eigenvalues, (vectors.T @ np.asarray(targets, dtype=np.float64)) ** 2, step_size)

    def losses(self, steps: ArrayLike) -> Array:
        """L_t = ½Σ (1 − ηl)^2t c after so many steps, shape (...)."""
        return (self._factors(steps) ** 2 * self.squares).sum(-1) / 2

    def move(self, steps: int) -> float:
        """How far the weights are from their start: ‖W_T − W₀‖² = Σ (1 − (1 − ηl)^T)² c/l."""
        return float(np.sqrt(((1 - self._factors(steps)) ** 2 * self.squares / self.eigenvalues).sum(-1)))

    def path(self, steps: int) -> float:
        """Length of the path there, Σ_t<T η√(r_tᵀ H r_t)."""
        squared = (self._factors(np.arange(steps)) ** 2 * self.squares * self.eigenvalues).sum(-1)
        return float(self.step_size * np.sqrt(squared).sum())

    @property
    def gradient_bound(self) -> float:
        """The smallest eigenvalue: ‖g‖²/(2L) = rᵀHr/rᵀr is at least that at every step."""
        return float(self.eigenvalues[0])

    def _factors(self, steps: ArrayLike) -> Array:
        """(1 − ηl)^t, shape (..., n)."""
        return (1 - self.step_size * self.eigenvalues) ** np.asarray(steps)[..., np.newaxis]


def decay_rate(eigenvalue: ArrayLike, step_size: ArrayLike) -> Array:
    """What log L loses a step along an eigenvector, −2 log|1 − ηl|."""
    return -2 * np.log(np.abs(1 - np.asarray(step_size) * np.asarray(eigenvalue, dtype=np.float64)))


def kernel_steps(eigenvalue: ArrayLike, step_size: ArrayLike, share: float, since: float = 1.0) -> Array:
    """Steps log(s/ε)/(−2 log|1 − ηl|) in which the loss along an eigenvector falls from a share s of its first to ε.

    They are a fraction, as if the loss went down between two steps as it does over them.

    Args:
        eigenvalue: l.
        step_size: η.
        share: ε.
        since: s.

    Raises:
        ValueError: if the share is not between 0 and s.
    """
    fraction("share", share / since)
    return log(since / share) / decay_rate(eigenvalue, step_size)


def laziness(width: ArrayLike, fewest: ArrayLike) -> Array:
    """Factor √(m₀/m) of a network's flipped signs, and of the largest move of its units, from a width m₀ to m.

    To first order, since the weights of each unit have a gradient of the size of its output weight, 1/√m.
    """
    return np.sqrt(np.divide(fewest, width))


def angle_of(separation: ArrayLike) -> Array:
    """Angle θ = 2 asin(φ/2) between two inputs of length 1 at a distance φ.

    Raises:
        ValueError: if a distance is not positive, or above 2.
    """
    separation = positive("separation", separation)
    if (separation > 2).any():
        raise ValueError(f"two points of length 1 are at most 2 apart, got {separation}")
    return 2 * np.arcsin(separation / 2)


def conflicting_pair(separation: float) -> Array:
    """Two inputs of length 1 at a distance φ, in the plane that they span, shape (2, 2)."""
    half = float(angle_of(separation)) / 2
    return np.array([[np.cos(half), np.sin(half)], [np.cos(half), -np.sin(half)]])


def pair_gradient(separation: ArrayLike) -> Array:
    """‖g₀‖²/(2L) of ReLU at a pair with opposite targets at a distance φ: λ = ½ − cos θ (π − θ)/(2π).

    It is φ/(2π) + O(φ²): the first power, because a share θ/π of all kinks lies between the two points. It is the
    smaller eigenvalue of the kernel too.
    """
    angle = angle_of(separation)
    return 0.5 - np.cos(angle) * (np.pi - angle) / (2 * np.pi)


def smooth_pair_gradient(
    separation: ArrayLike, slope: Callable[[Array], Array], second: Callable[[Array], Array]
) -> Array:
    """‖g₀‖²/(2L) of a smooth activation at such a pair, to leading order: ½φ²(E σ″(z)² + E σ′(z)²), z ~ N(0, 1).

    Args:
        separation: φ.
        slope: σ′.
        second: σ″, which may jump at 0 and nowhere else.
    """
    angle_of(separation)
    below, above = second(np.array([-BESIDE, BESIDE]))
    nodes, weights = _half_normals() if abs(above - below) > 1e3 * BESIDE else np.polynomial.hermite_e.hermegauss(NODES)
    squares = slope(nodes) ** 2 + second(nodes) ** 2
    return np.asarray(separation, dtype=np.float64) ** 2 / 2 * (weights @ squares) / weights.sum()


def _half_normals() -> tuple[Array, Array]:
    """Nodes and weights for N(0, 1) on each side of 0, where Gauss–Hermite quadrature takes no notice of a jump."""
    places, weights = np.polynomial.legendre.leggauss(NODES)
    nodes = FURTHEST / 2 * (1 + places)
    weights = weights * np.exp(-(nodes**2) / 2)
    return np.concatenate([-nodes, nodes]), np.concatenate([weights, weights])


def crossing_share(width: ArrayLike, separation: ArrayLike) -> Array:
    """Share δ by which the kinks that steps cross lower the eigenvalue of a pair, to first order in m^−½.

    With the kernel's eigenvalue λ a unit in the gap moves by Δ = 1/(λ√m) in all. By symmetry units leave the gap on one
    side, active on both inputs, with probability Δ cos θ/(2√(2π)), and on the other, active on none, with probability
    Δ/(2√(2π)); units that are active on both enter it with probability Δ(1 − cos θ)/(2√(2π)). A unit counts ½ in the
    gap, 1 − cos θ where it is active on both and 0 elsewhere, which adds up to
    δ = (2(cos θ − ½)² + ½)/(2√(2π) λ² √m). As φ → 0 that is π²·√(2/π)/(φ²√m): the width for a given δ is
    proportional to λ⁻⁴ first, and to φ⁻⁴ only there.
    """
    eigenvalue, width = pair_gradient(separation), positive("width", width)
    lost = 2 * (np.cos(angle_of(separation)) - 0.5) ** 2 + 0.5
    return lost / (2 * np.sqrt(2 * np.pi) * eigenvalue**2 * np.sqrt(width))


def empty_gap_eigenvalue(separation: ArrayLike) -> Array:
    """Eigenvalue φ²/4 of a pair when every kink has left the gap: half of the units are active on both inputs.

    A network so narrow that it crosses them all needs 2 log(1/ε)/(ηφ²) steps: the second power, as if it were smooth.
    """
    angle_of(separation)
    return np.asarray(separation, dtype=np.float64) ** 2 / 4


def late_deficit(width: ArrayLike, separation: ArrayLike, step_size: float) -> Array:
    """Share by which the late rate of a pair falls short of the kernel's, to first order in m^−½ and not below 0."""
    eigenvalue = pair_gradient(separation)
    left = np.clip(eigenvalue * (1 - crossing_share(width, separation)), 0, None)
    return 1 - decay_rate(left, step_size) / decay_rate(eigenvalue, step_size)


def steps_for_pair(width: float, separation: float, step_size: float, share: float) -> int:
    """Steps in which a network takes the loss of a pair to a share of the first one, with a third more to be sure.

    The smallest eigenvalue on the way is taken to be what `crossing_share` leaves of it, and at least that of the empty
    gap, where that is the smaller one: at φ < √2.
    """
    eigenvalue = float(pair_gradient(separation))
    left = eigenvalue * (1 - float(crossing_share(width, separation)))
    eigenvalue = max(left, min(eigenvalue, float(empty_gap_eigenvalue(separation))))
    return ceil(4 / 3 * log(1 / fraction("share", share)) / float(decay_rate(eigenvalue, step_size)))
