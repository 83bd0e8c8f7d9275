"""Means over time: of one weight in closed form, and what counts as stationary."""

import numpy as np
import pytest
import torch

from ndgm.engine.methods import METHODS
from ndgm.engine.objectives.lasso import Lasso, LassoDesigns
from ndgm.engine.stationary import _median, until_stationary

TOLERANCES = {"norm_tolerance": 0.003, "weight_tolerance": 0.05}


def until(curvature, start, step_size, penalty, most_steps, slope=0.0, **tolerances):
    """The subgradient method on ½aw² − slope·w + λ|w|, a run for each start."""
    one = torch.tensor([[curvature]], dtype=torch.float64)
    penalties = torch.full((len(start), 1), penalty, dtype=torch.float64)
    objective = Lasso(one, torch.tensor([slope], dtype=torch.float64), penalties)
    steps = torch.full_like(penalties, step_size)
    start = torch.tensor(start, dtype=torch.float64).unsqueeze(1)
    return until_stationary(
        objective,
        METHODS["subgradient"],
        start,
        steps,
        steps * penalty,
        first_steps=64,
        most_steps=most_steps,
        **{**TOLERANCES, **tolerances},
    )


@pytest.mark.parametrize("weights", [1, 2, 5, 8])
def test_the_median_is_that_of_pytorch(weights):
    values = torch.tensor(np.random.default_rng(weights).standard_normal((20, weights))).abs()
    values[:, : weights // 2] = 0
    torch.testing.assert_close(_median(values), values.median(1).values, rtol=0, atol=0)


def test_a_cycle_has_the_mean_of_its_two_points():
    # ±p with p = ηλ/(2 − ηa), reached from every start.
    found = until(1.0, [0.013, -0.4], step_size=0.1, penalty=2.0, most_steps=4096)
    assert found.stationary.all()
    np.testing.assert_allclose(found.modulus[:, 0], 0.2 / 1.9, rtol=1e-3)
    np.testing.assert_allclose(found.mean[:, 0], 0, atol=1e-3)


def test_each_run_is_given_when_it_settles():
    found = until(1e-3, [0.05, 2_000.0], step_size=0.1, penalty=1.0, most_steps=2**20, slope=0.3)
    assert found.stationary.all() and found.steps[0] < found.steps[1]
    alone = until(1e-3, [0.05], step_size=0.1, penalty=1.0, most_steps=2**20, slope=0.3)
    torch.testing.assert_close(found.modulus[:1], alone.modulus, rtol=0, atol=0)
    assert found.steps[0] == alone.steps[0] and found.last[0] == alone.last[0]


def test_a_run_that_drifts_is_not_stationary():
    # From 2,000 it comes down by ηλ a step, and is nowhere near when the steps are used up.
    found = until(0.0, [2_000.0], step_size=0.01, penalty=1.0, most_steps=1024)
    assert not found.stationary.any() and found.steps.tolist() == [1024]


@pytest.mark.parametrize("rate", [3e-4, 1e-3])
def test_a_slow_relaxation_is_not_taken_for_rest(rate):
    """From the first block to the second it moves the norm by less than the tolerance, but further each time."""
    # At rest |w| is (slope − λ)/a; it comes from 2 % below.
    rest, any_weight = 0.5 / rate, {"weight_tolerance": np.inf}
    found = until(rate, [0.98 * rest], step_size=1.0, penalty=1.0, most_steps=2**15, slope=1.5, **any_weight)
    assert 0.02 * 1.5 * 64 * rate < TOLERANCES["norm_tolerance"]
    assert found.stationary.all() and found.steps[0] > 1 / rate
    np.testing.assert_allclose(found.modulus[:, 0], rest, rtol=0.003)


def test_a_drift_that_is_small_beside_the_norm_is_seen_beside_the_floor():
    """From below it comes to rest far from zero, by less of its norm in a block than the tolerance."""
    rest, rate, any_weight = 0.5 / 1e-3, 1e-3, {"weight_tolerance": np.inf}
    long = {"step_size": 1.0, "penalty": 1.0, "most_steps": 2**15, "slope": 1.5, **any_weight}
    floor = torch.tensor([1.0], dtype=torch.float64)
    soon = until(rate, [0.999 * rest], **long)
    late = until(rate, [0.999 * rest], **long, floor=floor, floor_tolerance=0.01)
    assert soon.stationary.all() and late.stationary.all() and soon.steps[0] < late.steps[0]
    # What is left of a relaxation is about as much as the last block moved, a hundredth of the floor at most.
    assert abs(late.modulus[0, 0] - rest) < 2 * 0.01 * floor[0] < abs(soon.modulus[0, 0] - rest)
    given = until(rate, [0.999 * rest], **long, floor=floor, floor_tolerance=np.inf)
    assert given.steps[0] == soon.steps[0]


def test_a_drift_too_slow_for_the_norm_is_seen_by_the_weights():
    # Each block moves by a thousandth of the norm and by more than a step.
    found = until(0.0, [1_000.0], step_size=0.01, penalty=1.0, most_steps=256)
    assert not found.stationary.any()


@pytest.mark.filterwarnings("error")
def test_a_run_that_diverges_is_not_stationary():
    found = until(1.0, [1.0], step_size=2.5, penalty=0.1, most_steps=8192)
    assert not found.stationary.any() and not torch.isfinite(found.modulus).any()


@pytest.mark.parametrize("method", ["subgradient", "rmsprop_0.99", "adam"])
def test_designs_that_go_on_alone_end_as_if_they_had_been_alone(method):
    # Of the first design every run settles long before those of the second, which starts far away.
    rng = np.random.default_rng(5)
    Z, y = (torch.tensor(rng.standard_normal((2, 9, *tail))) for tail in ((3,), ()))
    penalty = torch.tensor([[1.0], [2.0]] * 2, dtype=torch.float64)
    step = torch.full_like(penalty, 0.01)
    start = torch.tensor(rng.standard_normal((4, 3))) + torch.tensor([[0.0], [0.0], [5.0], [20.0]], dtype=torch.float64)
    limits = {"first_steps": 64, "most_steps": 2**14, "norm_tolerance": 0.1, "weight_tolerance": 3.0}

    def ends(designs, runs):
        objective = LassoDesigns(Z[designs], y[designs], penalty[runs])
        return until_stationary(objective, METHODS[method], start[runs], step[runs], step[runs], **limits)

    together, alone = ends(slice(0, 2), slice(0, 4)), [ends([0], slice(0, 2)), ends([1], slice(2, 4))]
    assert together.stationary[:2].all() and together.steps[0] < together.steps[3]
    for name, values in vars(together).items():
        torch.testing.assert_close(values, torch.cat([getattr(each, name) for each in alone]), rtol=1e-6, atol=1e-9)
