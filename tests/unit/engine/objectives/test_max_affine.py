"""Largest of linear functions and the resisting oracle, against their formulas, convexity and a proved bound."""

from math import sqrt

import numpy as np
import pytest
import torch
from convex_functions import FEATURES, RUNS, assert_is, assert_is_convex, assert_nothing_is_below_lowest, normal

from ndgm.data.max_affine import slopes_around_zero
from ndgm.engine.objectives.max_affine import MaxAffine, ResistingOracle

SLOPES = normal(RUNS, 7, FEATURES, seed=3)


def test_max_affine_is_its_formula_and_convex():
    objective = MaxAffine(SLOPES, -torch.inf)
    assert_is(objective, lambda w: torch.einsum("rmd,rd->rm", SLOPES, w).max(1).values)
    assert_is_convex(objective)


def test_the_resisting_oracle_is_its_formula_and_convex():
    oracle = ResistingOracle(FEATURES - 1, lipschitz=2.0, radius=3.0)
    assert_is(oracle, lambda w: 2 * torch.maximum(w.max(1).values, (w**2).sum(1).sqrt() - 3 * (1 + 1 / sqrt(FEATURES))))
    assert_is_convex(oracle)
    assert_nothing_is_below_lowest(oracle)


def test_where_the_resisting_oracle_is_least():
    oracle = ResistingOracle(4, lipschitz=2.0, radius=3.0)
    minimiser = torch.full((1, 5), -3 / sqrt(5), dtype=torch.float64)
    assert oracle.value(minimiser).item() == pytest.approx(oracle.lowest, rel=1e-15)


def test_the_first_of_equal_slopes_and_coordinates_counts():
    slopes = torch.tensor([[[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]]]).double()
    assert MaxAffine(slopes, 0.0).subgradient(torch.tensor([[2.0, 2.0]]).double()).tolist() == [[0.0, 1.0]]
    # Also where the norm's term is as large.
    oracle = ResistingOracle(3, lipschitz=2.0, radius=2.0)
    at_tie = torch.tensor([[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, -3.0], [-1.0, 1.0, 1.0, 0.0]]).double()
    assert oracle.subgradient(at_tie).tolist() == [[2, 0, 0, 0], [2, 0, 0, 0], [0, 2, 0, 0]]
    assert oracle.subgradient(torch.tensor([[0.0, 0.0, 0.0, -4.0]]).double()).tolist() == [[0, 0, 0, -2]]


def test_slopes_around_zero_have_their_minimum_there():
    slopes = slopes_around_zero(np.random.default_rng(4), 12, 5)
    np.testing.assert_allclose(np.linalg.norm(slopes, axis=1), 1, rtol=1e-14)
    objective = MaxAffine(torch.tensor(slopes).unsqueeze(0).repeat(50, 1, 1), 0.0)
    # The minimum is at a corner: away from 0 the value is positive, and there is no curvature anywhere.
    assert (objective.value(normal(50, 5, seed=5)) > 0).all()
    assert (objective.sharpness(normal(50, 5)) == 0).all()


@pytest.mark.parametrize("steps", [5, 20, 100])
def test_no_method_beats_the_resisting_oracle(steps):
    oracle, bound = ResistingOracle(steps, lipschitz=2.0, radius=3.0), 6 / sqrt(steps + 1)
    assert oracle.lowest == pytest.approx(-bound, rel=1e-15)
    # Rows: the optimal constant step, a step ten times as long, 1/√k, heavy ball, and Adam-like scaled steps.
    w, velocity, squares = (torch.zeros(5, steps + 1, dtype=torch.float64) for _ in range(3))
    for k in range(steps):
        assert (oracle.value(w) >= -1e-15).all()
        g = oracle.subgradient(w)
        velocity, squares = 0.9 * velocity + g, squares + g**2
        step = 1.5 / sqrt(steps + 1) * g
        step[1], step[2], step[3] = 10 * step[1], g[2] / sqrt(k + 1), 0.1 * velocity[3]
        step[4] = g[4] / (squares[4].sqrt() + 1e-8)
        w = w - step
    gap = oracle.value(w) - oracle.lowest
    assert (gap >= bound * (1 - 1e-14)).all()
    # The first attains it.
    assert gap[0].item() == pytest.approx(bound, rel=1e-14)
