"""Logistic regression in closed form, against autograd, statsmodels, one dimension, and brute-force iteration."""

import numpy as np
import pytest
import statsmodels.api as sm
import torch
from scipy.optimize import minimize
from scipy.special import expit

from ndgm.data.classification import breast_cancer, two_classes
from ndgm.theory.checks import OrbitError
from ndgm.theory.edge_of_stability import flip_coefficient, scalar, two_cycle
from ndgm.theory.logistic import (
    Minimum,
    SeparableError,
    gradient,
    hard_margin,
    hessian,
    largest_curvature,
    longest_row,
    separation,
    solve_logistic,
    transition_time,
    two_cycles,
)


def noisy(features=2, seed=0):
    return two_classes(np.random.default_rng(seed), samples=80, features=features, wrong=0.25).signed


def loss(signed):
    rows = torch.tensor(signed)
    return lambda w: torch.log1p(torch.exp(-rows @ w)).mean()


@pytest.mark.parametrize("features", [1, 3])
def test_gradient_and_hessian_are_those_of_autograd(features):
    signed = noisy(features)
    for w in np.random.default_rng(1).standard_normal((5, features + 1)):
        point = torch.tensor(w, requires_grad=True)
        (slope,) = torch.autograd.grad(loss(signed)(point), point)
        np.testing.assert_allclose(gradient(signed, w), slope.numpy(), rtol=1e-12, atol=1e-15)
        curvature = torch.autograd.functional.hessian(loss(signed), torch.tensor(w))
        np.testing.assert_allclose(hessian(signed, w), curvature.numpy(), rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("seed", range(3))
def test_minimiser_is_that_of_statsmodels(seed):
    signed = noisy(3, seed)
    labels = signed[:, -1]  # the intercept's column
    fitted = sm.Logit((labels + 1) / 2, signed * labels[:, None]).fit(disp=0, method="newton", tol=1e-14)
    minimum = solve_logistic(signed)
    np.testing.assert_allclose(minimum.weights, fitted.params, rtol=1e-8)
    assert minimum.gradient_norm <= 1e-13
    curvature = torch.autograd.functional.hessian(loss(signed), torch.tensor(minimum.weights)).numpy()
    assert minimum.sharpness == pytest.approx(np.linalg.eigvalsh(curvature)[-1], rel=1e-11)
    assert minimum.threshold == 2 / minimum.sharpness
    np.testing.assert_allclose(curvature @ minimum.direction, minimum.sharpness * minimum.direction, atol=1e-13)


def test_an_intercept_alone_is_the_tilted_softplus():
    # Of ten samples three have the label −1: .7 log(1 + e⁻ᵇ) + .3 log(1 + eᵇ) = log(1 + eᵇ) − .7b.
    signed = np.array([[1.0]] * 7 + [[-1.0]] * 3)
    minimum, function = solve_logistic(signed), scalar("tilted_softplus_0.7")
    assert minimum.weights == pytest.approx([np.log(7 / 3)], rel=1e-13)
    assert minimum.sharpness == pytest.approx(function.lipschitz, rel=1e-13)
    expected = flip_coefficient(function.lipschitz, function.third, function.fourth)
    assert minimum.coefficient == pytest.approx(float(expected), rel=1e-12)
    steps = np.array([1.02, 1.2, 1.5]) * minimum.threshold
    for step_size, cycle in zip(steps, two_cycles(signed, minimum, steps), strict=True):
        high, low = two_cycle(function, step_size)
        np.testing.assert_allclose(np.sort(cycle.points[:, 0] - minimum.weights), [low, high], rtol=1e-10)


@pytest.mark.parametrize("seed", range(3))
def test_coefficient_in_several_dimensions_is_what_cycles_near_the_threshold_have(seed):
    signed = noisy(3, seed)
    minimum = solve_logistic(signed)
    excess = np.array([1e-3, 2e-3])
    cycles = two_cycles(signed, minimum, (2 + excess) / minimum.sharpness)
    error = np.array([cycle.amplitude for cycle in cycles]) ** 2 * minimum.coefficient / excess - 1
    # Of leading order: proportional to ν.
    assert np.abs(error).max() < 0.01
    assert error[1] / error[0] == pytest.approx(2, rel=0.02)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("ratio", [1.01, 1.1, 1.2])
def test_descent_next_to_a_cycle_that_attracts_ends_on_it(seed, ratio):
    signed = noisy(2, seed)
    minimum = solve_logistic(signed)
    step_size = ratio * minimum.threshold
    (cycle,) = two_cycles(signed, minimum, [step_size])
    assert cycle.multiplier < 1
    w = cycle.points[0] + 1e-3 * cycle.amplitude * np.random.default_rng(2).standard_normal(3)
    for _ in range(3_000):
        w = w + step_size * signed.T @ expit(-(signed @ w)) / len(signed)
    assert min(np.linalg.norm(w - point) for point in cycle.points) < 1e-9 * cycle.amplitude
    assert np.linalg.norm(cycle.points[1] - cycle.points[0]) == pytest.approx(2 * cycle.amplitude)


def test_multiplier_is_that_of_autograd():
    signed = noisy()
    minimum = solve_logistic(signed)
    for ratio in (1.1, 2.5):
        step_size = ratio * minimum.threshold
        cycle = two_cycles(signed, minimum, [step_size])[0]

        def step(w, step_size=step_size):
            return w + step_size * torch.tensor(signed).T @ torch.sigmoid(-torch.tensor(signed) @ w) / len(signed)

        jacobian = torch.autograd.functional.jacobian(lambda w: step(step(w)), torch.tensor(cycle.points[0]))
        expected = np.abs(np.linalg.eigvals(jacobian.numpy())).max()
        assert cycle.multiplier == pytest.approx(expected, rel=1e-9)


def test_a_cycle_does_not_depend_on_how_it_was_reached():
    signed = noisy()
    minimum = solve_logistic(signed)
    far = 2.5 * minimum.threshold
    (at_once,) = two_cycles(signed, minimum, [far])
    slowly = two_cycles(signed, minimum, np.linspace(1.001, 2.5, 60) * minimum.threshold)[-1]
    np.testing.assert_allclose(slowly.amplitude, at_once.amplitude, rtol=1e-11)
    assert at_once.residual <= 1e-11 * at_once.amplitude


def test_separation():
    # One dimension without intercept: all on the right side, or not. With w in [−1, 1] the margin is the smallest.
    assert separation(np.array([[0.5], [2.0]])) == pytest.approx(0.5)
    assert separation(np.array([[0.5], [-2.0]])) == 0
    # y = ±1 at (±1, 0) and (0, ±1) with w = (1, 1).
    assert separation(np.array([[1.0, 0.0], [0.0, 1.0]])) == pytest.approx(1)
    assert separation(noisy()) == 0
    assert separation(two_classes(np.random.default_rng(0), samples=50, features=4, wrong=0.0).signed) > 0
    # Wolberg's data are linearly separable with all 30 features, as their description says.
    rng = np.random.default_rng(0)
    assert separation(breast_cancer(rng).signed) > 0
    assert separation(breast_cancer(rng, components=1).signed) == 0


def test_the_hard_margin_by_hand():
    # A row alone; two at right angles, with w between them; none where they oppose each other.
    assert hard_margin(np.array([[3.0, 4.0]])) == pytest.approx(5)
    assert hard_margin(np.array([[1.0, 0.0], [0.0, 1.0]])) == pytest.approx(0.5**0.5)
    assert hard_margin(np.array([[1.0, 0.0], [-1.0, 0.0]])) == 0
    assert hard_margin(noisy()) == 0


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("make", [lambda rng: two_classes(rng, samples=50, features=4, wrong=0.0), breast_cancer])
def test_the_hard_margin_is_that_of_a_quadratic_program(make, scale):
    signed = make(np.random.default_rng(0)).signed
    rows = signed / longest_row(signed)
    # The shortest w with Mw ≥ 1 has the length 1/margin.
    program = minimize(
        lambda w: 1e-6 * w @ w,
        np.zeros(rows.shape[1]),
        jac=lambda w: 2e-6 * w,
        constraints={"type": "ineq", "fun": lambda w: rows @ w - 1, "jac": lambda w: rows},
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-14},
    )
    assert (rows @ program.x).min() == pytest.approx(1, rel=1e-6)
    margin = longest_row(signed) / np.linalg.norm(program.x)
    assert hard_margin(scale * signed) == pytest.approx(scale * margin, rel=1e-6)


