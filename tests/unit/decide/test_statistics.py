"""Decision rules, held against statsmodels and scipy, error rates that are simulated, and examples done by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ndgm.decide.statistics import (
    ERROR_RATE,
    MissingValue,
    at_most,
    below,
    difference,
    equivalence,
    order,
    within,
)


def evidence(cells, reference=1.0):
    """Measured values and their reference of the cells, a dict from name to values over seeds."""
    rows = [(name, seed, value) for name, values in cells.items() for seed, value in enumerate(values)]
    measured = pd.DataFrame(rows, columns=["cell", "seed", "value"]).set_index(["cell", "seed"])["value"].astype(float)
    return measured, 0 * measured.fillna(0) + reference, "seed"


def above(values, bound):
    """P value of scipy's sign test for a median above a bound; a value on it counts against that."""
    return stats.binomtest(int((values > bound).sum()), len(values), alternative="greater").pvalue


@pytest.mark.parametrize("margin", [0.02, 0.1, 0.5])
@pytest.mark.parametrize("n", [5, 8, 20])
def test_equivalence_of_one_cell_is_two_sign_tests_of_scipy(n, margin):
    rng = np.random.default_rng(n)
    for median in (0.0, 0.05, -0.1, 0.6):
        deviations = rng.normal(median, 0.1, n)
        decision = equivalence(margin).decide(*evidence({"a": 3 * (1 + deviations)}, reference=3.0))
        assert decision.p_support == pytest.approx(max(above(-deviations, -margin), above(deviations, -margin)))
        # Either side refutes, each at half the level.
        either = 2 * min(above(deviations, margin), above(-deviations, margin))
        assert decision.p_refute == pytest.approx(min(1, either))
        interval = stats.quantile_test(deviations, p=0.5).confidence_interval(1 - 2 * ERROR_RATE)
        low, high = 3 * (1 + np.array(interval))
        assert decision.interval == (pytest.approx(low), pytest.approx(high))
        assert decision.measured == pytest.approx(3 * (1 + np.median(deviations)))
        assert decision.effect == pytest.approx((np.median(deviations), interval.low, interval.high))
        assert (decision.reference, decision.n, decision.cells, decision.where) == (3.0, n, 1, {"cell": "a"})


def test_the_median_deviation_is_that_of_pairs():
    # Designs differ far more than measured and predicted norms of one design do.
    predicted = np.array([1.0, 100.0, 3.0, 7.0, 20.0, 0.1, 5.0])
    decision = equivalence(0.03).decide(evidence({"a": 1.02 * predicted})[0], evidence({"a": predicted})[0], "seed")
    assert decision.p_support == 1 / 128
    assert (decision.measured, decision.reference) == (pytest.approx(5.1), 5.0)
    assert decision.interval == (pytest.approx(5.1), pytest.approx(5.1))


@pytest.mark.parametrize("n", [6, 20])
def test_difference_of_one_cell_is_equivalence_with_its_sides_exchanged(n):
    rng = np.random.default_rng(n)
    for mean in (0.0, 0.05, -0.3):
        values = evidence({"a": 3 * (1 + rng.normal(mean, 0.1, n))}, reference=3.0)
        one, other = difference(0.1).decide(*values), equivalence(0.1).decide(*values)
        assert one.p_support == pytest.approx(other.p_refute) and one.p_refute == pytest.approx(other.p_support)


def test_difference_holds_only_if_it_holds_in_every_cell():
    rng = np.random.default_rng(0)
    far, near = 1.3 + 0.01 * rng.standard_normal(10), 1.0 + 0.01 * rng.standard_normal(10)
    both = difference(0.05).decide(*evidence({"far": far, "below": far - 0.6}))
    assert (both.p_support, both.p_refute) == (2 / 1024, 1)
    mixed = difference(0.05).decide(*evidence({"far": far, "near": near}))
    assert (mixed.p_support, mixed.p_refute, mixed.where) == (1, 2 / 1024, {"cell": "near"})
    # Bonferroni's factor is the number of cells.
    alone = difference(0.05).decide(*evidence({"near": near}))
    assert mixed.p_refute == pytest.approx(2 * alone.p_refute)


def test_equivalence_without_variance():
    for value, support, refute in [(1.01, 1 / 32, 1), (0.97, 1 / 32, 1), (1.06, 1, 2 / 32), (0.5, 1, 2 / 32)]:
        decision = equivalence(0.05).decide(*evidence({"a": [value] * 5}))
        assert (decision.p_support, decision.p_refute) == (support, refute)
        assert decision.interval == (pytest.approx(value), pytest.approx(value))


