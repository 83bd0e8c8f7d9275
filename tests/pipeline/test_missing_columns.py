"""A table without a column that a claim reads is named by the program that decides."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from copies import ROOT

from ndgm.groups import GROUPS
from ndgm.store.run_tables import read_table, write_table

(TABLES,) = (
    [made.table for job in group.jobs for made in job.experiments] for group in GROUPS if group.name == "adaptive"
)
DROPPED = "seed"  # which every table of this group has


def decided(run: Path, folder: Path, changed: str) -> str:
    """What is said where one table of the group has lost a column."""
    paths = [run / f"results/smoke/runs/{name}.parquet" for name in TABLES]
    paths[TABLES.index(changed)] = folder / f"{changed}.parquet"
    write_table(
        paths[TABLES.index(changed)], read_table(run / f"results/smoke/runs/{changed}.parquet").drop(columns=DROPPED)
    )
    script = [
        sys.executable,
        str(ROOT / "scripts/decide_claims.py"),
        "--settings",
        json.dumps({"group": "adaptive", "section": ""}),
        "--tables",
        *map(str, paths),
    ]
    done = subprocess.run([*script, "--out", str(folder / "adaptive.json")], text=True, capture_output=True, cwd=ROOT)
    assert done.returncode == 1 and not (folder / "adaptive.json").exists()
    return done.stderr


@pytest.mark.parametrize("table", TABLES)
def test_the_file_that_lacks_the_column_is_named(smoke_run: Path, tmp_path: Path, table: str) -> None:
    """The other tables have the column."""
    (line,) = decided(smoke_run, tmp_path, table).splitlines()
    assert line.startswith(f"error: {tmp_path}/{table}.parquet: adaptive_")
    assert line.endswith(f" reads the column {DROPPED}, and the table of {table} has none; remove it and run again")
