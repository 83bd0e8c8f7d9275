"""Tidy tables on disk, as Parquet files that are byte-identical when their values are."""

import os
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ndgm.store.files import InputError, write_atomically


def write_table(path: Path, table: pd.DataFrame) -> None:
    """Write `table` without its index; columns keep their order, text is dictionary-encoded."""
    # The pandas metadata would carry library versions into the bytes.
    arrow = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    with write_atomically(path) as temporary:
        pq.write_table(arrow, temporary, compression="zstd", write_page_checksum=True)


def read_table(path: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a table, or some of its columns.

    Raises:
        InputError: if the file is missing or is not a whole Parquet file.
    """
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            return file.read(columns=columns).to_pandas()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except Exception as fault:  # a damaged footer can end in many kinds of them
        reason = str(fault).partition("\n")[0]
        raise InputError(f"{path}: truncated or corrupted ({reason}); remove it and run again") from None


def read_tables(paths: Iterable[Path]) -> dict[str, pd.DataFrame]:
    """Tables by experiment: files with the same value in their `experiment` column are stacked in the order given."""
    parts: dict[str, list[pd.DataFrame]] = {}
    for path in paths:
        table = read_table(path)
        parts.setdefault(table["experiment"].iloc[0], []).append(table)
    return {experiment: pd.concat(tables, ignore_index=True) for experiment, tables in parts.items()}


def read_experiment(results: Path, experiment: str) -> pd.DataFrame:
    """All tables of one experiment under the results of a scale, stacked in the order of their names.

    Where `$NDGM_TABLES` names tables, only those: a design that has left the config may still have a table there.

    Raises:
        InputError: if there are none.
    """
    named = os.environ.get("NDGM_TABLES")
    paths = map(Path, named.split(os.pathsep)) if named else Path(results).glob("*/*.parquet")
    tables = read_tables(sorted(path for path in paths if f"{path.stem}_".startswith(f"{experiment}_")))
    if experiment not in tables:
        raise InputError(f"{results}: no table of {experiment}")
    return tables[experiment]


def last_rows(runs: pd.DataFrame) -> pd.DataFrame:
    """The last row of every run."""
    return runs.groupby(["design", "run"], sort=False).tail(1)
