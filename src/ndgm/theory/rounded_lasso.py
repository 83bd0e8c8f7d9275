"""The LASSO whose kinks are rounded off over one step: what the mean of a constant-step subgradient method solves.

A weight in the strip |w| ≤ ηλ steps by −η(g + λ·sign(w)), with |g| < λ for the rest of its gradient: a rotation of an
interval of length 2ηλ. If its phase is spread evenly, E sign(w) = E w/(ηλ). So on average the kink is Huber's function
of width ηλ, the length of one step, and the mean m = E w minimises ½mᵀAm − bᵀm + λΣh(mᵢ). Expectations E are means over
time. `ndgm.theory.l1_paradox` has the expansion in η, and `ndgm.theory.phase_locking` says where phases lock instead.

Sign descent has no such kink: it steps by ±η whatever the rest of the gradient is, so that E sign(w) = 0 on the strip
and the mean, within η/2 of zero, tells nothing of the gradient.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize_scalar

from ndgm.theory.checks import positive
from ndgm.theory.lasso import CertificateError, Quadratic

Array = NDArray[np.float64]

GRADIENT_TOLERANCE = 1e-11
"""Largest coordinate of the gradient at a solution, relative to max(λ, λ_max)."""

MOST_STEPS = 500
"""Steps of Newton's method before it gives up."""

REGULARISATION = 1e-9
"""Added to the diagonal of the Hessian, as a share of its largest element: with d > n it is singular else."""

SINGULAR = 1e-10
"""Smallest eigenvalue of columns that do not depend on each other, as a share of the largest diagonal element."""

BISECTIONS = 100
"""Of a line search at most; along directions without curvature a step is long."""

GRID = np.geomspace(0.05, 1.5, 60)
"""Penalties in units of λ_max among which the turning point is bracketed."""


class Kink(Protocol):
    """A convex function h that is |m| far from 0 and smooth at 0; all methods work weight by weight."""

    def value(self, means: Array) -> Array:
        """Value h(m)."""

    def slope(self, means: Array) -> Array:
        """Derivative h'(m), between −1 and 1: the mean sign of a weight whose mean is m."""

    def curvature(self, means: Array) -> Array:
        """Second derivative h''(m), or an element of the generalised one where h' has a corner."""


@dataclass(frozen=True)
class Huber:
    """h(m) = m²/(2δ) for |m| ≤ δ, else |m| − δ/2: the kink as the subgradient method sees it, δ = ηλ.

    Attributes:
        width: δ > 0.

    Source: Huber (1964), Robust estimation of a location parameter.
    """

    width: float

    def value(self, means: Array) -> Array:
        """Value h(m)."""
        inside = np.minimum(np.abs(means), self.width)
        return np.asarray(inside**2 / (2 * self.width) + np.abs(means) - inside)

    def slope(self, means: Array) -> Array:
        """Derivative m/δ, cut off at ±1."""
        return np.clip(means / self.width, -1.0, 1.0)

    def curvature(self, means: Array) -> Array:
        """Second derivative 1/δ for |m| ≤ δ, else 0."""
        return (np.abs(means) <= self.width) / self.width


@dataclass(frozen=True)
class PseudoHuber:
    """h(m) = √(m² + δ²) − δ: the kink as RMSProp with a long memory sees it, δ = η whatever λ is.

    Its mean square is E(g + λ·sign(w))² = λ² − g², so that it steps by η/√(λ² − g²) times the subgradient; with
    E sign(w) = −g/λ the width ηλ/√(λ² − g²) is √(m² + η²).

    Attributes:
        width: δ > 0.
    """

    width: float

    def value(self, means: Array) -> Array:
        """Value h(m)."""
        return np.hypot(means, self.width) - self.width

    def slope(self, means: Array) -> Array:
        """Derivative m/√(m² + δ²)."""
        return means / np.hypot(means, self.width)

    def curvature(self, means: Array) -> Array:
        """Second derivative δ²/(m² + δ²)^(3/2)."""
        return self.width**2 / np.hypot(means, self.width) ** 3


