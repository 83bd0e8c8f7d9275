"""How far other processors move the numbers of a run, measured, and the tolerances that follow.

`reference/deviations.json` says what was run; for each number of `summaries` its largest relative deviation between a
run and runs of the same root seed in the environments of `OTHER_PROCESSORS`; and which verdicts differed. A number that
it does not name had identical bits throughout.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ndgm.pipeline.processor import processor
from ndgm.pipeline.summaries import Summary, summary
from ndgm.store.files import InputError, read_json, write_json

SAFETY = 3.0
"""Tolerance over the largest deviation that was measured."""
LEAST = 1e-9
"""Smallest relative tolerance: that of numbers that no orbit amplifies."""
MOST = 0.02
"""Relative error that is to be found. A number whose tolerance would be larger is not compared: chance decides it."""

Deviations = dict[str, dict[str, float | None]]
"""Largest relative deviation by file and name; None where one of two runs has no such number, or only one is zero."""


@dataclass(frozen=True)
class Measured:
    """What was measured.

    Attributes:
        runs: Scale, root seed, name of the other processor and description of this one, for each pair of runs.
        deviations: Over all pairs.
        verdicts: By scale and claim, all verdicts that were seen, where a pair differed.
    """

    runs: list[dict[str, Any]] = field(default_factory=list)
    deviations: Deviations = field(default_factory=dict)
    verdicts: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    def with_runs(self, scale: str, root_seed: int, other_processor: str, run: Path, other: Path) -> "Measured":
        """What is known after another pair of runs of one config.

        Args:
            scale: Of both runs.
            root_seed: Of both runs.
            other_processor: Name of the environment of the other run.
            run: Folder of the results of the run in no such environment.
            other: Folder of the results of the other run.

        Raises:
            InputError: if one of them has files that the other has not.
        """
        deviations = {file: dict(numbers) for file, numbers in self.deviations.items()}
        verdicts: dict[str, dict[str, list[str]]] = {scale: {}} | {
            name: dict(seen) for name, seen in self.verdicts.items()
        }
        for file in _same_files(run, other):
            here, there = summary(run / file), summary(other / file)
            for name in sorted(here.keys() | there.keys()):
                one, two = here.get(name), there.get(name)
                if one == two:
                    continue
                if isinstance(one, str) and isinstance(two, str):
                    claim = name.partition(",")[0]
                    verdicts[scale][claim] = sorted({one, two, *verdicts[scale].get(claim, [])})
                else:
                    known = deviations.setdefault(file, {})
                    known[name] = _larger(known.get(name, 0.0), deviation(one, two))
        pair = {"scale": scale, "root_seed": root_seed, "other_processor": other_processor, "on": processor()}
        return Measured([*self.runs, pair], deviations, verdicts)


def deviation(one: float | str | None, other: float | str | None) -> float | None:
    """|other − one|/|one| of two numbers; None where one of them is missing or only one of them is zero."""
    if isinstance(one, str) or isinstance(other, str) or one is None or other is None or not one:
        return None
    return abs(other - one) / abs(one)


def tolerance(moved: float | None) -> float | None:
    """Relative tolerance of a number that other processors moved by this much; None if it cannot be compared."""
    if moved is None:
        return None
    allowed = max(SAFETY * moved, LEAST)
    return allowed if allowed < MOST else None


def compared(numbers: Summary, moved: Mapping[str, float | None]) -> dict[str, dict[str, Any]]:
    """Values of one file with their absolute tolerances; null for a number that is not compared, none for words.

    Args:
        numbers: Of the file.
        moved: Their deviations.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, value in numbers.items():
        found[name] = {"value": value}
        if not isinstance(value, str):
            allowed = tolerance(moved.get(name, 0.0))
            found[name]["tolerance"] = None if allowed is None else allowed * abs(value)
    return found


def read_measured(path: Path) -> Measured:
    """What was measured so far; nothing where there is no such file."""
    return Measured(**read_json(path)) if path.exists() else Measured()


def write_measured(path: Path, measured: Measured) -> None:
    """Write what was measured, for `read_measured`."""
    write_json(path, asdict(measured))


def _larger(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else max(one, other)


def _same_files(run: Path, other: Path) -> list[str]:
    here, there = _summarised(run), _summarised(other)
    if here != there:
        raise InputError(f"{other}: has other files than {run}: {', '.join(sorted({*here} ^ {*there})[:3])}")
    return here


def _summarised(run: Path) -> list[str]:
    """Files of a run that numbers are taken from, as sorted relative paths."""
    paths = [*run.rglob("*.parquet"), *(run / "data").rglob("*.npz"), run / "claims.json"]
    files = (path.relative_to(run) for path in paths)
    return sorted(file.as_posix() for file in files if not any(part.startswith(".") for part in file.parts))
