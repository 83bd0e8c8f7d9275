"""How soon runs reach a target, and the step size with which they do so soonest."""

import numpy as np
import pandas as pd


def steps_to_target(runs: pd.DataFrame, target: str = "target") -> pd.Series:
    """First recorded step at which a run's objective is at most its target, by run; infinite where it never is.

    Args:
        runs: Run table; a run that diverges counts as one that never reaches its target.
        target: Column of the target.
    """
    reached = runs["step"].where(runs["objective"] <= runs[target]).groupby(runs["run"]).min()
    return reached.fillna(np.inf).where(~_diverged(runs), np.inf)


def steps_to_share(runs: pd.DataFrame, share: float) -> pd.Series:
    """Steps in which a run's objective falls to a share of its first recorded one, by run; NaN where it never does.

    Between recorded steps the logarithm of the objective is interpolated, so that the number is a fraction.

    Args:
        runs: Run table whose first rows are those of the start.
        share: Between 0 and 1.
    """
    first = runs.groupby("run")["objective"].transform("first")
    table = runs.assign(height=np.log(runs["objective"].clip(lower=np.finfo(float).tiny) / first) - np.log(share))
    return pd.Series(
        {run: _crossing(part["step"].to_numpy(), part["height"].to_numpy()) for run, part in table.groupby("run")}
    )


def _crossing(step: np.ndarray, height: np.ndarray) -> float:
    """First place where heights that begin above 0 come down to 0, interpolated; NaN where they never do."""
    below = np.flatnonzero(height <= 0)
    if not len(below) or not below[0]:
        return np.nan
    place = below[0]
    return float(np.interp(0, -height[place - 1 : place + 1], step[place - 1 : place + 1]))


def best_steps(runs: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """The step size whose runs reach their target soonest, in the median over seeds.

    Of several that are as good, the smallest is taken; where none reaches it in more than half of the seeds, the one
    with the smallest median objective at the end.

    Args:
        runs: Run table over a grid of step sizes.
        by: Columns whose every combination has a best step of its own.

    Returns:
        Columns `step_size` and `at_edge`, whether it is the smallest or the largest of the grid; indexed by `by`.
    """
    ends = runs.groupby("run").last()
    ends["steps_to_target"] = steps_to_target(runs)
    ends["objective"] = ends["objective"].where(~_diverged(runs), np.inf)
    medians = ends.groupby([*by, "step_size"])[["steps_to_target", "objective"]].median().reset_index()
    # Where the target is reached, its number of steps decides and the objective does not matter.
    medians.loc[np.isfinite(medians["steps_to_target"]), "objective"] = 0
    best = medians.sort_values(["steps_to_target", "objective", "step_size"], kind="stable").groupby(by).first()
    steps = runs["step_size"]
    return best[["step_size"]].assign(at_edge=best["step_size"].isin([steps.min(), steps.max()]))


def _diverged(runs: pd.DataFrame) -> pd.Series:
    return runs.groupby("run")["stopped_because"].last() == "diverged"
