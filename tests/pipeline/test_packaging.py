"""Versions stand in one place, and everything that names one agrees."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

import pytest
import yaml
from copies import ROOT
from packaging.specifiers import SpecifierSet

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINS = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]


def canonical(name: str) -> str:
    """A distribution's name as pip compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


DECLARED = [*PROJECT["dependencies"], *sum(PROJECT["optional-dependencies"].values(), [])]
VERSIONS = {canonical(pin.partition("==")[0]): pin.partition("==")[2] for pin in PINS}


def test_constraints_are_exact() -> None:
    """Each line is `name==version`, with no local version and no hash, once and in order."""
    assert [pin for pin in PINS if not re.fullmatch(r"[\w.-]+==[\w.]+", pin)] == []
    names = [canonical(pin.partition("==")[0]) for pin in PINS]
    assert names == sorted(set(names))
    assert VERSIONS["torch"] == "2.13.0"


def test_every_pin_admits_the_python_that_the_project_asks_for() -> None:
    """A pin that asked for 3.11.5 kept everybody out who had an older 3.11."""
    oldest, beyond = map(int, re.fullmatch(r">=3\.(\d+),<3\.(\d+)", PROJECT["requires-python"]).groups())
    asked = {one.name: one.metadata["Requires-Python"] for one in distributions() if one.name != "ndgm"}
    for minor in range(oldest, beyond):
        assert [name for name, found in asked.items() if found and f"3.{minor}.0" not in SpecifierSet(found)] == []


@pytest.mark.parametrize("group", ["dependencies", *PROJECT["optional-dependencies"]])
def test_dependencies_are_pinned_in_constraints_only(group: str) -> None:
    """`pyproject.toml` names, `constraints.txt` pins."""
    names = PROJECT["optional-dependencies"].get(group, PROJECT["dependencies"])
    assert names == sorted(names, key=str.lower)
    assert [name for name in names if canonical(name) not in VERSIONS] == []


def test_what_is_installed_is_what_is_pinned() -> None:
    """This environment, down to the last dependency of a dependency."""
    installed = {canonical(item.name): item.version.partition("+")[0] for item in distributions()}
    other = {name: version for name, version in installed.items() if VERSIONS.get(name) != version}
    assert other.keys() <= {"ndgm", "pip"}, other


def test_every_import_is_declared() -> None:
    """What the code imports is named in `pyproject.toml`, not only brought along by something else."""
    rooms = ("src", "scripts", "figures", "benchmarks", "tests")
    files = [file for room in rooms for file in (ROOT / room).rglob("*.py")]
    own = {"ndgm"} | {file.stem for file in files} | set(sys.stdlib_module_names)
    imported = {name.partition(".")[0] for file in files for name in imports(file)} - own
    declared = {canonical(name) for name in DECLARED}
    providers = packages_distributions()
    brought_by = {name: {canonical(item) for item in providers.get(name, [name])} for name in imported}
    assert [name for name in imported if not brought_by[name] & declared] == []


def imports(file: Path) -> set[str]:
    """The modules that a file imports, anywhere in it."""
    nodes = list(ast.walk(ast.parse(file.read_text())))
    whole = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return whole | {node.module for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}


def test_environment_yml() -> None:
    """Conda brings Python; pip brings the rest, in the versions of `constraints.txt`."""
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert environment == {
        "name": "ndgm",
        "channels": ["conda-forge", "nodefaults"],
        "dependencies": ["python=3.11", "pip", {"pip": ["-c constraints.txt", "-e .[test]"]}],
    }
    assert PROJECT["requires-python"] == ">=3.11,<3.14"


def test_one_command_runs_the_tests_everywhere() -> None:
    """The workflow on GitHub runs `.ci/run`, a file that git knows as a program, and nothing beside it."""
    steps = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text())["jobs"]["test"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == [".ci/run"] and os.access(ROOT / ".ci/run", os.X_OK)


@pytest.mark.parametrize(
    ("user", "ci", "sudo", "asked"),
    [
        (0, "", "exit 1", ["apt-get", "apt-get", "make by 0"]),
        (1000, "true", 'user=0 exec "$@"', ["sudo", "sudo", "apt-get", "apt-get", "make by 0"]),
        (1000, "true", "exit 1", ["sudo", "make by 1000"]),  # it asks for a password
        (1000, "", "exit 1", ["make by 1000"]),  # somebody's own machine
    ],
)
def test_what_it_runs(tmp_path: Path, user: int, ci: str, sudo: str, asked: list[str]) -> None:
    """What a change has to pass, and what takes minutes besides; as root, with packages, where it can be had."""
    says = f"echo ${{0##*/}} >>{tmp_path}/asked"
    programs = {
        "id": "echo $user",
        "sudo": f'{says}; [ "$1" = --non-interactive ] || exit 1; shift; {sudo}',
        "apt-get": says,
        "make": f'echo make by $user >>{tmp_path}/asked; echo "$@" >{tmp_path}/made; pwd -P >>{tmp_path}/made',
    }
    for name, line in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{line}\n")
        (tmp_path / name).chmod(0o755)
    variables = {"PATH": f"{tmp_path}:/usr/bin:/bin", "CI": ci, "user": str(user)}
    subprocess.run([ROOT / ".ci/run"], cwd=tmp_path, env=variables, check=True)
    assert (tmp_path / "asked").read_text().splitlines() == asked
    assert (tmp_path / "made").read_text().splitlines() == ["test elsewhere", str(ROOT)]


def test_the_version_is_the_same_everywhere() -> None:
    """In `pyproject.toml`, `CITATION.cff` and `CHANGELOG.md`."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"] == "MIT"
    changes = (ROOT / "CHANGELOG.md").read_text()
    assert f"\n## [{PROJECT['version']}] - {citation['date-released']}\n" in changes


def test_the_changelog_keeps_the_form_of_keep_a_changelog() -> None:
    """What is unreleased, without a date; versions with theirs, the newest first; what was added, changed, fixed."""
    changes = (ROOT / "CHANGELOG.md").read_text()
    headings = re.findall(r"^##+ .*$", changes, re.MULTILINE)
    first, *versions = [line for line in headings if not line.startswith("###")]
    assert first == "## [Unreleased]"
    assert all(re.fullmatch(r"## \[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", line) for line in versions)
    dates = [line.rpartition(" - ")[2] for line in versions]
    assert dates == sorted(dates, reverse=True)
    kinds = {line.removeprefix("### ") for line in headings if line.startswith("###")}
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
