"""Decision rules for claims: tests over replicates, and Holm's correction over the claims of a group.

A claim gives measured values and their reference, with the same index: one level is replicated over (`seed`), the other
levels name a *cell*, for example a design and a penalty. A claim holds when it holds in every cell.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from scipy import stats

ERROR_RATE = 0.05
"""Probability of a wrong verdict, over all claims of a group."""

Reference: TypeAlias = pd.Series | float
"""Values that the measured ones are held against: one each, or one for all."""


class MissingValue(ValueError):
    """A gap in the evidence, for example because a run diverged; the message says in words what is missing."""


@dataclass(frozen=True)
class Gap:
    """Outcome of a claim whose evidence has a gap.

    Attributes:
        reason: What is missing, in words.
    """

    reason: str


@dataclass(frozen=True)
class Decision:
    """Outcome of a test; the numbers are those of the cell that speaks most against the claim.

    Attributes:
        p_support: Probability of evidence this good if the claim were false.
        p_refute: Probability of evidence this bad if the claim were true.
        measured: Mean of the measured values in that cell; their median, where ranks are tested.
        reference: Mean of the reference in that cell; its median, where ranks are tested.
        interval: Interval of the measured mean or median, at level 1 − 2·`ERROR_RATE`; where nothing is estimated, the
            range of all measured values with this reference.
        where: The cell.
        cells: Number of cells.
        n: Replicates in that cell.
    """

    p_support: float
    p_refute: float
    measured: float
    reference: float
    interval: tuple[float, float]
    where: dict[str, Any]
    cells: int
    n: int


@dataclass(frozen=True)
class Test:
    """A decision rule, fixed before the run.

    Attributes:
        decide: The rule: measured, reference, name of the level replicated over → decision.
        name: One sentence that says what it does.
        margin: Its margin or tolerance, or None.
        random: Whether p values are probabilities, so that Holm's correction applies.
    """

    decide: Callable[[pd.Series, Reference, str], Decision]
    name: str
    margin: float | None
    random: bool = True


def equivalence(margin: float) -> Test:
    """Rule that in every cell the mean relative deviation, measured/reference − 1, lies within ±margin.

    Two one-sided t tests in each cell. Support is an intersection-union test: it needs both tests to reject in all
    cells, each at the full level. Refutation needs one cell whose deviation lies outside the margin, by a test of both
    tails of a deviation that is just the margin, with Bonferroni's correction over cells.

    Source: Schuirmann (1987); Berger (1982).
    """

    def decide(measured: pd.Series, reference: Reference, over: str) -> Decision:
        cells = _cells(measured, reference, over)
        outside = cells["mean"].abs() - margin
        p_support = _t_tail(-outside, cells)
        p_refute = _t_tail(outside, cells) + _t_tail(outside + 2 * margin, cells)
        worst = (outside + cells["half_width"]).argmax()
        return _decision(cells, worst, p_support.max(), min(1.0, len(cells) * p_refute.min()))

    return Test(decide, f"equivalence: in every cell the mean is within {100 * margin:g} % of the reference", margin)


def difference(margin: float) -> Test:
    """Rule that in every cell the mean relative deviation, measured/reference − 1, lies outside ±margin.

    The negation of `equivalence`, cell by cell: support needs the deviation outside the margin in all cells, each at
    the full level; refutation needs one cell that two one-sided t tests find within it, with Bonferroni's correction.

    Source: Schuirmann (1987); Berger (1982).
    """

    def decide(measured: pd.Series, reference: Reference, over: str) -> Decision:
        cells = _cells(measured, reference, over)
        outside = cells["mean"].abs() - margin
        p_support = _t_tail(outside, cells) + _t_tail(outside + 2 * margin, cells)
        worst = (outside - cells["half_width"]).argmin()
        p_refute = _t_tail(-outside, cells)
        return _decision(cells, worst, min(1.0, p_support.max()), min(1.0, len(cells) * p_refute.min()))

    name = f"difference: in every cell the mean is more than {100 * margin:g} % away from the reference"
    return Test(decide, name, margin)


def order() -> Test:
    """Rule that in every cell the measured values lie above the reference, in pairs with the same seed.

    Wilcoxon's signed-rank test on the paired differences; support is an intersection-union test over cells, refutation
    the opposite order in one cell with Bonferroni's correction. The test knows ranks only, so the numbers are medians.
    Its p value for n pairs is at least 2⁻ⁿ: with too few of them for either verdict, the evidence has a gap.

    Source: Wilcoxon (1945); Berger (1982).
    """

    def decide(measured: pd.Series, reference: Reference, over: str) -> Decision:
        values = _side_by_side(measured, reference)
        cells = values.groupby(level=_levels(measured, over), sort=False)
        fewest, needed = cells.size().min(), int(np.ceil(-np.log2(ERROR_RATE)))
        if fewest < needed and len(cells) * 0.5 ** cells.size().max() > ERROR_RATE:
            raise MissingValue(f"too few {over}s to decide: {fewest} of {needed} needed")
        pairs = (values["measured"] - values["reference"]).groupby(level=_levels(measured, over), sort=False)
        p_support, p_refute = (pairs.agg(_signed_rank, alternative) for alternative in ("greater", "less"))
        medians = cells.median()
        above = (medians["measured"] - medians["reference"]) / medians.abs().sum(axis=1).replace(0, 1)
        worst = int(np.lexsort([above, -p_support])[0])
        interval = median_interval(values["measured"][cells.ngroup() == worst])
        return Decision(
            p_support=float(p_support.max()),
            p_refute=min(1.0, float(len(medians) * p_refute.min())),
            measured=float(medians["measured"].iloc[worst]),
            reference=float(medians["reference"].iloc[worst]),
            interval=interval,
            where=_cell_at(medians, worst),
            cells=len(medians),
            n=int(cells.size().iloc[worst]),
        )

    return Test(decide, "order: in every cell the measured values are above the reference, paired over seeds", None)


def within(tolerance: float) -> Test:
    """Rule that every single measured value is within `tolerance` of its reference; nothing is estimated."""
    name = f"every value: within {tolerance:.2g} of the reference" if tolerance else "every value: equals the reference"
    return Test(_every_value(tolerance, pd.Series.abs), name, tolerance, random=False)


def at_most(tolerance: float) -> Test:
    """Rule that every single measured value exceeds its reference by `tolerance` at most; nothing is estimated."""
    name = f"bound: {f'at most {tolerance:.2g} above' if tolerance else 'not above'} the reference"
    return Test(_every_value(tolerance, lambda excess: excess), name, tolerance, random=False)


def _every_value(
    tolerance: float, size: Callable[[pd.Series], pd.Series]
) -> Callable[[pd.Series, Reference, str], Decision]:
    """The rule that the size of each deviation is at most the tolerance; the numbers are those of the largest one."""

    def decide(measured: pd.Series, reference: Reference, over: str) -> Decision:
        values = _side_by_side(measured, reference)
        deviation = size(values["measured"] - values["reference"])
        at = deviation.argmax()
        holds = bool((deviation <= tolerance).all())
        worst = values.iloc[at]
        alike = values.loc[values["reference"] == worst["reference"], "measured"]
        return Decision(
            p_support=0.0 if holds else 1.0,
            p_refute=1.0 if holds else 0.0,
            measured=float(worst["measured"]),
            reference=float(worst["reference"]),
            interval=(float(alike.min()), float(alike.max())),
            where=_cell_at(values, at),
            cells=measured.groupby(_levels(measured, over)).ngroups,
            n=len(measured),
        )

    return decide


def mean_interval(table: pd.DataFrame, cell: list[str], value: str) -> pd.DataFrame:
    """Mean of a column in each cell, with the two-sided t interval of level 1 − 2·`ERROR_RATE` over its rows.

    Returns:
        Columns `mean`, `low`, `high`, indexed by cell.
    """
    groups = table.groupby(cell)[value].agg(["mean", "sem", "count"])
    half_width = stats.t.ppf(1 - ERROR_RATE, groups["count"] - 1) * groups["sem"]
    mean = groups["mean"]
    return pd.DataFrame({"mean": mean, "low": mean - half_width, "high": mean + half_width})


def median_interval(values: pd.Series) -> tuple[float, float]:
    """Interval of the median, of level 1 − 2·`ERROR_RATE` or more for every distribution; else the range of values.

    The range is returned where there are too few values for an interval of that level.

    Source: scipy, from the sign test.
    """
    interval = np.array(stats.quantile_test(values, p=0.5).confidence_interval(1 - 2 * ERROR_RATE))
    low, high = np.where(np.isfinite(interval), interval, [values.min(), values.max()])
    return float(low), float(high)


def holm(p_values: Sequence[float]) -> list[float]:
    """P values adjusted for their number m by Holm's rule: max over j ≤ i of min(1, (m − j + 1)·p₍ⱼ₎) for the i-th.

    Source: Holm (1979).
    """
    p = np.asarray(p_values, dtype=float)
    smallest_first = p.argsort()
    adjusted = np.minimum(1, np.maximum.accumulate(p[smallest_first] * np.arange(len(p), 0, -1)))
    return adjusted[smallest_first.argsort()].tolist()


def _levels(series: pd.Series, over: str) -> list[str]:
    return [name for name in series.index.names if name != over]


def _side_by_side(measured: pd.Series, reference: Reference) -> pd.DataFrame:
    """Measured values and their reference as two columns.

    Raises:
        MissingValue: if there is no value, or one is missing or not finite.
    """
    values = pd.DataFrame({"measured": measured, "reference": reference})
    if values.empty:
        raise MissingValue("no runs")
    gaps = ~np.isfinite(values).all(axis=1)
    if gaps.any():
        raise MissingValue(f"{gaps.sum()} of {len(values)} runs have no value")
    return values


def _cells(measured: pd.Series, reference: Reference, over: str) -> pd.DataFrame:
    """One row a cell: mean, standard error, half-width of the relative deviations, n; means of the values themselves.

    Raises:
        MissingValue: if a cell has fewer than two replicates, a value is missing or not finite, or a reference is zero.
    """
    values = _side_by_side(measured, reference)
    if (values["reference"] == 0).any():
        raise MissingValue("a reference is zero, and nothing is relative to it")
    values["deviation"] = values["measured"] / values["reference"] - 1
    groups = values.groupby(level=_levels(measured, over), sort=False)
    cells = groups["deviation"].agg(["mean", "std", "count"]).rename(columns={"count": "n"})
    if (fewest := cells["n"].min()) < 2:
        raise MissingValue(f"too few {over}s to decide: {fewest} of 2 needed")
    cells["error"] = cells["std"] / np.sqrt(cells["n"])
    cells["half_width"] = stats.t.ppf(1 - ERROR_RATE, cells["n"] - 1) * cells["error"]
    return cells.join(groups[["measured", "reference"]].mean())


def _t_tail(above: pd.Series, cells: pd.DataFrame) -> np.ndarray:
    """Probability of a mean this far above zero or further, where the true one is zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        tail = stats.t.sf(above / cells["error"], cells["n"] - 1)
    return np.nan_to_num(tail, nan=1.0)  # the mean is zero in every replicate


def _signed_rank(differences: pd.Series, alternative: str) -> float:
    """P value of Wilcoxon's signed-rank test; 1 where all differences are zero, which speak for neither order."""
    return 1.0 if (differences == 0).all() else float(stats.wilcoxon(differences, alternative=alternative).pvalue)


def _decision(cells: pd.DataFrame, at: int, p_support: float, p_refute: float) -> Decision:
    cell = cells.iloc[at]
    half_width = cell["half_width"] * abs(cell["reference"])
    return Decision(
        p_support=float(p_support),
        p_refute=float(p_refute),
        measured=float(cell["measured"]),
        reference=float(cell["reference"]),
        interval=(float(cell["measured"] - half_width), float(cell["measured"] + half_width)),
        where=_cell_at(cells, at),
        cells=len(cells),
        n=int(cell["n"]),
    )


def _cell_at(table: pd.DataFrame, at: int) -> dict[str, Any]:
    name = table.index[at]
    return dict(zip(table.index.names, name if isinstance(name, tuple) else (name,), strict=True))
