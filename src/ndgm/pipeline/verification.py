"""A run beside its reference: identical bytes, within tolerance, or different, with the rule that made each file.

A reference is a folder with `hashes.json` (SHA-256 of every result), `values.json` (numbers with tolerances, by file
and name), `processor.json` (where it was made), `settings.json` (the config), `figures/` and, for readers,
`claims.json`. A file with numbers whose bytes differ is within tolerance when its numbers are. Any other file, such
as a figure, shows numbers of those: where its bytes differ, that is within tolerance if bytes of its sources differ too
or if the processor is of another kind, and otherwise a difference.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from math import inf
from pathlib import Path
from typing import Any

from ndgm.pipeline.deviations import Deviations, compared
from ndgm.pipeline.jobs import DOCUMENTS, FIGURES, Config, figures, rule_that_makes, settings_of_tables
from ndgm.pipeline.processor import compute_alike, described, processor
from ndgm.pipeline.summaries import Number, summary, verdict_of
from ndgm.store.files import InputError, file_hash, read_json, write_atomically, write_json

NOT_COMPARED = ("logs", "benchmarks", "claims")  # what is in `claims` stands in claims.json too


class Agreement(IntEnum):
    """How well a result agrees with its reference."""

    IDENTICAL = 0
    WITHIN_TOLERANCE = 1
    DIFFERS = 2

    def __str__(self) -> str:
        """The agreement in words."""
        return ("identical bytes", "within tolerance", "differs")[self]


@dataclass(frozen=True)
class Comparison:
    """One file beside its reference.

    Attributes:
        file: Its path under the results of the scale.
        agreement: The worst over its numbers and bytes.
        differences: One line for each number that differs, which says how far.
        fragile: One line for each verdict that differs, of a claim whose verdict hangs on the processor.
        nearest: Number that came nearest to its tolerance, and the share of the tolerance that it used.
    """

    file: str
    agreement: Agreement
    differences: tuple[str, ...] = ()
    fragile: tuple[str, ...] = ()
    nearest: tuple[str, float] = ("", 0.0)


def result_files(results: Path) -> list[str]:
    """Every result under a scale's folder, without logs, benchmarks and hidden files, as sorted relative paths."""
    paths = (path.relative_to(results) for path in Path(results).rglob("*") if path.is_file())
    return sorted(
        path.as_posix()
        for path in paths
        if path.parts[0] not in NOT_COMPARED and not any(part.startswith(".") for part in path.parts)
    )


def check_complete(results: Path, config: Config) -> None:
    """Look whether a run has all that its config asks for, made with the settings of the config, and nothing else.

    Raises:
        InputError: naming the file that is missing, is of no job of the config, or was made with other settings.
    """
    tables = settings_of_tables(config)
    if other := sorted({*results.glob("*/*.parquet")} - {results / file for file in tables}):
        raise InputError(f"{other[0]}: no job of config/{config['scale']}.yaml makes it; delete it if it is an old one")
    documents = [f"{document}.{suffix}" for document in DOCUMENTS for suffix in ("pdf", "html")]
    drawn = [f"figures/{name}.svg" for name in figures(config)]
    for file in ("claims.json", *tables, *drawn, *documents):
        if not (results / file).is_file():
            raise InputError(f"{results / file}: is not there; the run of the scale has to be finished first")
    for file, wanted in tables.items():
        record = (results / file).with_suffix(".json")
        used = read_json(record).get("settings")
        if not isinstance(used, dict):
            raise InputError(f"{record}: says no settings")
        for key in sorted(used.keys() | wanted.keys()):
            was, now = (settings.get(key, "not there") for settings in (used, wanted))
            if was != now:
                raise InputError(f"{record}: {key} was {was}, and in the config it is {now}")


