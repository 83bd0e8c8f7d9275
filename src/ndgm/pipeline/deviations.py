"""How far other processors move the numbers of a run, measured, and the tolerances that follow.

`reference/deviations.json` says what was run; for each number of `summaries` its largest relative deviation between a
run and runs of the same root seed in the environments of `OTHER_PROCESSORS`, or on another processor in earnest; and
which verdicts differed. A number that
it does not name moved by less than half of `LEAST`.

Where rounding is amplified, how far a statistic moves is chance: a median of counts may happen to stay where it is. So
the deviation is the largest over the runs as they are and over runs drawn from them again, `RESAMPLES` times. What a
claim measures on such tables is known up to its interval, and what it is compared with no better.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from ndgm.pipeline.processor import described, processor
from ndgm.pipeline.summaries import Meaning, Number, Summary, resampled, summary
from ndgm.store.files import InputError, file_hash, read_json, read_json_list, write_json
from ndgm.store.provenance import generator

SAFETY = 2.0
"""Tolerance over the largest deviation that was measured: that of draws is about twice the one to be expected."""
LEAST = 1e-9
"""Smallest relative tolerance: that of numbers that no orbit amplifies."""
AMPLIFIED = 1e-6
"""Deviation above which rounding was amplified, so that chance decides how far numbers move."""
RESAMPLES = 30
"""How often the runs of a table are drawn again."""
MOST = 0.02
"""Relative error that is to be found. A number whose tolerance would be larger is not compared: chance decides it."""

Deviations = dict[str, dict[str, float | None]]
"""Largest relative deviation by file and name; None where one of two runs has no such number, or only one is zero."""


@dataclass(frozen=True)
class Measured:
    """What was measured.

    Attributes:
        runs: Scale, root seed, name or description of the other processor and description of this one, for each pair.
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
        found = self._copy()
        for file in _same_files(run, other):
            for here, there in _summaries(run / file, other / file):
                found._add(scale, file, here, there)
        found._add_chance(run)
        return found._after(scale, root_seed, other_processor)

    def with_reference(self, scale: str, root_seed: int, run: Path, reference: Path) -> "Measured":
        """What is known after a run beside a reference that another processor made: numbers that it compares.

        Args:
            scale: Of both.
            root_seed: Of both.
            run: Folder of the results of the run.
            reference: Folder of the reference.

        Raises:
            InputError: if the reference is of another scale, the run lacks a file of it, or one cannot be read.
        """
        check_scale(reference, scale)
        found = self._copy()
        for file, expected in read_json(reference / "values.json").items():
            here = summary(run / file)
            named = {str(meaning): meaning for meaning in here}
            values = {named[name]: entry["value"] for name, entry in expected.items() if name in named}
            there = {
                meaning: value if isinstance(value, str) else Number(value, abs(value))
                for meaning, value in values.items()
            }
            found._add(scale, file, {meaning: here[meaning] for meaning in there}, there)
        found._add_chance(run)
        return found._after(scale, root_seed, described(read_json(reference / "processor.json")))

    def _copy(self) -> "Measured":
        deviations = {file: dict(numbers) for file, numbers in self.deviations.items()}
        return Measured([*self.runs], deviations, {name: dict(seen) for name, seen in self.verdicts.items()})

    def _add(self, scale: str, file: str, here: Summary, there: Summary) -> None:
        """Take in how numbers and verdicts of one file differ."""
        known = self.deviations.setdefault(file, {})
        for meaning in here.keys() | there.keys():
            one, two = here.get(meaning), there.get(meaning)
            if not (isinstance(one, str) and isinstance(two, str)):
                known[str(meaning)] = _larger(known.get(str(meaning), 0.0), deviation(one, two))
            elif one != two:
                seen, claim = self.verdicts.setdefault(scale, {}), meaning.name.partition(",")[0]
                seen[claim] = sorted({one, two, *seen.get(claim, [])})

    def _add_chance(self, run: Path) -> None:
        """Take in how far chance moves what claims of a run say of tables in which rounding was amplified."""
        moved = {Path(file).stem for file, numbers in self.deviations.items() if _is_amplified(numbers)}
        known = self.deviations.setdefault("claims.json", {})
        for name, by_chance in _of_claims(read_json_list(run / "claims.json"), moved):
            known[name] = _larger(known.get(name, 0.0), by_chance)

    def _after(self, scale: str, root_seed: int, other_processor: str) -> "Measured":
        """With another pair of runs, and without deviations that change no tolerance."""
        moved = {file: kept for file, numbers in self.deviations.items() if (kept := _worth_saying(numbers))}
        pair = {"scale": scale, "root_seed": root_seed, "other_processor": other_processor, "on": processor()}
        return Measured([*self.runs, pair], moved, self.verdicts)


def check_scale(reference: Path, scale: str) -> None:
    """Look whether a reference, if there is one, is of a scale.

    Raises:
        InputError: if it is of another one.
    """
    settings = reference / "settings.json"
    if settings.exists() and (other := read_json(settings).get("scale")) != scale:
        raise InputError(f"{reference}: the reference of the scale {other}, not of {scale}")


def _summaries(file: Path, other: Path) -> Iterator[tuple[Summary, Summary]]:
    """Numbers of a file and of that of another run; and, where their bytes differ, of their runs drawn again."""
    yield summary(file), summary(other)
    if file_hash(file) != file_hash(other):
        tables = (resampled(each, RESAMPLES, generator(0, "deviations", "runs")) for each in (file, other))
        yield from zip(*tables, strict=True)


