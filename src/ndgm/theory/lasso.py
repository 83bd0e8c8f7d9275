"""Exact LASSO solutions, the whole path of them, and certificates that need no trust in any solver.

The problem is F(w) = ½wᵀAw − bᵀw + λ‖w‖₁ with A = ZᵀZ/n, b = Zᵀy/n and c = yᵀy/n, so that F(w) + c/2 is the
squared error ½‖y − Zw‖²/n plus the penalty.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ndgm.theory.linear_systems import solve_consistent

GAP_TOLERANCE = 1e-12
"""Largest duality gap of a solution that is called exact, relative to the primal value."""

KKT_TOLERANCE = 1e-10
"""Largest violation of the optimality conditions of such a solution, relative to max(λ, λ_max)."""


class CertificateError(ArithmeticError):
    """A LASSO solution could not be certified to be exact."""


@dataclass(frozen=True, eq=False)
class Quadratic:
    """The smooth part ½wᵀAw − bᵀw + c/2 of a LASSO problem.

    Attributes:
        A: Second moments ZᵀZ/n, shape (d, d).
        b: Correlations Zᵀy/n, shape (d,).
        c: Mean square yᵀy/n of the response.
    """

    A: NDArray[np.float64]
    b: NDArray[np.float64]
    c: float

    @classmethod
    def from_data(cls, Z: ArrayLike, y: ArrayLike) -> "Quadratic":
        """A = ZᵀZ/n, b = Zᵀy/n, c = yᵀy/n of a design and its response.

        Args:
            Z: Design, shape (n, d).
            y: Response, shape (n,).

        Raises:
            ValueError: if the shapes do not fit, or a value is not finite.
        """
        Z, y = np.asarray(Z, dtype=np.float64), np.asarray(y, dtype=np.float64)
        if Z.ndim != 2 or y.shape != Z.shape[:1] or Z.size == 0:
            raise ValueError(f"expected Z of shape (n, d) and y of shape (n,), got {Z.shape} and {y.shape}")
        if not (np.isfinite(Z).all() and np.isfinite(y).all()):
            raise ValueError("Z and y must be finite")
        samples = len(y)
        return cls(Z.T @ Z / samples, Z.T @ y / samples, float(y @ y / samples))

    @property
    def dimension(self) -> int:
        """Number of weights d."""
        return len(self.b)

    @property
    def penalty_max(self) -> float:
        """λ_max = ‖b‖∞, the smallest penalty whose exact solution is zero."""
        return float(np.abs(self.b).max())

    @property
    def lipschitz(self) -> float:
        """L, the largest eigenvalue of A: the Lipschitz constant of the smooth part's gradient."""
        return float(np.linalg.eigvalsh(self.A)[-1])


@dataclass(frozen=True, eq=False)
class LassoSolution:
    """Certified solutions of one problem at penalties of shape (...), which is () or (k,).

    Attributes:
        penalty: λ, shape (...).
        weights: w*, shape (..., d).
        relative_gap: Duality gap over the primal value, shape (...).
        kkt_violation: Violation of the optimality conditions in units of max(λ, λ_max), shape (...).
    """

    penalty: NDArray[np.float64]
    weights: NDArray[np.float64]
    relative_gap: NDArray[np.float64]
    kkt_violation: NDArray[np.float64]

    @property
    def signs(self) -> NDArray[np.float64]:
        """Signs of the weights: −1, 0 or 1, shape (..., d)."""
        return np.sign(self.weights)

    @property
    def support(self) -> NDArray[np.bool_]:
        """𝒜: where a weight is not zero, shape (..., d)."""
        return self.weights != 0

    @property
    def l1_norm(self) -> NDArray[np.float64]:
        """‖w*‖₁, shape (...)."""
        return np.abs(self.weights).sum(axis=-1)


@dataclass(frozen=True, eq=False)
class LassoPath:
    """The exact solution as a function of the penalty, which is linear on each of m + 1 segments.

    Attributes:
        problem: The problem solved.
        breakpoints: Lower ends of the segments, falling from λ_max to 0, shape (m + 1,). Segment k ends at
            breakpoint k − 1 above, and segment 0 never.
        signs: Signs of the weights inside each segment: −1, 0 or 1, shape (m + 1, d).
    """

    problem: Quadratic
    breakpoints: NDArray[np.float64]
    signs: NDArray[np.float64]

    def segments(self) -> Iterator[tuple[float, float, NDArray[np.float64]]]:
        """Lower end, upper end and signs of each segment with a length, highest penalties first."""
        # Ties between correlations leave segments shorter than rounding.
        uppers = np.concatenate([[np.inf], self.breakpoints[:-1]])
        for lower, upper, signs in zip(self.breakpoints, uppers, self.signs, strict=True):
            if upper - lower > 1e-12 * self.breakpoints[0]:
                yield float(lower), float(upper), signs


