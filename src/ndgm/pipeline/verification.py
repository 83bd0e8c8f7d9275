"""A run beside its reference: identical bytes, within tolerance, or different, with the rule that made each file.

A reference is a folder with `hashes.json` (SHA-256 of every result), `values.json` (numbers with tolerances, by file
and name), `settings.json` (the config), `figures/` and, for readers, `claims.json`. A file with values, or a figure,
whose bytes differ is within tolerance when its numbers are. Any other file only shows numbers of those: where its bytes
differ, that is within tolerance when theirs differ too, and a difference when all of theirs are identical.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ndgm.store.arrays import read_arrays
from ndgm.store.files import InputError, file_hash, read_json, read_json_list, write_atomically, write_json
from ndgm.store.run_tables import last_rows, read_table

NOT_COMPARED = ("logs", "benchmarks", "claims")  # what is in `claims` stands in claims.json too
EXACT, AVERAGED, CHAOTIC = 1e-9, 1e-2, 5e-2
"""Tolerances relative to the mean size of a column: of what is computed directly, of averages over chaotic orbits, and
of single points of them, whose phase another instruction set changes."""
FIGURE_TOLERANCE = 1.0
"""How far a coordinate of a figure may move, in points."""
NUMBER = re.compile(r"[-+]?\d*\.?\d+(?:e[-+]?\d+)?")


class Level(IntEnum):
    """How a result compares with its reference."""

    IDENTICAL = 0
    WITHIN_TOLERANCE = 1
    DIFFERS = 2

    def __str__(self) -> str:
        """The level in words."""
        return ("identical bytes", "within tolerance", "differs")[self]


@dataclass(frozen=True)
class Finding:
    """What came out for one file: its level and, for each value that differs, one line that says which and how far."""

    file: str
    level: Level
    differences: tuple[str, ...] = ()


def result_files(results: Path) -> list[str]:
    """Every result under a scale's folder, without logs, benchmarks and hidden files, as sorted relative paths."""
    paths = (path.relative_to(results) for path in Path(results).rglob("*") if path.is_file())
    return sorted(
        path.as_posix()
        for path in paths
        if path.parts[0] not in NOT_COMPARED and not any(part.startswith(".") for part in path.parts)
    )


def accept(results: Path, reference: Path, settings: Mapping[str, Any]) -> None:
    """Make a run the reference that later runs are compared with. Pictures that it does not have are removed.

    Args:
        results: Folder of the run.
        reference: Folder of the reference.
        settings: Of the run: the whole config.

    Raises:
        InputError: if a record of the run says that it had another root seed or device.
    """
    for record in sorted(results.glob("runs/*.json")):
        used = read_json(record).get("settings", {})
        for key in ("root_seed", "device"):
            if key in used and used[key] != settings[key]:
                raise InputError(f"{record}: {key} was {used[key]}, and in the config it is {settings[key]}")
    files = result_files(results)
    write_json(reference / "hashes.json", {file: file_hash(results / file) for file in files})
    write_json(reference / "settings.json", settings, sort_keys=False)
    write_json(reference / "values.json", {file: found for file in files if (found := values(results / file))})
    for file in ["claims.json", *(name for name in files if name.endswith(".svg"))]:
        with write_atomically(reference / file) as temporary:
            temporary.write_bytes((results / file).read_bytes())
    for picture in reference.rglob("*.svg"):
        if not (results / picture.relative_to(reference)).exists():
            picture.unlink()


def compare(results: Path, reference: Path) -> list[Finding]:
    """Compare every result with the reference, in the order of their names.

    Raises:
        InputError: if there is no reference, or a file cannot be read.
    """
    hashes, expected = read_json(reference / "hashes.json"), read_json(reference / "values.json")
    findings = []
    for file in sorted({*hashes, *result_files(results)}):
        if file not in hashes:
            findings.append(Finding(file, Level.DIFFERS, ("is not in the reference",)))
        elif not (results / file).is_file():
            findings.append(Finding(file, Level.DIFFERS, ("is missing from the results",)))
        else:
            findings.append(_compare_file(results / file, file, hashes[file], expected.get(file, {}), reference))
    sources_moved = any(f.level > Level.IDENTICAL for f in findings if _has_numbers(f.file, expected))
    if sources_moved:
        return findings
    return [
        Finding(f.file, Level.DIFFERS, ("its bytes differ, though all numbers are identical",))
        if f.level == Level.WITHIN_TOLERANCE and not _is_record(f.file)
        else f
        for f in findings
    ]


def values(path: Path) -> dict[str, dict[str, Any]]:
    """Named numbers of a result, each with its tolerance; none for a file that is compared as a whole."""
    if path.name == "claims.json":
        return {name: value for claim in read_json_list(path) for name, value in _claim_values(claim)}
    if path.suffix == ".npz" and path.parent.name != "weights":  # what is said of weights stands in a run table
        return _column_values({name: array.ravel() for name, array in read_arrays(path).items()}, lambda name: EXACT)
    if path.suffix == ".parquet":
        table = read_table(path)
        if "method" not in table:
            return _column_values(table.select_dtypes("number"), lambda name: EXACT)
        ends = last_rows(table).groupby("method")
        return {
            f"{method}.{name}": value
            for method, rows in ends
            for name, value in _column_values(rows.select_dtypes("number"), _tolerance).items()
        }
    return {}


