"""Rows of run tables that count for a claim; where one is missing, the claim's evidence has a gap."""

from collections.abc import Collection

import pandas as pd

from ndgm.decide.statistics import MissingValue
from ndgm.store.run_tables import last_rows


def select(runs: pd.DataFrame, **factors: str | Collection[str]) -> pd.DataFrame:
    """Rows of the runs with the given factors, such as `method="subgradient"` or `design=["gelu", "minibatch"]`.

    Raises:
        MissingValue: if there is no row, or none with one of the values.
    """
    for factor, wanted in factors.items():
        values = [wanted] if isinstance(wanted, str) else list(wanted)
        if missing := set(values) - set(runs[factor]):
            raise MissingValue(f"no runs of {', '.join(sorted(missing))}")
        runs = runs[runs[factor].isin(values)]
    return nonempty(runs)


def variants(runs: pd.DataFrame, family: str) -> list[str]:
    """Methods of a family that the runs have, such as `rmsprop_0.9` and `rmsprop_0.99` of `rmsprop`, in their order.

    Raises:
        MissingValue: if there are none.
    """
    methods = [method for method in runs["method"].unique() if method.startswith(f"{family}_")]
    if not methods:
        raise MissingValue(f"no runs of {family}")
    return methods


def ends_of(runs: pd.DataFrame, **factors: str | Collection[str]) -> pd.DataFrame:
    """Last rows of the runs with the given factors, as `select` takes them, none of which may have diverged.

    Raises:
        MissingValue: if there is no such run, none with one of the values, or one diverged.
    """
    return last_rows(none_diverged(select(runs, **factors)))


def none_diverged(runs: pd.DataFrame) -> pd.DataFrame:
    """Rows that are given, if none of their runs diverged.

    Raises:
        MissingValue: if one did.
    """
    if (each := diverged(runs)).any():
        raise MissingValue(f"{each.sum()} of {len(each)} runs diverged")
    return runs


def diverged(runs: pd.DataFrame) -> pd.Series:
    """Whether each run diverged, by design and run."""
    return last_rows(runs).set_index(["design", "run"])["stopped_because"] == "diverged"


def nonempty(runs: pd.DataFrame, of: str = "") -> pd.DataFrame:
    """Rows that are given, if there are any.

    Args:
        runs: The rows.
        of: What they are rows of, in words that follow `no runs`.

    Raises:
        MissingValue: if there are none.
    """
    if runs.empty:
        raise MissingValue(f"no runs {of}".rstrip())
    return runs
