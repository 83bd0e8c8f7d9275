"""What a check of a device consists of; each step gives its records one by one."""

import os
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from ndgm.pipeline.steps import Deadline, Outcome, Record, one_line, run_program
from ndgm.store.files import read_json

MARK = "pytest.mark.gpu"


@dataclass(frozen=True)
class Check:
    """A check of one device.

    Attributes:
        device: `cuda`; `cpu` where its own logic is tested.
        root: The repository.
        folder: Where results go that nobody keeps.
        deadline: When it ends, whatever it has by then.
    """

    device: str
    root: Path
    folder: Path
    deadline: Deadline

    @property
    def environment(self) -> dict[str, str]:
        """Environment of its programs."""
        return os.environ | {"PYTHONPATH": str(self.root / "src")}


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
    command = [sys.executable, "-m", "pytest", *alone, *options, *map(str, files)]
    environment = check.environment | {
        "PYTHONPATH": os.pathsep.join(str(check.root / folder) for folder in settings["pythonpath"]),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTEST_ADDOPTS": "",
    }
    outcome, fault = run_program(command, environment, check.deadline.within(seconds))
    if outcome == Outcome.NOT_REACHED or not report.exists():
        yield Record("tests", outcome, fault)
        return
    yield _record_of_tests(report, outcome)


def benchmark(check: Check, seconds: float) -> Iterator[Record]:
    """Rows of the benchmark for the device, those that were measured in time.

    Args:
        check: What is checked.
        seconds: The most that it may take.
    """
    out = check.folder / "benchmark.json"
    command = [sys.executable, str(check.root / "benchmarks/bench.py"), "--devices", check.device, "--out", str(out)]
    outcome, fault = run_program(command, check.environment, check.deadline.within(seconds))
    for row in read_json(out) if out.exists() else []:
        measured = row["ours"] is not None
        numbers = {key: value for key, value in row.items() if key != "name"}
        yield Record(
            f"benchmark/{row['name']}",
            Outcome.PASSED if measured else Outcome.FAILED,
            "" if measured else "not measured",
            numbers,
        )
    if outcome != Outcome.PASSED:
        yield Record("benchmark", outcome, fault)


def _record_of_tests(report: Path, outcome: Outcome) -> Record:
    """What pytest's report says; a test that was skipped is one that was not reached."""
    cases = ElementTree.parse(report).findall(".//testcase")
    wrong = {case.get("name", ""): fault for case in cases for fault in (*case.iter("failure"), *case.iter("error"))}
    skipped = sum(case.find("skipped") is not None for case in cases)
    numbers = {"tests": len(cases), "failed": sorted(wrong), "skipped": skipped}
    if wrong:
        first = next(iter(wrong))
        return Record("tests", Outcome.FAILED, one_line(f"{first}: {wrong[first].get('message', '')}"), numbers)
    if skipped or not cases:
        return Record("tests", Outcome.NOT_REACHED, f"{skipped} of {len(cases)} tests were skipped", numbers)
    return Record("tests", outcome, "", numbers)
