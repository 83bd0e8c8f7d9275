"""What `make bench` says of the last run; speeds are for people, and are not tested."""

import runpy
from pathlib import Path

from copies import ROOT


def test_the_longest_jobs_of_a_run(tmp_path: Path) -> None:
    """By the clock, with shares of all jobs, of which twenty are listed; a job run again counts as it was last."""
    longest_jobs = runpy.run_path(str(ROOT / "benchmarks/bench.py"))["longest_jobs"]
    assert longest_jobs(tmp_path).empty
    (tmp_path / "data").mkdir()
    for number in range(24):
        (tmp_path / f"data/{number}.tsv").write_text(f"s\tcpu_time\n{number}\t0.01\n")
    (tmp_path / "train.tsv").write_text("s\tcpu_time\n900\t0.01\n724\t0.01\n")
    found = longest_jobs(tmp_path)
    assert found.index.tolist() == ["train", *(f"data/{number}" for number in range(23, 4, -1)), "all 25 jobs"]
    assert found["seconds"].iloc[[0, 1, -1]].tolist() == [724, 23, 1000]
    assert found["share"].iloc[[0, -1]].tolist() == [0.724, 1]