def relative_gap(problem: Quadratic, weights: ArrayLike, penalty: ArrayLike) -> NDArray[np.float64]:
    """Duality gap of any weights, relative to the primal value P(w) = ½‖y − Zw‖²/n + λ‖w‖₁.

    P(w) − min P is at most the gap, whatever solver found w. With g = b − Aw and ρ = ‖y − Zw‖²/n it is
    ½ρ(1 − t)² + λ‖w‖₁ − t·gᵀw at the dual point t·(y − Zw)/n, with the best feasible t (|t|·‖g‖∞ ≤ λ).
    Neither the square nor the rest can be negative, so little is lost to rounding.

    Args:
        problem: The problem.
        weights: Any weights, shape (..., d).
        penalty: λ > 0, a number or of a shape that broadcasts with (...).

    Returns:
        The relative gap, shape (...); zero where the primal value is zero.

    Raises:
        ValueError: if a penalty is not positive and finite.

    Source: Kim, Koh, Lustig, Boyd and Gorinevsky (2007), with the best multiple of the residual for θ.
    """
    w, penalty = np.asarray(weights, dtype=np.float64), _positive(penalty)
    gradient = problem.b - w @ problem.A
    inner, norm, largest = (gradient * w).sum(-1), np.abs(w).sum(-1), np.abs(gradient).max(-1)
    residual = np.maximum(problem.c - (w @ problem.b) - inner, 0.0)
    primal = residual / 2 + penalty * norm
    with np.errstate(divide="ignore", invalid="ignore"):
        limit = np.where(largest > 0, penalty / largest, np.inf)
        scale = np.clip(np.where(residual > 0, 1 + inner / residual, np.sign(inner) * np.inf), -limit, limit)
        scale = np.where(np.isfinite(scale), scale, 1.0)
        gap = residual * (1 - scale) ** 2 / 2 + penalty * norm - scale * inner
        return np.where(primal > 0, gap / primal, 0.0)


def kkt_violation(problem: Quadratic, weights: ArrayLike, penalty: ArrayLike) -> NDArray[np.float64]:
    """Largest violation of the optimality conditions, in units of max(λ, λ_max).

    With g = b − Aw they are gᵢ = λ·sign(wᵢ) where wᵢ ≠ 0, and |gᵢ| ≤ λ where wᵢ = 0. The unit is the size
    of the numbers whose difference g is.

    Args:
        problem: The problem.
        weights: Any weights, shape (..., d).
        penalty: λ > 0, a number or of a shape that broadcasts with (...).

    Returns:
        The violation, shape (...).

    Raises:
        ValueError: if a penalty is not positive and finite.
    """
    w, penalty = np.asarray(weights, dtype=np.float64), _positive(penalty)
    gradient, bound = problem.b - w @ problem.A, penalty[..., np.newaxis]
    on_support = np.abs(gradient - bound * np.sign(w))
    off_support = np.maximum(np.abs(gradient) - bound, 0.0)
    return np.where(w != 0, on_support, off_support).max(axis=-1) / np.maximum(penalty, problem.penalty_max)


def lasso_path(problem: Quadratic) -> LassoPath:
    """All breakpoints of the exact path, with the signs of the weights between them.

    Inside each segment the optimality conditions are checked, which convexity makes sufficient.

    Raises:
        CertificateError: if they fail, as they may where correlations tie exactly or a support is singular.

    Source: Efron, Hastie, Johnstone and Tibshirani (2004), as implemented in scikit-learn.
    """
    path = LassoPath(problem, *_lars(problem))
    for lower, upper, signs in path.segments():
        penalty = (lower + upper) / 2 if np.isfinite(upper) else lower + 1
        violation = kkt_violation(problem, solve_active_set(problem, signs, penalty), penalty)
        if not violation <= KKT_TOLERANCE:
            raise CertificateError(
                f"no certified LASSO path between penalties {lower:.6g} and {upper:.6g}: "
                f"KKT violation {violation:.3g} (at most {KKT_TOLERANCE:g})"
            )
    return path


