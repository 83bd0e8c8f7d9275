"""Decision rules for claims: sign tests over replicates, and rules on every single value.

A claim gives measured values and their reference, with the same index: one level is replicated over (`seed`), the other
levels name a *cell*, for example a design and a penalty. A claim holds when it holds in every cell.

What a rule asks of a cell is where the median of the relative deviation (measured − reference)/|reference| lies, and
sign tests answer it: their size holds for every distribution. What n replicates can see: how many of them have to lie
beyond a bound, and in brackets the share of all values there at which that has a power of 80 %, and for normal values
the distance of the median from the bound, in standard deviations. At 5 %; at 0.5 %, which Holm's rule leaves the first
of ten findings; and at 0.083 %, for refutation by one of 30 cells to either side:

| n  | 5 %             | 0.5 %            | 0.083 %         |
|----|-----------------|------------------|-----------------|
| 5  | 5 (0.96, 1.71)  | never            | never           |
| 10 | 9 (0.92, 1.38)  | 10 (0.98, 2.01)  | never           |
| 20 | 15 (0.80, 0.84) | 17 (0.88, 1.19)  | 18 (0.92, 1.42) |
| 60 | 37 (0.66, 0.41) | 41 (0.72, 0.59)  | 43 (0.75, 0.69) |
"""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from ndgm.decide.cells import Cells, sign_test
from ndgm.decide.effects import OverCells, over_cells, over_cells_of_values

ERROR_RATE = 0.05
"""Probability of a wrong verdict, over all findings of a group."""

SMALLEST_EFFECT = 0.01
"""Smallest relative effect that an order counts as one: the finest margin of any equivalence that is claimed here."""

Reference: TypeAlias = pd.Series | float
"""Values that the measured ones are held against: one each, or one for all."""


class MissingValue(ValueError):
    """A gap in the evidence, for example because a run diverged; the message says in words what is missing."""


@dataclass(frozen=True)
class Decision:
    """Outcome of a test; the numbers are those of the cell that speaks most against the claim.

    Attributes:
        p_support: Probability of evidence this good if the claim were false.
        p_refute: Probability of evidence this bad if the claim were true.
        measured: Where a deviation is tested for its size, the reference with the median deviation; else the median of
            the measured values in that cell; for a rule on every value, the value with the largest deviation.
        reference: Median of the reference in that cell; for a rule on every value, that of this value.
        interval: Interval of `measured` that holds whichever cell was chosen: at level 1 − 2·`ERROR_RATE` for all cells
            at once, None where there are too few replicates for it; where nothing is estimated, the range of all
            measured values with this reference.
        effect: How far what decides is from its reference, in the unit of the margin, with the ends of an interval: the
            median relative deviation in that cell, with those of `interval`, None where there is none or it is not
            finite; for a rule on every value, the largest deviation, with the range of all; for one statistic of a
            cell, its own distance from the reference of the margin, with its interval.
        where: The cell.
        cells: Number of cells.
        n: Replicates in that cell.
        over_cells: Effect over all cells.
        deviations: Deviations of all cells, from which the test follows at any margin.
    """

    p_support: float
    p_refute: float
    measured: float
    reference: float
    interval: tuple[float, float] | None
    effect: tuple[float, float, float] | None
    where: dict[str, Any]
    cells: int
    n: int
    over_cells: OverCells
    deviations: Cells = field(repr=False, compare=False)


class TooFew(MissingValue):
    """Too few replicates for either verdict, whatever their values are; `decision` says what was measured."""

    def __init__(self, reason: str, decision: Decision) -> None:
        super().__init__(reason)
        self.decision = decision


