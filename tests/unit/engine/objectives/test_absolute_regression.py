"""Regression with the absolute loss, sharp or rounded off, against its plain formula and what convexity says."""

import pytest
import torch
from convex_functions import (
    DESIGNS,
    FEATURES,
    RUNS,
    SAMPLES,
    WIDTHS,
    assert_is,
    assert_is_convex,
    assert_nothing_is_below_lowest,
    column,
    huber,
    normal,
    products,
)

from ndgm.engine.objectives.absolute_regression import AbsoluteRegression

TARGETS = {"shared": normal(SAMPLES, seed=2), "per_block": normal(3, SAMPLES, seed=2)}
every_kind_of_design = pytest.mark.parametrize("blocks", DESIGNS)


def absolute(blocks):
    return AbsoluteRegression(DESIGNS[blocks], TARGETS[blocks], WIDTHS)


def plain(blocks):
    target = TARGETS[blocks]
    targets = target if target.ndim == 1 else target.repeat_interleave(RUNS // len(target), 0)
    return lambda w: huber(products(DESIGNS[blocks], w) - targets, WIDTHS).mean(1)


@every_kind_of_design
def test_it_is_its_formula_and_convex(blocks):
    assert_is(absolute(blocks), plain(blocks))
    assert_is_convex(absolute(blocks))
    assert_nothing_is_below_lowest(absolute(blocks))


def test_its_infimum_is_zero_where_the_design_fits():
    design, w = DESIGNS["shared"].round(), normal(FEATURES, seed=5).round()  # so that the fit is exact
    objective = AbsoluteRegression(design, design @ w, WIDTHS)
    assert (objective.value(w.expand(RUNS, -1)) == objective.lowest).all()


def test_sign_of_zero_is_zero():
    design, w = torch.tensor([[1.0, -1.0], [1.0, 1.0]]).double(), torch.tensor([[2.0, 2.0]]).double()
    objective = AbsoluteRegression(design, torch.tensor([0.0, 1.0]).double(), column(0.0))
    assert objective.subgradient(w).tolist() == [[0.5, 0.5]]
