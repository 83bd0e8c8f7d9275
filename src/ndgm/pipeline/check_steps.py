"""Steps of the check of a device; each gives its records one by one."""

import os
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from ndgm.groups import Group
from ndgm.pipeline.check import Check, workers
from ndgm.pipeline.commands import Part, deciding_command
from ndgm.pipeline.deviations import read_measured
from ndgm.pipeline.jobs import on_a_device, table_files
from ndgm.pipeline.steps import Deadline, Ended, Outcome, Record, one_line
from ndgm.store.files import file_hash, read_json_list, write_json

MARK = "pytest.mark.gpu"
"""How a test says that it needs a CUDA device."""


def tests(check: Check, seconds: float) -> Iterator[Record]:
    """Tests that need a CUDA device; in a process of their own, because a fault on a device spoils what follows in it.

    Args:
        check: What is checked.
        seconds: The most that they may take.
    """
    settings = tomllib.loads((check.root / "pyproject.toml").read_text("utf-8"))["tool"]["pytest"]["ini_options"]
    files = [path for path in sorted(check.root.glob("tests/**/test_*.py")) if MARK in path.read_text("utf-8")]
    report = check.folder / "tests.xml"
    # The other settings ask for plugins that are not everywhere, and the plugins found here may be anybody's.
    alone = ["-c", os.devnull, "--rootdir", str(check.root), "-p", "no:cacheprovider", "--import-mode", "importlib"]
    options = ["-o", f"markers={settings['markers'][0]}", "-m", "gpu", "--junitxml", str(report)]
    folders = [*(str(check.root / folder) for folder in settings["pythonpath"]), os.environ.get("PYTHONPATH")]
    variables = {
        "PYTHONPATH": os.pathsep.join(filter(None, folders)),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_ADDOPTS": "",
    }
    command = [sys.executable, "-m", "pytest", *alone, *options, *map(str, files)]
    ended = check.run(command, check.deadline.within(seconds), variables)
    if ended.outcome == Outcome.NOT_REACHED or not report.exists():
        yield Record("tests", ended.outcome, ended.fault)
    else:
        yield _record_of_tests(report, ended)


def twice(check: Check, scale: str, seconds: float) -> Iterator[Record]:
    """Every experiment of a scale, run twice: whether both runs give equal bytes.

    What uses NumPy alone is on the processor, and the record says so: there the verdicts on the device are decided.

    Args:
        check: What is checked.
        scale: The scale.
        seconds: The most that all of it may take.
    """
    deadline = check.deadline.within(seconds)
    parts = check.parts(scale)
    with workers() as pool:
        yield from check.make_samples(scale, deadline, pool)
        for waits in (False, True):
            begun = {
                part.name: [pool.submit(check.make_tables, part, scale, time, deadline) for time in (1, 2)]
                for part in parts
                if part.waits == waits
            }
            for part in (part for part in parts if part.waits == waits):
                yield _comparison(check, scale, part, [run.result() for run in begun[part.name]])


def verdicts(check: Check, scale: str, seconds: float) -> Iterator[Record]:
    """Verdicts on the tables that `twice` made first, beside those of the reference, which a processor made.

    Of claims whose verdict hangs on the processor any that was seen is right, and the record says which these are.

    Args:
        check: What is checked.
        scale: The scale.
        seconds: The most that all of it may take.
    """
    deadline = check.deadline.within(seconds)
    reference = f"reference/{scale}/claims.json"
    claims = read_json_list(check.root / reference)
    seen = read_measured(check.root / "reference/deviations.json").verdicts.get(scale, {})
    of_groups = [[claim for claim in claims if claim["group"] == group.name] for group in check.groups]
    with workers() as pool:
        ended = pool.map(lambda group, wanted: _decide(check, scale, group, wanted, deadline), check.groups, of_groups)
        for group, wanted, one in zip(check.groups, of_groups, ended, strict=True):
            yield _record_of_verdicts(check, group, wanted, one, seen, reference)


def benchmark(check: Check, seconds: float) -> Iterator[Record]:
    """Benchmark rows for the device that finished in time.

    Args:
        check: What is checked.
        seconds: The most that it may take.
    """
    out = check.folder / "benchmark.json"
    command = [sys.executable, str(check.root / "benchmarks/bench.py"), "--devices", check.device, "--out", str(out)]
    ended = check.run(command, check.deadline.within(seconds))
    for row in read_json_list(out) if out.exists() else []:
        measured = row["ours"] is not None
        outcome, fault = (Outcome.PASSED, "") if measured else (Outcome.FAILED, "not measured")
        yield Record(f"benchmark/{row['name']}", outcome, fault, _without(row, "name"))
    if ended.outcome != Outcome.PASSED:
        yield Record("benchmark", ended.outcome, ended.fault)