def test_the_transition_time_does_not_depend_on_the_unit():
    signed = two_classes(np.random.default_rng(0), samples=50, features=4, wrong=0.0).signed
    times = [
        transition_time(step_size / unit**2, 50, longest_row(unit * signed), hard_margin(unit * signed))
        for unit in (1, 10)
        for step_size in (1e-3, 1e3)
    ]
    np.testing.assert_allclose(times[:2], times[2:], rtol=1e-9)
    # By hand: rows of length 2 with a margin of 1, so γ = 1/2.
    assert transition_time(3.0, 5, 2.0, 1.0) == 3 * 4 * 4 and transition_time(1.0, 5, 2.0, 1.0) == 5 * 4


def test_the_largest_curvature_is_that_at_zero_and_nowhere_exceeded():
    signed, rng = noisy(features=3), np.random.default_rng(1)
    largest = largest_curvature(signed)
    assert largest == pytest.approx(np.linalg.norm(hessian(signed, np.zeros(4)), 2), rel=1e-13)
    for scale in (0.01, 0.3, 5.0):
        assert np.linalg.norm(hessian(signed, scale * rng.standard_normal(4)), 2) < largest


def test_bad_input():
    with pytest.raises(SeparableError, match="nothing minimises"):
        solve_logistic(np.array([[1.0], [2.0]]))
    with pytest.raises(ArithmeticError, match="stays at"):
        solve_logistic(noisy(), tolerance=0.0)
    signed = noisy()
    minimum = solve_logistic(signed)
    with pytest.raises(OrbitError, match="the minimiser attracts"):
        two_cycles(signed, minimum, [minimum.threshold])
    below = Minimum(minimum.weights, minimum.sharpness, minimum.direction, -1.0, 0.0)
    with pytest.raises(OrbitError, match="positive coefficient"):
        two_cycles(signed, below, [1.1 * minimum.threshold])
