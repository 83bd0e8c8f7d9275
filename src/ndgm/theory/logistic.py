"""Logistic regression f(w) = mean(log(1 + exp(−Mw))): its minimiser, and the 2-cycles of descent around it.

The rows of M are the samples times their labels ±1. Where some w has Mw > 0, the data are separable and there is no
minimiser.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import linprog, nnls
from scipy.special import expit

from ndgm.theory.checks import beyond_threshold
from ndgm.theory.edge_of_stability import amplitude_near_threshold, flip_coefficient
from ndgm.theory.linear_systems import solve_consistent

Array = NDArray[np.float64]

RESIDUAL = 1e-11
"""Largest distance between a point of a 2-cycle and where two steps take it, relative to the cycle's length."""

STRIDE = 0.1
"""Longest step of the logarithm of η/η₀ − 1, η₀ the threshold, over which a cycle is followed at once."""


class SeparableError(ValueError):
    """The data are separable, so that no w minimises f."""


@dataclass(frozen=True)
class Minimum:
    """The minimiser w* and what decides the orbits near it.

    Attributes:
        weights: w*, shape (d,).
        sharpness: λ, the largest eigenvalue of the Hessian at w*.
        direction: Its eigenvector v, of length 1.
        coefficient: c, for which a step of (2 + ν)/λ has a 2-cycle of amplitude √(ν/c) along v, if c > 0.
        gradient_norm: ‖∇f(w*)‖, which certifies w*.
    """

    weights: Array
    sharpness: float
    direction: Array
    coefficient: float
    gradient_norm: float

    @property
    def threshold(self) -> float:
        """The step 2/λ beyond which w* repels."""
        return 2 / self.sharpness


def gradient(signed: Array, w: Array) -> Array:
    """∇f(w) = −Mᵀσ(−Mw)/n."""
    return -signed.T @ expit(-(signed @ w)) / len(signed)


def hessian(signed: Array, w: Array) -> Array:
    """∇²f(w) = Mᵀdiag(σ'(Mw))M/n."""
    margins = signed @ w
    return (signed.T * (expit(margins) * expit(-margins))) @ signed / len(signed)


def largest_curvature(signed: Array) -> float:
    """L = λ_max(MᵀM)/(4n), the largest eigenvalue of the Hessian anywhere: it is that at w = 0, where σ' = 1/4."""
    return float(np.linalg.eigvalsh(signed.T @ signed / len(signed))[-1]) / 4


def separation(signed: Array) -> float:
    """The largest min(Mw) over weights in [−1, 1]: positive if and only if the data are separable.

    The linear program gives w; the value returned is min(Mw) of that w, or 0, so that a positive one is certain.
    """
    samples, dimension = signed.shape
    solved = linprog(
        np.append(np.zeros(dimension), -1.0),
        A_ub=np.column_stack([-signed, np.ones(samples)]),
        b_ub=np.zeros(samples),
        bounds=[(-1, 1)] * dimension + [(None, None)],
    )
    return max(float((signed @ solved.x[:-1]).min()), 0.0)


def longest_row(signed: Array) -> float:
    """R, the length of the longest row of M."""
    return float(np.linalg.norm(signed, axis=1).max())


def hard_margin(signed: Array) -> float:
    """The largest min(Mw) over weights of length 1, or 0 where the data are not separable.

    The w of the largest margin points to the point of the convex hull of the rows that is nearest to 0. Non-negative
    least squares finds it: of the a ≥ 0 with the smallest ‖Mᵀa‖² + (Σa − 1)², a/Σa are the weights of that point. The
    value returned is min(Mw)/‖w‖ of the w that was found, so that no larger margin is claimed than there is.

    Source: Lawson and Hanson (1974), Solving Least Squares Problems, chapter 23.
    """
    rows = signed / longest_row(signed)  # so that both terms are of one size
    parts, _ = nnls(np.vstack([rows.T, np.ones(len(rows))]), np.append(np.zeros(rows.shape[1]), 1.0))
    w = rows.T @ parts / parts.sum()
    length = float(np.linalg.norm(w))
    return max(float((signed @ w).min()) / length, 0.0) if length > 0 else 0.0


def transition_time(step_size: ArrayLike, samples: ArrayLike, longest: ArrayLike, margin: ArrayLike) -> Array:
    """Steps τ = max{ηR², n}/γ² within which descent on separable data is to leave its oscillations, γ = margin/R.

    The bound is proportional to max{η, n, (n/η)log(n/η)}/γ² for rows of length 1 at most; rows that are R times as long
    make a step of η one of ηR². Its constant, which is left open, is taken as 1 here, and its last term, which counts
    for short steps, as 0.

    Source: Wu, Bartlett, Telgarsky and Yu (2024), COLT.

    Args:
        step_size: η.
        samples: n.
        longest: R of `longest_row`.
        margin: That of `hard_margin`.
    """
    step_size, samples, longest, margin = (
        np.asarray(value, dtype=np.float64) for value in (step_size, samples, longest, margin)
    )
    return np.maximum(step_size * longest**2, samples) * (longest / margin) ** 2


