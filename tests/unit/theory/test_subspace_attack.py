"""Laws of off-subspace weights, against sampling with its error, SciPy, and recursions written out."""

import numpy as np
import pytest
import torch
from scipy import integrate, stats

from ndgm.theory.subspace_attack import (
    Point,
    adam_weight,
    decay_factor,
    expected_output,
    flip_distance,
    flip_estimate,
    heavy_ball_factor,
    laws_of_slopes,
    median_deviation_of_gradient,
    median_of_gradient,
    probability_of_gradient,
    rectified_mean,
)

UNITS, DIMENSION, OFF = 400, 64, 48
VARIANCE = 1 / DIMENSION


def network(seed, units=UNITS):
    """What was learnt, made up: pre-activations at x₀, output weights and a bias."""
    rng = np.random.default_rng(seed)
    a, u = rng.standard_normal(units), rng.standard_normal(units) / np.sqrt(units)
    return a, u, 1.0 - u @ np.maximum(a, 0)


def off_subspace(seed, draws, units=UNITS, off=OFF, variance=VARIANCE):
    """First weights in the directions without data, shape (draws, units, ℓ)."""
    return np.random.default_rng(seed).standard_normal((draws, units, off)) * np.sqrt(variance)


def point_with(a, u, bias, w):
    """The network at x₀ with these off-subspace weights, and its slopes along g."""
    g = (u * (a > 0)) @ w
    length = np.linalg.norm(g)
    return Point(a, u, bias, length, VARIANCE), w @ g / length


@pytest.mark.parametrize("penalty", [0.01, 0.1, 3.0])
def test_adam_forgets_the_penalty(penalty):
    start, steps = np.array([0.7, -0.4, 0.05]), 25
    w = torch.nn.Parameter(torch.tensor(start))
    adam = torch.optim.Adam([w], lr=0.01, weight_decay=penalty)
    for _ in range(steps):
        w.grad = torch.zeros_like(w)
        adam.step()
    np.testing.assert_allclose(adam_weight(start, 0.01, steps), w.detach().numpy(), rtol=1e-4, atol=1e-6)
    assert adam_weight(0.7, 0.01, 10) == pytest.approx(0.7 - 10 * 0.01, abs=0.001)


def test_the_squared_gradient_has_the_law_of_chi_square():
    a, u, _ = network(0)
    active = (u**2)[a > 0].sum()
    g = np.stack([(u * (a > 0)) @ w for w in off_subspace(1, 2000)])
    uniform = probability_of_gradient(np.linalg.norm(g, axis=1), active, VARIANCE, OFF)
    assert stats.kstest(uniform, "uniform").pvalue > 0.01
    statistic = (g**2).sum(1) / (VARIANCE * active)
    assert statistic.mean() == pytest.approx(OFF, rel=4 * np.sqrt(2 / OFF / 2000))
    assert statistic.var() == pytest.approx(2 * OFF, rel=4 * np.sqrt((2 + 12 / OFF) / 2000))
    np.testing.assert_allclose(stats.chi2.ppf(uniform, OFF), statistic, rtol=1e-9)


def test_the_medians_are_those_of_samples_of_chi_square():
    sampled = np.random.default_rng(9).chisquare([[16], [48]], (2, 400_000))
    off = np.array([48, 16, 48])
    deviations = np.abs(sampled - np.median(sampled, axis=1, keepdims=True))
    for found, values in ((median_of_gradient(off), sampled), (median_deviation_of_gradient(off), deviations)):
        low, high = np.median(values, axis=1)
        np.testing.assert_allclose(found, [high, low, high], rtol=0.005)  # four standard errors of the smaller median


def test_the_mean_of_a_rectified_normal_is_its_integral():
    for a, s in [(-0.7, 0.3), (0.0, 1.0), (2.0, 0.5), (-5.0, 0.1)]:
        law = stats.norm(a, s)
        integral, _ = integrate.quad(lambda z, law=law: z * law.pdf(z), 0, max(a, 0) + 12 * s, epsabs=1e-13)
        assert rectified_mean(a, s) == pytest.approx(integral, abs=1e-11)
    np.testing.assert_array_equal(rectified_mean([-1.0, 2.0], 0.0), [0, 2])


def test_the_laws_of_the_slopes_given_the_gradient():
    # Given only ‖g‖: slopes less their means, over their deviations, are standard normal over all draws and units.
    a, u, bias = network(2, units=40)
    active = a > 0
    scores = []
    for w in off_subspace(3, 4000, units=40, off=8):
        point, slopes = point_with(a, u, bias, w)
        mean, variance = laws_of_slopes(point)
        scores.append((slopes - mean) / np.sqrt(variance))
    scores = np.array(scores)
    error = 4 / np.sqrt(len(scores))
    assert np.abs(scores.mean(0)).max() < error and np.abs(scores.var(0) - 1).max() < error * np.sqrt(2)
    # The slopes of the active units add up to ‖g‖, whatever they are one by one.
    point, slopes = point_with(a, u, bias, off_subspace(4, 1, units=40, off=8)[0])
    assert u[active] @ slopes[active] == pytest.approx(point.gradient_norm)
    assert u @ laws_of_slopes(point)[0] == pytest.approx(point.gradient_norm)


