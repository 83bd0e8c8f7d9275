"""A run of Snakemake that ends in one line where it is interrupted or finds its results locked."""

import os
import shlex
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psutil

from ndgm.pipeline.interruption import Interrupted, interruptible

LOCKS = Path(".snakemake/locks")


def supervised(command: Sequence[str]) -> tuple[int, str]:
    """Run a command of Snakemake in a process group of its own, which ends at SIGINT and SIGTERM.

    Args:
        command: Snakemake and its options.

    Returns:
        Its exit code, and one line on how to go on; an empty one where Snakemake has said it.
    """
    run = subprocess.Popen(command, start_new_session=True)
    try:
        with interruptible():
            code = run.wait()
    except Interrupted as ended:
        _end(run)
        kept = "finished results and trained ensembles are kept; the same command goes on from there"
        return ended.exit_code, f"interrupted by {ended.signal.name}: {kept}"
    return code, f"locked: {locked(command)}" if code and any(LOCKS.glob("*")) else ""


def locked(command: Sequence[str]) -> str:
    """What to do where results are locked."""
    unlock = shlex.join([*command, "--unlock"])
    return f"another run works on these results, or one was killed; if none does, `{unlock}`, and then the same again"


def _end(run: subprocess.Popen) -> None:
    """End Snakemake and its jobs, and wait until Snakemake has put away what they began.

    While Python starts, SIGINT is a traceback, and SIGTERM is silent. So jobs get SIGTERM, and so does Snakemake before
    it has locked what it makes; afterwards it takes SIGINT as the wish of the user, and SIGTERM as one to end its jobs.
    """
    try:
        snakemake = psutil.Process(run.pid)
        jobs = [job for job in snakemake.children(recursive=True) if os.getpgid(job.pid) == run.pid]
        snakemake.send_signal(signal.SIGINT if any(LOCKS.glob("*")) else signal.SIGTERM)
        for job in jobs:
            job.terminate()
    except (psutil.NoSuchProcess, ProcessLookupError):
        pass  # it has just ended
    run.wait()
