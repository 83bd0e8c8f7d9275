"""Numbers that stand for a result, to be compared where another processor rounds otherwise and bytes differ."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from ndgm.store.arrays import read_arrays
from ndgm.store.files import InputError, read_json_list
from ndgm.store.run_tables import last_rows, read_table


class Number(NamedTuple):
    """A number, and the size that its errors are relative to."""

    value: float
    unit: float


class Meaning(NamedTuple):
    """What a number says: of which column, for example `adam.l1_norm`, which statistic over which rows."""

    name: str
    statistic: str = ""
    rows: str = ""

    def __str__(self) -> str:
        """All three in words."""
        return ", ".join(filter(None, self))


Summary: TypeAlias = dict[Meaning, Number | str]
"""Numbers, and words such as verdicts, by what they summarise."""

STATISTICS = ("mean", "geometric mean", "median", "mean size")
"""Of a column, in the order in which they are asked: a mean that a few entries dominate leaves the word to the next.

The geometric mean is that of the sizes of all entries but zeros, and zero where there are none. Errors of the mean are
relative to the mean size, those of the others to themselves.
"""

BOUNDS = {"kkt_violation": 1e-10, "relative_gap": 1e-12}
"""Residuals that certify a solution, with the bound that `ndgm.theory.lasso` holds them to: below it they are rounding
errors, which another processor makes otherwise."""


def summary(path: Path) -> Summary:
    """Numbers that stand for a result; none for a file that only shows numbers of others.

    Of a run table: `STATISTICS` of each column, for each method and for all, at the end of the runs and over all rows.
    An orbit at a kink is chaotic, and means over runs are not. Of other tables and arrays: those of each column. Of
    claims: the verdict, the numbers, and what the paper prints of each.

    Args:
        path: A file of results.

    Raises:
        InputError: if it cannot be read.
    """
    if path.name == "claims.json":
        claims = read_json_list(path, keys=("id", "verdict", "measured", "reference"))
        return {name: value for claim in claims for name, value in _of_claim(claim)}
    if path.suffix == ".npz" and path.parent.name != "weights":  # what is said of weights stands in a run table
        return dict(_of_columns((name, array.ravel()) for name, array in read_arrays(path).items()))
    if path.suffix == ".parquet":
        return dict(_of_table(read_table(path), path))
    return {}


def resampled(path: Path, times: int, rng: np.random.Generator) -> Iterator[Summary]:
    """Numbers of a run table whose runs are drawn from it again, with replacement; none of any other file.

    Args:
        path: A file of results.
        times: How often.
        rng: Draws the runs: two tables of one experiment are compared draw by draw with generators of one seed.

    Raises:
        InputError: if it cannot be read.
    """
    if path.suffix != ".parquet" or "run" not in (table := read_table(path)):
        return
    rows = list(table.groupby("run").indices.values())
    for _ in range(times):
        drawn = [rows[run] for run in rng.integers(len(rows), size=len(rows))]
        again = table.iloc[np.concatenate(drawn)]
        yield dict(_of_table(again.assign(run=np.repeat(np.arange(len(rows)), list(map(len, drawn)))), path))


def verdict_of(claim: str) -> Meaning:
    """What the verdict of a claim goes by."""
    return Meaning(f"{claim}, verdict")


def _of_table(table: pd.DataFrame, path: Path) -> Iterator[tuple[Meaning, Number]]:
    if "run" in table and "design" not in table:
        raise InputError(f"{path}: has no column design; remove it and run again")
    numbers = list(table.select_dtypes("number").columns)
    for name in numbers:
        finite = float(np.isfinite(table[name]).mean())
        yield Meaning(f"{name}, share that is finite"), Number(finite, 1.0)
    if "run" in table and table["run"].duplicated().any():
        yield from _of_rows(table, numbers, "over all rows")
        table = last_rows(table)
    yield from _of_rows(table, numbers, "")


def _of_rows(table: pd.DataFrame, numbers: list[str], over: str) -> Iterator[tuple[Meaning, Number]]:
    """Numbers of all rows and, if there are several methods, of those of each."""
    yield from _of_columns(((name, table[name].to_numpy()) for name in numbers), over)
    if "method" in table and table["method"].nunique() > 1:
        for method, rows in table.groupby("method"):
            yield from _of_columns(((f"{method}.{name}", rows[name].to_numpy()) for name in numbers), over)


def _of_columns(columns: Iterable[tuple[str, np.ndarray]], over: str = "") -> Iterator[tuple[Meaning, Number]]:
    """The statistics of the finite entries of each column."""
    for name, column in columns:
        entries = column[np.isfinite(column)].astype(float)
        bound = BOUNDS.get(name.rpartition(".")[2])
        if bound is not None:
            above = 1 - float(np.mean(column <= bound))
            yield Meaning(name, f"share above {bound:g}", over), Number(above, 1.0)
        elif len(entries):
            sizes = np.abs(entries)
            size = float(sizes.mean())
            geometric = float(np.exp(np.log(sizes[sizes > 0]).mean())) if size else 0.0
            median = float(np.median(entries))
            found = (
                Number(float(entries.mean()), size),
                *(Number(each, abs(each)) for each in (geometric, median, size)),
            )
            for statistic, number in zip(STATISTICS, found, strict=True):
                yield Meaning(name, statistic, over), number


def _of_claim(claim: Mapping[str, Any]) -> Iterator[tuple[Meaning, Number | str]]:
    yield verdict_of(claim["id"]), claim["verdict"]
    for name in ("measured", "reference"):
        if claim[name] is not None:
            yield Meaning(f"{claim['id']}, {name}"), Number(claim[name], abs(claim[name]))
    for row, columns in (claim.get("table") or {}).items():
        for column, value in columns.items():
            if value is not None:  # which stands for a number that is not finite
                yield Meaning(f"{claim['id']}, {row}, {column}"), Number(value, abs(value))
