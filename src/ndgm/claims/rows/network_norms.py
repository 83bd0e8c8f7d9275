"""L1 norms of the layers of networks, against the penalty."""

import numpy as np
import pandas as pd

from ndgm.decide.selection import ends_of
from ndgm.decide.statistics import MissingValue
from ndgm.theory.l1_paradox import noisy_floor

RISING = 0.1
"""From this penalty on, the claims on the rising branch are made."""

CELL = ["design", "penalty"]


def ends_in(runs: pd.DataFrame, method: str, designs: list[str]) -> pd.DataFrame:
    """Last rows of a method's runs in some sweeps, indexed by cell and seed."""
    return ends_of(runs, method=method, design=designs).set_index([*CELL, "seed"])


def noise_curve(runs: pd.DataFrame, layer: int) -> pd.Series:
    """(η/2)·Σ(λ + σ²/λ) over the weights of a layer, with λ from the index and σ² as measured in each run."""
    penalty = runs.index.get_level_values("penalty")
    noise = np.sqrt(runs[f"mean_gradient_variance_{layer}"])
    one_weight = noisy_floor(runs["step_size"], pd.Series(penalty, index=runs.index), noise.to_frame())
    return runs[f"weights_{layer}"] * one_weight


def layers(runs: pd.DataFrame) -> list[int]:
    """Numbers of the layers of which a table tells."""
    return [int(name.rpartition("_")[2]) for name in runs.columns if name.startswith("weights_")]


def lowest(values: pd.Series) -> pd.Series:
    """For each seed the penalty where a curve is lowest, by a parabola through the lowest point and its neighbours."""
    return values.groupby("seed").apply(_vertex)


def _vertex(curve: pd.Series) -> float:
    """Penalty at the vertex of a parabola through three points, on log axes.

    Raises:
        MissingValue: if the lowest point is at an end of the grid.
    """
    penalty, height = np.log(curve.index.get_level_values("penalty")), np.log(curve.to_numpy())
    at = int(height.argmin())
    if at in (0, len(height) - 1):
        raise MissingValue("the lowest point is at an end of the grid")
    around = slice(at - 1, at + 2)
    square, slope, _ = np.polyfit(penalty[around], height[around], 2)
    return float(np.exp(-slope / (2 * square)))


def at_penalty(values: pd.Series, penalty: float) -> pd.Series:
    """Values at one penalty, which may be a rounding error off on the grid.

    Raises:
        MissingValue: if there are none in some design.
    """
    found = values[np.isclose(values.index.get_level_values("penalty"), penalty, rtol=1e-6)].droplevel("penalty")
    if set(found.index.unique("design")) != set(values.index.unique("design")):
        raise MissingValue(f"no runs at the penalty {penalty:g}")
    return found


def rising(ends: pd.DataFrame) -> pd.DataFrame:
    """Rows from the penalty `RISING` on, which may be a rounding error below it on the grid."""
    return ends[ends.index.get_level_values("penalty") >= RISING * (1 - 1e-9)]
