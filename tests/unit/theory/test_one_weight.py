"""One weight with noise against plain simulations of many copies of it."""

import numpy as np
import pytest

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


@pytest.mark.parametrize("noise", [0.0, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("gradient", [0.0, 0.3, -0.6])
def test_modulus_is_exact_given_the_mean(noise, gradient):
    mean, modulus = simulated(gradient, noise)
    # What chance and the ends of the run leave.
    assert noisy_modulus(STEP_SIZE, PENALTY, gradient, noise, mean) == pytest.approx(modulus, rel=0.01)


@pytest.mark.parametrize("gradient", [0.3, -0.6])
def test_mean_in_both_limits(gradient):
    # Irrational, so that no phase locks: copies start evenly spread and stay so.
    assert quiet_mean(STEP_SIZE, PENALTY, gradient) == pytest.approx(simulated(gradient, 0.0)[0], rel=0.02)
    # SCIENCE: within 4 % at σ = 3λ.
    assert noisy_mean(STEP_SIZE, PENALTY, gradient, 3.0) == pytest.approx(simulated(gradient, 3.0)[0], rel=0.06)


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
