"""The rounded LASSO against SciPy's minimiser, plain loops of the methods, an exact identity, and its expansion."""

import numpy as np
import pytest
from scipy.optimize import minimize

from ndgm.theory.l1_paradox import away_from_breakpoints, floor_above_penalty_max, hovering_l1_norm, turning_point
from ndgm.theory.lasso import CertificateError, Quadratic, lasso_path, solve_lasso
from ndgm.theory.rounded_lasso import (
    GRADIENT_TOLERANCE,
    Huber,
    PseudoHuber,
    in_strip,
    kink_width,
    mean_l1_norm,
    mean_weights,
    relaxation_steps,
    rmsprop_l1_norm,
    rounded_turning_point,
    second_order_l1_norm,
    solve_rounded_lasso,
)


def random_problem(samples, features, correlation=0.0, seed=0):
    """A sparse linear model on standardised autoregressive columns."""
    rng, at = np.random.default_rng(seed), np.arange(features)
    covariance = correlation ** np.abs(at[:, None] - at)
    Z = rng.standard_normal((samples, features)) @ np.linalg.cholesky(covariance).T
    y = Z[:, ::5].sum(1) + rng.standard_normal(samples)
    return Quadratic.from_data((Z - Z.mean(0)) / Z.std(0), (y - y.mean()) / y.std())


SHAPES = [(200, 50, 0.0), (300, 30, 0.95), (40, 120, 0.0), (30, 60, 0.9), (50, 5, 0.0)]


