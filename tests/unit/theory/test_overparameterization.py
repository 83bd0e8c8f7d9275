"""Closed forms of wide two-layer networks, against sampling, matrix functions, quadrature and wide networks."""

import numpy as np
import pytest
from scipy import integrate, linalg, stats

from ndgm.theory.overparameterization import (
    KernelDynamics,
    angle_of,
    arc_cosine_kernel,
    conflicting_pair,
    crossing_share,
    decay_rate,
    empty_gap_eigenvalue,
    kernel_steps,
    late_deficit,
    laziness,
    pair_gradient,
    smooth_pair_gradient,
    steps_for_pair,
)

N, D, STEP = 6, 4, 0.7
UNITS = 400_000


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def on_the_sphere(rng, *shape):
    x = rng.standard_normal(shape)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


@pytest.fixture
def problem(rng):
    """Inputs, targets and the kernel's dynamics."""
    x, y = on_the_sphere(rng, N, D), rng.choice([-1.0, 1.0], N)
    return x, y, KernelDynamics.of(arc_cosine_kernel(x), y, STEP)


def test_the_kernel_is_the_mean_over_units(rng):
    x = 2 * on_the_sphere(rng, N, D)
    active = x @ rng.standard_normal((D, UNITS)) > 0
    means = (active.astype(float) @ active.T) / UNITS
    # Six standard errors of a probability.
    np.testing.assert_allclose(arc_cosine_kernel(x), means * (x @ x.T), atol=6 * 4 * 0.5 / np.sqrt(UNITS))
    np.testing.assert_allclose(np.diag(arc_cosine_kernel(x)), 2, rtol=1e-15)
    np.testing.assert_allclose(arc_cosine_kernel(np.stack([x, x[::-1]]))[1], arc_cosine_kernel(x[::-1]), rtol=1e-15)


def test_the_kernel_of_two_inputs_that_are_almost_one_keeps_its_digits():
    # With the arc cosine, half of the digits of the angle would be lost: 1e-9 of a distance of 1e-9.
    distance = 1e-9
    x = np.array([[1.0, 0.0], [1.0, distance]])
    inner = 2 * np.pi * arc_cosine_kernel(x)[0, 1]
    np.testing.assert_allclose(np.pi - inner, distance, rtol=1e-6)


@pytest.mark.parametrize("steps", [1, 7, 40])
def test_losses_and_moves_are_those_of_matrix_powers(problem, steps):
    x, y, dynamics = problem
    kernel = arc_cosine_kernel(x)
    forward = np.eye(N) - STEP * kernel
    residual = linalg.fractional_matrix_power(forward, steps) @ -y
    np.testing.assert_allclose(dynamics.losses(steps), residual @ residual / 2, rtol=1e-10)
    # In the space of weights the move is −ηJᵀΣr, whose square is η²(Σr)ᵀH(Σr).
    sums = linalg.solve(STEP * kernel, residual + y)
    np.testing.assert_allclose(dynamics.move(steps) ** 2, STEP**2 * sums @ kernel @ sums, rtol=1e-9)
    root, path, r = linalg.sqrtm(kernel), 0.0, -y
    for _ in range(steps):
        path += STEP * np.linalg.norm(root @ r)
        r = forward @ r
    np.testing.assert_allclose(dynamics.path(steps), path, rtol=1e-10)
    if steps == 1:
        assert dynamics.path(steps) == pytest.approx(dynamics.move(steps), rel=1e-12)
    else:
        assert dynamics.path(steps) > dynamics.move(steps)
    assert r @ kernel @ r >= dynamics.gradient_bound * (r @ r)


def trained(x, y, w, v, steps, step_size):
    """Losses, distance from the start and path of a ReLU network, written out with NumPy."""
    first, path, losses, ratios = w.copy(), 0.0, [], []
    for _ in range(steps):
        z = x @ w
        r = np.maximum(z, 0) @ v - y
        g = x.T @ ((z > 0) * np.outer(r, v))
        losses.append(r @ r / 2)
        ratios.append((g**2).sum() / (r @ r))
        path += step_size * np.linalg.norm(g)
        w = w - step_size * g
    return np.array(losses), np.linalg.norm(w - first), path, np.array(ratios)