def report(findings: list[Finding], rules: Mapping[str, str]) -> list[str]:
    """Lines for people: each difference with the rule that made the file, then how many files are at each level.

    Args:
        findings: What `compare` found.
        rules: Rule by pattern of its outputs, such as `results/{scale}/runs/{experiment}.parquet`.
    """
    lines = [
        f"{finding.file}: {difference} (made by rule {_rule_of(finding.file, rules)})"
        for finding in findings
        for difference in finding.differences
    ]
    counts = Counter(finding.level for finding in findings)
    return [*lines, ", ".join(f"{counts[level]} files: {level}" for level in Level if counts[level])]


def _compare_file(path: Path, file: str, reference_hash: str, expected: Mapping, reference: Path) -> Finding:
    measured = values(path) if expected else {}
    differences = [
        difference
        for name in sorted({*expected, *measured})
        if (difference := _difference(name, measured.get(name), expected.get(name)))
    ]
    identical = file_hash(path) == reference_hash
    if path.suffix == ".svg" and not identical:
        differences += _figure_differences(path, reference / "figures" / path.name)
    level = Level.DIFFERS if differences else Level.IDENTICAL if identical else Level.WITHIN_TOLERANCE
    return Finding(file, level, tuple(differences))


def _has_numbers(file: str, expected: Mapping) -> bool:
    return file in expected or file.endswith(".svg")


def _is_record(file: str) -> bool:
    """Whether a file says what a table came from: other code or another machine may give the same numbers."""
    return file.startswith(("runs/", "exact/")) and file.endswith(".json")


def _difference(name: str, measured: Mapping | None, expected: Mapping | None) -> str | None:
    if measured is None or expected is None:
        return f"{name} is missing from the {'results' if measured is None else 'reference'}"
    value, wanted, tolerance = measured["value"], expected["value"], expected["tolerance"]
    if value == wanted:
        return None
    if isinstance(value, (int, float)) and isinstance(wanted, (int, float)):
        off = abs(value - wanted)
        if off <= tolerance:
            return None
        return f"{name} is {value:.6g}, reference {wanted:.6g}, off by {off:.2g}, tolerance {tolerance:.2g}"
    return f"{name} is {value}, reference {wanted}"


def _claim_values(claim: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    verdict = (f"{claim['id']}.verdict", {"value": claim["verdict"], "tolerance": 0})
    measured, expected = claim["measured"], claim["reference"]
    if measured is None:
        return [verdict]
    # The cell that the numbers belong to may change by rounding, so the deviation is compared, not the value.
    unit = abs(expected) if expected else 1.0
    low, high = claim["interval"]
    tolerance = (high - low) / unit + (claim["margin"] or AVERAGED) / 10
    deviation = {"value": (measured - expected) / unit, "tolerance": tolerance}
    printed = [
        (f"{claim['id']}.{row}.{column}", {"value": value, "tolerance": AVERAGED * abs(value)})
        for row, columns in (claim.get("table") or {}).items()
        for column, value in columns.items()
    ]
    return [verdict, (f"{claim['id']}.deviation", deviation), *printed]


def _tolerance(name: str) -> float:
    return AVERAGED if name.startswith("mean_") else CHAOTIC


def _column_values(
    columns: Mapping[str, Any] | pd.DataFrame, tolerance: Callable[[str], float]
) -> dict[str, dict[str, Any]]:
    found = {}
    for name in columns:
        column = np.asarray(columns[name], dtype=float)
        column = column[np.isfinite(column)]
        if len(column):
            size = float(np.abs(column).mean())
            found[name] = {"value": float(column.mean()), "tolerance": tolerance(name) * size}
    return found


def _figure_differences(path: Path, reference: Path) -> list[str]:
    drawn, wanted = (file.read_text(encoding="utf-8") for file in (path, reference))
    if NUMBER.sub("", drawn) != NUMBER.sub("", wanted):
        return ["the drawing has other parts than the reference"]
    numbers = [np.array(NUMBER.findall(text), dtype=float) for text in (drawn, wanted)]
    moved = float(np.abs(numbers[0] - numbers[1]).max(initial=0))
    return [f"a coordinate moved by {moved:.2g} points"] if moved > FIGURE_TOLERANCE else []


def _rule_of(file: str, rules: Mapping[str, str]) -> str:
    for pattern, rule in rules.items():
        parts = re.split(r"\{[^}]+\}", pattern)
        if re.fullmatch(".+".join(map(re.escape, parts)), f"results/scale/{file}"):
            return rule
    return "unknown"