def subgradient_means(problem, penalty, step_size, steps):
    """Means over the last half of the steps: w, |w|, ‖g‖² and ⟨w, ∇f(w)⟩."""
    w = np.random.default_rng(3).standard_normal(problem.dimension) / np.sqrt(problem.dimension)
    sums = [0.0, 0.0, 0.0, 0.0]
    for step in range(steps):
        smooth = problem.A @ w - problem.b
        g = smooth + penalty * np.sign(w)
        if step >= steps // 2:
            sums = [total + term for total, term in zip(sums, (w, np.abs(w), g @ g, w @ smooth), strict=True)]
        w = w - step_size * g
    return [total / (steps - steps // 2) for total in sums]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", [Huber, PseudoHuber])
@pytest.mark.parametrize("penalty_over_max", [0.1, 0.9, 2.0])
def test_no_minimiser_finds_less(shape, kind, penalty_over_max):
    problem = random_problem(*shape)
    penalty = penalty_over_max * problem.penalty_max
    kink = kind(0.1 * penalty / problem.lipschitz)
    means = solve_rounded_lasso(problem, penalty, kink)

    def value_and_gradient(m):
        smooth = problem.A @ m
        value = m @ smooth / 2 - problem.b @ m + penalty * kink.value(m).sum()
        return value, smooth - problem.b + penalty * kink.slope(m)

    value, gradient = value_and_gradient(means)
    assert np.abs(gradient).max() <= GRADIENT_TOLERANCE * max(penalty, problem.penalty_max)
    found = minimize(value_and_gradient, np.zeros(len(means)), jac=True, method="L-BFGS-B", options={"gtol": 1e-10})
    assert value <= found.fun + 1e-12
    assert found.fun == pytest.approx(value, rel=1e-5)


@pytest.mark.parametrize("kind", [Huber, PseudoHuber])
def test_slope_and_curvature_are_derivatives_of_the_kink(kind):
    kink, at = kind(0.7), np.linspace(-2, 2, 41) + 0.013
    step = 1e-6
    np.testing.assert_allclose((kink.value(at + step) - kink.value(at - step)) / (2 * step), kink.slope(at), atol=1e-8)
    np.testing.assert_allclose(
        (kink.slope(at + step) - kink.slope(at - step)) / (2 * step), kink.curvature(at), atol=1e-8
    )


def test_far_from_the_kink_it_is_itself():
    far = np.array([-1e6, 1e6])
    for kink in (Huber(0.5), PseudoHuber(0.5)):
        np.testing.assert_allclose(kink.slope(far), [-1, 1], rtol=1e-12)
        np.testing.assert_allclose(kink.value(far), 1e6, rtol=1e-6)


@pytest.mark.parametrize("penalty_over_max", [0.3, 0.9, 2.0])
def test_means_of_subgradient_descent(penalty_over_max):
    # SCIENCE: .5 % at ηL = .02 for d ≥ 30; d > n, so that every weight is stirred by many others.
    problem = random_problem(40, 120)
    penalty, step_size = penalty_over_max * problem.penalty_max, 0.02 / problem.lipschitz
    means = mean_weights(problem, penalty, step_size)
    w, modulus, *_ = subgradient_means(problem, penalty, step_size, 20_000)
    assert modulus.sum() == pytest.approx(mean_l1_norm(means, penalty, step_size), rel=0.005)
    assert np.median(np.abs(w - means)) < 0.02 * step_size * penalty


@pytest.mark.parametrize("penalty_over_max", [1.5, 2.0, 4.0])
@pytest.mark.parametrize("step_times_lipschitz", [0.1, 0.3])
def test_second_order_is_closer_above_penalty_max(penalty_over_max, step_times_lipschitz):
    problem = random_problem(200, 100, 0.5)
    penalty, step_size = penalty_over_max * problem.penalty_max, step_times_lipschitz / problem.lipschitz
    means = mean_weights(problem, penalty, step_size)
    measured = subgradient_means(problem, penalty, step_size, 12_000)[1].sum()
    first = abs(measured / mean_l1_norm(means, penalty, step_size) - 1)
    second = abs(measured / second_order_l1_norm(problem, means, penalty, step_size) - 1)
    assert second < 0.7 * first
    assert second < 0.02


def test_second_order_is_the_exact_identity_for_independent_weights():
    # λE‖w‖₁ = (η/2)E‖g‖² − E⟨w, ∇f(w)⟩, with both sides drawn from the distribution that the formula assumes.
    problem, rng = random_problem(50, 8), np.random.default_rng(1)
    penalty, step_size = 1.5 * problem.penalty_max, 0.2 / problem.lipschitz
    means = mean_weights(problem, penalty, step_size)
    assert in_strip(means, penalty, step_size).all()
    w = means + step_size * penalty * rng.uniform(-1, 1, (2_000_000, 8))
    smooth = w @ problem.A - problem.b
    g = smooth + penalty * np.sign(w)
    right = (step_size / 2 * (g**2).sum(1) - (w * smooth).sum(1)).mean() / penalty
    assert right == pytest.approx(second_order_l1_norm(problem, means, penalty, step_size), rel=2e-3)


def test_rmsprop_with_a_long_memory_sees_a_kink_of_one_step():
    problem = random_problem(300, 30, 0.9)
    step_size = 0.01
    for penalty_over_max in (0.9, 3.0):
        penalty = penalty_over_max * problem.penalty_max
        means = solve_rounded_lasso(problem, penalty, PseudoHuber(step_size))
        w = np.random.default_rng(2).standard_normal(30) / 5
        square, total, modulus, steps = 0.0, 0.0, 0.0, 30_000
        for step in range(steps):
            g = problem.A @ w - problem.b + penalty * np.sign(w)
            square = 0.999 * square + 0.001 * g**2
            w = w - step_size * g / np.sqrt(square)
            if step >= steps // 2:
                total, modulus = total + w, modulus + np.abs(w)
        # The memory of 1,000 steps is long, not endless: a few hundredths of the width.
        assert np.median(np.abs(total / (steps // 2) - means)) < 0.05 * step_size
        assert modulus.sum() / (steps // 2) == pytest.approx(rmsprop_l1_norm(means, step_size), rel=0.06)


def test_rmsprop_norm_above_penalty_max():
    # κ = b/λ to first order in η: (η/2)Σ(1 + κ²)/√(1 − κ²).
    problem, step_size = random_problem(200, 20), 1e-6
    penalty = 1.5 * problem.penalty_max
    kappa = problem.b / penalty
    expected = step_size / 2 * ((1 + kappa**2) / np.sqrt(1 - kappa**2)).sum()
    means = solve_rounded_lasso(problem, penalty, PseudoHuber(step_size))
    assert rmsprop_l1_norm(means, step_size) == pytest.approx(expected, rel=1e-4)


def test_means_tell_the_width_of_the_kink():
    # By weights that cross their kink, also where others do not; a subgradient's kink has another form above its width.
    for penalty_over_max, width in ((0.5, 0.02), (3.0, 0.1)):
        problem = random_problem(60, 12)
        penalty = penalty_over_max * problem.penalty_max
        means = solve_rounded_lasso(problem, penalty, PseudoHuber(width))
        hovers = np.abs(means) <= width
        assert 0 < hovers.sum() <= len(hovers)
        assert kink_width(problem, penalty, means, hovers) == pytest.approx(width, rel=1e-6)
        assert np.isnan(kink_width(problem, penalty, means, np.zeros_like(hovers)))


def test_floor_formula_is_the_expansion_of_the_law():
    problem = random_problem(200, 30)
    penalties = np.array([0.2, 0.35, 0.7, 1.5]) * problem.penalty_max
    exact = solve_lasso(problem, penalties)

    def errors(step_size):
        law = [mean_l1_norm(mean_weights(problem, penalty, step_size), penalty, step_size) for penalty in penalties]
        return np.abs(np.array(law) - hovering_l1_norm(problem, exact, step_size))

    step_size = 1e-3 / problem.lipschitz
    assert away_from_breakpoints(problem, exact, step_size).all()
    # What is left is of second order: a tenth of the step, a hundredth of it, and at most ηL of the floor.
    np.testing.assert_allclose(errors(step_size) / errors(step_size / 10), 100, rtol=0.05)
    floor = hovering_l1_norm(problem, exact, step_size) - exact.l1_norm
    assert (errors(step_size) < 0.01 * np.abs(floor)).all()


def test_slope_above_penalty_max_is_the_expansion_of_the_law():
    problem, step_size = random_problem(40, 120), 1e-6
    penalties = np.array([1.1, 3.0, 10.0]) * problem.penalty_max
    law = [mean_l1_norm(mean_weights(problem, penalty, step_size), penalty, step_size) for penalty in penalties]
    np.testing.assert_allclose(law, floor_above_penalty_max(step_size, penalties, problem.b), rtol=1e-3)


def test_turning_point_is_the_smallest_norm_of_a_fine_grid():
    problem = random_problem(200, 50)
    step_size = 0.05 / problem.lipschitz
    grid = np.linspace(0.5, 1.3, 801) * problem.penalty_max
    norms = [mean_l1_norm(mean_weights(problem, penalty, step_size), penalty, step_size) for penalty in grid]
    found = rounded_turning_point(problem, step_size)
    assert found == pytest.approx(grid[np.argmin(norms)], abs=0.002 * problem.penalty_max)
    # The first-order formula has it at a breakpoint, most often λ_max itself, up to a tenth away.
    assert abs(found / turning_point(lasso_path(problem), step_size) - 1) < 0.15


def test_turning_point_needs_a_signal():
    with pytest.raises(ValueError, match="no turning point"):
        rounded_turning_point(Quadratic(np.eye(2), np.zeros(2), 1.0), 0.1)


def test_duplicate_columns_beyond_the_strip_never_relax():
    # A column and its double, of weight 1 − λ together, and a column without signal.
    gram = np.array([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    problem = Quadratic(gram, np.array([1.0, 1.0, 0.0]), 2.0)
    means = mean_weights(problem, 0.2, 0.01)
    assert means[:2].sum() == pytest.approx(0.8) and relaxation_steps(problem, means, 0.2, 0.01) == np.inf
    # The same norm with one of the two on the end of the strip was taken for unique.
    assert relaxation_steps(problem, np.array([0.798, 0.002, 0.0]), 0.2, 0.01) == np.inf
    # With all weights inside the strip one step forgets the one before.
    assert relaxation_steps(problem, mean_weights(problem, 1.5, 0.01), 1.5, 0.01) == pytest.approx(1.0)


def test_means_relax_at_the_rate_of_the_slowest_direction():
    # Of two columns that are nearly copies, a is the eigenvalue of their difference, along which means are slow.
    a, penalty, step_size = 0.002, 0.2, 0.05
    gram = np.array([[1.0, 1.0 - a], [1.0 - a, 1.0]])
    problem = Quadratic(gram, np.array([1.2, 1.2]), 2.0)
    means = mean_weights(problem, penalty, step_size)
    steps = relaxation_steps(problem, means, penalty, step_size)
    assert steps == pytest.approx(1 / (step_size * a))
    # No weight crosses its kink, so that descent is that of the means.
    w = start = means + np.array([0.1, -0.1])
    for _ in range(round(steps)):
        w = w - step_size * (gram @ w - problem.b + penalty * np.sign(w))
    assert (w - means) / (start - means) == pytest.approx(np.exp(-1), rel=1e-4)


def test_one_weight_by_hand():
    # A = 1, b = .5, λ = 2, η = .1: in the strip m(1 + 1/η) = b; at λ = .1 it is beyond, m = b − λ.
    problem = Quadratic(np.eye(1), np.array([0.5]), 1.0)
    inside, outside = mean_weights(problem, 2.0, 0.1), mean_weights(problem, 0.1, 0.1)
    assert inside[0] == pytest.approx(0.5 / 11, rel=1e-12) and in_strip(inside, 2.0, 0.1)[0]
    assert outside[0] == pytest.approx(0.4, rel=1e-12) and not in_strip(outside, 0.1, 0.1)[0]
    assert mean_l1_norm(inside, 2.0, 0.1) == pytest.approx(inside[0] ** 2 / 0.4 + 0.1, rel=1e-12)
    assert mean_l1_norm(outside, 0.1, 0.1) == pytest.approx(0.4, rel=1e-12)


def test_a_gradient_that_is_not_reached_is_said():
    class NoKink(Huber):
        def curvature(self, means):
            return 0 * means

        def slope(self, means):
            return np.sign(means)  # never stationary at 0

    with pytest.raises(CertificateError, match="gradient"):
        solve_rounded_lasso(random_problem(50, 5), 1.0, NoKink(1.0))


def test_bad_inputs_raise():
    problem = random_problem(50, 5)
    with pytest.raises(ValueError, match="penalty"):
        solve_rounded_lasso(problem, 0.0, Huber(1.0))
    with pytest.raises(ValueError, match="step size"):
        mean_weights(problem, 1.0, -0.1)