def solve_rounded_lasso(problem: Quadratic, penalty: float, kink: Kink, start: Array | None = None) -> Array:
    """The minimiser m of ½mᵀAm − bᵀm + λΣh(mᵢ), by Newton's method with a line search, certified.

    The objective is convex and h' is piecewise smooth: with Huber's h the steps end exactly, on the pieces that hold
    the solution, but for the regularisation that makes singular Hessians regular. With more weights than samples m may
    not be unique on weights beyond the strip; h' and the fit are.

    Args:
        problem: The smooth part.
        penalty: λ > 0.
        kink: The rounded kink h.
        start: Where to begin, shape (d,), such as the solution at a penalty nearby; zeros without it.

    Returns:
        m, shape (d,).

    Raises:
        ValueError: if the penalty is not positive.
        CertificateError: if the gradient stays above `GRADIENT_TOLERANCE`.

    Source: Qi and Sun (1993), A nonsmooth version of Newton's method.
    """
    positive("penalty", penalty)
    A, b = problem.A, problem.b
    means = np.zeros(problem.dimension) if start is None else start.copy()
    bound = GRADIENT_TOLERANCE * max(penalty, problem.penalty_max)
    regularisation = REGULARISATION * float(np.diag(A).max())
    for _ in range(MOST_STEPS):
        gradient = A @ means - b + penalty * kink.slope(means)
        largest = float(np.abs(gradient).max())
        if largest <= bound:
            return means
        curvature = penalty * kink.curvature(means) + regularisation
        direction = -cho_solve(cho_factor(A + np.diag(curvature), check_finite=False), gradient, check_finite=False)
        means = means + _line_search(problem, penalty, kink, means, direction) * direction
    raise CertificateError(
        f"no certified solution of the rounded LASSO at penalty {penalty:.6g}: "
        f"gradient {largest:.3g} (at most {bound:.3g})"
    )


def mean_weights(problem: Quadratic, penalty: float, step_size: float, start: Array | None = None) -> Array:
    """Mean m = E w of subgradient descent: the solution with Huber's kink of width ηλ; arguments as in the solver."""
    return solve_rounded_lasso(problem, penalty, Huber(float(positive("step size", step_size)) * penalty), start)


def in_strip(means: Array, penalty: Array | float, step_size: Array | float) -> NDArray[np.bool_]:
    """Whether a weight's mean lies in the strip |mᵢ| ≤ ηλ, where it crosses its kink; shape of `means`."""
    return np.abs(means) <= step_size * penalty


def relaxation_steps(problem: Quadratic, means: Array, penalty: float, step_size: float) -> float:
    """Steps in which a mean that starts elsewhere comes e times closer to the law's, along the slowest direction.

    Means move by −η times the gradient of the rounded LASSO, whose Hessian is A with 1/η added on the strip's diagonal.
    To leading order in ηL, that is at the rate ηα, α the smallest eigenvalue of A on weights that are not inside the
    strip: weights inside it follow within a step, and lower the rate by a share of order ηL. Where columns depend on
    each other there is no such number, since the means are not unique: two duplicates, for example, share what they
    carry in many ways, and a run keeps that of its start.

    Args:
        problem: The smooth part.
        means: m, shape (d,).
        penalty: λ.
        step_size: η.

    Returns:
        1/(ηα); infinite where the means are not unique.
    """
    # One of two duplicates may lie on the very end of the strip, where its slope is that of the other.
    beyond = np.abs(means) >= (1 - 1e-6) * step_size * penalty
    smallest = np.linalg.eigvalsh(problem.A[np.ix_(beyond, beyond)]).min(initial=1 / step_size)
    return float(1 / (step_size * smallest)) if smallest > SINGULAR * np.diag(problem.A).max() else np.inf


def mean_modulus(means: Array, penalty: Array | float, step_size: Array | float) -> Array:
    """E|wᵢ| = H(mᵢ) of subgradient descent, H(m) = m²/(2ηλ) + ηλ/2 in the strip |m| ≤ ηλ, else |m|; shape of `means`.

    A weight in the strip is spread evenly over an interval of length 2ηλ around its mean.
    """
    width = step_size * penalty
    return np.where(in_strip(means, penalty, step_size), means**2 / (2 * width) + width / 2, np.abs(means))


def mean_l1_norm(means: Array, penalty: float, step_size: float) -> float:
    """E‖w‖₁ = ΣH(mᵢ) of subgradient descent, H as in `mean_modulus`.

    Args:
        means: m, shape (d,).
        penalty: λ.
        step_size: η.
    """
    return float(mean_modulus(means, penalty, step_size).sum())


