"""A run that is interrupted, or finds its results locked, ends in one line."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from ndgm.pipeline.supervision import supervised

SLEEPS = "import sys, time; print('ready', flush=True); time.sleep(60)"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_the_run_and_ends_in_one_line(number: signal.Signals) -> None:
    """The code is that of the signal, whatever the command ended with."""
    threading.Timer(1, os.kill, (os.getpid(), number)).start()
    begun = time.monotonic()
    code, line = supervised([sys.executable, "-c", SLEEPS])
    assert time.monotonic() - begun < 20
    assert code == 128 + number
    kept = "finished results and trained ensembles are kept; the same command goes on from there"
    assert line == f"interrupted by {number.name}: {kept}"


@pytest.mark.parametrize("code", [0, 3])
def test_a_run_that_ends_by_itself_keeps_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Where nothing is locked there is nothing to add."""
    monkeypatch.chdir(tmp_path)
    assert supervised([sys.executable, "-c", f"raise SystemExit({code})"]) == (code, "")


def test_locked_results_are_said_with_the_command_that_unlocks_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Snakemake leaves its locks where it was killed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".snakemake/locks").mkdir(parents=True)
    (tmp_path / ".snakemake/locks/0.output.lock").touch()
    command = [sys.executable, "-c", "raise SystemExit(1)"]
    code, line = supervised(command)
    assert code == 1 and line.startswith(
        "locked: another run works on these results, or one was killed; if none does, "
    )
    assert f"`{sys.executable} -c 'raise SystemExit(1)' --unlock`" in line
