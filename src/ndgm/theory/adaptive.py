"""Closed forms for what adaptive methods with a constant step keep hovering at.

Adaptive methods divide the gradient by its own size. What is left of a kink is then a matter of the step alone: the
slope of the kink cancels, and so does the curvature of a parabola. Expectations E are means over time.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ndgm.theory.checks import above, fraction, positive


def rmsprop_floor(step_size: ArrayLike, penalty: ArrayLike, b: ArrayLike, epsilon: float = 0.0) -> NDArray[np.float64]:
    """RMSProp's E‖w‖₁ = (η/2)·Σ λ(1 + κ²)/(λ√(1 − κ²) + ε), κ = b/λ, on the LASSO where its exact solution is zero.

    Close to zero the gradient of a weight is λ(sign(w) − κ). Its mean is zero only if w is positive for a share
    (1 + κ)/2 of the time; hence E g² = λ²(1 − κ²). With a long memory, β₂ → 1, the method is the subgradient method
    with the step η/(λ√(1 − κ²) + ε), whose floor is (1 + κ²)/2 steps of length λ. The sum falls with λ, to ηd/2 if
    ε = 0, where the subgradient method's floor rises.

    With κ = 0 it holds for every β₂, since then g² is the same on both sides. It is first order in η, and too large
    where some κ is so close to ±1 that κ at E w is another than at zero; there
    `ndgm.theory.rounded_lasso.rmsprop_l1_norm` is closer.

    Args:
        step_size: η, shape (...).
        penalty: λ > max|b|, shape (...).
        b: Zᵀy/n, shape (d,).
        epsilon: ε ≥ 0.

    Raises:
        ValueError: if a step size is not positive, or a penalty not above max|b|.
    """
    step_size = positive("step size", step_size)
    b = np.asarray(b, dtype=np.float64)
    penalty = above("penalty", positive("penalty", penalty), np.abs(b).max(), "max|b|")[..., np.newaxis]
    squared = (b / penalty) ** 2
    return step_size / 2 * (penalty * (1 + squared) / (penalty * np.sqrt(1 - squared) + epsilon)).sum(-1)


def normalised_step(slope: ArrayLike, epsilon: float) -> NDArray[np.float64]:
    """Length g/(g + ε) of a step on a constant slope g ≥ 0, in units of η, of a method that divides by |g| + ε."""
    slope = np.asarray(slope, dtype=np.float64)
    return slope / (slope + epsilon)


def sign_floor(step_size: ArrayLike, dimension: ArrayLike) -> NDArray[np.float64]:
    """E‖w‖₁ = ηd/2 of sign descent on the LASSO above λ_max, at every penalty, and on separable parabolas.

    The sign of the gradient is that of w, so each weight steps from w to w − η and back.

    Args:
        step_size: η, shape (...).
        dimension: Number of weights d, shape (...).

    Raises:
        ValueError: if a step size or a dimension is not positive.
    """
    return positive("step size", step_size) * positive("dimension", dimension) / 2


def adagrad_floor(
    step_size: ArrayLike, penalty: ArrayLike, b: ArrayLike, first: ArrayLike, last: ArrayLike
) -> NDArray[np.float64]:
    """Adagrad's mean ‖w‖₁ over steps `first` to `last` on the LASSO above λ_max: no floor, it falls as 1/√t.

    The sum of squared gradients grows as t·λ²(1 − κ²), so that at step t the method is RMSProp with step η/√t. The mean
    of 1/√t is 2/(√first + √last). It holds where κ ≠ 0: with κ = 0 the order in which signs follow each other cancels
    differences of the steps to an ever higher order, until rounding puts the iterate on 0 itself, where it stays.

    Args:
        step_size: η, shape (...).
        penalty: λ > max|b|, shape (...).
        b: Zᵀy/n, shape (d,).
        first: First step of the mean, far beyond arrival, shape (...).
        last: Last step of the mean, shape (...).

    Raises:
        ValueError: if a step size is not positive, or a penalty not above max|b|.
    """
    return rmsprop_floor(step_size, penalty, b) * 2 / (np.sqrt(first) + np.sqrt(last))


def rmsprop_cycle(step_size: ArrayLike, curvature: ArrayLike, epsilon: float = 0.0) -> NDArray[np.float64]:
    """Amplitude p = η/2 − ε/L of RMSProp's 2-cycle ±p on the parabola Lw²/2: η/2 for every curvature and memory.

    On the cycle v = L²p², and a step of ηLp/(Lp + ε) leads from p to −p.

    Args:
        step_size: η, shape (...).
        curvature: L, shape (...).
        epsilon: ε ≥ 0.

    Raises:
        ValueError: if a step size or curvature is not positive, or ηL ≤ 2ε, where there is no cycle.
    """
    step_size, curvature = positive("step size", step_size), positive("curvature", curvature)
    amplitude = step_size / 2 - epsilon / curvature
    if not (amplitude > 0).all():
        raise ValueError(f"there is no cycle where ηL ≤ 2ε: η = {step_size}, L = {curvature}, ε = {epsilon}")
    return amplitude


def rmsprop_cycle_contraction(decay: float) -> float:
    """Factor per step by which RMSProp returns to its 2-cycle on a parabola, ε = 0: √β₂ for β₂ ≥ 1/9.

    Let (−1)ᵗw = p(1 + y) and v = L²p²(1 + u). To first order u₊ = β₂u + 2(1 − β₂)y and y₊ = y − u₊, a map with the
    characteristic polynomial μ² − (3β₂ − 1)μ + β₂. Its roots lie inside the unit circle for all 0 < β₂ < 1, so the
    cycle attracts at every β₂, η and L, though only from nearby.

    Args:
        decay: β₂, between 0 and 1.

    Raises:
        ValueError: if β₂ is not between 0 and 1.
    """
    fraction("decay", decay)
    return float(np.abs(np.roots([1, 1 - 3 * decay, decay])).max())


def momentum_cycle(step_size: ArrayLike, decay: float, steps: int) -> NDArray[np.float64]:
    """Mean |w| on the cycle of Adam on |w| that spends n = `steps` steps on one side of zero, then n on the other.

    Adam's scale is the slope of |w|, and its direction m ← β₁m + (1 − β₁)sign(w). After j steps on the side of positive
    w, m_j = 1 − 2β₁ʲ/(1 + β₁ⁿ). So w starts on that side at x₀ = (η/2)·Σ_{j≤n} m_j, ends on the other at −x₀ and is
    x₀ − η·Σ_{i≤j} m_i between. For n = 1 the mean is η(1 − β₁)/(2(1 + β₁)). Shifting such a cycle as a whole leaves the
    mean as it is, as long as the shift changes no sign. There are cycles with other orders of signs, too.

    The heavy-ball method with step η on λ|w| has the same cycles, longer by the factor λ/(1 − β₁).

    Args:
        step_size: η, shape (...).
        decay: β₁, between 0 and 1.
        steps: n ≥ 1.

    Raises:
        ValueError: if a step size is not positive, β₁ is not between 0 and 1, or there is no such cycle.
    """
    step_size = positive("step size", step_size)
    fraction("decay", decay)
    if not 1 <= steps <= longest_momentum_cycle(decay):
        raise ValueError(f"with decay {decay} there is no cycle of {steps} steps on each side")
    return step_size * _one_side(decay, steps).mean()


def longest_momentum_cycle(decay: float) -> int:
    """Largest n for which `momentum_cycle` exists: the last with x₀ < ηm_n, n < (2/(1 − β₁))·(1 − β₁ⁿ)/(1 + β₁ⁿ).

    On one side the positions are concave in time, so the lowest is the first or the last; the first is
    always above zero.

    Args:
        decay: β₁, between 0 and 1.

    Raises:
        ValueError: if β₁ is not between 0 and 1.
    """
    fraction("decay", decay)
    steps = 1
    while (_one_side(decay, steps + 1) > 0).all():
        steps += 1
    return steps


def _one_side(decay: float, steps: int) -> NDArray[np.float64]:
    """Positions of the cycle in units of η while they are positive: x₀ and what `steps` − 1 more steps make of it."""
    moves = 1 - 2 * decay ** np.arange(1, steps + 1) / (1 + decay**steps)
    return moves.sum() / 2 - np.concatenate([[0.0], np.cumsum(moves)[:-1]])
