"""Numbers that stand for a result, to be compared where another processor rounds otherwise and bytes differ."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from ndgm.store.arrays import read_arrays
from ndgm.store.files import read_json
from ndgm.store.run_tables import last_rows, read_table

Summary: TypeAlias = dict[str, float | str]
"""Numbers, and words such as verdicts, by name."""

BOUNDS = {"kkt_violation": 1e-10, "relative_gap": 1e-10}
"""Residuals that certify a solution, with the bound that they have to keep: below it they are rounding errors."""


def summary(path: Path) -> Summary:
    """Numbers that stand for a result; none for a file that only shows numbers of others.

    Of a run table: for each method and column the mean at the end of the runs and, where runs have several rows, over
    all rows. One orbit at a kink is chaotic, and its mean over runs is not; where a few runs dominate the mean, the
    geometric mean and the median stand beside it, and so do the numbers over all methods. Of other tables and arrays:
    the same of each column. Of claims: verdict, numbers, and what the paper prints of each.

    Args:
        path: A file of results.

    Raises:
        InputError: if it cannot be read.
    """
    if path.name == "claims.json":
        return {name: value for claim in read_json(path) for name, value in _of_claim(claim)}
    if path.suffix == ".npz" and path.parent.name != "weights":  # what is said of weights stands in a run table
        arrays = {name: np.asarray(array, dtype=float).ravel() for name, array in read_arrays(path).items()}
        return dict(_of_columns(arrays, ""))
    if path.suffix == ".parquet":
        return dict(_of_table(read_table(path)))
    return {}


def _of_table(table: pd.DataFrame) -> Iterator[tuple[str, float]]:
    numbers = table.select_dtypes("number").columns
    if "run" in table and table["run"].duplicated().any():
        yield from _of_rows(table, numbers, " over all rows")
        table = last_rows(table)
    yield from _of_rows(table, numbers, "")


def _of_rows(table: pd.DataFrame, numbers: pd.Index, suffix: str) -> Iterator[tuple[str, float]]:
    """Numbers of the rows of each method, and of all."""
    yield from _of_columns(table[numbers], suffix)
    if "method" in table and table["method"].nunique() > 1:
        for method, rows in table.groupby("method"):
            yield from _of_columns(rows[numbers].add_prefix(f"{method}."), suffix)


def _of_columns(columns: Mapping[str, Any] | pd.DataFrame, suffix: str) -> Iterator[tuple[str, float]]:
    """Mean, geometric mean and median of the finite entries of each column, and the share of those that are finite."""
    for name in columns:
        column = np.asarray(columns[name], dtype=float)
        finite = column[np.isfinite(column)]
        if len(finite) < len(column):
            yield f"{name}, share that is finite{suffix}", len(finite) / len(column)
        bound = BOUNDS.get(str(name).rpartition(".")[2])
        if bound is not None:
            yield f"{name}, share above {bound:g}{suffix}", float(np.mean(~(column <= bound)))
        elif len(finite):
            yield f"{name}, mean{suffix}", float(finite.mean())
            if (finite < 0).any() and (finite > 0).any():
                yield f"{name}, mean size{suffix}", float(np.abs(finite).mean())
            if (finite > 0).all() and np.ptp(finite):
                yield f"{name}, geometric mean{suffix}", float(np.exp(np.log(finite).mean()))
            if np.ptp(finite):
                yield f"{name}, median{suffix}", float(np.median(finite))


def _of_claim(claim: Mapping[str, Any]) -> Iterator[tuple[str, float | str]]:
    yield f"{claim['id']}, verdict", claim["verdict"]
    for name in ("measured", "reference"):
        if claim[name] is not None:
            yield f"{claim['id']}, {name}", claim[name]
    for row, columns in (claim.get("table") or {}).items():
        for column, value in columns.items():
            yield f"{claim['id']}, {row}, {column}", value
