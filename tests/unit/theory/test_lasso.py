"""Exact LASSO solutions, held against hand-solved problems, published paths and scikit-learn."""

import numpy as np
import pytest
from sklearn.linear_model import Lasso

from ndgm.data.regression import autoregressive, diabetes, diabetes_quadratic, gaussian
from ndgm.theory import lasso
from ndgm.theory.lasso import (
    CertificateError,
    Quadratic,
    kkt_violation,
    lasso_path,
    relative_gap,
    solve_lasso,
)

DESIGNS = ["gaussian", "correlated", "diabetes", "diabetes_quadratic"]


def load(name):
    rng = np.random.default_rng(3)
    if name == "gaussian":
        return gaussian(rng, samples=200, features=50, nonzeros=10, noise=1.0)
    if name == "correlated":
        return autoregressive(rng, samples=1000, features=30, nonzeros=8, noise=1.0, correlation=0.9)
    return diabetes_quadratic(rng) if name == "diabetes_quadratic" else diabetes(rng)


def orthonormal(b, c=None):
    """A problem with A = I, which soft thresholding solves."""
    b = np.asarray(b, dtype=float)
    return Quadratic(np.eye(len(b)), b, float(b @ b + 1 if c is None else c))


def objective(Z, y, w, penalty):
    residual = y - Z @ w
    return residual @ residual / (2 * len(y)) + penalty * np.abs(w).sum()


def test_orthonormal_design_is_soft_thresholding():
    rng = np.random.default_rng(0)
    Z = np.linalg.qr(rng.standard_normal((40, 8)))[0] * np.sqrt(40)
    problem = Quadratic.from_data(Z, rng.standard_normal(40))
    penalties = np.linspace(0.03, 1.2, 30) * problem.penalty_max
    b = problem.b
    expected = np.sign(b) * np.maximum(np.abs(b) - penalties[:, None], 0)
    solution = solve_lasso(problem, penalties)
    np.testing.assert_allclose(solution.weights, expected, atol=1e-14)
    np.testing.assert_array_equal(solution.signs, np.sign(expected))
    np.testing.assert_allclose(solution.l1_norm, np.abs(expected).sum(1), atol=1e-14)


def test_breakpoints_of_an_orthonormal_design_are_its_correlations():
    path = lasso_path(orthonormal([0.5, -2.0, 1.0]))
    np.testing.assert_allclose(path.breakpoints, [2.0, 1.0, 0.5, 0.0], atol=1e-15)
    np.testing.assert_array_equal(path.signs, [[0, 0, 0], [0, -1, 0], [0, -1, 1], [1, -1, 1]])


def test_two_correlated_columns_by_hand():
    # A = [[1, r], [r, 1]], b = (1, 0): at λ the second weight joins where r(1 − λ) = λ, with the sign of −r.
    r = 0.5
    problem = Quadratic(np.array([[1, r], [r, 1]]), np.array([1.0, 0.0]), 2.0)
    np.testing.assert_allclose(lasso_path(problem).breakpoints, [1.0, r / (1 + r), 0.0], atol=1e-15)
    penalty = 0.1
    inverse = np.array([[1, -r], [-r, 1]]) / (1 - r**2)
    expected = inverse @ (problem.b - penalty * np.array([1, -1]))
    np.testing.assert_allclose(solve_lasso(problem, penalty).weights, expected, atol=1e-15)


def test_diabetes_path_is_the_published_one():
    # Efron et al. (2004), section 3: the LASSO takes 12 steps; hdl, the 7th variable, leaves at the 11th.
    path = lasso_path(Quadratic.from_data(*diabetes(np.random.default_rng(0))))
    support = path.signs != 0
    changes = [(support[k] ^ support[k - 1]).nonzero()[0] + 1 for k in range(1, len(support))]
    assert [int(variable) for (variable,) in changes] == [3, 9, 4, 7, 2, 10, 5, 8, 6, 1, 7, 7]
    assert path.breakpoints[-1] == 0


@pytest.mark.parametrize("name", DESIGNS)
def test_certified_over_the_whole_range(name):
    problem = Quadratic.from_data(*load(name))
    penalties = np.geomspace(0.02, 5, 440) * problem.penalty_max
    solution = solve_lasso(problem, penalties)
    assert solution.relative_gap.max() <= 1e-12
    for w, penalty in zip(solution.weights[::20], penalties[::20], strict=True):
        gradient = problem.A @ w - problem.b
        for i in range(problem.dimension):
            if w[i]:
                assert gradient[i] == pytest.approx(-penalty * np.sign(w[i]), abs=1e-10 * problem.penalty_max)
            else:
                assert abs(gradient[i]) <= penalty + 1e-10 * problem.penalty_max
    assert not solution.weights[penalties > problem.penalty_max].any()


@pytest.mark.parametrize("name", DESIGNS)
def test_agrees_with_coordinate_descent_of_scikit_learn(name):
    Z, y = load(name)
    problem = Quadratic.from_data(Z, y)
    for fraction in (0.1, 0.3, 0.7):
        penalty = fraction * problem.penalty_max
        model = Lasso(alpha=penalty, fit_intercept=False, tol=1e-14, max_iter=200_000).fit(Z, y)
        solution = solve_lasso(problem, penalty)
        # The two differ by 3e-14 at most; the rest is room for other instruction sets.
        np.testing.assert_allclose(solution.weights, model.coef_, atol=1e-11)
        theirs, ours = (objective(Z, y, w, penalty) for w in (model.coef_, solution.weights))
        assert ours <= theirs * (1 + 1e-14)


