"""Intervals that figures draw around a middle: of a mean and of a median.

Special functions of SciPy stand for its distributions, which take as long to load as a figure to draw.
"""

import numpy as np
import pandas as pd
from scipy import special

from ndgm.decide.cells import rank_of_bound
from ndgm.decide.statistics import ERROR_RATE


def mean_interval(table: pd.DataFrame, cell: list[str], value: str) -> pd.DataFrame:
    """Mean of a column in each cell, with the two-sided t interval of level 1 − 2·`ERROR_RATE` over its rows.

    Of what is symmetric over rows, such as logarithms of ratios over cells; seeds have medians.

    Returns:
        Columns `mean`, `low`, `high`, indexed by cell.
    """
    groups = table.groupby(cell)[value].agg(["mean", "sem", "count"])
    half_width = special.stdtrit(groups["count"] - 1, 1 - ERROR_RATE) * groups["sem"]
    mean = groups["mean"]
    return pd.DataFrame({"mean": mean, "low": mean - half_width, "high": mean + half_width})


def median_intervals(table: pd.DataFrame, cell: list[str], value: str) -> pd.DataFrame:
    """Median of a column in each cell, with its `median_interval` over the cell's rows.

    Returns:
        Columns `median`, `low`, `high`, indexed by cell.
    """
    groups = table.groupby(cell)[value]
    median = groups.median()
    ends = pd.DataFrame([median_interval(values) for _, values in groups], median.index, ["low", "high"], dtype=float)
    return ends.assign(median=median)[["median", "low", "high"]]


def median_interval(values: pd.Series) -> tuple[float, float]:
    """Interval of the median, of level 1 − 2·`ERROR_RATE` or more for every distribution; of few values, their range.

    Source: the sign test.
    """
    ordered, rank = np.sort(values), max(rank_of_bound(len(values), ERROR_RATE), 1)
    return float(ordered[rank - 1]), float(ordered[-rank])
