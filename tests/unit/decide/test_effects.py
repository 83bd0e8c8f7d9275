"""Effects over cells, by hand; and the margins between which a verdict stands, against trying them."""

import numpy as np
import pytest
from scipy import stats

from ndgm.decide.cells import Cells
from ndgm.decide.effects import OverCells, margins_of_verdict, over_cells, over_cells_of_values
from ndgm.decide.statistics import ERROR_RATE, difference, equivalence, order


def cells_of(*values):
    return Cells.of(np.concatenate(values), np.repeat(np.arange(len(values)), [len(here) for here in values]))


def test_cells_are_counted_one_way_near_and_the_other_way():
    far, most, half = np.full(20, 0.5), np.r_[[0.5] * 11, [0.0] * 9], np.r_[[0.5] * 9, [0.0] * 11]
    cells = cells_of(far, most, half, -far, -far, -half)
    assert over_cells(cells, 0.1, ERROR_RATE, None) == OverCells(above=2, near=2, below=2)
    assert over_cells(cells, 0.5, ERROR_RATE, None) == OverCells(above=0, near=6, below=0)
    assert over_cells(cells_of([1.05 - 1]), 0.05, ERROR_RATE, None) == OverCells(above=0, near=1, below=0)


def test_the_geometric_mean_ratio_over_cells():
    cells = cells_of(*([[0.0] * 5] * 3))
    found = over_cells(cells, 0.0, ERROR_RATE, np.array([1.0, 2.0, 4.0]))
    assert found.ratio == pytest.approx(2)
    logarithms = np.log([1.0, 2.0, 4.0])
    interval = stats.t.interval(0.9, 2, logarithms.mean(), stats.sem(logarithms))
    assert found.interval == pytest.approx(tuple(np.exp(interval)))
    for ratios in ([1.0, 0.0, 2.0], [1.0, -1.0, 2.0], [1.0, np.inf, 1.0]):
        assert over_cells(cells, 0.0, ERROR_RATE, np.array(ratios)).ratio is None
    one = over_cells(cells_of([0.5] * 5), 0.0, ERROR_RATE, np.array([1.5]))
    assert (one.ratio, one.interval) == (pytest.approx(1.5), None)
    wide = over_cells(cells, 0.0, ERROR_RATE, np.array([1e-100, 1.0, 1e300]))
    assert wide.ratio == pytest.approx(1e200 ** (1 / 3)) and wide.interval is None


def test_the_largest_value_of_a_cell_counts_where_every_value_does():
    cells = cells_of([0.0, 1.0, -3.0], [0.5, 2.0], [0.1, -0.1], [0.0])
    assert over_cells_of_values(cells, 0.5) == OverCells(above=1, near=2, below=1)


@pytest.mark.parametrize("rule", [equivalence, difference, order])
@pytest.mark.parametrize("margin", [0.0, 0.02, 0.05, 0.1, 0.3, 3.0])
def test_the_verdict_stands_between_its_margins_and_not_beyond(rule, margin):
    cells = cells_of(*(np.random.default_rng(0).normal(0.08, 0.03, (3, 20))))

    def verdict_at(margin):
        p_support, p_refute = rule(margin).at(cells, margin)
        return "supported" if p_support <= ERROR_RATE else "refuted" if p_refute <= ERROR_RATE else "inconclusive"

    sizes, signed = rule(margin).size(cells.deviation), rule is order
    low, high = margins_of_verdict(margin, sizes, verdict_at, signed=signed)
    here, aside = verdict_at(margin), 1e-6
    tried = np.linspace((-5 if signed else 0) if low is None else low + aside, 5 if high is None else high - aside, 200)
    assert {verdict_at(each) for each in tried} == {here}
    assert (low or 0) <= margin <= (high or 5)
    assert low is None or verdict_at(low - aside) != here
    assert high is None or verdict_at(high + aside) != here
    assert (low, high) != (None, None)


def test_on_an_end_a_verdict_may_stand_alone_and_without_sizes_everywhere():
    verdicts = {0.5: "on it"}
    assert margins_of_verdict(0.5, np.array([0.5]), lambda margin: verdicts.get(margin, "aside"), signed=False) == (
        0.5,
        0.5,
    )
    for signed in (True, False):
        sizes = np.array([0.0, -1.0, np.inf])
        assert margins_of_verdict(0.5, sizes, lambda margin: "always", signed=signed) == (None, None)


@pytest.mark.parametrize("unordered", [0, 3])
@pytest.mark.parametrize("centre", [-0.5, 0.0, 0.08])
def test_the_verdict_of_an_order_turns_at_margins_below_zero_too(centre, unordered):
    """Also where pairs tie, or nobody knows their order."""
    values = centre + np.r_[np.zeros(3), np.linspace(-0.05, 0.05, 18)]
    cells = Cells.of(values, np.zeros(len(values), dtype=int), np.arange(len(values)) < unordered)

    def verdict_at(margin):
        p_support, p_refute = order(margin).at(cells, margin)
        return "supported" if p_support <= ERROR_RATE else "refuted" if p_refute <= ERROR_RATE else "inconclusive"

    tried = np.linspace(-1, 1, 4001)
    seen = [verdict_at(margin) for margin in tried]
    assert [*dict.fromkeys(seen)] == ["supported", "inconclusive", "refuted"]
    for margin in (0.0, 0.01):
        low, high = margins_of_verdict(margin, cells.deviation, verdict_at, signed=True)
        alike = tried[[each == verdict_at(margin) for each in seen]]
        assert (low is None, high is None) == (alike[0] == -1, alike[-1] == 1)
        assert low is None or low == pytest.approx(alike[0], abs=1e-3)
        assert high is None or high == pytest.approx(alike[-1], abs=1e-3)
