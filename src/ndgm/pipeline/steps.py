"""A long check in steps under one time limit: each record is on disk at once, and what was not reached never passed."""

import re
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple

from ndgm.store.files import write_json


class Outcome(StrEnum):
    """How a part of a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_REACHED = "not reached"


@dataclass(frozen=True)
class Record:
    """What a part of a check found.

    Attributes:
        name: Of the part, such as `tests` or `smoke/train_adaptive`.
        outcome: How it ended.
        fault: Why it did not pass, in one line; empty where it did.
        numbers: What was measured, in the form of JSON.
    """

    name: str
    outcome: Outcome
    fault: str = ""
    numbers: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """One line for people."""
        return f"{self.name}: {self.outcome}" + (f": {self.fault}" if self.fault else "")


Step = Callable[[], Iterable[Record]]


class Deadline:
    """A point in time that is some seconds away when this is made."""

    def __init__(self, seconds: float) -> None:
        self.end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds until then; 0 once it has passed."""
        return max(self.end - time.monotonic(), 0.0)

    def within(self, seconds: float) -> "Deadline":
        """The earlier of this deadline and that in so many seconds."""
        return Deadline(min(self.left, seconds))


def take(steps: Mapping[str, Step], out: Path, head: Mapping[str, Any], say: Callable[[str], None]) -> list[Record]:
    """Take steps one after the other; a fault in one ends it with a record of that fault, and the next one begins.

    The file is written anew after every record, so that a killed check leaves what it has.

    Args:
        steps: By name, functions that give records one by one.
        out: JSON file: `head`, and beside it `records`, `passed` and `seconds`.
        head: What the file begins with.
        say: Says one line to the user.

    Returns:
        All records.
    """
    records: list[Record] = []
    begun = time.monotonic()

    def keep(record: Record) -> None:
        records.append(record)
        say(str(record))
        seconds = round(time.monotonic() - begun, 1)
        write_json(
            out, {**head, "records": list(map(_as_json, records)), "passed": passed(records), "seconds": seconds}
        )

    for name, step in steps.items():
        try:
            for record in step():
                keep(record)
        except Exception as fault:  # whatever it is, the other steps are worth taking
            keep(Record(name, Outcome.FAILED, one_line(f"{type(fault).__name__}: {fault}")))
    return records


def passed(records: Iterable[Record]) -> bool:
    """Whether all that was reached passed."""
    return all(record.outcome != Outcome.FAILED for record in records)


class Ended(NamedTuple):
    """How a program ended.

    Attributes:
        outcome: Whether it did.
        fault: Why it did not pass, in one line; empty where it did.
        seconds: How long it ran.
    """

    outcome: Outcome
    fault: str
    seconds: float


def run_program(command: Sequence[str], environment: Mapping[str, str], deadline: Deadline) -> Ended:
    """Run a program until it ends or the deadline passes, when it is killed.

    Args:
        command: The program and its arguments.
        environment: All its environment variables.
        deadline: When it is killed.
    """
    seconds = deadline.left
    if not seconds:
        return Ended(Outcome.NOT_REACHED, "no time was left", 0.0)
    begun = time.monotonic()
    try:
        done = subprocess.run(
            command,
            timeout=seconds,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
        )
    except subprocess.TimeoutExpired:
        return Ended(Outcome.NOT_REACHED, f"stopped after {seconds:.3g} s", seconds)
    took = round(time.monotonic() - begun, 2)
    if done.returncode == 0:
        return Ended(Outcome.PASSED, "", took)
    return Ended(Outcome.FAILED, fault_line(done.stdout + done.stderr) or f"exit code {done.returncode}", took)


def fault_line(printed: str) -> str:
    """The line in which a failed program says what is wrong: the last that names an error, or else the last."""
    lines = list(filter(str.strip, printed.splitlines()))
    faults = [line for line in lines if re.match(r"[\w.]*error\b", line, re.IGNORECASE)]
    return one_line((faults or lines or [""])[-1])


def one_line(text: str, longest: int = 300) -> str:
    """A text as one line that is not too long to be read."""
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def _as_json(record: Record) -> dict[str, Any]:
    return {"name": record.name, "outcome": record.outcome.value, "fault": record.fault, **record.numbers}