@pytest.mark.parametrize("margin", [0.05, 0.1, 0.3, 0.5])
@pytest.mark.parametrize("test", [equivalence, difference, order])
def test_on_the_margin_nothing_is_decided(test, margin):
    # But for rounding these are on it: 1.05/1 − 1 is more than 0.05.
    decision = test(margin).decide(*evidence({"a": [3 * (1 + margin)] * 20}, reference=3.0))
    assert (decision.p_support, decision.p_refute) == (1, 1)


def test_equivalence_needs_every_cell_and_is_refuted_by_one():
    rng = np.random.default_rng(3)
    cells = {name: 1 + rng.normal(0, 0.01, 10) for name in "abcde"}
    good = equivalence(0.05).decide(*evidence(cells))
    alone = [equivalence(0.05).decide(*evidence({name: values})) for name, values in cells.items()]
    assert good.p_support == max(one.p_support for one in alone) == 1 / 1024 and good.cells == 5
    cells["c"] = 1.08 + rng.normal(0, 0.01, 10)
    bad = equivalence(0.05).decide(*evidence(cells))
    only = equivalence(0.05).decide(*evidence({"c": cells["c"]}))
    assert bad.where == {"cell": "c"} and bad.measured == pytest.approx(np.median(cells["c"]))
    assert bad.p_support == only.p_support > 0.9
    assert bad.p_refute == pytest.approx(5 * only.p_refute, rel=1e-12)


def test_equivalence_over_cells_named_by_two_levels():
    rng = np.random.default_rng(4)
    index = pd.MultiIndex.from_product([["a", "b"], [1, 2], range(6)], names=["design", "penalty", "seed"])
    measured = pd.Series(1 + rng.normal(0, 0.01, 24), index=index)
    measured.loc["b", 1] += 0.02
    # The order of rows says nothing.
    shuffled = measured.sample(frac=1, random_state=0)
    one, two = (equivalence(0.05).decide(m, 0 * m + 1, "seed") for m in (measured, shuffled))
    assert one.where == two.where == {"design": "b", "penalty": 1} and one.cells == 4 and one.n == 6
    assert one.p_support == pytest.approx(two.p_support, rel=1e-9)


def test_an_order_has_a_smallest_effect():
    # All of 168 norms fell by .02 % at least, and the claim that they fall was supported.
    values = evidence({"large": [1.1] * 20, "small": [1.0002] * 20})
    assert order(0).decide(*values).p_support == 0.5**20
    decision = order(0.01).decide(*values)
    assert (decision.p_support, decision.p_refute, decision.where) == (1, 2 * 0.5**20, {"cell": "small"})
    assert (decision.over_cells.above, decision.over_cells.near, decision.over_cells.below) == (1, 1, 0)


@pytest.mark.parametrize("rule", [order, below, equivalence, difference])
def test_pairs_of_unknown_order_speak_for_neither(rule):
    # Two runs that never arrive both count as one horizon: nobody knows which would have been first.
    for margin in (0.0, 0.1):
        values = evidence({"tied": [1.0] * 20})
        decision = rule(margin).decide(*values, values[0] == 1)
        assert (decision.p_support, decision.p_refute) == (1, 1)
    values = evidence({"tied": [1.0] * 8 + [1.2] * 12})
    mostly = order(0.1).decide(*values, values[0] == 1)
    assert mostly.p_support > ERROR_RATE and mostly.p_refute == 1


def test_equal_values_lie_below_a_margin_and_on_neither_side_of_zero():
    # Accuracies are shares of so many pictures, and tie: they were taken out of the evidence against an order.
    tied = evidence({"tied": [1.0] * 10 + [1.005] * 10})
    assert (order(0.01).decide(*tied).p_refute, order(0.01).decide(*tied).p_support) == (0.5**20, 1)
    assert below(0.01).decide(*tied).p_support == equivalence(0.01).decide(*tied).p_support == 0.5**20
    alike = order(0).decide(*evidence({"tied": [1.0] * 20}))
    assert (alike.p_support, alike.p_refute) == (1, 1)


def test_order_by_hand():
    # All five differences are positive: of 32 patterns of signs only this one is as good, and every one as bad.
    measured, _, over = evidence({"a": [2, 4, 6, 8, 10]})
    reference = evidence({"a": [1, 2, 3, 4, 5]})[0]
    decision = order().decide(measured, reference, over)
    assert (decision.p_support, decision.p_refute) == (1 / 32, 1)
    # Five values say with 94 % that the median is within their range.
    assert (decision.measured, decision.reference, decision.interval) == (6, 3, (2, 10))


