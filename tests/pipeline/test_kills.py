"""What was killed, damaged or starved goes on to the same bytes, or says why not in one line."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from conftest import ROOT, SMOKE, hashes, run_snakemake

sys.path.insert(0, str(ROOT / "tests"))

from torture import CASES, bad, torture

LONGEST_RUN = "runs/l1_paradox_lasso_diabetes_quadratic.parquet"


def killed_in_training(folder: Path, whole_group: bool) -> str:
    """Start the run anew, kill it with SIGKILL while it trains, and give what was said."""
    (folder / "results/smoke" / LONGEST_RUN).unlink()
    command = [sys.executable, "-m", "snakemake", "--cores", "1", *SMOKE]
    pipes = {"text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    run = subprocess.Popen(command, cwd=folder, start_new_session=True, **pipes)
    jobs: list[psutil.Process] = []
    while run.poll() is None and not jobs:
        time.sleep(0.05)
        children = psutil.Process(run.pid).children(recursive=True)
        jobs = [child for child in children if child.cmdline()[1:2] == ["scripts/train.py"]]
    assert jobs, run.communicate()[0]
    time.sleep(2.5)  # until it has loaded what it needs, and trains
    assert jobs[0].is_running(), "the job was done before it could be killed: make it longer"
    if whole_group:
        os.killpg(run.pid, signal.SIGKILL)
    else:
        jobs[0].kill()
    return run.communicate()[0]


def test_a_killed_job(smoke_copy: Path) -> None:
    """After SIGKILL on a training job the next run completes to the same bytes."""
    before = hashes(smoke_copy)
    assert "train_l1_paradox" in killed_in_training(smoke_copy, whole_group=False)
    assert run_snakemake(smoke_copy, "--cores", "2", *SMOKE).returncode == 0
    assert hashes(smoke_copy) == before


def test_a_killed_run(smoke_copy: Path) -> None:
    """After SIGKILL on everything Snakemake asks for `--unlock`; the next run completes to the same bytes."""
    before = hashes(smoke_copy)
    killed_in_training(smoke_copy, whole_group=True)
    assert "--unlock" in run_snakemake(smoke_copy, "--cores", "2", *SMOKE).stdout
    assert run_snakemake(smoke_copy, "--unlock", *SMOKE).returncode == 0
    assert run_snakemake(smoke_copy, "--cores", "2", *SMOKE).returncode == 0
    assert hashes(smoke_copy) == before


@pytest.mark.parametrize("kind", CASES)
def test_a_part_of_the_torture(smoke_run: Path, kind: str) -> None:
    """Three cases of each kind, always the same ones; SIGKILL, SIGTERM and SIGINT are among them."""
    lines: list[str] = []
    found = torture(smoke_run, seed=0, cases={kind: 3}, say=lines.append)
    assert lines and not bad(found), found
