"""A run of Snakemake that ends in one line where it is interrupted or finds its results locked."""

import os
import shlex
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ndgm.pipeline.programs import Interrupted, interruptible

LOCKS = Path(".snakemake/locks")


def supervised(command: Sequence[str]) -> tuple[int, str]:
    """Run a command of Snakemake in a process group of its own, to which SIGINT and SIGTERM are passed on.

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
        _end(run, ended.signal)
        kept = "finished results and trained ensembles are kept; the same command goes on from there"
        return ended.exit_code, f"interrupted by {ended.signal.name}: {kept}"
    return code, f"locked: {locked(command)}" if code and any(LOCKS.glob("*")) else ""


def locked(command: Sequence[str]) -> str:
    """What to do where results are locked."""
    unlock = shlex.join([*command, "--unlock"])
    return f"another run works on these results, or one was killed; if none does, `{unlock}`, and then the same again"


def _end(run: subprocess.Popen, number: signal.Signals) -> None:
    """Pass a signal on to Snakemake and its jobs, and wait until Snakemake has put away what they began."""
    for passed_on in (number, signal.SIGINT):
        try:
            os.killpg(run.pid, passed_on)
            run.wait(timeout=20)
            return
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            continue  # after SIGTERM Snakemake waits for jobs, and one of them may not have heard it
    run.wait()