def test_order_is_not_moved_by_the_size_of_one_value():
    # Means of ratios gave an interval over ninety decades.
    measured, _, over = evidence({"a": 10.0 ** np.arange(-90, 0, 9)})
    decision = order().decide(measured, measured / 2, over)
    assert decision.p_support == 1 / 1024
    # Two of ten values on either side: 10 % less 2·(1 + 10)/1024 is left for the next ones.
    assert decision.interval == (1e-81, 1e-18)
    assert decision.measured == pytest.approx((1e-45 + 1e-54) / 2)


def test_order_beside_zero():
    counts = evidence({"a": [3.0, 5.0, 4.0, 2.0, 6.0], "b": [0.0] * 5})[0]
    decision = order().decide(counts + 1, counts, "seed")
    assert (decision.p_support, decision.reference, decision.where) == (1 / 32, 4, {"cell": "a"})


def test_order_shows_the_cell_that_speaks_most_against_it():
    cells = {"sure": np.arange(1, 9.0), "less sure": [-1.0, *range(2, 9)], "sure and nearer": np.arange(1, 9.0)}
    measured = evidence({name: np.array(values) + 10 for name, values in cells.items()})[0]
    measured["sure and nearer"] += 90
    reference = evidence({"sure": [10] * 8, "less sure": [10] * 8, "sure and nearer": [100] * 8})[0]
    assert order().decide(measured, reference, "seed").where == {"cell": "less sure"}
    sure = measured.index.get_level_values("cell") != "less sure"
    assert order().decide(measured[sure], reference[sure], "seed").where == {"cell": "sure and nearer"}


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # of scipy, where all differences are zero
def test_order_needs_every_cell_and_is_refuted_by_one():
    rng = np.random.default_rng(5)
    noise = {name: rng.normal(0, 0.1, 8) for name in "abcd"}
    higher, lower, equal = (
        evidence({name: 3 + shift * (name == "c") + values for name, values in noise.items()})[0]
        for shift in (1, -2, 0)
    )
    base = evidence({name: 2 + rng.normal(0, 0.1, 8) for name in "abcd"})[0]
    assert order().decide(higher, base, "seed").p_support == 1 / 256
    bad = order().decide(lower, base, "seed")
    assert bad.where == {"cell": "c"} and bad.p_support == 1 and bad.p_refute == 4 / 256
    tie = order(0).decide(equal, equal, "seed")
    assert tie.p_support > ERROR_RATE and tie.p_refute > ERROR_RATE


@pytest.mark.parametrize("cells", [1, 3])
@pytest.mark.parametrize("n", range(1, 12))
@pytest.mark.parametrize(
    ("test", "value", "needed", "sides"),
    [(order(), 2.0, 5, 1), (equivalence(0.05), 1.0, 5, 1), (difference(0.05), 2.0, 6, 2)],
)
def test_what_could_not_be_decided_says_how_many_seeds_are_needed(test, value, needed, sides, n, cells):
    values = evidence({name: [value] * n for name in range(cells)})
    if n >= needed:
        assert test.decide(*values).p_support == pytest.approx(sides * 0.5**n, rel=1e-14)
    elif n == 5 and cells == 1:  # a difference may still be refuted
        assert test.decide(*values).p_support > ERROR_RATE
    else:
        with pytest.raises(MissingValue, match=f"^too few seeds to decide: {n} of {needed} needed$"):
            test.decide(*values)


def test_a_cell_of_few_seeds_does_not_hide_one_that_refutes():
    measured, reference, over = evidence({"few": [1.0, 2.0], "many": -np.arange(1, 9.0)}, reference=0.0)
    decision = order().decide(measured, reference, over)
    assert decision.where == {"cell": "many"} and decision.p_refute == 2 / 256


def test_order_is_paired():
    # Seeds differ far more than the arms do; only differences within a seed show the order.
    rng = np.random.default_rng(6)
    base = rng.uniform(1, 100, 10)
    measured, reference = evidence({"a": 1.02 * base})[0], evidence({"a": base})[0]
    assert order().decide(measured, reference, "seed").p_support == 1 / 1024


