"""One weight with noise against plain simulations of many copies of it, and against its stationary density."""

import numpy as np
import pytest
from scipy.stats import norm

from ndgm.theory.one_weight import noisy_mean, noisy_modulus, quiet_mean

STEP_SIZE, PENALTY = 1e-3, 1.0


def simulated(gradient, noise, steps=6_000, copies=4_000):
    """Means of w and |w| over copies and the last two thirds of the steps."""
    rng = np.random.default_rng(0)
    w = STEP_SIZE * PENALTY * rng.uniform(-1, 1, copies)
    mean = modulus = 0.0
    for step in range(steps):
        w = w - STEP_SIZE * (gradient + PENALTY * np.sign(w) + noise * rng.standard_normal(copies))
        if step >= steps // 3:
            mean, modulus = mean + w.mean(), modulus + np.abs(w).mean()
    kept = steps - steps // 3
    return mean / kept, modulus / kept


def stationary(gradient, noise):
    """Means of w, sign(w) and |w| by the density that a step with Gaussian noise leaves as it is, for η = λ = 1.

    Steps go from the middles of cells to cells; the one around zero has half of each sign.
    """
    cell = noise / 20
    count = int((7 * noise**2 / (1 - abs(gradient)) + 5 * noise) / cell)
    w = np.arange(-count, count + 1) * cell
    steps = np.zeros((len(w), len(w)))
    for sign in (-1, 1):
        share = (1 + sign * np.sign(w)) / 2
        below = norm.cdf((w + cell / 2 - (w - gradient - sign)[:, np.newaxis]) / noise)
        below[:, -1] = 1
        steps += share[:, np.newaxis] * np.diff(below, axis=1, prepend=0)
    equations, right = steps.T - np.eye(len(w)), np.zeros(len(w))
    equations[0], right[0] = 1, 1
    density = np.linalg.solve(equations, right)
    return density @ w, density @ np.sign(w), density @ np.abs(w)


@pytest.mark.parametrize("noise", [0.0, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("gradient", [0.0, 0.3, -0.6])
def test_modulus_is_exact_given_the_mean(noise, gradient):
    mean, modulus = simulated(gradient, noise)
    # What chance and the ends of the run leave.
    assert noisy_modulus(STEP_SIZE, PENALTY, gradient, noise, mean) == pytest.approx(modulus, rel=0.01)


@pytest.mark.parametrize("gradient", [0.3, -0.6])
def test_mean_without_noise(gradient):
    # Irrational, so that no phase locks: copies start evenly spread and stay so.
    assert quiet_mean(STEP_SIZE, PENALTY, gradient) == pytest.approx(simulated(gradient, 0.0)[0], rel=0.02)


@pytest.mark.parametrize(("noise", "within"), [(1.0, 0.11), (2.0, 0.018), (4.0, 0.003), (6.0, 0.001)])
@pytest.mark.parametrize("gradient", [0.3, -0.6])
def test_mean_with_much_noise_is_that_of_the_stationary_density(noise, within, gradient):
    mean, sign, modulus = stationary(gradient, noise)
    assert sign == pytest.approx(-gradient, abs=1e-4)
    assert noisy_modulus(1.0, 1.0, gradient, noise, mean) == pytest.approx(modulus, rel=1e-3)
    assert noisy_mean(1.0, 1.0, gradient, noise) == pytest.approx(mean, rel=within)


def test_without_noise_modulus_is_that_of_an_even_spread():
    # H(m) = m²/(2ηλ) + ηλ/2 at m = −ηg.
    mean, width = quiet_mean(STEP_SIZE, PENALTY, 0.4), STEP_SIZE * PENALTY
    expected = mean**2 / (2 * width) + width / 2
    assert noisy_modulus(STEP_SIZE, PENALTY, 0.4, 0.0, mean) == pytest.approx(expected, rel=1e-12)


def test_bad_inputs_raise():
    with pytest.raises(ValueError, match="smaller than the penalty"):
        quiet_mean(0.1, 1.0, 1.0)
    with pytest.raises(ValueError, match="negative"):
        noisy_modulus(0.1, 1.0, 0.0, -1.0, 0.0)
    with pytest.raises(ValueError, match="step size"):
        noisy_mean(0.0, 1.0, 0.0, 1.0)
