"""A run of Snakemake that ends in one line where it is interrupted or finds its results locked."""

import os
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from ndgm.pipeline.interruption import SIGNALS, Interrupted, interruptible

LOCKS = Path(".snakemake/locks")
LOGS = Path(".snakemake/log")
ROOM = 2**18
"""Bytes without which Snakemake cannot keep its own records, which ends in a traceback of its own."""

MOMENT = 3.0
"""Seconds in which Snakemake, with its results locked and no job, begins its first job or ends."""

ANOTHER_RUN = ("LockException", "a concurrent process has deleted it")
"""What Snakemake says where another run holds a lock, or makes a file anew while this one still looks what is there."""

FULL = "error: .snakemake: No space left on device; what was finished is kept; make room, and the same command goes on"


Lock: TypeAlias = tuple[Path, int]
"""A lock and when it was made."""


def supervised(command: Sequence[str]) -> tuple[int, str]:
    """Run a command of Snakemake in a process group of its own, which ends at a signal that interrupts.

    Args:
        command: Snakemake and its options.

    Returns:
        Its exit code, and one line on how to go on; an empty one where Snakemake has said it.
    """
    if disk_is_full():
        return 1, FULL
    logs = set(LOGS.glob("*"))
    try:
        with interruptible():
            code = _run(command)
    except Interrupted as ended:
        return ended.exit_code, ended.line(goes_on=True)
    if code < 0:
        code = 128 - code  # as shells say which signal killed it
    if code and disk_is_full():
        return code, FULL
    return code, f"locked: {locked(command)}" if code and _said_locked(set(LOGS.glob("*")) - logs) else ""


def disk_is_full() -> bool:
    """Whether there is no room for Snakemake's own records."""
    return shutil.disk_usage(".").free < ROOM


def locked(command: Sequence[str]) -> str:
    """What to do where results are locked."""
    options = command[: command.index("--")] if "--" in command else command  # what follows it are targets
    unlock = shlex.join([*options, "--unlock"])
    return f"another run works on these results, or one was killed; if none does, `{unlock}`, and then the same again"


def _said_locked(logs: set[Path]) -> bool:
    """Whether one of Snakemake's own logs says that it failed for another run, and not for anything of its own."""
    said = "".join(log.read_text(encoding="utf-8", errors="replace") for log in logs)
    return any(phrase in said for phrase in ANOTHER_RUN)


def _run(command: Sequence[str]) -> int:
    """Exit code of a command, which is ended where `Interrupted` is raised."""
    # A signal waits until there is something to end: within Popen it would leave a process that nobody knows.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)

    def begin() -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # `_end` needs it, also where a shell has made us ignore it
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

    of_others = _locks()
    run = subprocess.Popen(command, start_new_session=True, preexec_fn=begin)
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return run.wait()
    except Interrupted:
        _end(run, of_others)
        raise


def _end(run: subprocess.Popen, of_others: set[Lock]) -> None:
    """End Snakemake and its jobs, and wait until Snakemake has put away what they began.

    While Python starts, SIGINT is a traceback, and SIGTERM is silent. So jobs get SIGTERM, and so does Snakemake before
    it has locked what it makes. While it waits for jobs that it has begun, it takes SIGINT as the wish of the user;
    they are looked for until it ends, because it may begin one after the signal. With locks and without jobs it is on
    its way into that or out of it, where SIGINT is a traceback too. It is given a moment for either; one that needs
    longer is killed, and then has nothing to put away but its locks.

    Args:
        run: Snakemake.
        of_others: Locks that were there before it began.
    """
    last = time.monotonic() + MOMENT
    locked = _locks() - of_others
    while locked and run.poll() is None and not _jobs(run):  # until it ends, also without its locks, or begins a job
        if time.monotonic() > last:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
            for lock, _ in locked & _locks():
                lock.unlink(missing_ok=True)
            return
        time.sleep(0.05)
    if run.poll() is None:
        run.send_signal(signal.SIGINT if locked else signal.SIGTERM)
    while run.poll() is None:
        for job in _jobs(run):
            with suppress(ProcessLookupError):
                os.kill(job, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            run.wait(0.5)


def _locks() -> set[Lock]:
    """Locks of all runs; a run gives its own a name that an earlier one had, so that it is known by its time."""
    found = set()
    for path in LOCKS.glob("*"):
        with suppress(FileNotFoundError):
            found.add((path, path.stat().st_mtime_ns))
    return found


def _jobs(run: subprocess.Popen) -> list[int]:
    """Processes in the group of a run that it has begun and that have not ended."""
    import psutil  # it takes longer to load than all else here, and most runs end by themselves

    found = []
    with suppress(psutil.NoSuchProcess):
        for process in psutil.Process(run.pid).children(recursive=True):
            with suppress(psutil.NoSuchProcess, ProcessLookupError):
                if os.getpgid(process.pid) == run.pid and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process.pid)
    return found