def mirrored(rng, inputs, width):
    half = rng.standard_normal((inputs, width // 2))
    return np.hstack([half, half]), np.repeat([1, -1], width // 2) / np.sqrt(width)


def test_a_wide_network_follows_the_kernel_and_a_wider_one_follows_it_closer(problem):
    x, y, dynamics = problem
    errors = []
    for width in (500, 50_000):
        found = []
        for seed in range(6):
            losses, move, path, ratios = trained(x, y, *mirrored(np.random.default_rng(seed), D, width), 30, STEP)
            found.append([move / dynamics.move(30), path / dynamics.path(30), losses[4] / dynamics.losses(4)])
            assert width < 50_000 or ratios.min() > 0.95 * dynamics.gradient_bound
        errors.append(np.sqrt(np.square(np.array(found) - 1).mean()))
    # Errors fall like 1/√m, tenfold here.
    assert errors[1] < 0.02 and errors[1] < errors[0] / 4


def test_steps_between_two_shares_are_those_of_gradient_descent_written_out():
    # Opposite targets of a pair are an eigenvector.
    separation, residual, losses = 0.7, np.array([1.0, -1.0]), []
    kernel = arc_cosine_kernel(conflicting_pair(separation))
    for _ in range(60):
        losses.append(residual @ residual / 2)
        residual = residual - STEP * kernel @ residual
    for early, late in [(0, 1), (0, 59), (13, 40)]:
        share, since = losses[late] / losses[0], losses[early] / losses[0]
        steps = kernel_steps(pair_gradient(separation), STEP, share, since)
        np.testing.assert_allclose(steps, late - early, rtol=1e-10)


def test_the_kernel_of_many_points_loses_in_the_end_as_its_smallest_eigenvalue_does(problem):
    dynamics = problem[2]
    early, late = 800, 810
    since, share = dynamics.losses([early, late]) / dynamics.losses(0)
    np.testing.assert_allclose(kernel_steps(dynamics.eigenvalues[0], STEP, share, since), late - early, rtol=1e-6)


@pytest.mark.parametrize(("share", "since"), [(1.0, 1.0), (1e-2, 1e-4), (0.0, 1.0)])
def test_a_loss_does_not_fall_to_a_larger_share_or_to_nothing(share, since):
    with pytest.raises(ValueError, match="share must be between 0 and 1"):
        kernel_steps(0.2, STEP, share, since)


def test_wide_networks_are_as_lazy_as_their_width_says(problem):
    x, y, _ = problem
    widths, seen = (1_600, 25_600), []
    for width in widths:
        of_width = []
        for seed in range(6):
            first, v = mirrored(np.random.default_rng(seed), D, width)
            w = first.copy()
            for _ in range(30):
                z = x @ w
                w -= STEP * x.T @ ((z > 0) * np.outer(np.maximum(z, 0) @ v - y, v))
            of_width.append([((x @ w > 0) != (x @ first > 0)).mean(), np.linalg.norm(w - first, axis=0).max()])
        seen.append(np.mean(of_width, axis=0))
    # Of second order is a share of about m^-½, 0.025 at the smaller width, several times over.
    np.testing.assert_allclose(seen[1] / seen[0], laziness(widths[1], widths[0]), rtol=0.1)


def test_steps_that_are_too_long_and_kernels_without_a_bound_are_refused(problem):
    x, y, dynamics = problem
    with pytest.raises(ValueError, match="between 0 and"):
        KernelDynamics.of(arc_cosine_kernel(x), y, 2.1 / dynamics.eigenvalues[-1])
    with pytest.raises(ValueError, match="eigenvalue must be positive"):
        KernelDynamics.of(np.ones((2, 2)), [1, -1], 0.1)


@pytest.mark.parametrize("separation", [1e-6, 0.05, 0.4, 1.0, 2.0])
def test_the_gradient_at_a_pair_is_the_smaller_eigenvalue_of_its_kernel(separation):
    pair = conflicting_pair(separation)
    np.testing.assert_allclose(np.linalg.norm(pair[0] - pair[1]), separation, rtol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(pair, axis=1), 1, rtol=1e-14)
    np.testing.assert_allclose(
        pair_gradient(separation), linalg.eigvalsh(arc_cosine_kernel(pair))[0], atol=1e-15, rtol=1e-9
    )


def test_the_gradient_at_a_pair_is_the_first_power_and_that_of_sampled_units(rng):
    small = np.array([1e-3, 1e-4])
    np.testing.assert_allclose(pair_gradient(small) / (small / (2 * np.pi)), 1, atol=2e-3)
    pair, w = conflicting_pair(0.3), rng.standard_normal((2, UNITS))
    one, other = ((pair[i] @ w > 0)[:, None] * pair[i] for i in (0, 1))
    each = ((one - other) ** 2).sum(1) / 2
    assert abs(each.mean() - pair_gradient(0.3)) < 6 * each.std() / np.sqrt(UNITS)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


SMOOTH = {
    "tanh": (lambda z: 1 - np.tanh(z) ** 2, lambda z: -2 * np.tanh(z) * (1 - np.tanh(z) ** 2)),
    "softplus": (sigmoid, lambda z: sigmoid(z) * sigmoid(-z)),
    "gelu": (lambda z: stats.norm.cdf(z) + z * stats.norm.pdf(z), lambda z: (2 - z**2) * stats.norm.pdf(z)),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_a_smooth_activation_has_the_second_power(name, rng):
    slope, second = SMOOTH[name]
    expected, _ = integrate.quad(lambda z: (slope(z) ** 2 + second(z) ** 2) * stats.norm.pdf(z), -12, 12)
    np.testing.assert_allclose(smooth_pair_gradient(0.1, slope, second), 0.01 / 2 * expected, rtol=1e-6)
    pair, w = conflicting_pair(0.02), rng.standard_normal((2, UNITS))
    one, other = (slope(pair[i] @ w)[:, None] * pair[i] for i in (0, 1))
    each = ((one - other) ** 2).sum(1) / 2
    # What the leading order leaves out is a share of about φ².
    tolerance = 6 * each.std() / np.sqrt(UNITS) + 0.02**2 * each.mean()
    assert abs(each.mean() - smooth_pair_gradient(0.02, slope, second)) < tolerance


def test_an_activation_whose_second_derivative_jumps_at_0_has_it_too():
    # Gauss–Hermite quadrature over both sides is off by 8 % for softsign.
    def slope(z):
        return 1 / (1 + np.abs(z)) ** 2

    def second(z):
        return -2 * np.sign(z) / (1 + np.abs(z)) ** 3

    half, _ = integrate.quad(lambda z: (slope(z) ** 2 + second(z) ** 2) * stats.norm.pdf(z), 0, 12, epsabs=1e-14)
    np.testing.assert_allclose(smooth_pair_gradient(0.1, slope, second), 0.01 / 2 * 2 * half, rtol=1e-10)


@pytest.mark.parametrize("separation", [0.0, -0.1, 2.1])
def test_separations_of_no_two_points_are_refused(separation):
    with pytest.raises(ValueError):
        angle_of(separation)


def late_rate(separation, width, rng, steps):
    """What log L loses a step over the last quarter of the steps."""
    losses = trained(conflicting_pair(separation), np.array([1.0, -1.0]), *mirrored(rng, 2, width), steps, 1.0)[0]
    later = 3 * steps // 4
    return np.log(losses[later] / losses[-1]) / (steps - 1 - later)


def test_the_deficit_of_a_wide_network_is_what_its_crossings_cost():
    separation, width = 0.4, 60_000
    rates = np.array([late_rate(separation, width, np.random.default_rng(seed), 80) for seed in range(12)])
    deficits = 1 - rates / decay_rate(pair_gradient(separation), 1.0)
    error = deficits.std() / np.sqrt(len(rates))
    predicted = late_deficit(width, separation, 1.0)
    # Of second order is about the square of the first.
    assert abs(deficits.mean() - predicted) < 5 * error + predicted**2
    assert predicted > 10 * error


def test_crossings_have_their_limit_at_small_separations():
    small, width = 1e-4, 1e30
    limit = np.pi**2 * np.sqrt(2 / np.pi) / (small**2 * np.sqrt(width))
    np.testing.assert_allclose(crossing_share(width, small), limit, rtol=1e-3)
    assert late_deficit(1.0, 0.4, 1.0) == 1


def test_a_narrow_network_leaves_the_gap_empty():
    separation, width = 0.1, 500
    rates = [late_rate(separation, width, np.random.default_rng(seed), 2_000) for seed in range(8)]
    # Of the independent half of the units a share ½ ± ½/√(m/2) is active on both inputs.
    error = 6 / np.sqrt(width / 2) / np.sqrt(len(rates))
    np.testing.assert_allclose(np.mean(rates), decay_rate(empty_gap_eigenvalue(separation), 1.0), rtol=error)


@pytest.mark.parametrize(
    ("width", "separation"), [(1_000, 0.1), (1_000, 0.4), (25_600, 0.2), (60_000, 0.4), (1_000, 1.8)]
)
def test_steps_for_a_pair_are_enough_and_not_many_more(width, separation):
    steps = steps_for_pair(width, separation, 1.0, 1e-4)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        pair, y = conflicting_pair(separation), np.array([1.0, -1.0])
        losses = trained(pair, y, *mirrored(rng, 2, width), steps, 1.0)[0]
        reached = np.flatnonzero(losses <= 1e-4 * losses[0])
        assert len(reached) and reached[0] > steps / 2.5
