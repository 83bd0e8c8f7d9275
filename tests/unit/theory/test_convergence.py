"""Closed forms of convergence and its failure, against brute-force simulation, roots, and small cases by hand."""

import numpy as np
import pytest
from scipy.optimize import brentq

from ndgm.theory.convergence import (
    critical_width,
    critical_width_lasso,
    hovering_distance,
    power_law_exponent,
    settling_width,
    solve_smoothed_lasso,
)
from ndgm.theory.lasso import Quadratic, solve_lasso


def huber_slope(x, width):
    return np.clip(x / width, -1, 1) if width else np.sign(x)


def descent_on_huber(x, step_size, slope, width, steps, average_from):
    """Mean |x| and last x from starts `x`."""
    distance = 0.0
    for step in range(steps):
        if step >= average_from:
            distance = distance + np.abs(x)
        x = x - step_size * slope * huber_slope(x, width)
    return distance / (steps - average_from), x


def dense_problem(seed=0, samples=150, features=30):
    rng = np.random.default_rng(seed)
    Z = rng.standard_normal((samples, features))
    return Quadratic.from_data(Z, Z @ rng.standard_normal(features) / 3 + rng.standard_normal(samples))


@pytest.mark.parametrize(("step_size", "slope"), [(0.1, 1.0), (0.02, 5.0), (1.0, 0.1)])
@pytest.mark.parametrize("width", [0.0, 0.01, 0.03, 0.049, 0.0499, 0.0501, 0.051, 0.2])
def test_below_the_critical_width_the_distance_is_exact_from_every_start(step_size, slope, width):
    starts = np.random.default_rng(0).standard_normal(50)
    distance, last = descent_on_huber(starts, step_size, slope, width, steps=10_000, average_from=8_000)
    assert critical_width(step_size, slope) == pytest.approx(0.05, rel=1e-15)
    if width < 0.05:
        # Only rounding, over 2,000 steps.
        np.testing.assert_allclose(distance, hovering_distance(step_size, slope, width), rtol=1e-12)
        assert hovering_distance(step_size, slope, width) == pytest.approx(0.05, rel=1e-15)
    else:
        # A step's factor is |1 − .1/δ|: .961 at δ = .051, which gives 1e-170, and .996 at .0501, which gives 1e-17.
        assert (np.abs(last) <= 2 * np.abs(1 - 0.1 / width) ** (10_000 - 50)).all()
        assert hovering_distance(step_size, slope, width) == 0


def test_at_the_critical_width_the_start_decides():
    starts = np.random.default_rng(1).standard_normal(50)
    distance, _ = descent_on_huber(starts, 0.125, 1.0, 0.0625, steps=200, average_from=100)
    np.testing.assert_allclose(distance, np.abs(starts - 0.125 * np.round(starts / 0.125)), atol=1e-14)
    assert np.isnan(hovering_distance(0.125, 1.0, 0.0625))


@pytest.mark.parametrize("width", [0.0, 0.01, 0.04, 0.0624])
def test_every_start_is_soon_on_a_cycle(width):
    step, starts = 0.125, np.random.default_rng(2).standard_normal(50)
    for start in starts:
        x, arrival = start, 0
        while abs(x) > step - width:
            x, arrival = x - step * np.sign(x), arrival + 1
        assert arrival <= abs(start) / step + 1
        if abs(x) < width:
            arrival += int(np.ceil(np.log(width / abs(x)) / np.log(step / width - 1))) + 1
        _, on_cycle = descent_on_huber(start, step, 1.0, width, arrival, arrival - 1)
        _, two_later = descent_on_huber(on_cycle, step, 1.0, width, 2, 0)
        assert width <= abs(on_cycle) <= step - width
        assert two_later == pytest.approx(on_cycle, abs=1e-14)


def test_starts_on_the_lattice_end_at_zero():
    distance, _ = descent_on_huber(np.array([0.375, -1.0, 0.0]), 0.125, 1.0, 0.01, steps=20, average_from=10)
    assert (distance == 0).all()


@pytest.mark.parametrize("step_times_lipschitz", [0.02, 0.5, 1.0, 1.9])
@pytest.mark.parametrize("share", [0.03, 0.5, 1.0])
def test_critical_width_of_the_lasso_is_where_the_largest_eigenvalue_is_two_over_eta(step_times_lipschitz, share):
    problem, penalty, rng = dense_problem(), 0.7, np.random.default_rng(5)
    step_size = step_times_lipschitz / problem.lipschitz
    inactive = rng.permutation(30) < share * 30
    found = critical_width_lasso(problem.A, inactive, penalty, step_size)

    def excess(width):
        return np.linalg.eigvalsh(problem.A + penalty / width * np.diag(inactive))[-1] - 2 / step_size

    assert found == pytest.approx(brentq(excess, found / 2, found * 2, xtol=1e-300), rel=1e-11)
    low = step_size * penalty / (2 - step_size * problem.A.diagonal()[inactive].max())
    high = step_size * penalty / (2 - step_times_lipschitz)
    assert step_size * penalty / 2 <= low <= found * (1 + 1e-12) and found <= high * (1 + 1e-12)
    if share == 1:
        assert found == pytest.approx(high, rel=1e-12)


