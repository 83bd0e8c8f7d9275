"""How often other replicates decide otherwise, against the binomial distribution that the share has by hand."""

import numpy as np
import pytest
from scipy import stats

from ndgm.decide import fragile
from ndgm.decide.cells import Cells
from ndgm.decide.distribution import law
from ndgm.decide.fragile import share_otherwise, why_fragile
from ndgm.decide.resampling import told_apart
from ndgm.decide.statistics import ERROR_RATE, at_most, equivalence, order, within


def verdict_of(p_support, p_refute):
    return "supported" if p_support <= ERROR_RATE else "refuted" if p_refute <= ERROR_RATE else "inconclusive"


def cells_of(*shares, n=20):
    """Cells in which so many of n deviations are 1, and the others −1."""
    values = np.concatenate([np.where(np.arange(n) < count, 1.0, -1.0) for count in shares])
    return Cells.of(values, np.repeat(np.arange(len(shares)), n))


@pytest.mark.parametrize("count", [20, 18, 15, 12])
def test_the_share_of_one_cell_is_that_of_a_binomial_number(count):
    """An order with 20 replicates is supported by 15 of them above, and refuted by 15 below."""
    cells = cells_of(count)
    verdict = verdict_of(*order(0).at(cells, 0))
    above = stats.binom(20, count / 20)
    expected = {"supported": above.cdf(14), "inconclusive": above.sf(14) + above.cdf(5)}[verdict]
    found = share_otherwise(order(0), cells, verdict, verdict_of, draws=20000)
    assert found == pytest.approx(expected, abs=4 * np.sqrt(0.25 / 20000))
    assert found == share_otherwise(order(0), cells, verdict, verdict_of, draws=20000), "the same draws each time"


def test_a_pair_of_unknown_order_is_drawn_with_its_value():
    """Twenty pairs above, of which five are of unknown order: as many as decide as if they lay on neither side."""
    values = np.ones(20)
    cells = Cells.of(values, np.zeros(20, dtype=int), np.arange(20) < 5)
    found = share_otherwise(order(0), cells, "supported", verdict_of, draws=20000)
    assert found == pytest.approx(stats.binom(20, 15 / 20).cdf(14), abs=4 * np.sqrt(0.25 / 20000))


def test_draws_are_the_same_however_many_are_made_at_once(monkeypatch):
    cells = cells_of(20, 17, 15)
    at_once = share_otherwise(order(0), cells, "supported", verdict_of)
    monkeypatch.setattr(fragile, "VALUES", 7 * len(cells.cell))
    assert 0 < share_otherwise(order(0), cells, "supported", verdict_of) == at_once < 1


def test_every_cell_of_a_supported_claim_may_turn_it():
    cells = cells_of(20, 17, 17)
    found = share_otherwise(order(0), cells, "supported", verdict_of, draws=20000)
    assert found == pytest.approx(1 - stats.binom(20, 17 / 20).sf(14) ** 2, abs=4 * np.sqrt(0.25 / 20000))


def test_a_clear_verdict_is_never_another_one():
    cells = Cells.of(np.tile(np.linspace(-0.01, 0.01, 20), 3), np.repeat(np.arange(3), 20))
    assert share_otherwise(equivalence(0.1), cells, "supported", verdict_of) == 0


@pytest.mark.parametrize("rule", [within(0.1), at_most(0.1), law(0.2), told_apart(0.5)])
def test_a_rule_that_tests_no_medians_has_no_share(rule):
    assert share_otherwise(rule, cells_of(20), "supported", verdict_of) is None


@pytest.mark.parametrize(
    ("otherwise", "share"),
    [
        (None, None),
        (0.0, None),
        (0.05, None),
        (0.0509, "5.1"),
        (0.0999, "10"),
        (0.21, "21"),
        (0.996, "100"),
        (1.0, "100"),
    ],
)
def test_why_a_verdict_is_fragile(otherwise, share):
    assert why_fragile(otherwise) == (share and f"{share} % of resamples of its replicates decide otherwise")
