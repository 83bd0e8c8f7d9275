"""Grids of runs, one row a run."""

from collections.abc import Iterable

import numpy as np
import pandas as pd


def grid(**factors: Iterable) -> pd.DataFrame:
    """All combinations of the factors, one row a run, numbered in `run`; the last factor varies fastest."""
    runs = pd.MultiIndex.from_product(factors.values(), names=factors.keys()).to_frame(index=False)
    runs.insert(0, "run", range(len(runs)))
    return runs


def log_spaced(*, low: float, high: float, count: int) -> np.ndarray:
    """The values of a grid in the config: `count` of them from `low` to `high`, evenly spaced on a log scale."""
    return np.geomspace(low, high, count)


def numbered(grids: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Runs of several grids, one after the other, numbered anew."""
    return pd.concat(grids, ignore_index=True).assign(run=lambda table: table.index)


def headed(table: pd.DataFrame, experiment: str, design: str) -> pd.DataFrame:
    """A table with the columns that every table begins with, where all its rows share them."""
    head = {"experiment": experiment, "design": design}
    return table.assign(**head)[[*head, *table.columns]]