def test_within_takes_every_value():
    measured, reference, over = evidence({"a": [1.0, 1.1], "b": [0.9, 1.0]})
    holds = within(0.1 + 1e-12).decide(measured, reference, over)
    assert (holds.p_support, holds.p_refute, holds.cells, holds.n) == (0, 1, 2, 4)
    assert holds.interval == (0.9, 1.1)
    measured["a", 1] = 0.7
    fails = within(0.1 + 1e-12).decide(measured, reference, over)
    assert (fails.p_support, fails.p_refute) == (1, 0)
    assert (fails.measured, fails.reference, fails.where) == (0.7, 1.0, {"cell": "a", "seed": 1})


@pytest.mark.parametrize(("tolerance", "support"), [(0.1 + 1e-12, 0), (0.1 - 1e-12, 1)])
def test_a_bound_may_be_undercut_and_not_exceeded(tolerance, support):
    measured, reference, over = evidence({"a": [-5.0, 1.1], "b": [0.9, 1.0]})
    decision = at_most(tolerance).decide(measured, reference, over)
    assert (decision.p_support, decision.p_refute, decision.cells, decision.n) == (support, 1 - support, 2, 4)
    assert (decision.measured, decision.where) == (1.1, {"cell": "a", "seed": 1})


@pytest.mark.parametrize("test", [within(0), at_most(0)], ids=["within", "bound"])
def test_the_range_is_that_of_values_with_the_same_reference(test):
    # Runs that should settle and runs that should not once gave the range of both.
    measured, reference, over = evidence({"settles": [0.0, 0.0], "hovers": [1.0, 0.5]})
    reference["settles"] = [0.0, 0.0]
    measured["settles", 1] = 0.25
    assert test.decide(measured, reference, over).interval == ((0, 0.25) if "bound" in test.name else (0.5, 1.0))


def test_within_tolerance_zero_takes_only_what_is_equal():
    zeros = pd.Series([3.0, 5.0], index=pd.Index([0, 1], name="seed"))
    for measured, support in [(zeros, 0), (zeros + [0, 1e-15], 0 if 5.0 + 1e-15 == 5.0 else 1), (zeros + 1, 1)]:
        index = pd.MultiIndex.from_arrays([["a", "a"], [0, 1]], names=["cell", "seed"])
        decision = within(0).decide(measured.set_axis(index), zeros.set_axis(index), "seed")
        assert decision.p_support == support


@pytest.mark.parametrize(
    "test", [equivalence(0.05), order(), within(0.1), at_most(0.1)], ids=["equivalence", "order", "within", "bound"]
)
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_gap_is_said_and_not_judged(test, value):
    # A diverged run used to refute an identity.
    measured, reference, over = evidence({"a": [1.0, 1.0, 1.1], "b": [1.0, value, 0.9]})
    with pytest.raises(MissingValue, match="1 of 6 runs"):
        test.decide(measured, reference, over)
    measured, reference, over = evidence({"a": [1.0, 1.1, 0.9]})
    reference.iloc[0] = value
    with pytest.raises(MissingValue, match="1 of 3 runs"):
        test.decide(measured, reference, over)


@pytest.mark.parametrize(
    "test", [equivalence(0.05), order(), within(0.1), at_most(0.1)], ids=["equivalence", "order", "within", "bound"]
)
def test_no_runs_at_all(test):
    measured, reference, over = evidence({"a": [1.0, 1.1, 0.9]})
    with pytest.raises(MissingValue, match="no runs"):
        test.decide(measured.iloc[:0], reference.iloc[:0], over)


@pytest.mark.parametrize("test", [equivalence(0.05), order()], ids=["equivalence", "order"])
def test_one_replicate_estimates_nothing(test):
    with pytest.raises(MissingValue, match="^too few seeds to decide: 1 of 5 needed$"):
        test.decide(*evidence({"a": [1.0, 1.1], "b": [1.0]}))


def test_a_reference_of_zero_has_no_relative_deviation():
    with pytest.raises(MissingValue, match="zero"):
        equivalence(0.05).decide(*evidence({"a": [1.0, 1.1]}, reference=0.0))


def test_a_cell_of_ties_supports_no_order():
    # The p-value of ties was NaN, which the largest of all cells skipped.
    index = pd.MultiIndex.from_product([["ahead", "tied"], range(20)], names=["cell", "seed"])
    measured = pd.Series([2.0 + seed / 100 for seed in range(20)] + [1.0] * 20, index)
    decision = order(0).decide(measured, 0 * measured + 1, "seed")
    assert decision.p_support == 1 and decision.p_refute == 1
    decision = order().decide(measured, 0 * measured + 1, "seed")
    assert decision.p_support == 1 and decision.p_refute == 2 * 0.5**20
