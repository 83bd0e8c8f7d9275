"""Whether resamples make a verdict fragile: how often it is another one, had chance drawn other replicates.

Replicates are drawn again from those of each cell, with replacement, in each cell by itself. Where cells share seeds
this counts a verdict as fragile too often. It never does where all replicates agree. Source: Efron (1979).
"""

from collections import Counter
from collections.abc import Callable

from ndgm.decide.cells import Cells
from ndgm.decide.statistics import ERROR_RATE, Test
from ndgm.store.provenance import generator

DRAWS = 1000
"""How often replicates are drawn again."""

VALUES = 1_000_000
"""Values that are drawn at once, at most: they are kept until their signs are counted."""


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
    first, values = cells.first()[cells.cell], len(cells.cell)
    at_once = max(1, VALUES // values)
    seen: Counter[tuple[float, float]] = Counter()
    for begin in range(0, draws, at_once):
        shares = random.random((min(at_once, draws - begin), values))
        drawn = first + (shares * cells.n[cells.cell]).astype(int)
        # Signs are counted: no order within a cell is needed.
        p_values = test.p_values(cells.drawn(drawn), test.margin)
        seen.update(zip(*(p.tolist() for p in test.overall(*p_values)), strict=True))
    return sum(times for pair, times in seen.items() if verdict_of(*pair) != verdict) / draws


def why_fragile(otherwise: float | None) -> str | None:
    """That other replicates make a verdict fragile, by the share of draws with another one; None where that is small.

    Up to `ERROR_RATE` it is small, and so is one that is unknown. Other runs may make a verdict fragile too.
    """
    if otherwise is None or otherwise <= ERROR_RATE:
        return None
    share = f"{100 * otherwise:.{0 if otherwise >= 0.0995 else 1}f}"
    return f"{share} % of resamples of its replicates decide otherwise"
