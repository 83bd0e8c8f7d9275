"""Rows of runs of descent on functions of one variable: on which functions, with which steps, and where they ended."""

from typing import Any

import numpy as np
import pandas as pd

from ndgm.decide.selection import ends_of, nonempty
from ndgm.theory.arrival import arrival_pace
from ndgm.theory.edge_of_stability import FLAT, scalar

EXACT = 1e-6
"""What a finite run may leave of its way to a cycle, relative to the cycle."""


def even(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs on even functions."""
    return runs[runs["design"].map({name: scalar(name).even for name in runs["design"].unique()}).astype(bool)]


def curved(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs on even functions whose curvature on the cycle is not zero by construction."""
    on_even = even(runs)
    return on_even[~on_even["design"].isin(FLAT)]


def beyond(*tables: pd.DataFrame) -> pd.DataFrame:
    """Last rows of runs with a step above the threshold."""
    ends = []
    for runs in tables:
        runs = runs.assign(threshold=runs["design"].map(lambda name: scalar(name).threshold).astype(float))
        ends.append(ends_of(nonempty(runs[runs["step_size"] > runs["threshold"]], "beyond the threshold")))
    return pd.concat(ends, ignore_index=True)


def on_cycle(*tables: pd.DataFrame) -> pd.DataFrame:
    """Last rows of runs with a step above the threshold that lets them arrive on a cycle."""
    return nonempty(arrived(beyond(*tables)), "that have arrived")


def arrived(ends: pd.DataFrame) -> pd.DataFrame:
    """Last rows of runs whose step size lets them arrive where descent ends, whatever their start.

    Three quarters of the steps, which leave one to come near, have to shrink a distance from there to `EXACT`
    of itself.
    """
    pace = pd.Series(np.nan, ends.index)
    for (name, step_size), part in ends.groupby(["design", "step_size"]):
        pace[part.index] = arrival_pace(name, step_size)
    return ends[pace ** (3 / 4 * ends["step"] / 2) <= EXACT]


def at_double_threshold(ends: pd.DataFrame) -> Any:
    """Runs whose step is closest to two thresholds, or to 4 where there is no threshold, grouped by function."""
    off = (ends["step_size"] - 2 * ends["threshold"].replace(0, 2)).abs()
    return ends[off == off.groupby(ends["design"]).transform("min")].groupby("design")


def both_points(ends: pd.DataFrame) -> pd.DataFrame:
    """Last rows with the mean and the larger of the sharpness at the last two iterates, in units of 2/η."""
    last, before = ends["sharpness"], ends["sharpness_before"]
    return ends.assign(
        mean_sharpness_over_edge=(last + before) * ends["step_size"] / 4,
        largest_sharpness_over_edge=np.maximum(last, before) * ends["step_size"] / 2,
    )
