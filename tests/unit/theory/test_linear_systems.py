"""Singular systems, and what makes them: designs whose columns depend on each other change no closed form."""

import numpy as np
import pytest

from ndgm.theory.convergence import settling_width, solve_smoothed_lasso
from ndgm.theory.l1_paradox import away_from_breakpoints, floor_rate, turning_point
from ndgm.theory.lasso import LassoSolution, Quadratic, lasso_path, solve_lasso
from ndgm.theory.linear_systems import solve_consistent
from ndgm.theory.logistic import hessian, solve_logistic, two_cycles
from ndgm.theory.rounded_lasso import PseudoHuber, solve_rounded_lasso

STEP = 0.02
WEIGHTS = np.array([3.0, -2.0, 0.0, 0.0])


def design(samples=60, seed=0):
    """Independent columns, and a response that the first two of them make."""
    rng = np.random.default_rng(seed)
    Z = rng.standard_normal((samples, len(WEIGHTS)))
    return Z, Z @ WEIGHTS + 0.3 * rng.standard_normal(samples)


DEPENDENT = {
    "duplicate": lambda Z: np.column_stack([Z, Z[:, 0]]),
    "duplicate of a column that stays out": lambda Z: np.column_stack([Z, Z[:, 2]]),
    "two duplicates": lambda Z: np.column_stack([Z, Z[:, 0], Z[:, 0]]),
    "opposite": lambda Z: np.column_stack([Z, -Z[:, 1]]),
    "mean of two columns": lambda Z: np.column_stack([Z, (Z[:, 0] + Z[:, 1]) / 2]),
    "column of zeros": lambda Z: np.column_stack([Z, 0 * Z[:, 0]]),
}


@pytest.fixture(params=DEPENDENT)
def problems(request):
    Z, y = design()
    return Quadratic.from_data(Z, y), Quadratic.from_data(DEPENDENT[request.param](Z), y)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.9, 1.5])
def test_every_closed_form_has_a_finite_value(problems, share):
    _, problem = problems
    penalty = share * problem.penalty_max
    solution = solve_lasso(problem, penalty)
    values = [
        floor_rate(problem, solution),
        away_from_breakpoints(problem, solution, STEP),
        turning_point(lasso_path(problem), STEP / problem.lipschitz),
        settling_width(problem, penalty, STEP / problem.lipschitz),
        solve_smoothed_lasso(problem, penalty, 0.1),
        solve_rounded_lasso(problem, penalty, PseudoHuber(STEP)),
    ]
    assert all(np.isfinite(value).all() for value in values)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.9, 1.5])
def test_the_norm_of_the_exact_solution_is_that_without_the_dependence(problems, share):
    # No combination above is shorter than what it is made of, so that it saves no penalty.
    independent, dependent = (solve_lasso(problem, share * problem.penalty_max).l1_norm for problem in problems)
    np.testing.assert_allclose(dependent, independent, rtol=1e-9, atol=1e-12)


def test_the_floor_rate_with_a_weight_split_in_two_is_that_of_the_whole_weight():
    Z, y = design()
    whole = Quadratic.from_data(Z, y)
    split = Quadratic.from_data(np.column_stack([Z, Z[:, 0]]), y)
    solution = solve_lasso(whole, 0.3 * whole.penalty_max)
    assert solution.support[0] and not solution.support.all()
    half = solution.weights * np.array([0.5, 1, 1, 1])
    shared = LassoSolution(solution.penalty, np.append(half, half[0]), solution.relative_gap, solution.kkt_violation)
    np.testing.assert_allclose(floor_rate(split, shared), floor_rate(whole, solution), rtol=1e-9)


def test_a_singular_system_has_its_smallest_solution():
    rng = np.random.default_rng(1)
    half = rng.standard_normal((5, 3))
    matrix = half @ half.T
    target = matrix @ rng.standard_normal((5, 2))
    np.testing.assert_allclose(solve_consistent(matrix, target), np.linalg.pinv(matrix) @ target, rtol=1e-8, atol=1e-10)
    regular = matrix + np.eye(5)
    np.testing.assert_array_equal(solve_consistent(regular, target), np.linalg.solve(regular, target))


def test_logistic_regression_with_a_duplicate_has_the_minimum_and_the_cycle_without_it():
    rng = np.random.default_rng(2)
    inputs = rng.standard_normal((80, 2))
    labels = np.where(inputs[:, 0] + rng.standard_normal(80) > 0, 1.0, -1.0)
    single = inputs * labels[:, None]
    # A column as two halves of its length: the same function of the sum of both weights, in an orthonormal basis.
    double = np.column_stack([single[:, 0] / np.sqrt(2), single[:, 0] / np.sqrt(2), single[:, 1]])
    one, two = solve_logistic(single), solve_logistic(double)
    np.testing.assert_allclose(two.sharpness, one.sharpness, rtol=1e-10)
    np.testing.assert_allclose(np.linalg.norm(two.weights), np.linalg.norm(one.weights), rtol=1e-9)
    np.testing.assert_allclose(two.coefficient, one.coefficient, rtol=1e-8)
    assert np.linalg.matrix_rank(hessian(double, two.weights)) == 2
    steps = 1.2 * one.threshold * np.ones(1)
    (cycle,), (other) = two_cycles(single, one, steps), two_cycles(double, two, steps)
    np.testing.assert_allclose(other[0].amplitude, cycle.amplitude, rtol=1e-8)