def accept(
    results: Path,
    reference: Path,
    settings: Mapping[str, Any],
    deviations: Deviations,
    verdicts: Mapping[str, list[str]],
) -> None:
    """Make a run the reference that later runs are compared with. Pictures that it does not have are removed.

    Args:
        results: Folder of the run.
        reference: Folder of the reference.
        settings: Of the run: the whole config.
        deviations: How far other processors move each number.
        verdicts: Of claims whose verdict hangs on the processor: all that were seen.
    """
    files = result_files(results)
    numbers = {file: compared(found, deviations.get(file, {})) for file in files if (found := summary(results / file))}
    for name, seen in verdicts.items():
        if verdict := numbers["claims.json"].get(str(verdict_of(name))):
            verdict["seen"] = seen
    write_json(reference / "hashes.json", {file: file_hash(results / file) for file in files})
    write_json(reference / "settings.json", settings, sort_keys=False)
    write_json(reference / "processor.json", processor())
    write_json(reference / "values.json", numbers)
    for file in ["claims.json", *(name for name in files if name.endswith(".svg"))]:
        with write_atomically(reference / file) as temporary:
            temporary.write_bytes((results / file).read_bytes())
    for picture in reference.rglob("*.svg"):
        if not (results / picture.relative_to(reference)).exists():
            picture.unlink()


def compare(results: Path, reference: Path) -> list[Comparison]:
    """Compare every result with the reference, in the order of their names.

    Raises:
        InputError: if there is no reference or no run, or a file cannot be read.
    """
    hashes, expected = read_json(reference / "hashes.json"), _numbers(reference / "values.json")
    files = result_files(results)
    if not files:
        raise InputError(f"{results}: there are no results")
    alike = compute_alike(_processor(reference), processor())
    found: dict[str, Comparison] = {}
    for file in sorted({*hashes, *files}, key=lambda file: (file not in expected, file)):
        if file not in hashes:
            found[file] = Comparison(file, Agreement.DIFFERS, ("is not in the reference",))
        elif file not in files:
            found[file] = Comparison(file, Agreement.DIFFERS, ("is missing from the results",))
        elif file in expected:
            found[file] = _with_numbers(results / file, file, hashes[file], expected[file])
        elif file_hash(results / file) == hashes[file]:
            found[file] = Comparison(file, Agreement.IDENTICAL)
        elif _is_record(file) or not alike or any(_moved(found.get(name)) for name in expected if _shows(file, name)):
            found[file] = Comparison(file, Agreement.WITHIN_TOLERANCE)
        else:
            found[file] = Comparison(
                file, Agreement.DIFFERS, ("its bytes differ, though all numbers that it shows are identical",)
            )
    return [found[file] for file in sorted(found)]


def _processor(reference: Path) -> dict[str, Any]:
    """The processor on which a reference was made."""
    found = read_json(path := reference / "processor.json")
    if missing := [name for name in ("model", "machine", "instructions") if name not in found]:
        raise InputError(f"{path}: {missing[0]}: is missing")
    return found


def _numbers(path: Path) -> dict[str, dict[str, Any]]:
    """What a reference says of numbers, by file and name."""
    found = read_json(path)
    for file, numbers in found.items():
        for name, entry in numbers.items() if isinstance(numbers, dict) else [("", None)]:
            if not isinstance(entry, dict) or "value" not in entry:
                raise InputError(f"{path}: {file}: {name}: expected an object with a value")
            number = isinstance(entry["value"], int | float) and not isinstance(entry["value"], bool)
            if number and not isinstance(entry.get("tolerance", ""), int | float | None):
                raise InputError(f"{path}: {file}: {name}: expected a number or null as tolerance")
    return found


