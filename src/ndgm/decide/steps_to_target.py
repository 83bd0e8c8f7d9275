"""How soon runs reach a target, and the step size with which all of them do so soonest."""

import numpy as np
import pandas as pd


def steps_to_target(runs: pd.DataFrame, target: str = "target") -> pd.Series:
    """Steps in which a run's objective falls to its target, by run, a fraction; infinite where it never does.

    Args:
        runs: Run table; a run that diverges counts as one that never reaches its target.
        target: Column of the target, a positive number.
    """
    return _crossings(runs, runs[target]).fillna(np.inf).where(~_diverged(runs), np.inf)


def steps_to_share(runs: pd.DataFrame, share: float) -> pd.Series:
    """Steps in which a run's objective falls to a share of its first recorded one, by run; NaN where it never does.

    Args:
        runs: Run table whose first rows are those of the start.
        share: Between 0 and 1.
    """
    return _crossings(runs, share * runs.groupby("run")["objective"].transform("first"))


def _crossings(runs: pd.DataFrame, target: pd.Series) -> pd.Series:
    """Steps at which objectives first come down to a target, by run; NaN where they never do.

    Between recorded steps the logarithm of the objective is interpolated: steps that are recorded on a log scale lie
    a sixth apart, too far to tell a tenth.
    """
    positive = runs["objective"].clip(np.finfo(float).tiny, np.finfo(float).max)
    table = runs.assign(height=np.log(positive) - np.log(target)).sort_values(["run", "step"])
    return pd.Series(
        {run: _crossing(part["step"].to_numpy(), part["height"].to_numpy()) for run, part in table.groupby("run")}
    )


def _crossing(step: np.ndarray, height: np.ndarray) -> float:
    """First place where heights are 0 or come down to it, interpolated; NaN where they never do."""
    below = np.flatnonzero(height <= 0)
    if not len(below):
        return np.nan
    place = below[0]
    return float(np.interp(0, -height[max(place - 1, 0) : place + 1], step[max(place - 1, 0) : place + 1]))


def best_steps(runs: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """The step size that takes all seeds to the target soonest, counted at the seed that is last.

    Of several that are as good, the one with the smaller median is taken, then the smaller one. Where none takes all
    seeds there, none counts: what is taken then misses the target in the fewest seeds, and of several with as few, its
    median objective at the end is smallest.

    Args:
        runs: Run table over a grid of step sizes.
        by: Columns whose every combination has a best step of its own.

    Returns:
        Columns `step_size`, `at_edge`, whether it is the smallest or the largest of the grid, and `all_reach`, whether
        it counts; indexed by `by`.
    """
    ends = runs.groupby("run").last()
    ends["steps"] = steps_to_target(runs)
    ends["missed"] = np.isinf(ends["steps"])
    ends["objective"] = ends["objective"].where(~_diverged(runs), np.inf)
    cells = ends.groupby([*by, "step_size"]).agg(
        missed=("missed", "sum"), last=("steps", "max"), median=("steps", "median"), objective=("objective", "median")
    )
    cells.loc[cells["missed"] == 0, "objective"] = 0  # does not matter there
    cells.loc[cells["missed"] > 0, "median"] = np.inf
    order = ["missed", "last", "median", "objective", "step_size"]
    best = cells.reset_index().sort_values(order, kind="stable").groupby(by).first()
    steps = runs["step_size"]
    at_edge = best["step_size"].isin([steps.min(), steps.max()])
    return best[["step_size"]].assign(at_edge=at_edge, all_reach=best["missed"] == 0)


def _diverged(runs: pd.DataFrame) -> pd.Series:
    return runs.groupby("run")["stopped_because"].last() == "diverged"
