"""Medians and their intervals by cell, held against numpy and scipy."""

import numpy as np
import pytest
from scipy import stats

from ndgm.decide.cells import ROUNDING, Cells, rank_of_bound, sign_test

SIZES = [1, 2, 5, 8, 20]


@pytest.fixture
def by_cell():
    """Values of cells of several sizes, and all of them in any order, with their cells."""
    rng = np.random.default_rng(0)
    values = [rng.lognormal(size=n) - 1 for n in SIZES]
    order = rng.permutation(sum(SIZES))
    place = np.repeat(np.arange(len(SIZES)), SIZES)
    return values, Cells.of(np.concatenate(values)[order], place[order])


def test_medians_and_counts_are_those_of_each_cell(by_cell):
    values, cells = by_cell
    assert cells.n.tolist() == SIZES
    assert cells.medians() == pytest.approx([np.median(here) for here in values])
    for bound in (-0.3, 0.0, 0.5):
        assert cells.above(bound).tolist() == [(here > bound).sum() for here in values]
        assert cells.below(bound).tolist() == [(here < bound).sum() for here in values]


def test_a_value_on_a_bound_is_on_neither_side():
    deviation = np.array([0.05, 1.05 - 1, 0.05 + 2 * ROUNDING, 0.05 - 2 * ROUNDING, 0.0, ROUNDING / 2])
    cells = Cells.of(deviation, np.zeros(6, dtype=int))
    assert (cells.above(0.05).tolist(), cells.below(0.05).tolist()) == ([1], [3])
    assert (cells.above(0).tolist(), cells.below(0).tolist()) == ([4], [0])


def test_a_value_of_unknown_order_is_on_neither_side_of_any_bound():
    deviation, cell = np.array([0.3, 0.0, -0.1, 0.0, 0.2, 0.0]), np.array([1, 0, 0, 1, 0, 1])
    cells = Cells.of(deviation, cell, np.array([False, True, False, True, False, False]))
    for bound in (-1.0, -0.05, 0.0, 0.05, 1.0):
        known = [np.array([-0.1, 0.2]), np.array([0.0, 0.3])]
        assert cells.above(bound).tolist() == [(here > bound).sum() for here in known]
        assert cells.below(bound).tolist() == [(here < bound).sum() for here in known]
    assert cells.medians().tolist() == [0.0, 0.0]
    drawn = cells.drawn(np.array([[0, 1, 1, 3, 4, 5], [0, 2, 2, 5, 5, 5]]))
    assert (drawn.above(-1).tolist(), drawn.below(0.25).tolist()) == ([[1, 2], [3, 3]], [[1, 1], [3, 0]])


@pytest.mark.parametrize("values", [[-np.inf, np.inf], [-np.inf, 0.0, np.inf, np.inf], [np.inf] * 3])
def test_infinite_values_have_ranks_only(values):
    cells = Cells.of(np.array(values), np.zeros(len(values), dtype=int))
    assert cells.medians()[0] == sorted(values)[(len(values) - 1) // 2]


@pytest.mark.parametrize("level", [0.6, 0.9, 0.99])
def test_the_interval_is_that_of_scipy(by_cell, level):
    values, cells = by_cell
    for place, here in enumerate(values):
        found = cells.interval(place, (1 - level) / 2)
        interval = stats.quantile_test(here, p=0.5).confidence_interval(level)
        assert found == (pytest.approx(interval) if np.isfinite([*interval]).all() else None)


def test_the_sign_test_is_that_of_scipy():
    for n in SIZES:
        found = sign_test(np.arange(n + 1), np.full(n + 1, n))
        assert found == pytest.approx([stats.binomtest(k, n, alternative="greater").pvalue for k in range(n + 1)])


def test_the_rank_of_a_bound_by_hand():
    # Of 20 values 5 or fewer are on one side with probability .0207, and 6 with .058.
    assert [rank_of_bound(20, tail) for tail in (0.05, 0.0207, 0.0206, 0.5**20, 0.4**20)] == [6, 6, 5, 1, 0]
