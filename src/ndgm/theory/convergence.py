"""Closed forms for gradient descent with a constant step η on convex functions with a kink, whole or rounded off.

A kink is sharp or smooth only relative to the step. Where the step is too long for it the iterates hover, at a floor
proportional to η; where it is short enough they converge. Expectations E are means over time.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ndgm.theory.checks import not_negative, positive
from ndgm.theory.lasso import CertificateError, Quadratic, solve_lasso

LAST = 1e-6
"""What is left of a step that decays geometrically."""

GRADIENT_TOLERANCE = 1e-12
"""Largest gradient at a solution of the smoothed LASSO that is called exact, relative to max(λ, λ_max)."""


def critical_width(step_size: ArrayLike, slope: ArrayLike) -> NDArray[np.float64]:
    """Width δ = ηM/2 above which descent on Huber's M·h_δ(x) converges, and below which it does not.

    Let s = ηM. Where |x| ≥ δ a step moves x by s towards 0; where |x| < δ it multiplies x by 1 − s/δ.

    - δ > s/2: |x| falls at every step, and below δ by the factor |1 − s/δ| < 1: convergence from everywhere.
    - δ = s/2: every |x| ≤ δ lies on a 2-cycle ±x; from x₀ it is the one at the distance of x₀ to the lattice sℤ.
    - δ < s/2: 0 repels, and {x, x − s} is a 2-cycle for every x in [δ, s − δ]. After about |x₀|/s +
      log(δ/|x|)/log(s/δ − 1) steps, where x is the first iterate within δ, every start is on one, because what lands
      within δ leaves to less than s − δ. Only starts on sℤ end at 0 instead.

    Args:
        step_size: η, shape (...).
        slope: M, shape (...).
    """
    return positive("step size", step_size) * positive("slope", slope) / 2


def geometric_rate(steps: int, *, last: float = LAST) -> float:
    """Slope of log₁₀ of a step size per step, negative: held for ⌊N/2⌋ steps, then decaying by one ratio to `last`.

    It is log₁₀(last)/(N − ⌊N/2⌋), for N steps in all. On a sharp problem the gap falls with this slope.

    Source: Davis, Drusvyatskiy, MacPhee and Paquette (2018).
    """
    return float(np.log10(last)) / (steps - steps // 2)


def last_inverse_square_root(steps: ArrayLike) -> NDArray[np.float64]:
    """Last step over the first: held for ⌊N/2⌋ of N steps, then 1/√j at the j-th of the rest: (N − ⌊N/2⌋)^−½.

    Of a floor that is proportional to the step, and falls as fast, this share is left.

    Args:
        steps: N > 0, shape (...).
    """
    steps = positive("steps", steps)
    return (steps - steps // 2) ** -0.5


def last_geometric(steps: ArrayLike, *, last: float = LAST) -> NDArray[np.float64]:
    """Last step over the first: held for half the steps, then decaying by one ratio to `last`, however many there are.

    Args:
        steps: N > 0, shape (...).
        last: What is left of the step.
    """
    return np.full_like(positive("steps", steps), last)


def hovering_distance(step_size: ArrayLike, slope: ArrayLike, width: ArrayLike) -> NDArray[np.float64]:
    """E|x| of descent on Huber's M·h_δ(x): ηM/2 if δ < ηM/2, and 0 if δ > ηM/2. On the cycles it is exact, not a limit.

    It does not depend on δ, nor on the start; only starts on the lattice ηMℤ end at 0. The 2-cycle {x, x − ηM} of
    `critical_width` has mean (|x| + ηM − |x|)/2. At δ = ηM/2 the start decides, and the result is NaN.

    Args:
        step_size: η, shape (...).
        slope: M, shape (...).
        width: δ ≥ 0, shape (...).
    """
    critical, width = np.broadcast_arrays(critical_width(step_size, slope), not_negative("width", width))
    return np.select([width < critical, width > critical], [critical, 0.0], np.nan)


def critical_width_lasso(gram: ArrayLike, inactive: ArrayLike, penalty: float, step_size: float) -> float:
    """Width above which descent on the smoothed LASSO stays at its solution, given the set ℐ of weights within δ of 0.

    There the Hessian is A + (λ/δ)P_ℐ. The solution attracts if its largest eigenvalue is below 2/η, which is so iff
    δ > δ_c = λ·λ_max([(2I/η − A)⁻¹]_ℐℐ), by Schur's complement, and it repels if δ < δ_c. If all weights are in ℐ,
    δ_c = ηλ/(2 − ηL), and convergence is global above it. Otherwise ηλ/(2 − η·max_ℐ A_ii) ≤ δ_c ≤ ηλ/(2 − ηL), and
    above it convergence is certain from ‖w₀ − w*‖ ≤ min(|w*_i| − δ) over the other weights: within that ball the
    Hessian is nowhere larger, so that no step leads away from w*. From afar, if ηL > 1, a cycle may attract too.

    Args:
        gram: A, shape (d, d).
        inactive: Whether |w*_i| < δ at the solution, shape (d,).
        penalty: λ > 0.
        step_size: η > 0, with ηL < 2.

    Returns:
        δ_c; 0 if no weight is in ℐ.

    Raises:
        ValueError: if ηL ≥ 2, where no width is large enough.
    """
    gram, inactive = np.asarray(gram, dtype=np.float64), np.asarray(inactive, dtype=bool)
    penalty, step_size = float(positive("penalty", penalty)), float(positive("step size", step_size))
    lipschitz = np.linalg.eigvalsh(gram)[-1]
    if not step_size * lipschitz < 2:
        raise ValueError(f"no width is large enough with a step of {step_size * lipschitz:.6g}/L: it must be below 2/L")
    if not inactive.any():
        return 0.0
    inverse = np.linalg.inv(2 / step_size * np.eye(len(gram)) - gram)
    return float(penalty * np.linalg.eigvalsh(inverse[np.ix_(inactive, inactive)])[-1])


def settling_width(problem: Quadratic, penalty: float, step_size: float) -> float:
    """The δ at which `critical_width_lasso` holds with the ℐ of its own solution: above it the solution attracts.

    From ηλ/(2 − ηL) down, each width is found with the ℐ of the one before, until ℐ stays. The solution attracts all
    the way if ℐ only loses weights on it, and repels just below the last width.

    Args:
        problem: The problem.
        penalty: λ > 0.
        step_size: η > 0, with ηL < 2.
    """
    inactive = np.ones(problem.dimension, dtype=bool)
    while True:
        width = critical_width_lasso(problem.A, inactive, penalty, step_size)
        if width == 0:
            return 0.0
        remaining = inactive & (np.abs(solve_smoothed_lasso(problem, penalty, width)) < width)
        if (remaining == inactive).all():
            return width
        inactive = remaining


def solve_smoothed_lasso(problem: Quadratic, penalty: float, width: float) -> NDArray[np.float64]:
    """The minimiser of ½wᵀAw − bᵀw + λ·Σh_δ(wᵢ), shape (d,), to a gradient of 1e-12·max(λ, λ_max).

    Newton's method on a piecewise quadratic function ends after finitely many steps. It starts at the exact LASSO
    solution, so that few are needed, and halves those that do not descend.

    Args:
        problem: The problem.
        penalty: λ > 0.
        width: δ > 0.

    Raises:
        CertificateError: if the gradient cannot be made that small.

    Source: Mangasarian (2002), A finite Newton method for classification.
    """
    A, b, width = problem.A, problem.b, float(positive("width", width))

    def value(w: NDArray[np.float64]) -> float:
        slope = np.clip(w / width, -1, 1)
        return float(w @ (A @ w / 2 - b) + penalty * slope @ (w - width * slope / 2))

    def gradient(w: NDArray[np.float64]) -> NDArray[np.float64]:
        return A @ w - b + penalty * np.clip(w / width, -1, 1)

    w = solve_lasso(problem, penalty).weights
    for _ in range(100):
        within = np.abs(w) < width
        # Weights within δ are solved for in units of δ, so that rounding does not grow with λ/δ.
        unit = np.where(within, width, 1.0)
        newton = unit * np.linalg.lstsq(A * unit + penalty * np.diag(within), b - penalty * np.sign(w) * ~within)[0]
        if np.abs(gradient(newton)).max() <= GRADIENT_TOLERANCE * max(penalty, problem.penalty_max):
            return newton
        fraction, descent = 1.0, gradient(w) @ (newton - w)
        while value(w + fraction * (newton - w)) > value(w) + fraction / 4 * descent and fraction > 1e-9:
            fraction /= 2
        w = w + fraction * (newton - w)
    raise CertificateError(f"no smoothed LASSO solution at penalty {penalty:.6g} and width {width:.6g}")


def power_law_exponent(x: ArrayLike, y: ArrayLike) -> NDArray[np.float64]:
    """Least-squares slope of log y against log x along the last axis; one per seed, for an interval over seeds.

    Args:
        x: Positive values, not all equal, of a shape that broadcasts with (..., k).
        y: Positive values, shape (..., k).

    Returns:
        The exponent, shape (...).
    """
    log_x, log_y = np.broadcast_arrays(np.log(positive("x", x)), np.log(positive("y", y)))
    centred = log_x - log_x.mean(-1, keepdims=True)
    return (centred * log_y).sum(-1) / (centred**2).sum(-1)
