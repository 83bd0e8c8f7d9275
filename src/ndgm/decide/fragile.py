"""Whether a verdict is fragile: how often it would have been another one, had chance drawn other replicates.

Replicates are drawn again from those of each cell, with replacement, in each cell by itself. Source: Efron (1979).
"""

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
    random = generator(0, "fragile", f"{len(cells.n)} cells").random((draws, len(cells.cell)))
    first = (np.cumsum(cells.n) - cells.n)[cells.cell]
    drawn = first + (random * cells.n[cells.cell]).astype(int)
    place = cells.cell + len(cells.n) * np.arange(draws)[:, None]
    # Signs are counted: no order within a cell is needed.
    again = Cells(cells.deviation[drawn].ravel(), place.ravel(), np.tile(cells.n, draws))
    each = (p.reshape(draws, -1) for p in test.p_values(again, test.margin))
    p_support, p_refute = test.overall(*each)
    seen, times = np.unique(np.stack([p_support, p_refute], 1), axis=0, return_counts=True)
    other = [verdict_of(*pair) != verdict for pair in seen.tolist()]
    return int(times[other].sum()) / draws


def why_fragile(otherwise: float | None, declared: str) -> str | None:
    """Why a verdict is fragile: what its claim declares, and how often other replicates decide otherwise; else None.

    Args:
        otherwise: Share of draws in which the verdict is another one; up to `ERROR_RATE` it is not fragile.
        declared: What is known of other runs.
    """
    seen = f"{otherwise:.0%} of resamples of its replicates decide otherwise".replace("%", " %") if otherwise else ""
    reasons = [declared, seen if otherwise and otherwise > ERROR_RATE else ""]
    return "; ".join(filter(None, reasons)) or None