def second_order_l1_norm(problem: Quadratic, means: Array, penalty: float, step_size: float) -> float:
    """E‖w‖₁ with the next order: ΣH(mᵢ) + Σ_strip[η²λAᵢᵢ(1/6 − uᵢ²/2) + (η³λ/6)(A²)ᵢᵢ], uᵢ = mᵢ/(ηλ).

    It follows from λE‖w‖₁ = (η/2)E‖g‖² − E⟨w, ∇f(w)⟩, which is exact, with weights taken as independent and evenly
    spread over intervals of length 2ηλ in the strip, and at rest beyond it. It leaves out their correlation, and
    that a weight near the end of the strip is spread unevenly: so it helps above λ_max, and not always just below.

    Args:
        problem: The smooth part.
        means: m, shape (d,).
        penalty: λ.
        step_size: η.
    """
    strip = in_strip(means, penalty, step_size)
    u = means[strip] / (step_size * penalty)
    curvature, squared = np.diag(problem.A)[strip], (problem.A[strip] ** 2).sum(1)
    second = step_size**2 * penalty * (curvature * (1 / 6 - u**2 / 2) + step_size * squared / 6)
    return mean_l1_norm(means, penalty, step_size) + float(second.sum())


def rmsprop_l1_norm(means: Array, step_size: float) -> float:
    """E‖w‖₁ = Σ(2mᵢ² + η²)/(2√(mᵢ² + η²)) of RMSProp with a long memory: spread evenly over width √(m² + η²).

    It holds as β₂ → 1, up to some parts in a thousand; a few in a hundred at a breakpoint of the exact path, where a
    weight that hovers is nearly always on one side. Far above λ_max it is `ndgm.theory.adaptive.rmsprop_floor`.

    Args:
        means: m of the LASSO with `PseudoHuber` kinks of width η, shape (d,).
        step_size: η.
    """
    return float(((2 * means**2 + step_size**2) / (2 * np.hypot(means, step_size))).sum())


def kink_width(problem: Quadratic, penalty: float, means: Array, which: NDArray[np.bool_]) -> float:
    """Width δ of the `PseudoHuber` kink that weights see, from their means: least squares of mᵢ = δ·sᵢ/√(1 − sᵢ²).

    The mean step of a stationary method is zero, so that sᵢ = E sign(wᵢ) = (b − Am)ᵢ/λ follows from the means alone.
    A weight that is hardly tilted, sᵢ ≈ 0, says little about the width, and counts little.

    Args:
        problem: The smooth part.
        penalty: λ > 0.
        means: m = E w as measured, shape (d,).
        which: Weights that count, shape (d,), of those with |sᵢ| < 1; one that never crosses its kink has none.

    Returns:
        δ; NaN where no weight counts.

    Raises:
        ValueError: if the penalty is not positive.
    """
    positive("penalty", penalty)
    sign = (problem.b - problem.A @ means) / penalty
    counts = which & (np.abs(sign) < 1)
    tilt = sign[counts] / np.sqrt(1 - sign[counts] ** 2)
    squares = float(tilt @ tilt)
    return float(tilt @ means[counts]) / squares if squares > 0 else np.nan


def rounded_turning_point(problem: Quadratic, step_size: float) -> float:
    """Penalty at which ΣH(mᵢ) is smallest, the turn from falling to rising with λ.

    The norm has no corner, but may have more than one minimum: the lowest on a grid brackets the one that is returned.

    Args:
        problem: The smooth part.
        step_size: η > 0.

    Raises:
        ValueError: if the step size is not positive, or there is no minimum inside the grid, as with b = 0.
    """
    if problem.penalty_max == 0:
        raise ValueError("no turning point: with b = 0 the norm rises from penalty 0 on")

    def norm(penalty: float) -> float:
        return mean_l1_norm(mean_weights(problem, penalty, step_size), penalty, step_size)

    grid = GRID * problem.penalty_max
    best = int(np.argmin([norm(penalty) for penalty in grid]))
    if not 0 < best < len(grid) - 1:
        raise ValueError(f"no turning point between penalties {grid[0]:.6g} and {grid[-1]:.6g}")
    bracket = (grid[best - 1], grid[best + 1])
    return float(minimize_scalar(norm, bounds=bracket, method="bounded", options={"xatol": 1e-6 * grid[best]}).x)


def _line_search(problem: Quadratic, penalty: float, kink: Kink, means: Array, direction: Array) -> float:
    """Share of a Newton step at which the slope of the convex objective along it changes sign, by bisection.

    The whole step where the slope at its end is downhill, or less than half as steep uphill as it began downhill.
    """
    quadratic, linear = direction @ problem.A @ direction, direction @ (problem.A @ means - problem.b)

    def slope(share: float) -> float:
        return float(linear + share * quadratic + penalty * (direction @ kink.slope(means + share * direction)))

    first = slope(0.0)
    if slope(1.0) <= -first / 2:
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        at_middle = slope(middle)
        if abs(at_middle) <= -0.01 * first:
            return middle
        low, high = (middle, high) if at_middle < 0 else (low, middle)
    return high
