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
        lacking: Whether it was not reached for want of what a machine may lack, or of what was to be made of it; where
            a file is not there for another reason, the record of what makes it says that.
    """

    name: str
    outcome: Outcome
    fault: str = ""
    numbers: Mapping[str, Any] = field(default_factory=dict)
    lacking: bool = False

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


def take(
    steps: Mapping[str, Step],
    out: Path,
    head: Mapping[str, Any],
    say: Callable[[str], None],
    required: Sequence[str],
) -> list[Record]:
    """Take steps one after the other; a fault in one ends it with a record of that fault, and the next one begins.

    The file is written before the first step and anew after every record, so that a killed check leaves what it has.

    Args:
        steps: By name, functions that give records one by one.
        out: JSON file: `head`, and beside it `records`, `not_reached`, `passed` and `seconds`.
        head: What the file begins with.
        say: Says one line to the user.
        required: Names of the steps that have to be reached; until they have ended the file says that they were not.

    Returns:
        All records.
    """
    records: list[Record] = []
    waiting = list(required)
    begun = time.monotonic()

    def write() -> None:
        missing = list(dict.fromkeys([*unreached(records, required), *waiting]))
        found = {
            "records": list(map(_as_json, records)),
            "not_reached": missing,
            "passed": not missing and passed(records, required),
            "seconds": round(time.monotonic() - begun, 1),
        }
        write_json(out, {**head, **found})

    def keep(record: Record) -> None:
        records.append(record)
        say(str(record))
        write()

    write()
    for name, step in steps.items():
        try:
            for record in step():
                keep(record)
        except Exception as fault:  # whatever it is, the other steps are worth taking
            keep(Record(name, Outcome.FAILED, one_line(f"{type(fault).__name__}: {fault}")))
        if name in waiting:
            waiting.remove(name)
            write()
    return records


def passed(records: Sequence[Record], required: Iterable[str]) -> bool:
    """Whether nothing failed, and all was reached that has to be.

    Args:
        records: All records.
        required: As for `unreached`.
    """
    return all(record.outcome != Outcome.FAILED for record in records) and not unreached(records, required)


def unreached(records: Sequence[Record], required: Iterable[str]) -> list[str]:
    """Names of what was not reached and has to be: parts of required steps, and such steps of which nothing was.

    What a machine may lack does not have to be reached.

    Args:
        records: All records.
        required: Names of steps.
    """
    names: list[str] = []
    for step in required:
        of_step = [record for record in records if record.name.partition("/")[0] == step]
        if all(record.outcome == Outcome.NOT_REACHED for record in of_step):
            names.append(step)
        names += [record.name for record in of_step if record.outcome == Outcome.NOT_REACHED and not record.lacking]
    return list(dict.fromkeys(names))


class Ended(NamedTuple):
    """How a program ended.

    Attributes:
        outcome: Whether it did.
        fault: Why it did not pass, in one line; empty where it did.
        seconds: How long it ran.
        lacking: As in `Record`.
    """

    outcome: Outcome
    fault: str
    seconds: float
    lacking: bool = False


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
    said = {"name": record.name, "outcome": record.outcome.value, "fault": record.fault, "lacking": record.lacking}
    return said | dict(record.numbers)
