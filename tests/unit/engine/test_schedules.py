"""Schedules of the step size against their formulas."""

import numpy as np
import pytest

from ndgm.engine.schedules import (
    constant,
    geometric,
    held_inverse_square_root,
    inverse_square_root,
    inverse_time,
    linear,
)
from ndgm.theory.convergence import geometric_rate, last_geometric, last_inverse_square_root

STEPS, K = 1_000, np.arange(1_000)


@pytest.mark.parametrize(
    ("schedule", "formula"),
    [
        (constant, np.ones(STEPS)),
        (inverse_square_root, 1 / np.sqrt(K + 1)),
        (inverse_time, 1 / (1 + 1e-6 * K)),
        (linear, (STEPS - K) / STEPS),
    ],
)
def test_schedules_from_the_first_step_on(schedule, formula):
    np.testing.assert_allclose([schedule(done, STEPS) for done in K], formula, rtol=1e-12)


def test_schedules_hold_the_step_for_half_the_run_and_then_follow_their_formulas():
    held = STEPS // 2
    j = np.arange(1, STEPS - held + 1)
    for schedule, decay in ((held_inverse_square_root, 1 / np.sqrt(j)), (geometric, 1e-6 ** (j / len(j)))):
        factors = [schedule(done, STEPS) for done in K]
        assert factors[:held] == [1.0] * held
        np.testing.assert_allclose(factors[held:], decay, rtol=1e-12)


@pytest.mark.parametrize("steps", [2, 7, 1_000])
def test_the_geometric_rate_is_what_the_factor_loses_with_each_step(steps):
    factors = [geometric(done, steps) for done in range(steps)]
    np.testing.assert_allclose(np.diff(np.log10(factors))[steps // 2 - 1 :], geometric_rate(steps), rtol=1e-12)
    assert factors[-1] == 1e-6


@pytest.mark.parametrize(
    ("schedule", "last"), [(held_inverse_square_root, last_inverse_square_root), (geometric, last_geometric)]
)
def test_the_last_step_is_the_factor_at_the_last_step(schedule, last):
    steps = np.array([2, 7, STEPS])
    np.testing.assert_allclose(last(steps), [schedule(each - 1, each) for each in steps], rtol=1e-12)
