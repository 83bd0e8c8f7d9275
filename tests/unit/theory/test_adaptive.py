"""Closed forms for adaptive methods, held against loops in NumPy that know nothing of them."""

import numpy as np
import pytest

from ndgm.theory.adaptive import (
    adagrad_floor,
    longest_momentum_cycle,
    momentum_cycle,
    normalised_step,
    rmsprop_cycle,
    rmsprop_cycle_contraction,
    rmsprop_floor,
    sign_floor,
)
from ndgm.theory.lasso import Quadratic
from ndgm.theory.rounded_lasso import PseudoHuber, rmsprop_l1_norm, solve_rounded_lasso

ETA = 0.01


def rmsprop(gradient, w, steps, *, eta=ETA, decay, epsilon=0.0, v=0.0):
    """Iterates of RMSProp, shape (steps, ...)."""
    path = np.empty((steps, *w.shape))
    for step in range(steps):
        path[step] = w
        g = gradient(w)
        v = decay * v + (1 - decay) * g * g
        w = w - eta * g / (np.sqrt(v) + epsilon)
    return path


def momentum_on_absolute_value(w, steps, decay=0.9):
    """Iterates of Adam on |w| with η = 1, its scale at the slope."""
    path, m = np.empty((steps, *w.shape)), np.zeros_like(w)
    for step in range(steps):
        path[step] = w
        m = decay * m + (1 - decay) * np.sign(w)
        w = w - m
    return path


def starts(count, seed=0):
    return np.random.default_rng(seed).standard_normal(count)


@pytest.mark.parametrize("kappa", [0.0, 0.3, 0.7, 0.9])
def test_rmsprop_with_a_long_memory_keeps_its_floor_on_a_tilted_absolute_value(kappa):
    penalty = 3.0

    def gradient(w):
        return penalty * (np.sign(w) - kappa)

    v = penalty**2 * (1 - kappa**2)  # what it settles to, so that the long memory need not be waited for
    path = rmsprop(gradient, 5 * ETA * starts(20), 40_000, decay=0.9999, v=v)
    # A memory of ten thousand steps, and averages over twice as many: some parts in a thousand.
    measured = np.abs(path[20_000:]).mean()
    np.testing.assert_allclose(measured, rmsprop_floor(ETA, penalty, [kappa * penalty]), rtol=5e-3)


def test_rmsprop_floor_on_a_lasso_above_penalty_max():
    rng = np.random.default_rng(1)
    Z = rng.standard_normal((80, 6))
    A, b = Z.T @ Z / 80, np.array([1.0, -0.8, 0.5, 0.3, -0.1, 0.0])
    eta = 1e-3 / np.linalg.eigvalsh(A)[-1]
    floors = []
    for penalty in (1.2, 3.0, 30.0):

        def gradient(w, penalty=penalty):
            return w @ A - b + penalty * np.sign(w)

        path = rmsprop(gradient, eta * starts((10, 6)), 20_000, eta=eta, decay=0.999, v=penalty**2)
        floors.append(np.abs(path[10_000:]).sum(-1).mean())
        np.testing.assert_allclose(floors[-1], rmsprop_floor(eta, penalty, b), rtol=0.01)
    assert floors[0] > floors[1] > floors[2] > 0.999 * sign_floor(eta, 6)  # it falls, towards ηd/2


def small_problem():
    rng = np.random.default_rng(1)
    Z = rng.standard_normal((80, 6))
    return Quadratic(Z.T @ Z / 80, np.array([1.0, -0.8, 0.5, 0.3, -0.17, 0.12]), 1.0)


def norm_and_mean_of_rmsprop(problem, eta, penalty):
    path = rmsprop(
        lambda w: w @ problem.A - problem.b + penalty * np.sign(w),
        eta * starts((10, 6)),
        40_000,
        eta=eta,
        decay=0.999,
    )[20_000:]
    return np.abs(path).sum(-1).mean(), path.mean((0, 1))


@pytest.mark.parametrize("penalty", [0.3, 0.7, 1.1, 1.3])
def test_rmsprop_keeps_the_norm_of_the_lasso_rounded_off_by_its_step(penalty):
    problem, eta = small_problem(), 0.003
    norm, mean = norm_and_mean_of_rmsprop(problem, eta, penalty)
    rounded = solve_rounded_lasso(problem, penalty, PseudoHuber(eta))
    np.testing.assert_allclose(norm, rmsprop_l1_norm(rounded, eta), rtol=0.01)
    # A weight's mean is known only to a part of its hovering, whose phase six weights do not smear out.
    np.testing.assert_allclose(mean, rounded, rtol=0, atol=0.4 * eta)