@dataclass(frozen=True)
class Test:
    """A decision rule, fixed before the run: on which side of a margin the size of the deviation lies, in every cell.

    Attributes:
        name: One sentence that says what it does.
        margin: The margin: relative to the reference where medians are tested, else in the unit of the claim.
        two_sided: Whether the size of a deviation is its absolute value, or the deviation itself.
        beyond: Whether sizes have to lie above the margin, or below.
        random: Whether medians are tested, so that p values are probabilities; else every value has to obey.
    """

    name: str
    margin: float
    two_sided: bool
    beyond: bool
    random: bool = True

    @property
    def of_signs(self) -> bool:
        """Whether its p values follow from the signs of the replicates of each cell, so that these can be resampled."""
        return self.random

    @property
    def in_pairs(self) -> bool:
        """Whether it is on the order of measured values and their references, each of one replicate."""
        return self.of_signs and not self.two_sided

    def size(self, deviation: np.ndarray) -> np.ndarray:
        """Sizes of deviations."""
        return np.abs(deviation) if self.two_sided else deviation

    def turns(self, cells: Cells) -> np.ndarray:
        """Margins at which alone the verdict can change: sizes of deviations."""
        return self.size(cells.deviation)

    def p_values(self, cells: Cells, margin: float) -> tuple[np.ndarray, np.ndarray]:
        """P values for and against the claim in each cell, each of one or two sign tests.

        A size below the margin on two sides needs both tests to reject, one above it needs one of them, at half the
        level. A pair of unknown order speaks neither for the claim nor against it, at any margin.
        """
        if not self.random:
            broken = np.bincount(cells.cell[self.size(cells.deviation) > margin], minlength=len(cells.n)) > 0
            return broken.astype(float), 1.0 - broken
        above, below = sign_test(cells.above(margin), cells.n), sign_test(cells.below(margin), cells.n)
        if self.two_sided:
            above = np.minimum(1, 2 * np.minimum(above, sign_test(cells.below(-margin), cells.n)))
            below = np.maximum(below, sign_test(cells.above(-margin), cells.n))
        return (above, below) if self.beyond else (below, above)

    def overall(self, p_for: np.ndarray, p_against: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """P values over cells, the last axis: support needs every cell, refutation one, with Bonferroni's correction.

        Source: Berger (1982).
        """
        return p_for.max(-1), np.minimum(1, p_against.shape[-1] * p_against.min(-1))

    def at(self, cells: Cells, margin: float) -> tuple[float, float]:
        """P values for support and for refutation, had the margin been another one."""
        p_support, p_refute = self.overall(*self.p_values(cells, margin))
        return float(p_support), float(p_refute)

    def decide(
        self, measured: pd.Series, reference: Reference, over: str, unordered: pd.Series | None = None
    ) -> Decision:
        """Decide from measured values, their reference, and the level `over` of their index that replicates.

        Where medians are tested, pairs that are `unordered` count on neither side.

        Raises:
            MissingValue: if a value is missing or not finite, or a size is relative to zero.
            TooFew: if there are too few replicates for either verdict.
        """
        values = _side_by_side(measured, reference)
        levels = [name for name in values.index.names if name != over]
        place = values.groupby(level=levels, sort=False).ngroup().to_numpy()
        if not self.random:
            return self._of_values(values, place)
        unknown = None if unordered is None else unordered.reindex(values.index).to_numpy(dtype=bool)
        return self._of_medians(values, place, over, unknown)

    def _of_values(self, values: pd.DataFrame, place: np.ndarray) -> Decision:
        deviation = (values["measured"] - values["reference"]).to_numpy()
        cells, at = Cells.of(deviation, place), int(self.size(deviation).argmax())
        worst = values.iloc[at]
        alike = values.loc[values["reference"] == worst["reference"], "measured"]
        return Decision(
            *self.at(cells, self.margin),
            measured=float(worst["measured"]),
            reference=float(worst["reference"]),
            interval=(float(alike.min()), float(alike.max())),
            effect=(float(deviation[at]), float(deviation.min()), float(deviation.max())),
            where=_named(values.index, at),
            cells=len(cells.n),
            n=len(values),
            over_cells=over_cells_of_values(cells, self.margin),
            deviations=cells,
        )

    def _of_medians(self, values: pd.DataFrame, place: np.ndarray, over: str, unordered: np.ndarray | None) -> Decision:
        cells = Cells.of(_relative(values, zero=not self.two_sided), place, unordered)
        p_for, p_against = self.p_values(cells, self.margin)
        medians = cells.medians()
        inside = self.size(medians) if self.beyond else -self.size(medians)
        worst = int(np.lexsort([inside, p_against, -p_for])[0])
        tail = ERROR_RATE / len(cells.n)
        here = values[place == worst]
        centre, span = here["reference"].median(), cells.interval(worst, tail)
        effect = None if span is None or not np.isfinite([*span]).all() else (float(medians[worst]), *span)
        if self.two_sided:
            middle = centre + abs(centre) * medians[worst]
            interval = None if span is None else (centre + abs(centre) * span[0], centre + abs(centre) * span[1])
        else:
            middle = here["measured"].median()
            interval = Cells.of(here["measured"].to_numpy(), np.zeros(len(here), dtype=int)).interval(0, tail)
        p_support, p_refute = self.overall(p_for, p_against)
        positive = bool((values["reference"] > 0).all())
        decision = Decision(
            p_support=float(p_support),
            p_refute=float(p_refute),
            measured=float(middle),
            reference=float(centre),
            interval=interval,
            effect=effect,
            where=_named(here.index.droplevel(over), 0),
            cells=len(cells.n),
            n=int(cells.n[worst]),
            over_cells=over_cells(cells, self.margin, ERROR_RATE, 1 + medians if positive else None),
            deviations=cells,
        )
        self._refuse_too_few(cells.n, over, decision)
        return decision

    def _refuse_too_few(self, n: np.ndarray, over: str, decision: Decision) -> None:
        """Raise `TooFew` if no values whatever could give either verdict."""
        factor = {self.beyond: 2 if self.two_sided else 1, not self.beyond: 1}  # of outside and inside, by verdict
        support, refutation = factor[True] * 0.5 ** n.min(), len(n) * factor[False] * 0.5 ** n.max()
        if support > ERROR_RATE and refutation > ERROR_RATE:
            needed = int(np.ceil(np.log2(factor[True] / ERROR_RATE)))
            raise TooFew(f"too few {over}s to decide: {n.min()} of {needed} needed", decision)


def equivalence(margin: float) -> Test:
    """Rule that in every cell the median relative deviation lies within ±margin.

    Source: Schuirmann (1987), with sign tests.
    """
    name = f"equivalence: in every cell the median is within {100 * margin:g} % of the reference"
    return Test(name, margin, two_sided=True, beyond=False)


def difference(margin: float) -> Test:
    """Rule that in every cell the median relative deviation lies outside ±margin, the negation of `equivalence`."""
    name = f"difference: in every cell the median is more than {100 * margin:g} % away from the reference"
    return Test(name, margin, two_sided=True, beyond=True)


def order(smallest: float = SMALLEST_EFFECT) -> Test:
    """Rule that in every cell the measured values lie above the reference, in pairs with the same replicate.

    Args:
        smallest: Smallest relative effect that matters: the median one has to be larger. Zero where the reference is
            times a factor that the statement names.
    """
    above = f"more than {100 * smallest:g} % above" if smallest else "above"
    return Test(f"order: in every cell the median is {above} the reference, in pairs", smallest, False, beyond=True)


def below(margin: float = 0.0) -> Test:
    """Rule that in every cell the measured values lie below the reference, or by less than `margin` of it above."""
    where = f"less than {100 * margin:g} % above" if margin else "below"
    return Test(f"order: in every cell the median is {where} the reference, in pairs", margin, False, beyond=False)


def within(tolerance: float) -> Test:
    """Rule that every single measured value is within `tolerance` of its reference; nothing is estimated."""
    name = f"every value: within {tolerance:.2g} of the reference" if tolerance else "every value: equals the reference"
    return Test(name, tolerance, two_sided=True, beyond=False, random=False)


def at_most(tolerance: float) -> Test:
    """Rule that every single measured value exceeds its reference by `tolerance` at most; nothing is estimated."""
    name = f"bound: {f'at most {tolerance:.2g} above' if tolerance else 'not above'} the reference"
    return Test(name, tolerance, two_sided=False, beyond=False, random=False)


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


def _relative(values: pd.DataFrame, *, zero: bool) -> np.ndarray:
    """Relative deviations (measured − reference)/|reference|, infinite beside a reference of zero.

    Raises:
        MissingValue: if a reference is zero where it may not be.
    """
    difference = (values["measured"] - values["reference"]).to_numpy(dtype=float)
    size = values["reference"].abs().to_numpy(dtype=float)
    if not zero and (size == 0).any():
        raise MissingValue("a reference is zero, and nothing is relative to it")
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        return np.where(difference == 0, 0.0, difference / size)


def _named(index: pd.Index, at: int) -> dict[str, Any]:
    """The cell at a place of an index, by level."""
    name = index[at]
    return dict(zip(index.names, name if isinstance(name, tuple) else (name,), strict=True))
