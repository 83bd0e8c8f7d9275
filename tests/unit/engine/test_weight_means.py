"""Means of single weights against one weight by hand, an identity, and the closed form of the rotation."""

import numpy as np
import pytest
import torch

from ndgm.engine.methods import METHODS
from ndgm.engine.objectives.lasso import Lasso, MinibatchLasso
from ndgm.engine.weight_means import weight_means


def of_tilted_kinks(slopes, penalty=1.0, step=0.1, method="subgradient", steps=4_000):
    """Weights that do not know of each other, each with a constant slope of its own beside its kink."""
    slopes = torch.tensor(slopes, dtype=torch.float64)
    objective = Lasso(torch.zeros(len(slopes), len(slopes)).double(), -slopes, torch.tensor([[penalty]]).double())
    start = torch.linspace(-0.5, 0.7, len(slopes), dtype=torch.float64)[None]
    sizes = torch.tensor([[step]], dtype=torch.float64)
    return weight_means(objective, METHODS[method], start, sizes, first_steps=1_000, steps=steps)


def test_a_cycle_of_two_steps_by_hand():
    # Without a slope 0.03 goes to −0.07 and back.
    objective = Lasso(torch.zeros(1, 1).double(), torch.zeros(1).double(), torch.ones(1, 1).double())
    found = weight_means(
        objective,
        METHODS["subgradient"],
        torch.tensor([[0.03]], dtype=torch.float64),
        torch.tensor([[0.1]], dtype=torch.float64),
        first_steps=2,
        steps=4,
    )
    by_hand = {"mean": -0.02, "earlier": -0.02, "modulus": 0.05, "sign": 0, "gradient": 0, "inner": 0, "square": 1}
    for name, value in (by_hand | {"variance": 0, "first": 0.03, "last": 0.03}).items():
        assert float(getattr(found, name)) == pytest.approx(value, abs=1e-12), name


def test_the_mean_sign_is_that_of_the_kink_rounded_off_over_one_step():
    slopes = np.sqrt([0.03, 0.11, 0.31, 0.53, 0.83])
    found = of_tilted_kinks([*slopes, *-slopes])
    mean, sign, modulus = (values[0].numpy() for values in (found.mean, found.sign, found.modulus))
    np.testing.assert_allclose(sign, np.clip(mean / 0.1, -1, 1), atol=0.01)
    np.testing.assert_allclose(modulus, mean**2 / 0.2 + 0.05, rtol=0.01)


def test_rmsprop_with_a_long_memory_sees_another_kink():
    slopes = np.sqrt([0.05, 0.31, 0.61])
    found = of_tilted_kinks(slopes, penalty=1.0, step=0.01, method="rmsprop_0.999", steps=20_000)
    mean, sign = (values[0].numpy() for values in (found.mean, found.sign))
    np.testing.assert_allclose(sign, mean / np.hypot(mean, 0.01), atol=0.02)


def test_noise_is_measured_and_the_balance_of_squares_is_exact():
    rng = np.random.default_rng(0)
    design, target = torch.tensor(rng.standard_normal((40, 3))), torch.tensor(rng.standard_normal(40))
    penalty, step = (torch.tensor([[first], [last]], dtype=torch.float64) for first, last in ((0.3, 0.9), (0.05, 0.05)))
    objective = MinibatchLasso(design, target, penalty, 1, [np.random.default_rng(1)])
    start, steps = torch.tensor(rng.standard_normal((2, 3))), 3_000
    found = weight_means(objective, METHODS["subgradient"], start, step, first_steps=500, steps=steps)
    assert (found.variance > 0.01).all()
    # w² over a step: what E w(h + λs) and (η/2)E(h + λs)² differ by is known from both ends.
    ends = (found.first**2 - found.last**2) / (2 * step * steps)
    left = penalty * found.modulus + found.inner
    np.testing.assert_allclose(left, step / 2 * found.square + ends, rtol=1e-9)
    drift = (found.first - found.last) / (step * steps)
    np.testing.assert_allclose(found.gradient + penalty * found.sign, drift, atol=1e-12)
