"""Closed forms of the L1 paradox, held against plain simulations, hand calculation and brute force."""

from itertools import product

import numpy as np
import pytest

from ndgm.theory.l1_paradox import (
    away_from_breakpoints,
    floor_above_penalty_max,
    floor_rate,
    floor_slope,
    hovering_l1_norm,
    minibatch_noise,
    noisy_floor,
    noisy_turning_point,
    stationarity_residual,
    turning_point,
)
from ndgm.theory.lasso import Quadratic, lasso_path, solve_lasso


def dense_problem(seed=0, samples=150, features=30):
    """A Gaussian design with a dense signal, so that the path has about as many breakpoints as weights."""
    rng = np.random.default_rng(seed)
    Z = rng.standard_normal((samples, features))
    return Quadratic.from_data(Z, Z @ rng.standard_normal(features) / 3 + rng.standard_normal(samples))


def subgradient_descent(problem, step_size, penalty, steps, seed=0):
    """Means over the last half of the steps of ‖w‖₁; one run per penalty, from a random start."""
    w = np.random.default_rng(seed).standard_normal((len(penalty), problem.dimension))
    total = np.zeros(len(penalty))
    for step in range(steps):
        if step >= steps // 2:
            total += np.abs(w).sum(1)
        w = w - step_size * (w @ problem.A - problem.b + penalty[:, None] * np.sign(w))
    return total / (steps - steps // 2)


def closed_form(problem, step_size, penalty):
    solution = solve_lasso(problem, penalty)
    return hovering_l1_norm(problem, solution, step_size)


def in_range(problem, step_size, penalty):
    """Whether |w*| > ηλ on the support, and 1 − |κ| > ηL off it."""
    w = solve_lasso(problem, penalty).weights
    kappa = (problem.b - problem.A @ w) / penalty
    far_from_joining = 1 - np.abs(kappa[w == 0]) > step_size * problem.lipschitz
    return far_from_joining.all() and (np.abs(w[w != 0]) > step_size * penalty).all()


@pytest.mark.parametrize(("step_times_lipschitz", "tolerance"), [(0.02, 0.006), (0.1, 0.03)])
def test_floor_at_any_penalty(step_times_lipschitz, tolerance):
    # What is left out is O(ηL) of the floor; the tolerances are what a separate study of designs of this size
    # found. Penalties at which a weight is about to join or leave are outside the formula's range.
    problem = dense_problem()
    step_size = step_times_lipschitz / problem.lipschitz
    penalties = np.geomspace(0.1, 5, 40) * problem.penalty_max
    valid = [in_range(problem, step_size, penalty) for penalty in penalties]
    assert sum(valid) > 20
    measured = subgradient_descent(problem, step_size, penalties[valid], steps=20_000)
    np.testing.assert_allclose(measured, closed_form(problem, step_size, penalties[valid]), rtol=tolerance)


def test_error_of_the_floor_is_of_second_order():
    problem = dense_problem()
    penalties = np.geomspace(0.1, 5, 40) * problem.penalty_max

    def error(step_size):
        measured = subgradient_descent(problem, step_size, penalties, steps=8_000)
        return np.median(np.abs(measured - closed_form(problem, step_size, penalties)))

    # Four times the step: sixteen times the error, give or take what rotations that lock add.
    assert 8 < error(0.1 / problem.lipschitz) / error(0.025 / problem.lipschitz) < 32


def test_one_weight_by_hand():
    # With A = 1, |b| < λ, w rotates through (−η(λ − b), η(λ + b)); beyond λ it rests at |b| − λ.
    problem, b = Quadratic(np.eye(1), np.array([0.6]), 1.0), 0.6
    for penalty in (0.8, 1.0, 3.0):
        rate = floor_rate(problem, solve_lasso(problem, penalty))
        low, high = -(penalty - b), penalty + b
        assert rate == pytest.approx((low**2 + high**2) / 2 / (high - low), rel=1e-14)
    assert floor_rate(problem, solve_lasso(problem, 0.3)) == 0


def test_two_weights_by_hand():
    # The second weight hovers with mean ηλκ, and pulls the first one by −A₁₂/A₁₁ of that.
    A, b, penalty = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([3.0, 0.9]), 1.0
    kappa = 0.9 - 0.5 * (3.0 - 1.0) / 2.0
    expected = (1 + kappa**2) / 2 - 0.5 / 2.0 * kappa
    problem = Quadratic(A, b, 10.0)
    assert floor_rate(problem, solve_lasso(problem, penalty)) == pytest.approx(expected, rel=1e-13)


def test_above_penalty_max_both_closed_forms_and_the_method_agree():
    problem = dense_problem()
    step_size = 0.02 / problem.lipschitz
    penalties = np.array([1.2, 1.5, 2.0, 4.0]) * problem.penalty_max
    predicted = floor_above_penalty_max(step_size, penalties, problem.b)
    np.testing.assert_allclose(closed_form(problem, step_size, penalties), predicted, rtol=1e-13)
    measured = subgradient_descent(problem, step_size, penalties, steps=10_000)
    np.testing.assert_allclose(measured, predicted, rtol=0.006)


def test_slope_is_the_rise_of_the_floor_far_above_penalty_max():
    b = np.array([0.3, -0.2, 0.1])
    low, high = floor_above_penalty_max(0.01, [1000.0, 1001.0], b)
    assert floor_slope(0.01, 3) == pytest.approx(high - low, rel=1e-6)
    np.testing.assert_allclose(floor_slope([0.1, 0.2], 10), [0.5, 1.0])


def test_away_from_breakpoints_by_hand():
    # A = I, b = (1, .5), η = .1: w* = b − λ must exceed .1λ where it is not zero, and b/λ be below .9 where it is.
    problem = Quadratic(np.eye(2), np.array([1.0, 0.5]), 2.0)
    away = {0.3: True, 0.45: True, 0.46: False, 0.5: False, 0.55: False, 0.56: True, 0.8: True, 0.9: True}
    away |= {0.92: False, 1.05: False, 1.1: False, 1.12: True, 5.0: True}
    solution = solve_lasso(problem, list(away))
    np.testing.assert_array_equal(away_from_breakpoints(problem, solution, 0.1), list(away.values()))
    assert away_from_breakpoints(problem, solve_lasso(problem, 0.3), 0.1).shape == ()


@pytest.mark.parametrize("step_times_lipschitz", [0.02, 0.1, 0.3, 0.8])
@pytest.mark.parametrize("seed", range(3))
def test_turning_point_is_the_brute_force_minimum(step_times_lipschitz, seed):
    problem = dense_problem(seed)
    step_size = step_times_lipschitz / problem.lipschitz
    grid = np.linspace(0.01, 1.5, 2_001) * problem.penalty_max
    norms = closed_form(problem, step_size, grid)
    found = turning_point(lasso_path(problem), step_size)
    # The closed form jumps at breakpoints, so the minimum may be a limit that no point of the grid attains.
    assert found == pytest.approx(grid[norms.argmin()], abs=1.01 * (grid[1] - grid[0]))


@pytest.mark.parametrize("r", [0.0, 0.05])
def test_turning_point_inside_a_segment_by_hand(r):
    # A = I, but the first weight correlates by r with a hundred others; b = (1, r + .001, …, r + .1). For λ
    # in (.11, 1) only the first weight is not zero, and λκ = (.001, …, .1) + rλ for the others. So
    # E‖w‖₁ = 1 − λ + (η/2)((100 − 100r²)λ + .33835/λ), as the squares of 1 to 100 add up to 338350.
    A, b = np.eye(101), np.array([1.0, *(r + np.arange(1, 101) / 1000)])
    A[0, 1:] = A[1:, 0] = r
    half_step = 1.02 / (100 - 100 * r**2)
    expected = np.sqrt(half_step * 0.33835 / 0.02)
    found = turning_point(lasso_path(Quadratic(A, b, 10.0)), 2 * half_step)
    assert found == pytest.approx(expected, rel=1e-10)


def test_turning_point_of_a_strong_signal_is_penalty_max():
    # A = I, b = (1, .5): with a small step the exact solution's fall outweighs the floor's rise up to λ_max.
    assert turning_point(lasso_path(Quadratic(np.eye(2), np.array([1.0, 0.5]), 2.0)), 0.01) == 1.0


def test_turning_point_is_where_the_method_turns():
    problem = dense_problem()
    step_size = 0.1 / problem.lipschitz
    predicted = turning_point(lasso_path(problem), step_size)
    penalties = np.arange(0.8, 1.2, 0.01) * predicted
    measured = penalties[subgradient_descent(problem, step_size, penalties, 10_000).argmin()]
    # The jump at a breakpoint is smeared over a range of order ηL·λ.
    assert measured == pytest.approx(predicted, rel=0.05)


@pytest.mark.parametrize("noise", [0.5, 1.0, 2.0])
def test_noise_floor_of_one_weight(noise):
    # The terms left out are at most ησ²/λ² = 4e-4. Iterates forget in about 8σ²/λ² steps, so 8,000 runs of
    # 4,500 steps count as a million draws at least, and chance leaves 1e-3.
    step_size, penalty, rng = 1e-4, 1.0, np.random.default_rng(4)
    w, total = step_size * rng.standard_normal(8_000), 0.0
    for step in range(5_000):
        w = w - step_size * (w + penalty * np.sign(w) + noise * rng.standard_normal(8_000))
        if step >= 500:
            total += np.abs(w).mean()
    assert total / 4_500 == pytest.approx(float(noisy_floor(step_size, penalty, [noise])), rel=2e-3)


def test_noise_floor_is_smallest_at_the_noise():
    noise = np.array([0.5, 1.0, 2.0])
    grid = np.geomspace(0.1, 10, 100_001)
    best = grid[noisy_floor(0.01, grid, noise).argmin()]
    assert noisy_turning_point(noise) == pytest.approx(best, rel=1e-4)
    assert noisy_turning_point([0.7]) == pytest.approx(0.7, rel=1e-15)


def test_without_noise_the_floor_is_that_of_zero_signal():
    np.testing.assert_allclose(
        noisy_floor(0.01, [0.5, 2.0], np.zeros(4)), floor_above_penalty_max(0.01, [0.5, 2.0], np.zeros(4))
    )


def test_minibatch_noise_over_every_batch():
    rng = np.random.default_rng(5)
    Z, y = rng.standard_normal((5, 3)), rng.standard_normal(5)
    for batch_size in (1, 2, 3):
        batches = np.array(list(product(range(5), repeat=batch_size)))
        gradients = -np.einsum("kbi,kb->ki", Z[batches], y[batches]) / batch_size
        np.testing.assert_allclose(minibatch_noise(Z, y, batch_size), gradients.std(0), rtol=1e-12)


def softplus_gradient(w):
    return 1 / (1 + np.exp(-w))


@pytest.mark.parametrize("steps", [1, 7, 1000])
@pytest.mark.parametrize("penalty", [0.0, 0.3, 5.0])
@pytest.mark.parametrize("smooth_part", ["quadratic", "softplus"])
def test_stationarity_identity_to_rounding(steps, penalty, smooth_part):
    problem = dense_problem()
    gradient = softplus_gradient if smooth_part == "softplus" else lambda w: problem.A @ w - problem.b
    step_size, w = 0.1, np.random.default_rng(6).standard_normal(30)
    w[0] = 0.0
    start, sums = w @ w, np.zeros(3)
    for _ in range(steps):
        smooth = gradient(w)
        g = smooth + penalty * np.sign(w)
        sums += np.abs(w).sum(), g @ g, w @ smooth
        w = w - step_size * g
    l1_norm, squared_subgradient, inner_product = sums / steps
    means = {
        "step_size": step_size,
        "squared_subgradient": squared_subgradient,
        "inner_product": inner_product,
        "squared_norm_decrease": (start - w @ w) / steps,
    }
    assert stationarity_residual(penalty=penalty, l1_norm=l1_norm, **means) <= 1e-12
    if penalty:
        wrong = stationarity_residual(penalty=penalty, l1_norm=l1_norm * 1.01, **means)
        assert wrong > 1e-4


def test_closed_forms_take_many_penalties_at_once():
    problem = dense_problem()
    penalties = np.array([0.2, 0.6, 1.3]) * problem.penalty_max
    together = floor_rate(problem, solve_lasso(problem, penalties))
    one_by_one = [floor_rate(problem, solve_lasso(problem, penalty)) for penalty in penalties]
    assert together.shape == (3,) and one_by_one[0].shape == ()
    np.testing.assert_array_equal(together, one_by_one)
    assert noisy_floor(np.full((2, 1), 0.1), penalties, [1.0, 2.0]).shape == (2, 3)


def test_bad_inputs_raise():
    problem = dense_problem()
    path = lasso_path(problem)
    with pytest.raises(ValueError, match="above"):
        floor_above_penalty_max(0.1, problem.penalty_max, problem.b)
    with pytest.raises(ValueError, match="step size"):
        floor_above_penalty_max(0.0, 2 * problem.penalty_max, problem.b)
    with pytest.raises(ValueError, match="dimension"):
        floor_slope(0.1, 0)
    with pytest.raises(ValueError, match="step size"):
        turning_point(path, -0.1)
    with pytest.raises(ValueError, match="no turning point"):
        turning_point(lasso_path(Quadratic(np.eye(2), np.zeros(2), 1.0)), 0.1)
    with pytest.raises(ValueError, match="penalty"):
        noisy_floor(0.1, [1.0, -1.0], [1.0])
    with pytest.raises(ValueError, match="negative"):
        noisy_turning_point([1.0, -1.0])
    with pytest.raises(ValueError, match="batch size"):
        minibatch_noise(np.eye(2), np.ones(2), 0)
    with pytest.raises(ValueError, match="step size"):
        stationarity_residual(
            penalty=1.0,
            step_size=np.nan,
            l1_norm=1.0,
            squared_subgradient=1.0,
            inner_product=1.0,
            squared_norm_decrease=0.0,
        )
