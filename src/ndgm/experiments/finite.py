"""Numbers of a table that are finite wherever they have a meaning; where one is not, its job stops and says why."""

from collections.abc import Collection

import numpy as np
import pandas as pd

from ndgm.store.files import InputError

ANYTHING = {"distance_to_kink"}
"""Columns that may be infinite in every experiment: a distance over how far a step moved, where nothing moved."""


def check_finite(table: pd.DataFrame, undefined: Collection[str] = ()) -> None:
    """Look for numbers that are not finite where they should be, in a table or the rows of one ensemble.

    Rows of runs that diverged may hold anything: divergence is data. The start has no step before it, so what is
    measured along a step is NaN there. Averages stand in the last row of a run, for all runs of an ensemble that
    finished or for none.

    Args:
        table: The table.
        undefined: Columns that are NaN in runs for which they have no meaning.

    Raises:
        InputError: naming the first such number, and the factors of its row.
    """
    diverged = table.get("stopped_because", pd.Series("", table.index)) == "diverged"
    started = table.get("step", pd.Series(1, table.index)) > 0
    for name, values in table.select_dtypes("number").items():
        if np.isfinite(values.to_numpy()).all():
            continue
        infinite = np.isinf(values) & (name not in ANYTHING)
        missing = values.isna() & started & (name not in ANYTHING) & (name not in undefined)
        if str(name).startswith("mean_"):
            missing = values.isna() & _ends(table) & values[_ends(table)].notna().any()
        for place in np.flatnonzero((infinite | missing) & ~diverged)[:1]:
            raise InputError(_fault(table, str(name), int(place)))


def _ends(table: pd.DataFrame) -> pd.Series:
    """Whether a row is the last one of a run that finished."""
    if not {"run", "stopped_because"} <= set(table):
        return pd.Series(False, table.index)
    return ~table["run"].duplicated(keep="last") & (table["stopped_because"] == "finished")


def _fault(table: pd.DataFrame, name: str, place: int) -> str:
    """One line: what is not finite, in which experiment, and the factors of its run."""
    row = table.iloc[place]
    measured = table.columns.get_loc("step") if "step" in table else len(table.columns)
    factors = [column for column in table.columns[:measured] if column not in ("experiment", name)]
    where = ", ".join(f"{column} {row[column]}" for column in [*factors, *(["step"] if "step" in table else [])])
    return f"{row.get('experiment', 'table')}: {name} is {row[name]} where it should be finite: {where}"
