"""Rows of runs on random designs and on single ones: which have settled, and where the law is said to hold."""

import pandas as pd

from ndgm.decide.selection import none_diverged, nonempty, select
from ndgm.decide.statistics import MissingValue

SETTING = ["design", "step_size_times_lipschitz"]
CELL = [*SETTING, "penalty_over_max"]
HOLDS = 0.03
"""Margin of the law, and the largest phase discrepancy at which it is said to hold within it."""


def settled(runs: pd.DataFrame, method: str = "subgradient") -> pd.DataFrame:
    """Runs of a method on random designs, indexed by cell and seed.

    Raises:
        MissingValue: if one diverged, or its means still moved when its steps were used up.
    """
    return _settled(nonempty(runs[~runs["single_case"]], "on random designs"), method)


def settled_cases(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs on designs that are one case each, indexed by cell and seed.

    Raises:
        MissingValue: as `settled`.
    """
    return _settled(nonempty(runs[runs["single_case"]], "on single cases"), "subgradient")


def where_the_law_holds(runs: pd.DataFrame, margin: float, of: str = "law_l1_norm") -> pd.DataFrame:
    """Runs in cells where the phase discrepancy, as a share of a norm, is within the margin on all designs."""
    share = runs["phase_discrepancy"] * runs["law_l1_norm"] / runs[of]
    return nonempty(runs[share.groupby(CELL).transform("max") <= margin], "where the law is said to hold")


def where_means_relax(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs in cells where on all designs the slowest mean comes e times closer to the law's within the longest run."""
    return nonempty(runs[runs["means_relax"].groupby(CELL).transform("all")], "where all means relax")


def above_penalty_max(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs, indexed by cell and seed, at penalties whose exact solution is zero."""
    return nonempty(runs[runs.index.get_level_values("penalty_over_max") > 1], "above penalty_max")


def relative_error(runs: pd.DataFrame, predicted: str) -> pd.Series:
    """Relative error of a prediction of the L1 norm, in size."""
    return (runs["mean_l1_norm"] / runs[predicted] - 1).abs()


def two_longest_steps(values: pd.Series) -> tuple[pd.Series, pd.Series, float]:
    """Values at the second longest step and at the longest, and the ratio of the two steps.

    Raises:
        MissingValue: if there are fewer than two steps.
    """
    by_step = values.unstack("step_size_times_lipschitz")
    if by_step.shape[1] < 2:
        raise MissingValue("fewer than two step sizes")
    shorter, longest = sorted(by_step)[-2:]
    return by_step[shorter], by_step[longest], longest / shorter


def _settled(runs: pd.DataFrame, method: str) -> pd.DataFrame:
    runs = none_diverged(select(runs, method=method))
    if moving := int((~runs["stationary"]).sum()):
        families = ", ".join(runs.loc[~runs["stationary"], "design"].unique())
        raise MissingValue(f"the means of {moving} of {len(runs)} runs did not settle: {families}")
    return runs.set_index([*CELL, "seed"])
