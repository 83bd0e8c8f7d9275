"""A run that is interrupted, or finds its results locked, ends in one line."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import snakemake

from ndgm.pipeline.interruption import SIGNALS
from ndgm.pipeline.supervision import ANOTHER_RUN, LOGS, _end, supervised

SLEEPS = "import sys, time; print('ready', flush=True); time.sleep(60)"
SUPERVISES = """
import sys
from ndgm.pipeline.supervision import supervised

code, line = supervised([sys.executable, "-c", sys.argv[1]])
print(line, flush=True)
sys.exit(code)
"""
STOPS = """
import os, signal, subprocess, sys, time

def stop(*_):
    signal.signal(signal.SIGTERM, lambda *_: None)
    {}
    sys.exit(1)

signal.signal(signal.SIGTERM, stop)
print(os.getpid(), flush=True)
time.sleep(60)
"""

LOCKED = """
import os, subprocess, sys, time
from pathlib import Path

lock = Path({lock!r})
lock.touch()
jobs = [subprocess.Popen([sys.executable, "-c", job], stdout=subprocess.DEVNULL) for job in {jobs}]
print(os.getpid(), flush=True)
if not jobs:
    time.sleep(60)
try:
    jobs[0].wait()
except KeyboardInterrupt:
    print("took SIGINT", flush=True)
    jobs[0].wait()
    lock.unlink()
"""


@contextmanager
def supervising(stop: str, **how) -> Iterator[tuple[subprocess.Popen, int]]:
    """A program that supervises a command, and the process of the command, which does this before it stops."""
    command = [sys.executable, "-c", SUPERVISES, STOPS.format(stop or "pass")]
    ours = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "src")}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    run = subprocess.Popen(command, env=ours, **pipes, **how)
    try:
        yield run, int(run.stdout.readline())
    finally:
        run.kill()


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without the locks of a run that goes on while the tests do."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_reaches_the_run_and_ends_in_one_line(number: signal.Signals) -> None:
    """The code is that of the signal, whatever the command ended with."""
    threading.Timer(1, os.kill, (os.getpid(), number)).start()
    begun = time.monotonic()
    code, line = supervised([sys.executable, "-c", SLEEPS])
    assert time.monotonic() - begun < 20
    assert code == 128 + number
    assert line == f"interrupted by {number.name}: what was finished is kept; the same command goes on from there"


@pytest.mark.parametrize("seconds", [0, 3])
def test_an_impatient_user(seconds: int) -> None:
    """A second Ctrl-C while the run stops changes nothing: one line, and no process is left."""
    with supervising(f"time.sleep({seconds})") as (run, child):
        run.send_signal(signal.SIGINT)
        time.sleep(1 if seconds else 0)
        run.send_signal(signal.SIGINT)
        said = run.communicate(timeout=20)[0]
    line = "interrupted by SIGINT: what was finished is kept; the same command goes on from there\n"
    assert (run.returncode, said) == (130, line)
    assert not psutil.pid_exists(child)


def test_ctrl_c_for_another_program() -> None:
    """A run that a shell has put into the background ignores it, and can be ended all the same."""
    with supervising("", preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)) as (run, child):
        run.send_signal(signal.SIGINT)
        time.sleep(1)
        assert run.poll() is None and psutil.pid_exists(child)
        run.send_signal(signal.SIGTERM)
        assert run.communicate(timeout=20)[0].startswith("interrupted by SIGTERM: ") and run.returncode == 143
    assert not psutil.pid_exists(child)


@pytest.mark.parametrize("jobs", [0, 1], ids=["on its way", "waiting for a job"])
def test_a_locked_run_ends_without_a_traceback(tmp_path: Path, jobs: int) -> None:
    """SIGINT, which it takes while it waits for jobs, is a traceback before and after; locks of others stay."""
    other, ours = (tmp_path / f".snakemake/locks/{number}.output.lock" for number in range(2))
    other.parent.mkdir(parents=True)
    other.touch()
    command = [sys.executable, "-c", SUPERVISES, LOCKED.format(lock=str(ours), jobs=[SLEEPS] * jobs)]
    ours_too = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "src")}
    run = subprocess.Popen(
        command,
        env=ours_too,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),  # as in the background of a shell
    )
    child = int(run.stdout.readline())
    run.send_signal(signal.SIGTERM)
    said = run.communicate(timeout=20)[0]
    assert run.returncode == 143 and "Traceback" not in said and "interrupted by SIGTERM: " in said
    assert ("took SIGINT" in said) == bool(jobs)
    assert not psutil.pid_exists(child) and other.exists() and not ours.exists()


def test_a_run_that_has_ended_is_not_ended_again(tmp_path: Path) -> None:
    """Nothing waits for it, and a lock that it leaves behind is for the user to see."""
    lock = tmp_path / ".snakemake/locks/0.output.lock"
    lock.parent.mkdir(parents=True)
    run = subprocess.Popen([sys.executable, "-c", f"open({str(lock)!r}, 'w')"], start_new_session=True)
    run.wait()
    begun = time.monotonic()
    _end(run, set())
    assert run.returncode == 0 and lock.exists() and time.monotonic() - begun < 1


def test_a_locked_run_that_ends_by_itself_is_not_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is on its way out, and puts its lock away itself."""
    monkeypatch.setattr("ndgm.pipeline.supervision.MOMENT", 20)
    lock = tmp_path / ".snakemake/locks/0.output.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    puts_away = f"import os, time; time.sleep(1); os.unlink({str(lock)!r}); time.sleep(0.5)"
    run = subprocess.Popen([sys.executable, "-c", puts_away], start_new_session=True)
    _end(run, set())
    assert run.returncode == 0 and not lock.exists()


