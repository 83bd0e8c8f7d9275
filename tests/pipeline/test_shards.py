"""The longest jobs in shards, as on a cluster: the files are those of one process."""

from pathlib import Path

import pytest
from conftest import SMOKE, run_snakemake
from copies import SMOKE_RESULTS, hashes

from ndgm.pipeline.jobs import JOBS

TABLES = ("edge_of_stability_networks_digits", "l1_paradox_networks_full_batch")


def test_tables_here_are_of_the_longest_jobs() -> None:
    """Each has one."""
    longest = [each.table for job in JOBS.values() if job.longest for each in job.experiments]
    assert all(any(table.startswith(name) for table in TABLES) for name in longest)
    assert len(longest) == len(TABLES)


@pytest.mark.parametrize("shards", [2, 3])
def test_the_same_bytes_whatever_the_number_of_shards(smoke_copy: Path, shards: int) -> None:
    """Tables, records and weights; no shard is left, and no line calls it another run."""
    before = hashes(smoke_copy)
    files = [SMOKE_RESULTS / f"runs/{table}.parquet" for table in TABLES]
    for file in files:
        (smoke_copy / file).unlink()
    done = run_snakemake(smoke_copy, "--cores", "2", *map(str, files), *SMOKE, "--config", f"shards={shards}")
    assert done.returncode == 0, done.stdout
    assert all(f"shard {number} of {shards}" in done.stdout for number in range(1, shards + 1))
    assert "changed from" not in done.stdout
    assert hashes(smoke_copy) == before
