"""ReLU regression with a dial on its kink, against its plain formula, convexity, rescaling and stationarity."""

from math import sqrt

import numpy as np
import pytest
import torch
from convex_functions import (
    DESIGNS,
    FEATURES,
    RUNS,
    assert_is,
    assert_is_convex,
    assert_nothing_is_below_lowest,
    column,
    normal,
    products,
)

from ndgm.engine.descent import Schedule, descend
from ndgm.engine.methods import METHODS
from ndgm.engine.objectives.relu_regression import ReluRegression
from ndgm.theory.l1_paradox import stationarity_residual

KINKS = column(0, 0.1, 1, 0, 2, 5)


@pytest.mark.parametrize("blocks", DESIGNS)
def test_it_is_its_formula_and_convex(blocks):
    objective = ReluRegression(DESIGNS[blocks], KINKS)

    def plain(w):
        return 0.5 * ((products(DESIGNS[blocks], w).relu() + KINKS) ** 2).mean(1) - KINKS[:, 0] ** 2 / 2

    assert_is(objective, plain)
    assert_is_convex(objective)
    assert_nothing_is_below_lowest(objective)


def test_its_kink_and_its_minimum_are_at_zero():
    objective, zero = ReluRegression(DESIGNS["shared"], KINKS), torch.zeros(RUNS, FEATURES, dtype=torch.float64)
    assert (objective.value(zero) == objective.lowest).all()
    # relu′(0) = 0, in all rows and in one: the row that is orthogonal to w does not count.
    assert (objective.subgradient(zero) == 0).all()
    design, w = torch.tensor([[1.0, -1.0], [1.0, 1.0]]).double(), torch.tensor([[2.0, 2.0]]).double()
    assert ReluRegression(design, column(3.0)).subgradient(w).tolist() == [[3.5, 3.5]]


def test_the_size_of_the_kink_only_rescales():
    # Doubling is exact in floating point, so the runs agree bit by bit.
    start, step_size = normal(RUNS, FEATURES, seed=6), column(0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
    ends = []
    for scale in (1.0, 2.0):
        objective, w = ReluRegression(DESIGNS["shared"], torch.full_like(KINKS, scale)), scale * start
        for _ in range(300):
            w = w - step_size * objective.subgradient(w)
        ends.append((w, objective.value(w)))
    assert torch.equal(ends[1][0], 2 * ends[0][0]) and torch.equal(ends[1][1], 4 * ends[0][1])
    assert (ends[0][1] > 0).all()


def test_a_kink_makes_a_floor_proportional_to_the_step():
    # 100 × 20 Gaussian designs, 20,000 steps: without a kink the gap vanishes, with one it stays at about 1e-2.
    kink, step_size = column(*3 * [0.0, 1.0, 1.0]), column(*3 * [0.1, 0.1, 0.01])
    objective = ReluRegression(normal(3, 100, 20, seed=7), kink)
    start = (normal(9, 20, seed=8) / sqrt(20)).T.clone(memory_format=torch.contiguous_format).T
    steps, average_from = 20_000, 10_000
    schedule = Schedule(steps, (average_from, steps), average_from)
    measured = descend(objective, METHODS["subgradient"], start, step_size, schedule).measured
    names = ("mean_objective", "mean_squared_gradient_norm", "mean_inner_product")
    mean_objective, squared, inner_product = (measured[name][-1] for name in names)
    # The linear rate depends on the design; three others reached 1e-60 to 1e-123.
    assert (measured["objective"][-1].reshape(3, 3)[:, 0] < 1e-50).all()
    floor = mean_objective.reshape(3, 3)[:, 1:]
    assert ((floor[:, 0] > 5e-3) & (floor[:, 0] < 2e-2)).all()
    # The floor is c²(Φη + O(η²)); with ηL about .2 the second term is a few percent.
    np.testing.assert_allclose(floor[:, 0] / floor[:, 1], 10, rtol=0.1)
    # The identity, to rounding over 10,000 steps; and ½⟨w, g⟩ ≤ f ≤ ⟨w, g⟩, at the upper end for short steps.
    residual = stationarity_residual(
        penalty=0.0,
        step_size=step_size[:, 0].numpy(),
        l1_norm=0.0,
        squared_subgradient=squared,
        inner_product=inner_product,
        squared_norm_decrease=-np.diff(measured["squared_norm"], axis=0)[-1] / (steps - average_from),
    )
    assert (residual < 1e-11).all()
    share = (mean_objective / inner_product).reshape(3, 3)[:, 1:]
    assert ((share > 0.5) & (share < 1)).all() and (share[:, 1] > 0.99).all()
