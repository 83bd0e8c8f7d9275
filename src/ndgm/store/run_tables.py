"""Tidy tables on disk, as Parquet files that are byte-identical when their values are."""

import os
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ndgm.store.files import InputError, check_fingerprint, write_atomically


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write `table` without its index, and its fingerprint; columns keep their order, text is dictionary-encoded."""
    # The pandas metadata would carry library versions into the bytes.
    arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    with write_atomically(path, fingerprint=True) as temporary:
        pq.write_table(arrow, temporary, compression="zstd", write_page_checksum=True)


def read_table(path: Path) -> pd.DataFrame:
    """Read a table.

    Raises:
        InputError: if the file is missing or damaged, is not the one that was written there, or has no rows.
    """
    path = Path(path)
    check_fingerprint(path)
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            table = file.read().to_pandas()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except Exception as fault:  # a damaged footer can end in many kinds of them
        reason = str(fault).partition("\n")[0]
        raise InputError(f"{path}: truncated or corrupted ({reason}); remove it and run again") from None
    if table.empty:
        raise InputError(f"{path}: expected a table with rows, and it has none; remove it and run again")
    return table


def _read_named(path: Path) -> tuple[str, pd.DataFrame]:
    """The experiment that a table is of, and the table.

    Raises:
        InputError: if it is not a table of the one experiment that the name of the file begins with.
    """
    table = read_table(path)
    if "experiment" not in table:
        wrong = f"expected a column experiment, and there are only {', '.join(map(str, table))}"
        raise InputError(f"{path}: {wrong}; remove it and run again")
    experiments = [str(name) for name in table["experiment"].unique()]
    if len(experiments) > 1 or not _is_named(path, experiments[0]):
        wrong = f"expected the table of its own experiment, and it is of {', '.join(experiments)}"
        raise InputError(f"{path}: {wrong}; remove it and run again")
    return experiments[0], table


def _is_named(path: Path, experiment: str) -> bool:
    """Whether a file has the name of a table of an experiment, or of one part of it."""
    return f"{path.stem}_".startswith(f"{experiment}_")


def read_tables(paths: Iterable[Path]) -> dict[str, pd.DataFrame]:
    """Tables by experiment: files with the same value in their `experiment` column are stacked in the order given.

    Raises:
        InputError: if a file is not a table of the experiment that its name begins with.
    """
    parts: dict[str, list[pd.DataFrame]] = {}
    for path in paths:
        experiment, table = _read_named(path)
        parts.setdefault(experiment, []).append(table)
    return {experiment: pd.concat(tables, ignore_index=True) for experiment, tables in parts.items()}


def read_experiment(results: Path, experiment: str) -> pd.DataFrame:
    """All tables of one experiment under the results of a scale, stacked in the order of their names.

    Where `$NDGM_TABLES` names tables, only those: a design that has left the config may still have a table there.

    Raises:
        InputError: if there are none.
    """
    named = os.environ.get("NDGM_TABLES")
    paths = map(Path, named.split(os.pathsep)) if named else Path(results).glob("*/*.parquet")
    tables = read_tables(sorted(path for path in paths if _is_named(path, experiment)))
    if experiment not in tables:
        raise InputError(f"{results}: no table of {experiment}")
    return tables[experiment]


def last_rows(runs: pd.DataFrame) -> pd.DataFrame:
    """The last row of every run."""
    return runs.groupby(["design", "run"], sort=False).tail(1)
