"""The longest jobs in shards, as on a cluster: the files are those of one process."""

from pathlib import Path

import pytest
from conftest import SMOKE, run_snakemake
from copies import ROOT, SMOKE_RESULTS, hashes

from ndgm.pipeline.jobs import JOBS, parts, result
from ndgm.pipeline.settings import load

LONGEST = [
    SMOKE_RESULTS / result(job, job.experiments[0]).format(part=parts(job, load("smoke", ROOT / "config"))[0])
    for job in JOBS.values()
    if job.longest
]
"""A table of each job that may be cut into shards."""


@pytest.mark.elsewhere
def test_the_same_bytes_in_shards(smoke_copy: Path) -> None:
    """Tables, records and weights; no shard is left, and no line calls it another run."""
    shards = 3  # ensembles are not divided evenly
    before = hashes(smoke_copy)
    for file in LONGEST:
        (smoke_copy / file).unlink()
    done = run_snakemake(smoke_copy, "--cores", "2", *map(str, LONGEST), *SMOKE, "--config", f"shards={shards}")
    assert done.returncode == 0, done.stdout
    assert all(f"shard {number} of {shards}" in done.stdout for number in range(1, shards + 1))
    assert "changed from" not in done.stdout
    assert hashes(smoke_copy) == before
