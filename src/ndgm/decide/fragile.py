"""Whether a verdict is fragile: how often it would have been another one, had chance drawn other replicates.

Replicates are drawn again from those of each cell, with replacement, in each cell by itself. Where cells share seeds
this counts a verdict as fragile too often. It never does where all replicates agree. Source: Efron (1979).
"""

from collections import Counter
from collections.abc import Callable

import numpy as np

from ndgm.decide.cells import Cells
from ndgm.decide.statistics import ERROR_RATE, Test
from ndgm.store.provenance import generator

DRAWS = 1000
"""How often replicates are drawn again."""


def share_otherwise(
    test: Test, cells: Cells, verdict: str, verdict_of: Callable[[float, float], str], draws: int = DRAWS
) -> float | None:
    """Share of draws in which the verdict is another one; None for a rule that tests no medians.

    Args:
        test: The rule.
        cells: Deviations of the replicates.
        verdict: The verdict of these.
        verdict_of: Verdict by p values, (for support, for refutation).
        draws: How often replicates are drawn again.
    """
    if not test.of_signs:
        return None
    random = generator(0, "fragile", f"{len(cells.n)} cells")
    first = (np.cumsum(cells.n) - cells.n)[cells.cell]
    seen: Counter[tuple[float, float]] = Counter()
    for _ in range(draws):
        drawn = first + (random.random(len(cells.cell)) * cells.n[cells.cell]).astype(int)
        # Signs are counted: no order within a cell is needed.
        seen[test.at(Cells(cells.deviation[drawn], cells.cell, cells.n), test.margin)] += 1
    return sum(times for pair, times in seen.items() if verdict_of(*pair) != verdict) / draws


def why_fragile(otherwise: float | None) -> str | None:
    """Why a verdict is fragile, by the share of draws in which it is another one; None where that is small or unknown.

    Up to `ERROR_RATE` it is small.
    """
    if otherwise is None or otherwise <= ERROR_RATE:
        return None
    share = f"{100 * otherwise:.{0 if otherwise >= 0.0995 else 1}f}"
    return f"{share} % of resamples of its replicates decide otherwise"