def solve_logistic(signed: ArrayLike, tolerance: float = 1e-13) -> Minimum:
    """Minimise f by Newton's method with halved steps.

    Args:
        signed: M, shape (n, d). Where its columns depend on each other, the smallest minimiser is found.
        tolerance: Largest ‖∇f(w*)‖.

    Raises:
        SeparableError: if the data are separable.
        ArithmeticError: if the gradient cannot be made that small.
    """
    signed = np.asarray(signed, dtype=np.float64)
    if separation(signed) > 0:
        raise SeparableError("the data are separable: nothing minimises the loss")

    def value(w: Array) -> float:
        return float(np.logaddexp(0, -(signed @ w)).mean())

    w = np.zeros(signed.shape[1])
    for _ in range(100):
        slope = gradient(signed, w)
        if np.linalg.norm(slope) <= tolerance:
            return _minimum(signed, w)
        newton, fraction = solve_consistent(hessian(signed, w), slope), 1.0
        while value(w - fraction * newton) > value(w) and fraction > 1e-9:
            fraction /= 2
        w = w - fraction * newton
    raise ArithmeticError(f"the gradient of the logistic loss stays at {np.linalg.norm(slope):.1e}")


def _minimum(signed: Array, w: Array) -> Minimum:
    curvatures, vectors = np.linalg.eigh(hessian(signed, w))
    sharpness, direction = float(curvatures[-1]), vectors[:, -1]
    along, p = signed @ direction, expit(signed @ w)
    spread = p * (1 - p)
    # Third derivatives (v, v, ·) and the fourth (v, v, v, v): of log(1 + e⁻ᵐ) they are σ'(1 − 2σ) and σ'(1 − 6σ').
    third = -signed.T @ (spread * (2 * p - 1) * along**2) / len(signed)
    fourth = float((spread * (1 - 6 * spread) * along**4).mean())
    # In one dimension the first term is ℓ'''²/L². In more the minimiser of the other weights moves with the cycle.
    coefficient = third @ solve_consistent(hessian(signed, w), third) / sharpness + flip_coefficient(
        sharpness, 0.0, fourth
    )
    return Minimum(w, sharpness, direction, float(coefficient), float(np.linalg.norm(gradient(signed, w))))


@dataclass(frozen=True)
class Cycle:
    """A 2-cycle of gradient descent.

    Attributes:
        points: Its two points, shape (2, d).
        amplitude: Half the distance between them.
        multiplier: Largest |eigenvalue| of two steps' derivative at it: below 1 the cycle attracts.
        residual: Distance between the first point and where two steps take it.
    """

    points: Array
    amplitude: float
    multiplier: float
    residual: float


def two_cycles(signed: ArrayLike, minimum: Minimum, step_sizes: ArrayLike) -> list[Cycle]:
    """The 2-cycle that leaves the minimiser at η = 2/λ, followed to longer steps by Newton's method.

    Its points w and w₊ = w − η∇f(w) have opposite gradients: ∇f(w) + ∇f(w₊) = 0.

    Args:
        signed: M, shape (n, d).
        minimum: What `solve_logistic` found.
        step_sizes: η, ascending, all above 2/λ.

    Raises:
        OrbitError: if a step is at most 2/λ, or no cycle leaves the minimiser there because c ≤ 0.
        ArithmeticError: if two steps from a point that was found do not end there, or none is found.
    """
    signed, step_sizes = np.asarray(signed, dtype=np.float64), np.asarray(step_sizes, dtype=np.float64)
    threshold, first = minimum.threshold, 1e-4
    beyond_threshold(step_sizes.min(), threshold)
    cycles: list[Cycle] = []
    # So close to the threshold the formula is good; from there on the cycle grows about with the root of ν.
    followed, away = first, amplitude_near_threshold(minimum.coefficient, 2 * first) * minimum.direction
    for step in step_sizes:
        wanted = step / threshold - 1
        for excess in np.geomspace(followed, wanted, 1 + int(np.ceil(abs(np.log(wanted / followed)) / STRIDE))):
            away = away * np.sqrt(excess / followed)
            away = _newton(signed, minimum.weights + away, (1 + excess) * threshold) - minimum.weights
            followed = excess
        cycles.append(_cycle(signed, minimum.weights + away, float(step)))
    return cycles


def _newton(signed: Array, w: Array, step_size: float) -> Array:
    """A root of ∇f(w) + ∇f(w − η∇f(w)) from a start nearby.

    Raises:
        ArithmeticError: if the derivative there is singular, as where all samples are far from the boundary.
    """
    identity = np.eye(len(w))
    for _ in range(50):
        slope, curvature = gradient(signed, w), hessian(signed, w)
        after = w - step_size * slope
        derivative = curvature + hessian(signed, after) @ (identity - step_size * curvature)
        change = solve_consistent(derivative, slope + gradient(signed, after))
        w = w - change
        if np.linalg.norm(change) <= 1e-14 * np.linalg.norm(w):
            break
    return w


def _cycle(signed: Array, w: Array, step_size: float) -> Cycle:
    after = w - step_size * gradient(signed, w)
    back = after - step_size * gradient(signed, after)
    length, residual = float(np.linalg.norm(after - w)), float(np.linalg.norm(back - w))
    if not residual <= RESIDUAL * length:
        raise ArithmeticError(f"two steps of {step_size:.6g} do not end where they began, but {residual:.1e} from it")
    one, other = (np.eye(len(w)) - step_size * hessian(signed, at) for at in (w, after))
    multiplier = float(np.abs(np.linalg.eigvals(other @ one)).max())
    return Cycle(np.stack([w, after]), length / 2, multiplier, residual)
