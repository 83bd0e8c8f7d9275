"""Decision rules on scores of pictures: how well they tell one arm from another, or how often they pass a threshold.

Replicates are crossed: each picture is scored for several networks, so that both are resampled, independently of each
other. Source: Owen (2007), The pigeonhole bootstrap; percentile intervals of Efron (1979).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from ndgm.decide.cells import Cells
from ndgm.decide.effects import OverCells
from ndgm.decide.statistics import ERROR_RATE, Decision, MissingValue, Reference, Test
from ndgm.store.provenance import generator

DRAWS = 5000
"""Resamples of pictures and networks."""

FEWEST = 20
"""Pictures in an arm that a resample needs; with fewer, nothing is decided."""

ARM, NETWORK = "arm", "seed"
"""Levels of the index that name what was done to a picture, and the network that it was done for."""

Weights = tuple[np.ndarray, np.ndarray]
"""How often each network and each picture is in a resample, of shapes (draws, networks) and (draws, pictures)."""

Arms = Mapping[str, np.ndarray]
"""Scores by arm, shape (networks, pictures); NaN where there is none."""


def share(scores: np.ndarray, weights: Weights) -> np.ndarray:
    """Mean of the scores that there are in each resample, shape (draws,); NaN where there are none."""
    networks, pictures = weights
    there = np.isfinite(scores)
    total = np.einsum("ds,sp,dp->d", networks, np.where(there, scores, 0), pictures, optimize=True)
    count = np.einsum("ds,sp,dp->d", networks, there.astype(float), pictures, optimize=True)
    return np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0)


def area(higher: np.ndarray, lower: np.ndarray, weights: Weights) -> np.ndarray:
    """Area under the ROC curve in each resample: P(higher > lower) + ½P(equal), within each network.

    Source: Hanley and McNeil (1982).
    """
    networks, pictures = weights
    wins, pairs = np.zeros(len(pictures)), np.zeros(len(pictures))
    for number, (high, low) in enumerate(zip(higher, lower, strict=True)):
        attacked, clean = np.isfinite(high), np.isfinite(low)
        order = np.sort(low[clean])
        lighter = np.zeros((len(pictures), len(order) + 1))  # weight of the lowest scores, however many
        np.cumsum(pictures[:, clean][:, low[clean].argsort()], axis=1, out=lighter[:, 1:])
        below, upto = (lighter[:, np.searchsorted(order, high[attacked], side)] for side in ("left", "right"))
        wins += networks[:, number] * (pictures[:, attacked] * (below + upto)).sum(1) / 2
        pairs += networks[:, number] * pictures[:, attacked].sum(1) * pictures[:, clean].sum(1)
    return np.divide(wins, pairs, out=np.full(len(wins), np.nan), where=pairs > 0)


STATISTICS: dict[str, Callable[[Arms, Weights], np.ndarray]] = {
    "area": lambda arms, weights: area(arms["attacked"], arms["clean"], weights),
    "lost area": lambda arms, weights: (
        area(arms["noisy"], arms["clean"], weights) - area(arms["attacked"], arms["clean"], weights)
    ),
    "share": lambda arms, weights: share(arms["attacked"], weights),
    "clean share": lambda arms, weights: share(arms["clean"], weights),
    "added share": lambda arms, weights: share(arms["attacked"], weights) - share(arms["clean"], weights),
}
"""What is estimated from the scores of arms, for each resample, shape (draws,)."""


@dataclass(frozen=True)
class ResamplingTest(Test):
    """A rule on one statistic of all pictures and networks of a cell, on which side of the margin it lies.

    What is measured are scores, with the levels `arm`, `seed` and the one that replicates, which names pictures. NaN
    says that a picture has no score, such as where an attack failed. P values are shares of resamples on the
    other side of the margin, with the sample itself added to them, so that none is zero. Sizes are distances of the
    statistic from `centre`.

    Attributes:
        statistic: A key of `STATISTICS`.
        centre: What the statistic is near to where the rule has two sides; else zero.
    """

    statistic: str = "area"
    centre: float = 0.0

    @property
    def of_signs(self) -> bool:
        """No: they follow from pictures and networks that are resampled already."""
        return False

    def p_values(self, cells: Cells, margin: float) -> tuple[np.ndarray, np.ndarray]:
        """P values for and against the claim in each cell; a resample without a value counts against either."""
        missing = np.bincount(cells.cell[np.isnan(cells.deviation)], minlength=len(cells.n))
        above, below, there = cells.above(margin), cells.below(-margin), cells.n - missing
        p_above, p_below, p_not_above, p_not_below = (
            (count + missing + 1) / (cells.n + 1) for count in (above, below, there - above, there - below)
        )
        if self.two_sided:
            return np.maximum(p_above, p_below), np.minimum(1, 2 * np.minimum(p_not_above, p_not_below))
        return (p_not_above, p_above) if self.beyond else (p_above, p_not_above)

    def decide(
        self, measured: pd.Series, reference: Reference, over: str, unordered: pd.Series | None = None
    ) -> Decision:
        """Decide from scores; `over` is the level that names pictures.

        No pair is ordered here, so that `unordered` changes nothing.

        Raises:
            MissingValue: if a cell has no arm that is needed, or too few pictures in it.
        """
        if measured.empty:
            raise MissingValue("no runs")
        levels = [name for name in measured.index.names if name not in (ARM, NETWORK, over)]
        found = [
            (dict(zip(levels, name, strict=True)), *self._of_cell(scores, over))
            for name, scores in measured.groupby(level=levels, sort=False)
        ]
        draws = np.concatenate([resampled for _, _, resampled, _ in found])
        cells = Cells.of(draws - self.centre, np.repeat(np.arange(len(found)), DRAWS))
        p_for, p_against = self.p_values(cells, self.margin)
        distances = self.size(np.array([value for _, value, _, _ in found]) - self.centre)
        worst = int(np.lexsort([distances if self.beyond else -distances, p_against, -p_for])[0])
        where, value, resampled, n = found[worst]
        p_support, p_refute = self.overall(p_for, p_against)
        low, high = np.nanquantile(resampled, [ERROR_RATE / len(found), 1 - ERROR_RATE / len(found)])
        beyond = int((distances > self.margin).sum())
        return Decision(
            p_support=float(p_support),
            p_refute=float(p_refute),
            measured=value,
            reference=float(np.max(reference)),
            interval=(float(low), float(high)),
            effect=(value - self.centre, float(low) - self.centre, float(high) - self.centre),
            where=where,
            cells=len(found),
            n=n,
            over_cells=OverCells(beyond, len(found) - beyond, 0),
            deviations=cells,
        )

    def _of_cell(self, scores: pd.Series, over: str) -> tuple[float, np.ndarray, int]:
        """The statistic of a cell, that of each resample, NaN where it holds no score, and the number of pictures."""
        arms = by_arm(scores, over)
        try:
            counts = {name: int(np.isfinite(each).any(0).sum()) for name, each in arms.items()}
            estimate = float(STATISTICS[self.statistic](arms, weights_of_all(arms))[0])
            draws = STATISTICS[self.statistic](arms, resamples(arms))
        except KeyError as arm:
            raise MissingValue(f"no {arm.args[0]} pictures") from None
        for name, count in counts.items():
            if count < FEWEST:
                raise MissingValue(f"too few {name} pictures to decide: {count} of {FEWEST} needed")
        return estimate, draws, min(counts.values())


def by_arm(scores: pd.Series, over: str) -> dict[str, np.ndarray]:
    """Scores by arm, each of shape (networks, pictures), NaN where there is none."""
    flat = scores.droplevel([name for name in scores.index.names if name not in (ARM, NETWORK, over)])
    table = flat.unstack(over)
    networks = table.index.get_level_values(NETWORK).unique()
    return {
        str(arm): rows.droplevel(ARM).reindex(networks).to_numpy(dtype=float) for arm, rows in table.groupby(level=ARM)
    }


def weights_of_all(arms: Arms) -> Weights:
    """Every network and every picture once."""
    networks, pictures = next(iter(arms.values())).shape
    return np.ones((1, networks)), np.ones((1, pictures))


def resamples(arms: Arms) -> Weights:
    """How often each network and each picture is in each resample; draws depend on nothing but their numbers."""
    networks, pictures = next(iter(arms.values())).shape
    return _draws(networks, pictures)


@cache
def _draws(networks: int, pictures: int) -> Weights:
    """The draws for so many networks and pictures, whatever the root seed: a verdict is a function of its tables."""
    rng = generator(0, "resampling", f"{networks} networks, {pictures} pictures")
    return (
        rng.multinomial(networks, np.full(networks, 1 / networks), DRAWS).astype(float),
        rng.multinomial(pictures, np.full(pictures, 1 / pictures), DRAWS).astype(float),
    )


def area_of(scores: pd.Series, over: str) -> float:
    """Area under the ROC curve of attacked pictures against clean ones, of one cell, as for `area_interval`."""
    arms = by_arm(scores, over)
    return float(STATISTICS["area"](arms, weights_of_all(arms))[0])


def area_interval(scores: pd.Series, over: str) -> tuple[float, float]:
    """Interval, of level 1 − 2·`ERROR_RATE`, of the area under the ROC curve of attacked pictures against clean ones.

    Args:
        scores: Of one cell, with the levels `arm`, `seed` and `over`.
        over: Level that names pictures.
    """
    arms = by_arm(scores, over)
    low, high = np.nanquantile(STATISTICS["area"](arms, resamples(arms)), [ERROR_RATE, 1 - ERROR_RATE])
    return float(low), float(high)


def told_apart(margin: float) -> Test:
    """Rule that in every cell the area under the ROC curve, of attacked against clean pictures, is above the margin."""
    name = f"resampling: in every cell the area under the ROC curve is above {margin:g}"
    return ResamplingTest(name, margin, two_sided=False, beyond=True)


def no_area_lost(margin: float) -> Test:
    """Rule that in every cell the area of noisy pictures exceeds that of attacked ones by the margin at most."""
    name = f"resampling: in every cell the area of noisy pictures is at most {margin:g} above that of attacked ones"
    return ResamplingTest(name, margin, two_sided=False, beyond=False, statistic="lost area")


def share_above(margin: float) -> Test:
    """Rule that in every cell the share of attacked pictures is above the margin."""
    name = f"resampling: in every cell the share is above {margin:g}"
    return ResamplingTest(name, margin, two_sided=False, beyond=True, statistic="share")


def share_added(margin: float) -> Test:
    """Rule that in every cell the share of attacked pictures exceeds that of clean ones by the margin at most."""
    name = f"resampling: in every cell the share is at most {margin:g} above that of clean pictures"
    return ResamplingTest(name, margin, two_sided=False, beyond=False, statistic="added share")


def share_within(low: float, high: float) -> Test:
    """Rule that in every cell the share of clean pictures lies between two bounds."""
    name = f"resampling: in every cell the share of clean pictures lies between {low:g} and {high:g}"
    margin, centre = round((high - low) / 2, 10), round((high + low) / 2, 10)
    return ResamplingTest(name, margin, two_sided=True, beyond=False, statistic="clean share", centre=centre)
