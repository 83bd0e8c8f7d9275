"""Decision rules, held against statsmodels and scipy, error rates that are simulated, and examples done by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.weightstats import DescrStatsW

from ndgm.decide.statistics import (
    ERROR_RATE,
    MissingValue,
    at_most,
    difference,
    equivalence,
    holm,
    mean_interval,
    order,
    within,
)


def evidence(cells, reference=1.0):
    """Measured values and their reference of the cells, a dict from name to values over seeds."""
    rows = [(name, seed, value) for name, values in cells.items() for seed, value in enumerate(values)]
    measured = pd.DataFrame(rows, columns=["cell", "seed", "value"]).set_index(["cell", "seed"])["value"].astype(float)
    return measured, 0 * measured.fillna(0) + reference, "seed"


@pytest.mark.parametrize("margin", [0.02, 0.1, 0.5])
@pytest.mark.parametrize("n", [2, 5, 20])
def test_equivalence_of_one_cell_is_the_test_of_statsmodels(n, margin):
    rng = np.random.default_rng(n)
    for mean in (0.0, 0.05, -0.1, 0.6):
        deviations = rng.normal(mean, 0.1, n)
        decision = equivalence(margin).decide(*evidence({"a": 3 * (1 + deviations)}, reference=3.0))
        sample = DescrStatsW(deviations)
        assert decision.p_support == pytest.approx(sample.ttost_mean(-margin, margin)[0], rel=1e-9)
        # Both tails of a deviation that is just the margin, on the side of the mean.
        side = np.sign(deviations.mean())
        tails = [stats.ttest_1samp(side * deviations, at, alternative="greater").pvalue for at in (margin, -margin)]
        assert decision.p_refute == pytest.approx(min(1, sum(tails)), rel=1e-9)
        low, high = 3 * (1 + np.array(sample.tconfint_mean(alpha=2 * ERROR_RATE)))
        assert decision.interval == (pytest.approx(low, rel=1e-9), pytest.approx(high, rel=1e-9))
        assert decision.measured == pytest.approx(3 * (1 + deviations.mean()), rel=1e-12)
        assert (decision.reference, decision.n, decision.cells, decision.where) == (3.0, n, 1, {"cell": "a"})


def rate(attribute, test, mean, spread, n, simulations=100, seed=0):
    """How often a p-value is below the level, with its three standard errors at the level."""
    rng = np.random.default_rng(seed)
    below = 0
    for _ in range(simulations):
        decision = test.decide(*evidence({"a": 1 + rng.normal(mean, spread, n)}))
        below += getattr(decision, attribute) <= ERROR_RATE
    return below / simulations, 3 * np.sqrt(ERROR_RATE * (1 - ERROR_RATE) / simulations)


def test_equivalence_is_seldom_supported_at_the_margin():
    found, slack = rate("p_support", equivalence(0.05), -0.05, 0.03, 10)
    assert found <= ERROR_RATE + slack


def test_equivalence_is_seldom_refuted_at_the_margin():
    # With a spread far above the margin, a test of the larger tail alone refuted twice as often as its level.
    found, slack = rate("p_refute", equivalence(0.05), 0.05, 0.5, 10)
    assert found <= ERROR_RATE + slack


def test_equivalence_has_power():
    # The mean is 7 standard errors inside, or outside, the margin.
    assert rate("p_support", equivalence(0.05), 0.0, 0.03, 20, 20)[0] == 1
    assert rate("p_refute", equivalence(0.05), 0.1, 0.03, 20, 20)[0] == 1


@pytest.mark.parametrize("n", [2, 5, 20])
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
    assert both.p_support < 1e-6 < both.p_refute
    mixed = difference(0.05).decide(*evidence({"far": far, "near": near}))
    assert mixed.p_refute < 1e-6 < mixed.p_support and mixed.where == {"cell": "near"}
    # Bonferroni's factor is the number of cells.
    alone = difference(0.05).decide(*evidence({"near": near}))
    assert mixed.p_refute == pytest.approx(2 * alone.p_refute)


def test_difference_is_seldom_supported_or_refuted_at_the_margin():
    for attribute in ("p_support", "p_refute"):
        found, slack = rate(attribute, difference(0.05), -0.05, 0.03, 10)
        assert found <= ERROR_RATE + slack


def test_equivalence_without_variance():
    for value, support, refute in [(1.01, 0, 1), (0.97, 0, 1), (1.06, 1, 0), (0.5, 1, 0), (1.0, 0, 1)]:
        decision = equivalence(0.05).decide(*evidence({"a": [value] * 4}))
        assert (decision.p_support, decision.p_refute) == (support, refute)
        assert decision.interval == (pytest.approx(value), pytest.approx(value))
    # On the margin itself nothing is decided.
    decision = equivalence(0.5).decide(*evidence({"a": [1.5] * 4}))
    assert (decision.p_support, decision.p_refute) == (1, 1)


def test_equivalence_needs_every_cell_and_is_refuted_by_one():
    rng = np.random.default_rng(3)
    cells = {name: 1 + rng.normal(0, 0.01, 10) for name in "abcde"}
    good = equivalence(0.05).decide(*evidence(cells))
    alone = [equivalence(0.05).decide(*evidence({name: values})) for name, values in cells.items()]
    assert good.p_support == max(one.p_support for one in alone) < ERROR_RATE and good.cells == 5
    cells["c"] = 1.08 + rng.normal(0, 0.01, 10)
    bad = equivalence(0.05).decide(*evidence(cells))
    only = equivalence(0.05).decide(*evidence({"c": cells["c"]}))
    assert bad.where == {"cell": "c"} and bad.measured == pytest.approx(cells["c"].mean())
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


@pytest.mark.parametrize("n", [5, 8, 20, 60])
def test_order_of_one_cell_is_wilcoxons_test(n):
    rng = np.random.default_rng(n)
    for shift in (0.0, 0.3, -1.0):
        first, second = rng.normal(5 + shift, 1, n), rng.normal(5, 1, n)
        measured, _, over = evidence({"a": first})
        reference = evidence({"a": second})[0]
        decision = order().decide(measured, reference, over)
        assert decision.p_support == stats.wilcoxon(first, second, alternative="greater").pvalue
        assert decision.p_refute == stats.wilcoxon(first, second, alternative="less").pvalue
        assert (decision.measured, decision.reference) == pytest.approx((np.median(first), np.median(second)))


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
    tie = order().decide(equal, equal, "seed")
    assert tie.p_support > ERROR_RATE and tie.p_refute > ERROR_RATE


@pytest.mark.parametrize("cells", [1, 3])
@pytest.mark.parametrize("n", range(1, 12))
def test_an_order_that_could_not_be_decided_says_how_many_seeds_are_needed(n, cells):
    measured, reference, over = evidence({name: range(1, n + 1) for name in range(cells)}, reference=0.0)
    least = stats.wilcoxon(range(1, n + 1), alternative="greater").pvalue
    if least <= ERROR_RATE:
        assert order().decide(measured, reference, over).p_support == least
    else:
        with pytest.raises(MissingValue, match=f"^too few seeds to decide: {n} of 5 needed$"):
            order().decide(measured, reference, over)


def test_a_cell_of_few_seeds_does_not_hide_one_that_refutes():
    measured, reference, over = evidence({"few": [1.0, 2.0], "many": -np.arange(1, 9.0)}, reference=0.0)
    decision = order().decide(measured, reference, over)
    assert decision.where == {"cell": "many"} and decision.p_refute == 2 / 256


def test_order_is_paired():
    # Seeds differ far more than the arms do; only differences within a seed show the order.
    rng = np.random.default_rng(6)
    base = rng.uniform(1, 100, 10)
    measured, reference = evidence({"a": base + 0.01})[0], evidence({"a": base})[0]
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
    with pytest.raises(MissingValue, match="^too few seeds to decide: 1 of [25] needed$"):
        test.decide(*evidence({"a": [1.0, 1.1], "b": [1.0]}))


def test_a_reference_of_zero_has_no_relative_deviation():
    with pytest.raises(MissingValue, match="zero"):
        equivalence(0.05).decide(*evidence({"a": [1.0, 1.1]}, reference=0.0))


def test_holm_by_hand():
    # Sorted .005, .01, .03, .04 times 4, 3, 2, 1 is .02, .03, .06, .04; no one may be below the one before it.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.7]) == pytest.approx([1.0, 1.0])
    assert holm([0.04]) == pytest.approx([0.04])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_is_that_of_statsmodels(p_values):
    assert holm(p_values) == multipletests(p_values, method="holm")[1].tolist()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.randoms())
def test_holm_follows_its_p_values_to_any_place_and_makes_none_smaller(p_values, random):
    adjusted = holm(p_values)
    assert all(p <= q <= 1 for p, q in zip(p_values, adjusted, strict=True))
    order = random.sample(range(len(p_values)), len(p_values))
    assert holm([p_values[i] for i in order]) == [adjusted[i] for i in order]


def test_mean_interval_is_scipys():
    rng = np.random.default_rng(7)
    table = pd.DataFrame(
        {"design": np.repeat(["a", "b"], 12), "penalty": np.tile([1, 2], 12), "x": rng.normal(size=24)}
    )
    found = mean_interval(table, ["design", "penalty"], "x")
    assert len(found) == 4
    for (design, penalty), row in found.iterrows():
        values = table["x"][(table["design"] == design) & (table["penalty"] == penalty)]
        low, high = stats.t.interval(1 - 2 * ERROR_RATE, len(values) - 1, values.mean(), stats.sem(values))
        assert (row["mean"], row["low"], row["high"]) == pytest.approx((values.mean(), low, high), rel=1e-12)


def test_a_cell_of_ties_supports_no_order():
    # The p-value of ties was NaN, which the largest of all cells skipped.
    index = pd.MultiIndex.from_product([["ahead", "tied"], range(20)], names=["cell", "seed"])
    measured = pd.Series([2.0 + seed / 100 for seed in range(20)] + [1.0] * 20, index)
    decision = order().decide(measured, 0 * measured + 1, "seed")
    assert decision.p_support == 1 and decision.p_refute == 1
