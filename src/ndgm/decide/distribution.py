"""Decision rule on a whole distribution: whether measured values follow a law, in every cell."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from ndgm.decide.cells import Cells
from ndgm.decide.effects import OverCells
from ndgm.decide.statistics import ERROR_RATE, Decision, MissingValue, Reference, Test, TooFew


@dataclass(frozen=True)
class DistributionTest(Test):
    """Kolmogorov and Smirnov's test of a law, which supports it too, where it would have seen another one.

    What is measured are probabilities u = F(x), of the law's distribution function F, so that they are uniform if the
    law holds; D is the largest distance between their distribution function and that of the uniform law. The claim is
    refuted where D is improbable under the law; it is supported where it is not, and D would be improbably small for
    every law whose distribution function is `margin` or more away from F somewhere.
    """

    @property
    def of_signs(self) -> bool:
        """No: they follow from a distance of distribution functions."""
        return False

    def turns(self, cells: Cells) -> np.ndarray:
        """Margins at which the verdict is looked at, since it can change at any: thousandths."""
        return np.linspace(0.001, 1, 1000)

    def p_values(self, cells: Cells, margin: float) -> tuple[np.ndarray, np.ndarray]:
        """P values for and against the law in each cell, the latter of any margin."""
        found = distances(cells)
        p_for = np.array([p_of_closeness(d, int(n), margin) for d, n in zip(found, cells.n, strict=True)])
        return p_for, stats.kstwo.sf(found, cells.n)

    def overall(self, p_for: np.ndarray, p_against: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """P values over cells, as of every test; what is refuted is not supported, however wide the margin."""
        p_support, p_refute = super().overall(p_for, p_against)
        return np.where(p_refute <= ERROR_RATE, 1.0, p_support), p_refute

    def decide(
        self, measured: pd.Series, reference: Reference, over: str, unordered: pd.Series | None = None
    ) -> Decision:
        """Decide from probabilities, whose distance from the uniform law is held against `reference`, which is zero.

        No pair is ordered here, so that `unordered` changes nothing.

        Raises:
            MissingValue: if a value is missing.
            TooFew: if there are too few for either verdict.
        """
        if measured.empty:
            raise MissingValue("no runs")
        if gaps := int((~np.isfinite(measured)).sum()):
            raise MissingValue(f"{gaps} of {len(measured)} runs have no value")
        levels = [name for name in measured.index.names if name != over]
        place = measured.groupby(level=levels, sort=False).ngroup().to_numpy()
        cells = Cells.of(measured.to_numpy(dtype=float), place)
        p_for, p_against = self.p_values(cells, self.margin)
        found, worst = distances(cells), int(np.lexsort([p_against, -p_for])[0])
        p_support, p_refute = self.overall(p_for, p_against)
        distance, n = float(found[worst]), int(cells.n[worst])
        half_width = float(stats.kstwo.ppf(1 - 2 * ERROR_RATE / len(cells.n), n))
        name = measured.index.droplevel(over)[place == worst][0]
        named = name if isinstance(name, tuple) else (name,)
        beyond = int((found > self.margin).sum())
        ends = max(distance - half_width, 0.0), min(distance + half_width, 1.0)
        decision = Decision(
            p_support=float(p_support),
            p_refute=float(p_refute),
            measured=distance,
            reference=float(np.max(reference)),
            interval=ends,
            effect=(distance, *ends),
            where=dict(zip(levels, named, strict=True)),
            cells=len(cells.n),
            n=n,
            over_cells=OverCells(beyond, len(cells.n) - beyond, 0),
            deviations=cells,
        )
        if p_of_closeness(0.0, int(cells.n.min()), self.margin) > ERROR_RATE:
            raise TooFew(f"too few {over}s to decide: {cells.n.min()}", decision)
        return decision


def distances(cells: Cells) -> np.ndarray:
    """D of each cell: the largest distance between the distribution function of its values and u on (0, 1)."""
    first = np.cumsum(cells.n) - cells.n
    rank = np.arange(len(cells.deviation)) - first[cells.cell]
    n = cells.n[cells.cell]
    off = np.maximum((rank + 1) / n - cells.deviation, cells.deviation - rank / n)
    return np.maximum.reduceat(off, first)


def p_of_closeness(distance: float, n: int, margin: float) -> float:
    """Largest probability that n values come as close to a law whose distribution function is `margin` away somewhere.

    Where it is that far away, the number of values below is binomial with some mean nq, and D ≤ distance asks for
    n(margin − distance) fewer; or, on the other side, more. The largest P(Bin(n, q) ≤ n(q − margin + distance)) over q
    is at one of the q where the bound is a whole number.
    """
    gap = margin - distance
    if gap <= 0:
        return 1.0
    count = np.arange(n + 1)
    share = count / n + gap
    there = share <= 1
    return float(stats.binom.cdf(count[there], n, share[there]).max(initial=0.0))


def law(margin: float) -> Test:
    """Rule that in every cell probabilities u = F(x) are uniform, so that x has the law F.

    Args:
        margin: Distance of distribution functions; a law that is so far away somewhere would have been seen.

    Source: Kolmogorov (1933); Massey (1951).
    """
    name = f"law: in every cell Kolmogorov and Smirnov's test finds no other law, and one {margin:g} away would be seen"
    return DistributionTest(name, margin, two_sided=True, beyond=False)