@pytest.mark.parametrize("name", DESIGNS)
def test_certified_at_the_breakpoints_themselves(name):
    problem = Quadratic.from_data(*load(name))
    breakpoints = lasso_path(problem).breakpoints
    for nudge in (1 - 1e-15, 1.0, 1 + 1e-15):
        solution = solve_lasso(problem, nudge * breakpoints[breakpoints > 0.01 * problem.penalty_max])
        assert solution.kkt_violation.max() <= 1e-12


@pytest.mark.parametrize("seed", range(40))
def test_designs_with_ties_and_repeated_columns(seed):
    # Small whole numbers make correlations tie, where LARS alone loses the path.
    rng = np.random.default_rng(seed)
    Z = rng.integers(-2, 3, size=(rng.integers(3, 12), rng.integers(2, 12))).astype(float)
    Z[:, 0] = Z[:, -1]
    y = rng.integers(-3, 4, size=len(Z)).astype(float)
    problem = Quadratic.from_data(Z, y)
    penalties = np.array([0.1, 0.5, 0.9, 1.5]) * (problem.penalty_max or 1.0)
    for w, penalty in zip(solve_lasso(problem, penalties).weights, penalties, strict=True):
        gradient = Z.T @ (y - Z @ w) / len(y)
        natural_residual = w - np.sign(w + gradient) * np.maximum(np.abs(w + gradient) - penalty, 0)
        assert np.abs(natural_residual).max() <= 1e-9


def test_a_path_that_ties_break_is_refused():
    refused = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        problem = Quadratic.from_data(rng.integers(-2, 3, size=(8, 6)), rng.integers(-3, 4, size=8))
        try:
            path = lasso_path(problem)
        except CertificateError as error:
            assert "KKT violation" in str(error)
            refused += 1
            continue
        for lower, upper, signs in path.segments():
            if upper < np.inf:
                np.testing.assert_array_equal(solve_lasso(problem, (lower + upper) / 2).signs, signs)
    assert 0 < refused < 20


def test_gap_is_the_duality_gap_written_with_the_data():
    Z, y = load("diabetes")
    problem, samples, rng = Quadratic.from_data(Z, y), len(y), np.random.default_rng(1)
    for _ in range(10):
        w, penalty = rng.standard_normal(10) * 0.2, rng.uniform(0.05, 2) * problem.penalty_max
        residual = y - Z @ w
        limit = penalty / np.abs(Z.T @ residual / samples).max()
        # The dual value of t·(y − Zw)/n is yᵀθ − n‖θ‖²/2.
        t = np.linspace(-limit, limit, 200_001)
        dual = (t * (residual @ y) - t**2 * (residual @ residual) / 2).max() / samples
        primal = objective(Z, y, w, penalty)
        assert relative_gap(problem, w, penalty) == pytest.approx((primal - dual) / primal, abs=1e-8)


def test_gap_bounds_the_distance_to_the_minimum_for_any_weights():
    Z, y = load("gaussian")
    problem, rng = Quadratic.from_data(Z, y), np.random.default_rng(2)
    penalties = rng.uniform(0.02, 2, size=50) * problem.penalty_max
    solution = solve_lasso(problem, penalties)
    weights = solution.weights + rng.standard_normal((50, 50)) * np.geomspace(1e-8, 1, 50)[:, None]
    gaps, violations = relative_gap(problem, weights, penalties), kkt_violation(problem, weights, penalties)
    for w, best, penalty, gap in zip(weights, solution.weights, penalties, gaps, strict=True):
        primal = objective(Z, y, w, penalty)
        assert primal - objective(Z, y, best, penalty) <= gap * primal + 1e-14
    assert (violations > 1e-10).all()


def test_zero_response_and_shapes():
    problem = Quadratic.from_data(np.eye(3), np.zeros(3))
    solution = solve_lasso(problem, [0.1, 2.0])
    assert solution.weights.shape == (2, 3) and not solution.support.any() and not solution.relative_gap.any()
    assert solve_lasso(problem, 1.0).weights.shape == (3,)
    assert [(lower, upper) for lower, upper, _ in lasso_path(problem).segments()] == [(0.0, np.inf)]


def test_quadratic_from_data():
    problem = Quadratic.from_data([[1, 2], [3, 4]], [1, -1])
    np.testing.assert_array_equal(problem.A, [[5, 7], [7, 10]])
    np.testing.assert_array_equal(problem.b, [-1, -1])
    assert (problem.c, problem.dimension, problem.penalty_max) == (1, 2, 1)
    assert problem.lipschitz == pytest.approx((15 + np.sqrt(15**2 - 4)) / 2, rel=1e-14)


@pytest.mark.parametrize("penalty", [0.0, -1.0, np.nan, np.inf, [1.0, 0.0]])
def test_penalties_that_are_not_positive_and_finite_raise(penalty):
    with pytest.raises(ValueError, match="penalty"):
        solve_lasso(orthonormal([1.0, 2.0]), penalty)


@pytest.mark.parametrize(
    ("Z", "y"), [(np.ones((3, 2)), np.ones(2)), (np.ones(3), np.ones(3)), ([[np.nan]], [1.0]), ([[]], [1.0])]
)
def test_data_that_do_not_fit_raise(Z, y):
    with pytest.raises(ValueError):
        Quadratic.from_data(Z, y)


def test_what_cannot_be_certified_raises_and_says_where(monkeypatch):
    monkeypatch.setattr(lasso, "GAP_TOLERANCE", -1.0)
    with pytest.raises(CertificateError, match=r"penalty 0\.25: relative gap"):
        solve_lasso(orthonormal([1.0, 2.0]), 0.25)