@pytest.mark.parametrize("step_times_lipschitz", [0.1, 1.0])
@pytest.mark.parametrize("penalty_over_max", [0.1, 0.3, 0.8, 1.5])
def test_descent_on_the_smoothed_lasso_settles_above_the_width_and_hovers_below(step_times_lipschitz, penalty_over_max):
    problem = dense_problem()
    step_size, penalty = step_times_lipschitz / problem.lipschitz, penalty_over_max * problem.penalty_max
    critical = settling_width(problem, penalty, step_size)
    rng = np.random.default_rng(6)
    for width in (0.99 * critical, 1.01 * critical):
        solution = solve_smoothed_lasso(problem, penalty, width)
        # From beside the solution, and from afar.
        w = np.stack([solution + 1e-6 * rng.standard_normal(30), rng.standard_normal(30)])
        for _ in range(4_000):
            w = w - step_size * (w @ problem.A - problem.b + penalty * huber_slope(w, width))
        distance = np.abs(w - solution).max(1)
        # The unstable direction grows by about 1.01 a step, to a cycle whose length is of the order ηλ; the stable one
        # shrinks by .99 and less, which leaves 1e-17.
        assert (distance > 0.02 * step_size * penalty).all() if width < critical else (distance < 1e-13).all()


def test_far_cycle_beside_an_attracting_solution():
    # a = λ = 1, b = 1.1, η = 1.5: x* = .1 attracts with the factor 1 − ηa = −.5, and so does the cycle 4.1, −1.9.
    x = np.array([0.15, 4.0])
    for _ in range(200):
        x = x - 1.5 * (x - 1.1 + huber_slope(x, 0.01))
    assert x == pytest.approx([0.1, 4.1], rel=1e-12)
    assert critical_width_lasso(np.eye(1), [False], 1.0, 1.5) == 0
    # Coming from large widths, where x* = 1.1δ/(1 + δ) is within δ, it repels from ηλ/(2 − ηL) = 3 down to .1.
    assert settling_width(Quadratic(np.eye(1), np.array([1.1]), 2.0), 1.0, 1.5) == pytest.approx(3, rel=1e-14)


@pytest.mark.parametrize(("samples", "features"), [(150, 30), (20, 30)])
@pytest.mark.parametrize("seed", range(3))
def test_smoothed_solution(seed, samples, features):
    problem = dense_problem(seed, samples, features)
    for penalty in np.array([0.05, 0.5, 1.5]) * problem.penalty_max:
        for width in (1e-6, 0.01, 0.1, 1.0, 10.0):
            w = solve_smoothed_lasso(problem, penalty, width)
            # The function is convex, so a vanishing gradient is enough.
            gradient = problem.A @ w - problem.b + penalty * huber_slope(w, width)
            assert np.abs(gradient).max() <= 1e-12 * max(penalty, problem.penalty_max)
        exact, near = solve_lasso(problem, penalty).weights, solve_smoothed_lasso(problem, penalty, 1e-9)
        assert np.abs(near - exact).max() < 1e-6


def test_smoothed_solution_of_one_weight_by_hand():
    # a = 2, λ = 1, δ = .5: inside, w = b/(a + λ/δ) = b/4; beyond, at |b| > 2, w = (b − 1)/2.
    for b, expected in ((1.0, 0.25), (-1.9, -0.475), (3.0, 1.0), (-5.0, -2.0)):
        w = solve_smoothed_lasso(Quadratic(np.array([[2.0]]), np.array([b]), 30.0), 1.0, 0.5)
        assert w == pytest.approx([expected], rel=1e-14)


def test_power_law_exponent():
    x, rng = np.array([0.1, 0.05, 0.02, 0.01]), np.random.default_rng(7)
    np.testing.assert_allclose(power_law_exponent(x, [[3 * x**1.5], [x**-0.5]]), [[1.5], [-0.5]], rtol=1e-13)
    y = x * np.exp(0.1 * rng.standard_normal((5, 4)))
    expected = [np.polyfit(np.log(x), np.log(row), 1)[0] for row in y]
    np.testing.assert_allclose(power_law_exponent(x, y), expected, rtol=1e-12)


def test_bad_inputs_raise():
    problem = dense_problem()
    nothing, everything = np.zeros(30, dtype=bool), np.ones(30, dtype=bool)
    assert critical_width_lasso(problem.A, nothing, 1.0, 0.1) == 0
    for call, message in (
        (lambda: critical_width(0.0, 1.0), "step size"),
        (lambda: critical_width(1.0, -1.0), "slope"),
        (lambda: hovering_distance(1.0, 1.0, -0.1), "width"),
        (lambda: critical_width_lasso(problem.A, everything, 1.0, 2 / problem.lipschitz), "no width"),
        (lambda: critical_width_lasso(problem.A, everything, 0.0, 0.1), "penalty"),
        (lambda: solve_smoothed_lasso(problem, 1.0, 0.0), "width"),
        (lambda: power_law_exponent([1.0, 2.0], [1.0, 0.0]), "positive"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