def largest_part(check: Check, scale: str) -> Iterator[Record]:
    """As much of a large scale as the rest of the time lets in, networks first.

    Args:
        check: What is checked.
        scale: The scale.
    """
    config, out = check.folder / f"{scale}_config.json", check.folder / f"{scale}_progress.json"
    write_json(config, check.configs[scale], sort_keys=False)
    with workers() as pool:
        yield from check.make_samples(scale, check.deadline, pool)
    paths = {"config": config, "folder": check.folder / scale, "out": out, "seconds": round(check.deadline.left, 1)}
    options = [str(word) for name, value in paths.items() for word in (f"--{name}", value)]
    program = [sys.executable, str(check.root / "benchmarks/full.py")]
    ended = check.run([*program, *options, "--groups", *(group.name for group in check.groups)], check.deadline)
    for row in read_json_list(out) if out.exists() else []:
        outcome = Outcome.FAILED if row["failed"] else Outcome.PASSED if row["finished"] else Outcome.NOT_REACHED
        fault = row["reason"] or ("" if row["finished"] else "no time was left for all of it")
        yield Record(f"{scale}/{row['name']}", outcome, fault, _without(row, "name", "reason", "failed"))
    if ended.outcome != Outcome.PASSED:
        yield Record(scale, ended.outcome, ended.fault)


def _record_of_tests(report: Path, ended: Ended) -> Record:
    """What pytest's report says; a test that was skipped is one that was not reached."""
    cases = ElementTree.parse(report).findall(".//testcase")
    wrong = {case.get("name", ""): fault for case in cases for fault in (*case.iter("failure"), *case.iter("error"))}
    skipped = sum(case.find("skipped") is not None for case in cases)
    numbers = {"tests": len(cases), "failed": sorted(wrong), "skipped": skipped, "seconds": ended.seconds}
    if wrong:
        first = next(iter(wrong))
        return Record("tests", Outcome.FAILED, one_line(f"{first}: {wrong[first].get('message', '')}"), numbers)
    if skipped or not cases:
        return Record("tests", Outcome.NOT_REACHED, f"{skipped} of {len(cases)} tests were skipped", numbers)
    return Record("tests", ended.outcome, ended.fault, numbers)


def _comparison(check: Check, scale: str, part: Part, runs: list[Ended]) -> Record:
    """Whether both runs of a part passed and gave equal bytes."""
    device = check.device if on_a_device(part.job) else "cpu"
    name, numbers = f"{scale}/{part.name}", {"device": device, "seconds": [run.seconds for run in runs]}
    for run in sorted(runs, key=lambda run: (run.outcome != Outcome.FAILED, run.lacking)):
        if run.outcome != Outcome.PASSED:
            return Record(name, run.outcome, run.fault, numbers, run.lacking)
    first, second = (check.results(scale, time) for time in (1, 2))
    differ = [file for file in part.outputs if file_hash(first / file) != file_hash(second / file)]
    if differ:
        return Record(name, Outcome.FAILED, f"other bytes the second time: {', '.join(differ)}", numbers)
    return Record(name, Outcome.PASSED, numbers={**numbers, "identical": part.outputs})


def _decide(check: Check, scale: str, group: Group, claims: list[dict[str, Any]], deadline: Deadline) -> Ended:
    """Decide the claims of a group, if all tables that they read are there."""
    read = sorted({table for claim in claims for table in claim["experiments"]})
    tables = [check.results(scale) / table for table in table_files(check.configs[scale], *read)]
    if missing := [table.name for table in tables if not table.exists()]:
        return Ended(Outcome.NOT_REACHED, f"there is no {missing[0]}", 0.0, lacking=True)
    return check.run(deciding_command(group, tables, check.root, _claims_file(check, group)), deadline)


def _record_of_verdicts(
    check: Check,
    group: Group,
    claims: list[dict[str, Any]],
    ended: Ended,
    seen: Mapping[str, list[str]],
    reference: str,
) -> Record:
    """Which verdicts on the claims of a group differ from those of the reference, and which of them may."""
    name, wanted = f"verdicts/{group.name}", {claim["id"]: claim["verdict"] for claim in claims}
    if ended.outcome != Outcome.PASSED:
        return Record(name, ended.outcome, ended.fault, lacking=ended.lacking)
    found = {claim["id"]: claim["verdict"] for claim in read_json_list(_claims_file(check, group))}
    differ = {
        claim: {"here": found.get(claim), "reference": wanted.get(claim)}
        for claim in sorted({*found, *wanted})
        if found.get(claim) != wanted.get(claim)
    }
    hang = {claim: pair for claim, pair in differ.items() if found.get(claim) in seen.get(claim, ())}
    wrong = {claim: pair for claim, pair in differ.items() if claim not in hang}
    numbers = {"claims": len(wanted), "beside": reference, "differ": wrong, "hang_on_the_processor": hang}
    if wrong:
        return Record(name, Outcome.FAILED, one_line(f"other verdicts than there: {', '.join(wrong)}"), numbers)
    return Record(name, Outcome.PASSED, numbers=numbers)


def _claims_file(check: Check, group: Group) -> Path:
    return check.folder / "claims" / f"{group.name}.json"


def _without(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}
