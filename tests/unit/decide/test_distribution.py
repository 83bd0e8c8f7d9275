"""The rule on a law: SciPy's test, sizes of both verdicts by simulation, power, and what is printed."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ndgm.decide.cells import Cells
from ndgm.decide.distribution import distances, law, p_of_closeness
from ndgm.decide.statistics import ERROR_RATE, MissingValue

N, SIMULATIONS, MARGIN = 150, 2000, 0.2


def cells_of(values):
    """A cell for each row."""
    return Cells.of(values.ravel(), np.repeat(np.arange(len(values)), values.shape[1]))


def series(*cells):
    return pd.concat(
        {number: pd.Series(values).rename_axis("seed") for number, values in enumerate(cells)}, names=["cell"]
    )


def uniform(*shape, seed=0):
    return np.random.default_rng(seed).uniform(size=shape)


def test_distances_and_refutation_are_scipys():
    values = uniform(20, 37)
    found = distances(cells_of(values))
    _, p_refute = law(MARGIN).p_values(cells_of(values), MARGIN)
    for row, distance, p in zip(values, found, p_refute, strict=True):
        expected = stats.kstest(row, "uniform", method="exact")
        assert (distance, p) == pytest.approx((expected.statistic, expected.pvalue), rel=1e-9)


def most():
    return ERROR_RATE + 2 * np.sqrt(ERROR_RATE * (1 - ERROR_RATE) / SIMULATIONS)


@pytest.mark.parametrize("cells", [1, 4])
def test_the_law_is_refuted_as_rarely_as_the_error_rate_and_mostly_supported(cells):
    values = uniform(SIMULATIONS * cells, N, seed=cells)
    rule = law(MARGIN)
    p_for, p_against = (p.reshape(-1, cells) for p in rule.p_values(cells_of(values), MARGIN))
    p_support, p_refute = rule.overall(p_for, p_against)
    assert ERROR_RATE / 2 < (p_refute <= ERROR_RATE).mean() <= most()
    assert (p_support <= ERROR_RATE).mean() > 0.9
    assert not ((p_support <= ERROR_RATE) & (p_refute <= ERROR_RATE)).any()


@pytest.mark.parametrize("start", [0.0, 0.4, 0.8])
def test_a_law_that_is_the_margin_away_is_supported_as_rarely(start):
    # A share MARGIN of all values lies at one point, so that distribution functions are MARGIN apart there and nearer
    # elsewhere: the least favourable of such laws.
    shifted = uniform(SIMULATIONS, N, seed=5)
    at = np.where((shifted > start) & (shifted < start + MARGIN), start, shifted)
    rule = law(MARGIN)
    p_support, p_refute = rule.p_values(cells_of(at), MARGIN)
    assert (p_support <= ERROR_RATE).mean() <= most()
    assert (p_refute <= ERROR_RATE).mean() > 0.5


def test_closeness_is_the_binomial_tail_of_the_worst_share():
    for distance in (0.0, 0.05, 0.12):
        shares = np.linspace(0.2, 1, 20_001)
        below = stats.binom.cdf(np.floor(N * (shares - MARGIN + distance) + 1e-9), N, shares).max()
        assert p_of_closeness(distance, N, MARGIN) == pytest.approx(below, rel=0.01)
    assert p_of_closeness(MARGIN, N, MARGIN) == 1


def test_a_decision_tells_the_distance_in_the_cell_that_speaks_most_against_it():
    good, bad = uniform(N, seed=1), uniform(N, seed=2) ** 2
    decision = law(MARGIN).decide(series(good, bad), 0.0, "seed")
    assert decision.where == {"cell": 1} and decision.n == N and decision.cells == 2
    assert decision.p_refute <= ERROR_RATE < decision.p_support == 1
    assert decision.measured == pytest.approx(stats.kstest(bad, "uniform").statistic)
    low, high = decision.interval
    assert low < 0.25 < high  # the largest of √u − u
    kept = law(MARGIN).decide(series(good), 0.0, "seed")
    assert kept.p_support <= ERROR_RATE < kept.p_refute
    assert (kept.over_cells.above, kept.over_cells.near, kept.over_cells.below) == (0, 1, 0)


def test_gaps_and_too_few_values_are_said():
    with pytest.raises(MissingValue, match="too few seeds to decide: 20"):
        law(MARGIN).decide(series(uniform(20)), 0.0, "seed")
    with pytest.raises(MissingValue, match="1 of 3 runs have no value"):
        law(MARGIN).decide(series([0.1, np.nan, 0.5]), 0.0, "seed")
    with pytest.raises(MissingValue, match="no runs"):
        law(MARGIN).decide(series([0.1]).iloc[:0], 0.0, "seed")