def _of_claims(claims: list[dict[str, Any]], moved: set[str]) -> Iterator[tuple[str, float]]:
    """Deviations of claims that chance decides, by the name of the number.

    The other arm of a comparison is the median of as many runs as what is measured, and known no better.

    Args:
        claims: Of `claims.json`.
        moved: Names of tables in which rounding was amplified.
    """
    for claim in claims:
        if not any(table == each or table.startswith(f"{each}_") for table in moved for each in claim["experiments"]):
            continue
        ends = claim["interval"] or [None]
        if claim["measured"] and None not in ends and claim["p_value"] is not None:  # else a range of exact values
            by_chance = (max(ends) - min(ends)) / 2 / abs(claim["measured"])
            for number in ("measured", "reference") if claim["compared"] == "other arm" else ("measured",):
                yield f"{claim['id']}, {number}", by_chance


def deviation(one: Number | str | None, other: Number | str | None) -> float | None:
    """|other − one| in the unit of one; None where a number is missing, or its unit is zero and it is not."""
    if not isinstance(one, Number) or not isinstance(other, Number):
        return None
    if one.value == other.value:
        return 0.0
    return abs(other.value - one.value) / one.unit if one.unit else None


def tolerance(moved: float | None) -> float | None:
    """Relative tolerance of a number that other processors moved by this much; None if it cannot be compared."""
    if moved is None:
        return None
    allowed = max(SAFETY * moved, LEAST)
    return allowed if allowed < MOST else None


def compared(numbers: Summary, moved: Mapping[str, float | None]) -> dict[str, dict[str, Any]]:
    """Values of one file that are compared, each with its absolute tolerance, and words without one.

    Of the statistics of a column it is the first that has a tolerance, and the mean size where signs make that another
    number. A column none of whose statistics has a tolerance is listed with null: chance decides it.

    Args:
        numbers: Of the file.
        moved: Their deviations.
    """
    columns: dict[tuple[str, str], dict[Meaning, dict[str, Any]]] = {}
    typical = _typical(numbers, moved)
    for meaning, number in numbers.items():
        entry = _entry(number, _larger(moved.get(str(meaning), 0.0), typical.get(_owner(meaning), 0.0)))
        columns.setdefault((meaning.name, meaning.rows), {})[meaning] = entry
    kept = [_kept(entries) for entries in columns.values()]
    return {str(meaning): entry for entries in kept for meaning, entry in entries.items()}


def _typical(numbers: Iterable[Meaning], moved: Mapping[str, float | None]) -> dict[tuple[str, str], float]:
    """Median deviation of what moved, of each owner of numbers whose rounding was amplified.

    Chance decides which of them stay where they are: none is held closer. It is at most a half of what would leave a
    number out, so that a number near zero leaves no other one out.
    """
    found: dict[tuple[str, str], list[float]] = {}
    for meaning in numbers:
        if deviation := moved.get(str(meaning)):
            found.setdefault(_owner(meaning), []).append(deviation)
    amplified = {owner: each for owner, each in found.items() if max(each) > AMPLIFIED}
    return {owner: min(median(each), MOST / SAFETY / 2) for owner, each in amplified.items()}


def _owner(meaning: Meaning) -> tuple[str, str]:
    """The method that a statistic is of, empty for all of them together, and its rows; or the claim of a number."""
    if meaning.statistic:
        return meaning.name.rpartition(".")[0], meaning.rows
    return meaning.name.partition(",")[0], ""


def _kept(entries: dict[Meaning, dict[str, Any]]) -> dict[Meaning, dict[str, Any]]:
    """Entries of one column that are compared; the first one with the tolerance null where none is."""
    held = {meaning: entry for meaning, entry in entries.items() if entry.get("tolerance", 0.0) is not None}
    if not any(meaning.statistic == "mean size" for meaning in held):
        held = {meaning: entry for meaning, entry in held.items() if not _is_loose(entry)}
    if not held:
        first = next(iter(entries))
        return {first: entries[first] | {"tolerance": None}}
    first, *others = held
    sizes = [other for other in others if other.statistic == "mean size"]
    return {first: held[first]} | {
        size: held[size] for size in sizes if held[size]["value"] != abs(held[first]["value"])
    }


def _is_loose(entry: Mapping[str, Any]) -> bool:
    """Whether entries of a mean cancel, so that its tolerance would hide an error of `MOST` of the mean itself."""
    return "tolerance" in entry and entry["tolerance"] >= MOST * abs(entry["value"]) > 0


def _entry(number: Number | str, moved: float | None) -> dict[str, Any]:
    """Value and absolute tolerance of a number; the value alone of a word."""
    if isinstance(number, str):
        return {"value": number}
    allowed = tolerance(moved)
    return {"value": number.value, "tolerance": None if allowed is None else allowed * number.unit}


def read_measured(path: Path) -> Measured:
    """What was measured so far; nothing where there is no such file."""
    return Measured(**read_json(path)) if path.exists() else Measured()


def write_measured(path: Path, measured: Measured) -> None:
    """Write what was measured, for `read_measured`."""
    write_json(path, asdict(measured))


def _worth_saying(moved: Mapping[str, float | None]) -> dict[str, float | None]:
    """Deviations that change a tolerance, by name."""
    return {name: each for name, each in sorted(moved.items()) if each is None or SAFETY * each > LEAST}


def _is_amplified(moved: Mapping[str, float | None]) -> bool:
    """Whether a number of a file moved by more than rounding."""
    return any(each is None or each > AMPLIFIED for each in moved.values())


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
