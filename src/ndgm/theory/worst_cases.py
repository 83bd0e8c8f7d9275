"""Worst cases of (sub)gradient methods over whole classes of functions: closed forms, which certificates are held to.

N steps x_{k+1} = x_k − h_k·g_k, k = 0 … N − 1, with g_k a subgradient of f at x_k, visit N + 1 points x₀ … x_N. f is
convex with a minimiser x* at ‖x₀ − x*‖ ≤ R, in any dimension, and M-Lipschitz or L-smooth. A worst case is the largest
gap f − f* over all such f: at the best of the N + 1 points, at the last one, or at their average.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ndgm.theory.checks import positive


def constant(steps: int, lipschitz: float = 1.0, distance: float = 1.0) -> NDArray[np.float64]:
    """N step sizes h_k = R/(M√(N+1)), at which `textbook_bound` is smallest and equals `lower_bound`.

    Args:
        steps: N ≥ 1.
        lipschitz: M.
        distance: R.

    Source: Nesterov (2004), Introductory Lectures on Convex Optimization, section 3.2.3.
    """
    return _unit(steps, lipschitz, distance) * np.ones(steps)


def inverse_square_root(steps: int, lipschitz: float = 1.0, distance: float = 1.0) -> NDArray[np.float64]:
    """N step sizes h_k = R/(M√(k+1)), which do not depend on N.

    Args:
        steps: N ≥ 1.
        lipschitz: M.
        distance: R.

    Source: Nesterov (2004), Introductory Lectures on Convex Optimization, section 3.2.3.
    """
    return _unit(steps, lipschitz, distance) * np.sqrt((steps + 1) / np.arange(1, steps + 1))


def linearly_decaying(steps: int, lipschitz: float = 1.0, distance: float = 1.0) -> NDArray[np.float64]:
    """N step sizes h_k = R(N−k)/(M(N+1)^{3/2}), with which the last of x₀ … x_N attains `lower_bound`.

    They fall from h₀ = R·N/(M(N+1)^{3/2}) to h_{N−1} = R/(M(N+1)^{3/2}). Subgradients are needed at x₀ … x_{N−1} only,
    N of them.

    Args:
        steps: N ≥ 1.
        lipschitz: M.
        distance: R.

    Source: Zamani and Glineur (2023), arXiv:2307.11134, where the points are x¹ … x^{N+1}.
    """
    return _unit(steps, lipschitz, distance) * np.arange(steps, 0, -1) / (steps + 1)


STEP_RULES: dict[str, Callable[..., NDArray[np.float64]]] = {
    "constant": constant,
    "inverse_square_root": inverse_square_root,
    "linearly_decaying": linearly_decaying,
}
"""Step rules by name: functions of (steps, lipschitz, distance)."""


def lower_bound(steps: int, lipschitz: float = 1.0, distance: float = 1.0) -> float:
    """MR/√(N+1): no method that sees N subgradients of an M-Lipschitz convex function guarantees a smaller gap.

    A function that resists (`objectives.max_affine`) forces it on every point of x₀ + span(g₀ … g_{N−1}), so on best,
    last and average alike. It is the exact worst case of the best point and of the average with `constant` steps, and
    of the best point and of the last one with `linearly_decaying` steps.

    Args:
        steps: N ≥ 1, the number of subgradients seen before the last point.
        lipschitz: M.
        distance: R.

    Source: Drori and Teboulle (2016), appendix A; up to a constant factor, Nemirovski and Yudin (1983).
    """
    return lipschitz**2 * _unit(steps, lipschitz, distance)


def textbook_bound(
    step_size: ArrayLike, steps: int, lipschitz: float = 1.0, distance: float = 1.0
) -> NDArray[np.float64]:
    """R²/(2h(N+1)) + hM²/2, for the best and for the average of x₀ … x_N with N constant steps h.

    It counts a last step, from x_N on, that is not taken. For the average it is exact if h ≥ R/(M(N+1)); with shorter
    steps the worst function is M‖x − x*‖, with gap MR − hNM²/2. For the best point it is exact at h = R/(M√(N+1)) only;
    with longer steps `best_point_bound` is smaller.

    Args:
        step_size: h, shape (...).
        steps: N ≥ 1.
        lipschitz: M.
        distance: R.

    Source: Nesterov (2004), section 3.2.3. The ranges are what PEPit finds.
    """
    h = positive("step size", step_size)
    return distance**2 / (2 * h * _points(steps)) + h * lipschitz**2 / 2


def best_point_bound(step_sizes: ArrayLike, lipschitz: float = 1.0, distance: float = 1.0) -> float:
    """M²t with t = √(S² + Q + R²/M²) − S, S = Σh_k and Q = Σh_k², for the best of x₀ … x_N with any N step sizes.

    This is the textbook bound (R² + M²(Q + t²))/(2(S + t)) at the best size t of the step from x_N on that is not
    taken. PEPit finds it exact for constant steps R/(M√(N+1)) ≤ h ≤ 2R/M, and for `inverse_square_root` steps up to
    N = 3; for more of those, and for `linearly_decaying` ones, it is above the exact value.

    Args:
        step_sizes: h₀ … h_{N−1}, shape (N,).
        lipschitz: M.
        distance: R.

    Source: Boyd, Xiao and Mutapcic (2003), equation 2, with a free last step.
    """
    h = positive("step size", step_sizes)
    total = h.sum()
    return float(lipschitz**2 * (np.sqrt(total**2 + (h**2).sum() + (distance / lipschitz) ** 2) - total))


def last_point_worst_case(
    step_size: ArrayLike, steps: int, lipschitz: float = 1.0, distance: float = 1.0
) -> NDArray[np.float64]:
    """R²/(2h·s²) + hM²(s²/2 − N), s = s_N of s₀ = 1, s_{k+1} = s_k + 1/s_k: exact for x_N with constant steps h.

    So if h ≥ R/(M·s²); with shorter steps the worst function is M‖x − x*‖, with gap MR − hNM². The best constant step
    gives MR√(1 − 2N/s²), where s² − 2N grows as log(N)/2, so that it is not of the order of `lower_bound`.

    Args:
        step_size: h, shape (...).
        steps: N ≥ 1.
        lipschitz: M.
        distance: R.

    Source: Zamani and Glineur (2023), arXiv:2307.11134.
    """
    h, s = positive("step size", step_size), 1.0
    for _ in range(_points(steps) - 1):
        s += 1 / s
    long = distance**2 / (2 * h * s**2) + h * lipschitz**2 * (s**2 / 2 - steps)
    return np.where(h * lipschitz * s**2 >= distance, long, lipschitz * distance - h * steps * lipschitz**2)


def smooth_worst_case(
    step_times_smoothness: ArrayLike, steps: int, smoothness: float = 1.0, distance: float = 1.0
) -> NDArray[np.float64]:
    """LR²·max{1/(4Nγ+2), (1−γ)^{2N}/2}: exact for x_N of gradient descent on L-smooth functions, at step size γ/L.

    The first is attained by the Huber function Lτ|x| − Lτ²/2 outside |x| ≤ τ = R/(2Nγ+1), the second by Lx²/2.

    Args:
        step_times_smoothness: γ in (0, 2), shape (...).
        steps: N ≥ 1.
        smoothness: L.
        distance: R.

    Raises:
        ValueError: if γ is not below 2, where the quadratic need not converge.

    Source: Drori and Teboulle (2014), who prove it for γ ≤ 1; Taylor, Hendrickx and Glineur (2017); Kim (2024),
    arXiv:2412.04427, who proves the rest.
    """
    gamma = positive("step size", step_times_smoothness)
    if not (gamma < 2).all():
        raise ValueError(f"every step size times smoothness must be below 2, got {gamma}")
    count = _points(steps) - 1
    return smoothness * distance**2 * np.maximum(1 / (4 * count * gamma + 2), (1 - gamma) ** (2 * count) / 2)


def smooth_worst_width(step_times_smoothness: ArrayLike, steps: int, distance: float = 1.0) -> NDArray[np.float64]:
    """Width τ = R/(2Nγ+1) of the Huber function, quadratic on |x| ≤ τ, that is `smooth_worst_case` for short steps.

    Gradient descent from R has the slope Lτ at all of x₀ … x_N, and ends at x_N = R(Nγ+1)/(2Nγ+1).

    Args:
        step_times_smoothness: γ > 0, shape (...).
        steps: N ≥ 1.
        distance: R.

    Source: Drori and Teboulle (2014).
    """
    count = _points(steps) - 1
    return positive("distance", distance) / (2 * count * positive("step size", step_times_smoothness) + 1)


def _unit(steps: int, lipschitz: float, distance: float) -> float:
    """R/(M√(N+1))."""
    points = _points(steps)
    return float(positive("distance", distance) / (positive("Lipschitz constant", lipschitz) * np.sqrt(points)))


def _points(steps: int) -> int:
    """N + 1."""
    if not (isinstance(steps, (int, np.integer)) and steps >= 1):
        raise ValueError(f"the number of steps must be a whole number, at least 1, got {steps}")
    return int(steps) + 1
