"""What was killed, damaged or starved goes on to the same bytes, or says why not in one line."""

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from conftest import SMOKE, run_snakemake
from copies import ROOT, hashes
from torture import BELOW, CASES, TARGETS, bad, torture

RESUMED = ("results/smoke/runs/l1_paradox_lasso_diabetes_quadratic.parquet", "--cores", "2", *SMOKE)
"""The longest run, which is killed, and what goes on with it."""
SEED = 63
"""Draws a kill while a figure is drawn and one while a run is trained; among all kinds data, claims and the paper."""


def trains(process: psutil.Process) -> bool:
    """Whether a process is a program that trains; one that has ended by now is none."""
    try:
        return process.cmdline()[1:2] == ["scripts/train.py"]
    except psutil.NoSuchProcess:  # a zombie, too
        return False


def killed_in_training(folder: Path) -> str:
    """Start the run anew, kill its job with SIGKILL while it trains, and give what was said."""
    (folder / RESUMED[0]).unlink()
    command = [sys.executable, "-m", "snakemake", "--cores", "1", *SMOKE]
    pipes = {"text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    run = subprocess.Popen(command, cwd=folder, start_new_session=True, **pipes)
    jobs: list[psutil.Process] = []
    while run.poll() is None and not jobs:
        time.sleep(0.05)
        children = psutil.Process(run.pid).children(recursive=True)
        jobs = [child for child in children if trains(child)]
    assert jobs, run.communicate()[0]
    time.sleep(2.5)  # until it has loaded what it needs, and trains
    assert jobs[0].is_running(), "the job was done before it could be killed: make it longer"
    jobs[0].kill()
    return run.communicate()[0]


def test_a_killed_job(smoke_copy: Path) -> None:
    """After SIGKILL on a training job the next run completes to the same bytes.

    SIGKILL on everything, which leaves a lock behind, is among the torture.
    """
    before = hashes(smoke_copy)
    assert "train_l1_paradox" in killed_in_training(smoke_copy)
    assert run_snakemake(smoke_copy, *RESUMED).returncode == 0
    assert hashes(smoke_copy) == before


def test_a_terminal_that_is_closed(tmp_path: Path) -> None:
    """It ends Snakemake too, with the code of its signal; here a module in the place of Snakemake."""
    (tmp_path / "snakemake.py").write_text("import os, time; print(os.getpid(), flush=True); time.sleep(60)")
    command = [sys.executable, str(ROOT / "scripts/run_snakemake.py")]
    process, terminal = pty.fork()
    if not process:
        os.chdir(tmp_path)
        os.execve(command[0], command, {**os.environ, "PYTHONPATH": str(ROOT / "src")})
    snakemake = int(os.read(terminal, 100))
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 128 + signal.SIGHUP
    assert not psutil.pid_exists(snakemake)


@pytest.mark.elsewhere
@pytest.mark.parametrize("kind", CASES)
def test_a_part_of_the_torture(smoke_run: Path, kind: str) -> None:
    """One case of each kind, always the same; kills within the seconds in which a target is made."""
    lines: list[str] = []
    found = torture(smoke_run, SEED, {kind: 1}, lines.append, dict.fromkeys(TARGETS, 4.0))
    wrong = bad(found)
    if wrong and all(each.startswith(f"{kind}: skipped: ") for each in wrong):
        pytest.skip(wrong[0])
    assert lines and not wrong, found


@pytest.mark.parametrize(
    ("kind", "outcome", "allowed"),
    [
        ("SIGINT", "identical bytes", True),
        ("torn file", "one line", True),
        ("two runs", "other bytes: claims.json", False),
        ("full disk", f"{BELOW}identical bytes", True),
        ("full disk", f"{BELOW}other bytes: claims.json", False),
        ("SIGINT", f"{BELOW}identical bytes", False),
        ("full disk", "skipped: no right to mount a small disk", False),
    ],
)
def test_what_fails_the_torture(kind: str, outcome: str, allowed: bool) -> None:
    """What was not tried did not pass, and a traceback is for a full disk only."""
    assert bad({kind: {outcome: 1}}) == ([] if allowed else [f"{kind}: {outcome}"])