def test_close_to_penalty_max_the_rounded_problem_is_nearer_than_the_first_order():
    problem, eta, penalty = small_problem(), 0.003, 1.05
    norm, _ = norm_and_mean_of_rmsprop(problem, eta, penalty)
    first_order = abs(norm / rmsprop_floor(eta, penalty, problem.b) - 1)
    rounded = solve_rounded_lasso(problem, penalty, PseudoHuber(eta))
    assert first_order > 0.05 and abs(norm / rmsprop_l1_norm(rounded, eta) - 1) < 0.03


@pytest.mark.parametrize("decay", [0.9, 0.99])
@pytest.mark.parametrize("penalty", [1e-10, 1e-8, 1e-7])
def test_epsilon_scales_the_floor_where_it_rivals_the_penalty(decay, penalty):
    path = rmsprop(lambda w: penalty * np.sign(w), ETA * starts(50), 8_000, decay=decay, epsilon=1e-8, v=penalty**2)
    expected = ETA / 2 * penalty / (penalty + 1e-8)
    np.testing.assert_allclose(np.abs(path[-2:]).mean(), expected, rtol=1e-9)
    np.testing.assert_allclose(rmsprop_floor(ETA, penalty, [0.0], 1e-8), expected, rtol=1e-15)


@pytest.mark.parametrize("curvature", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("decay", [0.5, 0.9, 0.99])
def test_rmsprop_has_a_cycle_of_half_a_step_on_every_parabola(curvature, decay):
    epsilon = 1e-8
    path = rmsprop(lambda w: curvature * w, 3 * ETA * starts(20), 8_000, decay=decay, epsilon=epsilon)
    amplitude = rmsprop_cycle(ETA, curvature, epsilon)
    np.testing.assert_allclose(np.abs(path[-100:]), amplitude, rtol=1e-9)
    np.testing.assert_allclose(path[-1], -path[-2], rtol=1e-9)
    assert abs(amplitude / (ETA / 2) - 1) < 3e-3


@pytest.mark.parametrize("decay", [0.05, 0.3, 0.9, 0.99, 0.999])
def test_rmsprop_returns_to_the_cycle_at_the_rate_of_the_linear_map(decay):
    eta, steps = 2.0, 400 if decay < 0.99 else 4_000
    deviation = np.abs(np.abs(rmsprop(lambda w: w, np.array(1 + 1e-3), steps, eta=eta, decay=decay, v=1.0)) - 1)
    # The envelope over windows of an eighth of the steps, while it is far above rounding.
    envelope = deviation[: steps // 8 * 8].reshape(8, -1).max(1)
    seen = envelope[envelope > 1e-11]
    if len(seen) < 3:  # faster than the windows: the last deviation above rounding tells
        above = np.flatnonzero(deviation > 1e-12)
        rate = (deviation[above[-1]] / 1e-3) ** (1 / above[-1])
    else:
        rate = (seen[-1] / seen[0]) ** (8 / steps / (len(seen) - 1))
    assert rate == pytest.approx(rmsprop_cycle_contraction(decay), rel=0.1 * (1 - decay) + 0.05 * (decay < 0.5))


def test_rmsprop_cycle_contraction_is_the_root_of_the_memory():
    for decay in (1 / 9, 0.5, 0.9, 0.999):
        assert rmsprop_cycle_contraction(decay) == pytest.approx(np.sqrt(decay), rel=1e-7)
    assert rmsprop_cycle_contraction(1e-6) < 1


def test_a_step_on_a_constant_slope_is_as_long_as_rmsprop_takes_it():
    slopes, epsilon = np.array([0.0, 1e-9, 1e-8, 1.0]), 1e-8
    path = rmsprop(lambda w: slopes, np.zeros(4), 4_000, decay=0.99, epsilon=epsilon)
    np.testing.assert_allclose(normalised_step(slopes, epsilon), (path[-2] - path[-1]) / ETA, rtol=1e-12)


def test_sign_descent_keeps_half_a_step_per_weight():
    w, total = 5 * ETA * starts(30), 0.0
    for step in range(2_000):
        total += np.abs(w).sum() * (step >= 1_000)
        w = w - ETA * np.sign(w)
    np.testing.assert_allclose(total / 1_000, sign_floor(ETA, 30), rtol=1e-9)


@pytest.mark.parametrize("kappa", [0.05, 0.6])
def test_adagrad_has_no_floor_but_falls_as_one_over_the_root_of_time(kappa):
    penalty, w, square, steps = 2.0, 3 * ETA * starts(20), 0.0, 40_000
    path = np.empty((steps, 20))
    for step in range(steps):
        path[step] = w
        g = penalty * (np.sign(w) - kappa)
        square = square + g * g
        w = w - ETA * g / np.sqrt(square)
    for first, last in ((5_000, 10_000), (20_000, 40_000)):
        # Arrival takes some tens of steps, of which the sum remembers a thousandth part.
        measured = np.abs(path[first:last]).mean()
        np.testing.assert_allclose(measured, adagrad_floor(ETA, penalty, [kappa * penalty], first, last), rtol=0.01)


@pytest.mark.parametrize("decay", [0.5, 0.9, 0.95])
def test_momentum_has_every_cycle_of_the_family_and_none_longer(decay):
    longest = longest_momentum_cycle(decay)
    for steps in range(1, longest + 2):
        # Momentum as it is when the other side is left for this one, and a start in the middle of those that stay.
        last = (1 - decay**steps) / (1 + decay**steps)
        moves = 1 - (1 + last) * decay ** np.arange(1, steps + 1)
        w, m, path = moves.sum() / 2, -last, []
        for _ in range(20 * steps):
            path.append(w)
            m = decay * m + (1 - decay) * np.sign(w)
            w = w - m
        signs = np.sign(path[: 2 * steps])
        closes = np.allclose(path[: 2 * steps], path[-2 * steps :], rtol=0, atol=1e-9)
        holds = closes and (signs == [1] * steps + [-1] * steps).all()
        assert holds == (steps <= longest)
        if holds:
            mean = momentum_cycle(1.0, decay, steps)
            np.testing.assert_allclose(np.abs(path).mean(), mean, rtol=1e-12)
    with pytest.raises(ValueError, match="no cycle"):
        momentum_cycle(1.0, decay, longest + 1)


def test_the_family_bounds_where_momentum_ends_on_the_absolute_value():
    floors = np.abs(momentum_on_absolute_value(10 * starts(2_000), 3_000)[2_000:]).mean(0)
    smallest, largest = momentum_cycle(1.0, 0.9, 1), momentum_cycle(1.0, 0.9, longest_momentum_cycle(0.9))
    assert smallest == pytest.approx(0.1 / (2 * 1.9))
    # Averages over a thousand steps are not over whole cycles.
    assert floors.min() == pytest.approx(smallest, rel=1e-3) and floors.max() == pytest.approx(largest, rel=1e-2)


def test_heavy_ball_has_the_same_cycles_longer_by_its_memory():
    eta, penalty, decay = 0.1, 2.0, 0.9
    w, velocity, total = 10 * starts(500), np.zeros(500), 0.0
    for step in range(4_000):
        total = total + np.abs(w) * (step >= 3_000)
        velocity = decay * velocity + penalty * np.sign(w)
        w = w - eta * velocity
    assert (total / 1_000).min() == pytest.approx(momentum_cycle(eta * penalty / (1 - decay), decay, 1), rel=1e-3)


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        (lambda: rmsprop_floor(0.1, 1.0, [1.0]), "above max"),
        (lambda: rmsprop_floor(-0.1, 1.0, [0.0]), "step size"),
        (lambda: rmsprop_cycle(0.1, 1e-8, 1e-8), "no cycle"),
        (lambda: rmsprop_cycle(0.1, 0.0), "curvature"),
        (lambda: rmsprop_cycle_contraction(1.0), "decay"),
        (lambda: momentum_cycle(1.0, 0.9, 0), "no cycle"),
        (lambda: longest_momentum_cycle(0.0), "decay"),
        (lambda: sign_floor(0.1, 0), "dimension"),
    ],
)
def test_what_is_out_of_range_is_named(call, fault):
    with pytest.raises(ValueError, match=fault):
        call()