def test_a_job_that_begins_during_the_shutdown() -> None:
    """It is ended too, and not waited for."""
    job = f"time.sleep(1); subprocess.run([sys.executable, '-c', {SLEEPS!r}], stdout=subprocess.DEVNULL)"
    with supervising(job) as (run, child):
        run.send_signal(signal.SIGTERM)
        run.communicate(timeout=20)
    assert run.returncode == 143 and not psutil.pid_exists(child)


def test_a_job_that_ends_while_jobs_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are ended all the same."""
    gone = iter([True])

    def getpgid(process: int, real: Callable[[int], int] = os.getpgid) -> int:
        if next(gone, False):
            raise ProcessLookupError
        return real(process)

    monkeypatch.setattr(os, "getpgid", getpgid)
    two = f"jobs = [subprocess.Popen([sys.executable, '-c', {SLEEPS!r}]) for _ in range(2)]"
    waits = "signal.signal(signal.SIGTERM, signal.SIG_IGN); [job.wait() for job in jobs]"
    threading.Timer(1, os.kill, (os.getpid(), signal.SIGTERM)).start()
    begun = time.monotonic()
    assert supervised([sys.executable, "-c", f"import signal, subprocess, sys; {two}; {waits}"])[0] == 143
    assert time.monotonic() - begun < 20


def test_the_code_of_a_run_that_was_killed() -> None:
    """That of a shell."""
    assert supervised([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"]) == (137, "")


@pytest.mark.parametrize("code", [0, 3])
def test_a_run_that_ends_by_itself_keeps_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Where nothing is locked there is nothing to add."""
    monkeypatch.chdir(tmp_path)
    assert supervised([sys.executable, "-c", f"raise SystemExit({code})"]) == (code, "")


@pytest.mark.parametrize("free", [[0], [10**9, 0]], ids=["before", "after"])
def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch, free: list[int]) -> None:
    """Where Snakemake cannot write its own records it ends in a traceback."""
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=free.pop(0)))
    code, line = supervised([sys.executable, "-c", "raise SystemExit(1)"])
    assert code == 1 and line.startswith("error: .snakemake: No space left on device; ")


@pytest.mark.parametrize(("locked", "says"), [("made", True), ("other", False)])
def test_locked_results_are_said_where_snakemake_failed_for_a_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locked: str, says: bool
) -> None:
    """With the command that unlocks them; not where a job failed while another run held a lock of its own."""
    monkeypatch.chdir(tmp_path)
    Path("Snakefile").write_text('rule:\n    output: "made"\n    shell: "false"\n')
    Path(".snakemake/locks").mkdir(parents=True)
    Path(".snakemake/locks/0.output.lock").write_text(f"{locked}\n")
    command = [sys.executable, "-m", "snakemake", "--cores", "1"]
    code, line = supervised([*command, "--", "made"])
    assert code == 1
    if not says:
        assert line == ""
    else:
        assert line.startswith("locked: another run works on these results, or one was killed; if none does, ")
        assert f"`{' '.join(command)} --unlock`" in line
        assert supervised([*command, "--unlock"]) == (0, "") and not any(Path(".snakemake").glob("locks/*"))


@pytest.mark.parametrize("phrase", ANOTHER_RUN)
def test_a_run_that_meets_another_one_before_it_locks_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, phrase: str
) -> None:
    """Snakemake looks what is there before it locks, while another run may remove it; the log says it in its words."""
    sources = Path(snakemake.__file__).parent.rglob("*.py")
    assert any(phrase in path.read_text(encoding="utf-8") for path in sources)
    monkeypatch.chdir(tmp_path)
    LOGS.mkdir(parents=True)
    LOGS.joinpath("earlier.log").write_text(f"{phrase}\n")
    fails = "from pathlib import Path; Path('.snakemake/log/this.log').write_text({!r}); raise SystemExit(1)"
    assert supervised([sys.executable, "-c", fails.format("a job failed")]) == (1, "")
    LOGS.joinpath("this.log").unlink()
    assert supervised([sys.executable, "-c", fails.format(phrase)])[1].startswith("locked: another run works on ")
