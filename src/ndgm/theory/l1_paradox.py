"""Closed forms for constant-step subgradient descent on the LASSO, ½wᵀAw − bᵀw + λ‖w‖₁, with sign(0) = 0.

Where the exact solution has a zero, the iterate never rests: it hovers at a distance proportional to ηλ.
So its L1 norm first falls with the penalty, as the exact solution's does, and then rises, as ηλ does.
Expectations E are means over time.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ndgm.theory.checks import above, not_negative, positive
from ndgm.theory.lasso import LassoPath, LassoSolution, Quadratic
from ndgm.theory.linear_systems import solve_consistent


def floor_rate(problem: Quadratic, solution: LassoSolution) -> NDArray[np.float64]:
    """Rate r at which the floor leaves the exact solution: E‖w‖₁ = ‖w*‖₁ + η·r + O(η²).

    r = (λ/2)·Σ_ℐ(1 + κ²) − λ·s_𝒜ᵀ A_𝒜𝒜⁻¹ A_𝒜ℐ κ_ℐ, where 𝒜 is the support of w*, s its signs, ℐ the rest
    and κ = (b − Aw*)/λ. To first order in η a weight of ℐ steps by −ηλ(sign(w) − κ), a rotation of the
    interval (−ηλ(1 − κ), ηλ(1 + κ)). If it fills the interval evenly, E|w| = ηλ(1 + κ²)/2 and E w = ηλκ;
    the weights of 𝒜 answer with −A_𝒜𝒜⁻¹ A_𝒜ℐ E w_ℐ, so that the mean gradient on 𝒜 stays zero. Where columns
    of 𝒜 depend on each other, A_𝒜𝒜⁻¹ is the pseudoinverse: their weights are not unique, but their norm is.

    It holds where |w*| on 𝒜 is large against ηλ and 1 − |κ| on ℐ is large against ηL, so not at a
    breakpoint of the path, where r jumps and E‖w‖₁ does not. The fewer the weights, the more it matters
    that a rotation may lock to a cycle that does not fill its interval.

    Args:
        problem: The problem.
        solution: Its solutions at penalties of shape (...).

    Returns:
        r, shape (...), in units of the L1 norm per unit of η.
    """
    penalties = solution.penalty.ravel()
    weights = solution.weights.reshape(len(penalties), problem.dimension)
    rates = np.empty(len(penalties))
    for i, (penalty, w) in enumerate(zip(penalties, weights, strict=True)):
        active = w != 0
        kappa = ((problem.b - problem.A @ w) / penalty)[~active]
        pull = problem.A[np.ix_(active, ~active)] @ kappa
        answer = solve_consistent(problem.A[np.ix_(active, active)], pull)
        rates[i] = penalty * ((1 + kappa**2).sum() / 2 - np.sign(w[active]) @ answer)
    return rates.reshape(solution.penalty.shape)


def hovering_l1_norm(problem: Quadratic, solution: LassoSolution, step_size: float) -> NDArray[np.float64]:
    """E‖w‖₁ = ‖w*‖₁ + η·r that a constant step keeps, to first order in η, with r the `floor_rate`; shape (...)."""
    return solution.l1_norm + step_size * floor_rate(problem, solution)


def away_from_breakpoints(problem: Quadratic, solution: LassoSolution, step_size: float) -> NDArray[np.bool_]:
    """Whether a step is short enough for `floor_rate`: |w*| > ηλ on the support, and 1 − |κ| > ηL off it.

    At a breakpoint of the path `floor_rate` jumps, while the norm that the method keeps does not.

    Args:
        problem: The problem.
        solution: Its solutions at penalties of shape (...).
        step_size: η.

    Returns:
        True or False, shape (...).
    """
    penalty = solution.penalty[..., np.newaxis]
    kappa = (problem.b - solution.weights @ problem.A) / penalty
    on_support = np.abs(solution.weights) > step_size * penalty
    off_support = 1 - np.abs(kappa) > step_size * problem.lipschitz
    return np.asarray(np.where(solution.support, on_support, off_support).all(-1))


def floor_above_penalty_max(step_size: ArrayLike, penalty: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """E‖w‖₁ = (ηλ/2)(d + ‖b‖²/λ²) + O(η²) where the exact solution is zero; it grows with λ.

    Args:
        step_size: η, shape (...).
        penalty: λ > ‖b‖∞, shape (...).
        b: Zᵀy/n, shape (d,).

    Raises:
        ValueError: if a penalty is not above ‖b‖∞, or a step size is not positive.
    """
    step_size, b = positive("step size", step_size), np.asarray(b)
    penalty = above("penalty", positive("penalty", penalty), np.abs(b).max(), "‖b‖∞")
    return step_size * penalty / 2 * (len(b) + b @ b / penalty**2)


def floor_slope(step_size: ArrayLike, dimension: int) -> NDArray[np.float64]:
    """Slope ηd/2 of E‖w‖₁ against λ, far above λ_max; at λ it is (ηd/2)(1 − ‖b‖²/(dλ²)).

    Args:
        step_size: η, shape (...).
        dimension: Number of weights d.

    Raises:
        ValueError: if a step size or the dimension is not positive.
    """
    return positive("step size", step_size) * positive("dimension", dimension) / 2


def turning_point(path: LassoPath, step_size: float) -> float:
    """Penalty λ > 0 at which the closed form of E‖w‖₁ is smallest, the turn from falling to rising.

    On a segment of the path w*_𝒜 = u − λv and λκ_ℐ = p + λq, with u = A_𝒜𝒜⁻¹b_𝒜, v = A_𝒜𝒜⁻¹s_𝒜,
    p = b_ℐ − A_ℐ𝒜u and q = A_ℐ𝒜v. There `floor_rate` becomes (λ/2)(|ℐ| − ‖q‖²) + ‖p‖²/(2λ), and so
    E‖w‖₁ = α + βλ + γ/λ with α = s_𝒜ᵀu, β = −s_𝒜ᵀv + (η/2)(|ℐ| − ‖q‖²), γ = (η/2)‖p‖². Its minimum is at
    √(γ/β), or at an end of the segment. The closed form jumps by O(η) between segments, so that the minimum
    is often at a breakpoint; there the lower of the two sides counts.

    Args:
        path: The exact path.
        step_size: η > 0.

    Returns:
        The global minimiser. It is never above λ_max, because ‖b‖ ≤ √d·λ_max.

    Raises:
        ValueError: if the step size is not positive, or b = 0, where the norm only rises.
    """
    positive("step size", step_size)
    if path.problem.penalty_max == 0:
        raise ValueError("no turning point: with b = 0 the norm rises from penalty 0 on")
    best_value, best_penalty = np.inf, np.nan
    for lower, upper, signs in path.segments():
        alpha, beta, gamma = _coefficients(path.problem, signs, step_size)
        stationary = np.sqrt(gamma / beta) if beta > 0 else upper
        for penalty in (lower, upper, min(max(stationary, lower), upper)):
            if 0 < penalty < np.inf:
                value = alpha + beta * penalty + gamma / penalty
                if value < best_value:
                    best_value, best_penalty = value, penalty
    return float(best_penalty)


def noisy_floor(step_size: ArrayLike, penalty: ArrayLike, noise: ArrayLike) -> NDArray[np.float64]:
    """E‖w‖₁ = (η/2)·Σᵢ(λ + σᵢ²/λ) for zero signal (b = 0) and a noisy gradient: it falls with λ, then rises.

    The step is w ← w − ηg, g = Aw + λ·sign(w) + ξ, with ξ fresh, of mean 0 and variances σᵢ².
    Stationarity of ‖w‖² says 2E⟨w, g⟩ = ηE‖g‖², so
    λE‖w‖₁ + E wᵀAw = (η/2)(λ²d + Σσᵢ² + 2λE sign(w)ᵀAw + E‖Aw‖²). The formula leaves out the terms with A.
    For σ ≫ λ a weight is nearly Laplacian, E w² = 2(E|w|)², and E wᵀAw makes the formula too large,
    relatively by about ηLσ²/λ²; for σ ≪ λ it is too small by about ηL/3. It holds where both are small.

    Args:
        step_size: η, shape (...).
        penalty: λ, shape (...).
        noise: Standard deviations σ of the gradient's coordinates, shape (..., d) or (d,).

    Raises:
        ValueError: if a step size or penalty is not positive, or a standard deviation is negative.
    """
    step_size, penalty = positive("step size", step_size), positive("penalty", penalty)
    noise = not_negative("standard deviation", noise)
    return step_size / 2 * (noise.shape[-1] * penalty + (noise**2).sum(-1) / penalty)


def noisy_turning_point(noise: ArrayLike) -> float:
    """Penalty at which `noisy_floor` is smallest, the root mean square of the noise: λ = √(mean σᵢ²).

    Args:
        noise: Standard deviations σ of the gradient's coordinates, shape (d,).

    Raises:
        ValueError: if a standard deviation is negative.
    """
    return float(np.sqrt(np.mean(not_negative("standard deviation", noise) ** 2)))


def minibatch_noise(Z: ArrayLike, y: ArrayLike, batch_size: int) -> NDArray[np.float64]:
    """Standard deviations of a mini-batch gradient at w = 0: σᵢ = √((mean_k (z_ki·y_k)² − bᵢ²)/B).

    The B rows of a batch are drawn independently, with replacement.

    Args:
        Z: Design, shape (n, d).
        y: Response, shape (n,).
        batch_size: B ≥ 1.

    Returns:
        σ, shape (d,).

    Raises:
        ValueError: if the batch size is below 1.
    """
    if batch_size < 1:
        raise ValueError(f"batch size must be at least 1, got {batch_size}")
    row_gradients = np.asarray(Z, dtype=np.float64) * np.asarray(y, dtype=np.float64)[:, np.newaxis]
    return row_gradients.std(axis=0) / np.sqrt(batch_size)


def stationarity_residual(
    *,
    penalty: ArrayLike,
    step_size: ArrayLike,
    l1_norm: ArrayLike,
    squared_subgradient: ArrayLike,
    inner_product: ArrayLike,
    squared_norm_decrease: ArrayLike,
) -> NDArray[np.float64]:
    """Relative residual of λ·mean‖w‖₁ = (η/2)·mean‖g‖² − mean⟨w, ∇f(w)⟩ + (‖w₀‖² − ‖w_T‖²)/(2ηT).

    Means are over steps 0 … T − 1 of w ← w − ηg with a constant η and g = ∇f(w) + λ·sign(w). This is the
    sum over steps of ‖w − ηg‖² = ‖w‖² − 2η⟨w, g⟩ + η²‖g‖², so only rounding remains, for all f, λ and η.

    Args:
        penalty: λ, shape (...).
        step_size: η, shape (...).
        l1_norm: mean‖w‖₁, shape (...).
        squared_subgradient: mean‖g‖², shape (...).
        inner_product: mean⟨w, ∇f(w)⟩, with the smooth part's gradient only, shape (...).
        squared_norm_decrease: (‖w₀‖² − ‖w_T‖²)/T, shape (...).

    Returns:
        |left − right| over the largest of the four terms, shape (...).

    Raises:
        ValueError: if a step size is not positive.
    """
    step_size = positive("step size", step_size)
    terms = np.stack(
        np.broadcast_arrays(
            np.asarray(penalty) * l1_norm,
            -step_size / 2 * np.asarray(squared_subgradient),
            np.asarray(inner_product, dtype=np.float64),
            -np.asarray(squared_norm_decrease) / (2 * step_size),
        )
    )
    largest = np.abs(terms).max(axis=0)
    return np.abs(terms.sum(axis=0)) / np.where(largest > 0, largest, 1.0)


def _coefficients(problem: Quadratic, signs: NDArray[np.float64], step_size: float) -> tuple[float, float, float]:
    """α, β, γ of the closed form α + βλ + γ/λ on the segment with these signs."""
    active = signs != 0
    A, b, s = problem.A, problem.b, signs[active]
    u, v = solve_consistent(A[np.ix_(active, active)], np.column_stack([b[active], s])).T
    p = b[~active] - A[np.ix_(~active, active)] @ u
    q = A[np.ix_(~active, active)] @ v
    return s @ u, -s @ v + step_size / 2 * (len(q) - q @ q), step_size / 2 * p @ p