def solve_lasso(problem: Quadratic, penalty: ArrayLike) -> LassoSolution:
    """The exact minimiser w* of ½wᵀAw − bᵀw + λ‖w‖₁ at each penalty, certified.

    The support comes from LARS, or from coordinate descent where LARS's does not certify; the weights on it
    from one linear system.

    Args:
        problem: The problem.
        penalty: λ > 0, a number or of shape (k,).

    Raises:
        ValueError: if a penalty is not positive and finite. (At zero there is no kink: it is least squares.)
        CertificateError: if a solution cannot be certified; the message names its penalty and its gap.
    """
    penalty = _positive(penalty)
    penalties = penalty.ravel()
    breakpoints, signs = _lars(problem)
    segments = np.minimum(np.searchsorted(-breakpoints, -penalties), len(breakpoints) - 1)
    weights = np.array([solve_active_set(problem, signs[k], penalties[i]) for i, k in enumerate(segments)])
    gap, violation = relative_gap(problem, weights, penalties), kkt_violation(problem, weights, penalties)
    # Negated, so that NaN counts as a failure.
    for i in np.flatnonzero(~((gap <= GAP_TOLERANCE) & (violation <= KKT_TOLERANCE))):
        weights[i] = _coordinate_descent(problem, penalties[i])
        gap[i] = relative_gap(problem, weights[i], penalties[i])
        violation[i] = kkt_violation(problem, weights[i], penalties[i])
        if not (gap[i] <= GAP_TOLERANCE and violation[i] <= KKT_TOLERANCE):
            raise CertificateError(
                f"no certified LASSO solution at penalty {penalties[i]:.6g}: relative gap {gap[i]:.3g} "
                f"(at most {GAP_TOLERANCE:g}), KKT violation {violation[i]:.3g} (at most {KKT_TOLERANCE:g})"
            )
    shape = penalty.shape
    return LassoSolution(penalty, weights.reshape(*shape, -1), gap.reshape(shape), violation.reshape(shape))


def solve_active_set(problem: Quadratic, signs: NDArray[np.float64], penalty: float) -> NDArray[np.float64]:
    """Weights of shape (d,) that are optimal if their support 𝒜 and signs s are: w_𝒜 = A_𝒜𝒜⁻¹(b_𝒜 − λs_𝒜).

    A weight whose sign comes out other than given is set to zero. Within rounding of a breakpoint that is
    exact; elsewhere the support was wrong, and the certificate says so.
    """
    active, weights = signs != 0, np.zeros(problem.dimension)
    weights[active] = solve_consistent(problem.A[np.ix_(active, active)], problem.b[active] - penalty * signs[active])
    return np.where(weights * signs > 0, weights, 0.0)


def _positive(penalty: ArrayLike) -> NDArray[np.float64]:
    penalty = np.asarray(penalty, dtype=np.float64)
    if not (np.isfinite(penalty) & (penalty > 0)).all():
        raise ValueError(f"every penalty must be positive and finite, got {penalty}")
    return penalty


def _lars(problem: Quadratic) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Breakpoints and signs of the path as LARS finds them, not yet certified; shapes as in `LassoPath`."""
    from sklearn.linear_model import lars_path_gram  # slow to import, and most programs need no path

    nothing = np.zeros((1, problem.dimension))
    if problem.penalty_max == 0:
        return np.zeros(1), nothing
    with warnings.catch_warnings():
        # LARS warns where it drops collinear columns. The certificate judges what comes out.
        warnings.simplefilter("ignore")
        breakpoints, _, weights = lars_path_gram(problem.b, problem.A, n_samples=1, method="lasso")
    # Inside a segment a weight is zero only if it is zero at both ends, where LARS leaves rounding.
    inside = (weights[:, 1:] + weights[:, :-1]).T / 2
    inside[np.abs(inside) < 1e-13 * np.abs(weights).max()] = 0.0
    return breakpoints, np.concatenate([nothing, np.sign(inside)])


def _coordinate_descent(problem: Quadratic, penalty: float, sweeps: int = 10_000) -> NDArray[np.float64]:
    """Cyclic soft thresholding until no weight moves; for the supports that ties hide from LARS.

    Source: Friedman, Hastie and Tibshirani (2010), Regularization paths via coordinate descent.
    """
    A, w, gradient = problem.A, np.zeros(problem.dimension), problem.b.copy()
    coordinates = np.flatnonzero(np.diag(A) > 0)
    for _ in range(sweeps):
        largest = 0.0
        for i in coordinates:
            pull = gradient[i] + A[i, i] * w[i]
            change = np.sign(pull) * max(abs(pull) - penalty, 0.0) / A[i, i] - w[i]
            gradient -= change * A[i]
            w[i] += change
            largest = max(largest, abs(change))
        if largest <= 1e-15 * np.abs(w).max():
            break
    candidates = np.array([solve_active_set(problem, np.sign(w), penalty), w])
    return candidates[np.argmin(kkt_violation(problem, candidates, penalty))]