def report(comparisons: list[Comparison], reference: Path) -> list[str]:
    """Lines for people: each difference with the rule that made the file, processors, and last the overall agreement.

    Args:
        comparisons: What `compare` found.
        reference: Folder of the reference.
    """
    lines = [
        f"{each.file}: {difference} (made by rule {rule_that_makes(each.file) or 'unknown'})"
        for each in comparisons
        for difference in each.differences
    ]
    lines += [f"{each.file}: {line}" for each in comparisons for line in each.fragile]
    here, there = processor(), _processor(reference)
    lines += [f"processor: {described(here)}", f"reference: {described(there)}"]
    worst = max(each.agreement for each in comparisons)
    results = [each.agreement for each in comparisons if not _is_record(each.file)]
    if compute_alike(here, there) and max(results) == Agreement.WITHIN_TOLERANCE:
        lines.append("bytes: these processors compute alike, so identical bytes were expected")
    closest = max(comparisons, key=lambda each: each.nearest[1])
    if closest.nearest[1]:
        name, share = closest.nearest
        lines.append(f"nearest to its tolerance: {closest.file}: {name}, at {100 * share:.0f} % of it")
    counts = Counter(each.agreement for each in comparisons)
    counted = ", ".join(f"{counts[each]} files: {each}" for each in Agreement if counts[each])
    return [*lines, f"{worst} ({counted})"]


def _with_numbers(path: Path, file: str, reference_hash: str, expected: Mapping[str, Any]) -> Comparison:
    """A file beside the numbers that its reference has; its bytes say whether they are identical."""
    found = summary(path)
    values = {str(quantity): each.value if isinstance(each, Number) else each for quantity, each in found.items()}
    columns = {name.partition(",")[0] for name in expected}
    new = {name.partition(",")[0] for name in values} - columns
    # Of a new method all columns are new: its name says it all.
    methods = {name.rpartition(".")[0] for name in new} - {name.rpartition(".")[0] for name in columns}
    lines = [f"method {method} is not in the reference" for method in sorted(methods)]
    lines += [f"{name} is not in the reference" for name in sorted(new) if name.rpartition(".")[0] not in methods]
    fragile, shares = [], {}
    for name, wanted in expected.items():
        value, reference = values.get(name), wanted["value"]
        if value == reference or (value is not None and wanted.get("tolerance", 0) is None):
            continue
        if isinstance(value, float | int) and isinstance(reference, float | int):
            off, tolerance = abs(value - reference), wanted["tolerance"]
            shares[name] = off / tolerance if tolerance else inf
            if not shares[name] <= 1:
                lines.append(
                    f"{name} is {value:.6g}, reference {reference:.6g}, off by {off:.2g}, tolerance {tolerance:.2g}"
                )
        elif value is None:
            lines.append(f"{name} is missing from the results")
        elif value in wanted.get("seen", ()):
            fragile.append(f"{name} is {value}, reference {reference}: it hangs on the processor")
        else:
            lines.append(f"{name} is {value}, reference {reference}")
    identical = file_hash(path) == reference_hash
    agreement = Agreement.DIFFERS if lines else Agreement.IDENTICAL if identical else Agreement.WITHIN_TOLERANCE
    within = {} if identical else {name: share for name, share in shares.items() if share <= 1}
    nearest = max(within.items(), key=lambda item: item[1], default=("", 0.0))
    return Comparison(file, agreement, tuple(lines), tuple(fragile), nearest)


def _moved(source: Comparison | None) -> bool:
    """Whether a file has other numbers than its reference, so that what shows them has other bytes too."""
    return source is not None and source.agreement > Agreement.IDENTICAL


def _shows(file: str, source: str) -> bool:
    """Whether a file shows numbers of another: figures and notebooks those of their tables, documents those of all."""
    name = Path(file).stem
    if file.startswith(("figures/", "notebooks/")) and name in FIGURES:
        tables = FIGURES[name].tables
        stem = Path(source).stem
        return source.endswith(".parquet") and any(stem == each or stem.startswith(f"{each}_") for each in tables)
    return True


def _is_record(file: str) -> bool:
    """Whether a file is the record beside a table, which names its code and machine: others may give equal numbers."""
    return file.startswith(("runs/", "exact/")) and file.endswith(".json")