def conditioned(u, active, gradient, rng, draws):
    """Off-subspace slopes along a given gradient, sampled: free ones, moved so that the active ones give the gradient.

    Conditioning of a Gaussian vector on a linear function of it, without the formula that is tested.
    """
    free = rng.standard_normal((draws, len(u))) * np.sqrt(VARIANCE)
    v = np.where(active, u, 0)
    return free + (gradient - free @ v)[:, None] * v / (v @ v)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_expected_curve_is_the_mean_over_off_subspace_weights(sign):
    a, u, bias = network(5)
    u, bias = sign * u, sign * bias
    point = Point(a, u, bias, 0.6, VARIANCE)
    assert point.output == pytest.approx(sign)
    slopes = conditioned(u, a > 0, 0.6, np.random.default_rng(6), 20_000)
    for t in (0.0, 0.5, 1.5, 4.0):
        sampled = np.maximum(a - sign * t * slopes, 0) @ u + bias
        error = sampled.std() / np.sqrt(len(sampled))
        assert expected_output(point, t) == pytest.approx(sampled.mean(), abs=4 * error + 1e-12)


def first_flip(a, u, bias, slopes):
    """Where f(x₀ − t·sign(f)·ĝ) is zero first, on a fine grid with a line between its points."""
    sign = np.sign(u @ np.maximum(a, 0) + bias)
    t = np.linspace(0, 12, 6001)
    f = sign * (np.maximum(a - sign * t[:, None] * slopes, 0) @ u + bias)
    at = int((f <= 0).argmax())
    assert at > 0
    return t[at - 1] + (t[at] - t[at - 1]) * f[at - 1] / (f[at - 1] - f[at])


@pytest.mark.parametrize("off", [16, 48])
def test_the_flip_distance_is_near_that_of_sampled_networks(off):
    ratios, tangents, estimates = [], [], []
    for seed in range(60):
        a, u, bias = network(100 + seed)
        point, slopes = point_with(a, u, bias, off_subspace(200 + seed, 1, off=off)[0])
        measured = first_flip(a, u, bias, slopes)
        ratios.append(measured / flip_distance(point))
        tangents.append(abs(point.output) / point.gradient_norm / measured)
        estimates.append(measured / flip_estimate(point.output, DIMENSION, off, 1.0))
    assert np.median(ratios) == pytest.approx(1, abs=0.02)
    # What the tangent misses is the flips of units.
    assert np.median(tangents) < 0.97
    assert 1 < np.median(estimates) < 1.3


def test_the_estimate_is_the_tangent_of_a_network_with_the_mean_gradient():
    # ‖g‖² has the mean σ²ℓ/2 where half of Σu² = 1 is active, as it is here.
    units, d, off, scale, output = 400, 16, 6, 0.5, -1.7
    w = np.random.default_rng(4).standard_normal((4_000, units // 2, off)) * scale / np.sqrt(d)
    squared = ((w.sum(1) / np.sqrt(units)) ** 2).sum(1)
    tangent = abs(output) / np.sqrt(squared.mean())
    error = squared.std() / squared.mean() / np.sqrt(len(squared)) / 2
    assert flip_estimate(output, d, off, scale) == pytest.approx(tangent, rel=4 * error)


def test_the_flip_distance_is_the_first_zero_of_the_curve():
    a, u, bias = network(7)
    point = Point(a, u, bias, 0.6, VARIANCE)
    t = flip_distance(point)
    assert expected_output(point, t) == pytest.approx(0, abs=1e-9)
    assert (np.sign(point.output) * expected_output(point, np.linspace(0, 0.999 * t, 500)) > 0).all()


def test_where_nothing_flips_there_is_no_distance():
    a = np.array([1.0, -1.0])
    silent = Point(a, np.array([0.0, 1.0]), 1.0, 0.0, VARIANCE)
    assert np.isnan(flip_distance(silent)) and laws_of_slopes(silent)[1].tolist() == [VARIANCE] * 2
    # One active unit alone has the slope of the gradient, which is certain: f goes down to its bias and stays there.
    alone = Point(np.array([1.0]), np.array([1.0]), 0.5, 0.2, VARIANCE)
    np.testing.assert_allclose(expected_output(alone, [0.0, 2.5, 100.0]), [1.5, 1.0, 0.5])
    assert np.isnan(flip_distance(alone))


def test_weights_decay_as_the_recursions_do():
    weight, ball, velocity = 1.0, 1.0, 0.0
    for step in range(1, 200):
        weight -= 0.1 * 0.3 * weight
        velocity = 0.9 * velocity + 0.3 * ball
        ball -= 0.1 * velocity
        assert decay_factor(0.1, 0.3, step) == pytest.approx(weight, rel=1e-13)
        assert heavy_ball_factor(0.1, 0.3, step) == pytest.approx(ball, rel=1e-13, abs=1e-15)
    # Heavy ball in closed form: the powers of a matrix.
    matrix = np.array([[1 - 0.1 * 0.3, -0.1 * 0.9], [0.3, 0.9]])
    assert heavy_ball_factor(0.1, 0.3, 37) == pytest.approx(np.linalg.matrix_power(matrix, 37)[0, 0], rel=1e-12)
