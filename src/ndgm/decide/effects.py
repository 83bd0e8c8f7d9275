"""Effects beside a verdict: over all cells, and how far the margin is from where the verdict would be another one."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from ndgm.decide.cells import ROUNDING, Cells


@dataclass(frozen=True)
class OverCells:
    """In how many cells what was measured lies above its reference, near it, and below, and by which factor.

    Attributes:
        above: Cells whose median relative deviation lies above the margin; for a rule on every value, the largest one.
        near: All other cells.
        below: Cells where it lies as far below zero.
        ratio: Geometric mean over cells of the median ratio measured/reference; None where a ratio is not positive.
        interval: Student's interval of it over cells, as if they were drawn; None for one cell,
            or where it is not finite.
    """

    above: int
    near: int
    below: int
    ratio: float | None = None
    interval: tuple[float, float] | None = None


def over_cells(cells: Cells, margin: float, error_rate: float, ratios: np.ndarray | None) -> OverCells:
    """Effect over cells of medians.

    Args:
        cells: Relative deviations.
        margin: Median deviations up to here, of either sign, count as near.
        error_rate: Of either end of the interval of the ratio.
        ratios: Median of measured/reference of each cell; None where it is not defined.
    """
    counts = _counts(cells.medians(), margin + ROUNDING)
    if ratios is None or not (np.isfinite(ratios) & (ratios > 0)).all():
        return OverCells(*counts)
    logarithms = np.log(ratios)
    mean = logarithms.mean()
    if len(ratios) < 2:
        return OverCells(*counts, ratio=float(np.exp(mean)))
    standard_error = logarithms.std(ddof=1) / np.sqrt(len(ratios))
    half_width = special.stdtrit(len(ratios) - 1, 1 - error_rate) * standard_error
    with np.errstate(over="ignore", under="ignore"):
        low, high = np.exp([mean - half_width, mean + half_width])
    interval = (float(low), float(high)) if np.isfinite(high) else None
    return OverCells(*counts, ratio=float(np.exp(mean)), interval=interval)


def over_cells_of_values(cells: Cells, tolerance: float) -> OverCells:
    """Effect over cells of a rule on every value, whose deviations are absolute: the largest of each cell decides."""
    last = np.cumsum(cells.n) - 1
    highest, lowest = cells.deviation[last], cells.deviation[last + 1 - cells.n]
    return OverCells(*_counts(np.where(highest >= -lowest, highest, lowest), tolerance))


def _counts(deviations: np.ndarray, margin: float) -> tuple[int, int, int]:
    """How many deviations lie above the margin, near zero, and as far below it."""
    above, below = int((deviations > margin).sum()), int((deviations < -margin).sum())
    return above, len(deviations) - above - below, below


def margins_of_verdict(
    margin: float, sizes: np.ndarray, verdict_at: Callable[[float], str], *, signed: bool
) -> tuple[float | None, float | None]:
    """Margins between which the verdict stays what it is at the margin given; None where it never changes.

    The verdict changes at sizes of deviations only, and in one direction as the margin grows.

    Args:
        margin: The margin.
        sizes: Sizes of all deviations.
        verdict_at: Verdict by margin.
        signed: Whether margins below zero are looked at, too: those of a rule with one side, which ask for less than
            its reference, or for more, than a margin of zero.
    """
    ends = np.unique(np.round(sizes[np.isfinite(sizes)], 10) + 0.0)  # closer ones are the same but for rounding
    ends = ends if signed else ends[ends > 0]
    if not len(ends):
        return None, None
    first = ends[0] - max(1.0, abs(ends[0])) if signed else ends[0] / 2
    last = ends[-1] + max(1.0, abs(ends[-1]))
    inside = np.concatenate([[first], (ends[:-1] + ends[1:]) / 2, [last]])  # between two ends each
    here, now = verdict_at(margin), int(np.searchsorted(ends, margin))
    low = _furthest(lambda place: verdict_at(inside[place]) == here, now, 0)
    high = _furthest(lambda place: verdict_at(inside[place]) == here, now, len(ends))
    # On an end itself, the verdict may be that of neither side.
    return (
        None if low == 0 else float(ends[low - 1] if low is not None else margin),
        None if high == len(ends) else float(ends[high] if high is not None else margin),
    )


def _furthest(stays: Callable[[int], bool], start: int, end: int) -> int | None:
    """Place furthest from the start, towards the end, up to which a verdict stays; found by bisection.

    None where it is another one at the start.
    """
    if not stays(start):
        return None
    near, far = start, end
    while near != far:
        middle = (near + far + (far > near)) // 2
        if stays(middle):
            near = middle
        else:
            far = middle + (1 if far < near else -1)
    return near
