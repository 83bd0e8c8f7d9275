"""The code and the workflow are clean by their own linters."""

import re
import subprocess
from pathlib import Path

from conftest import ROOT, run_snakemake

# Findings of `snakemake --lint` that stay, each with its reason.
LINT_THAT_STAYS = {
    "Specify a conda environment or container for each rule.": "all share the environment of constraints.txt",
    "Shell command directly uses variable PYTHON from outside of the rule": "another path to it must rerun nothing",
}


def run(*command: str) -> None:
    """Run a linter from this environment and fail with what it says."""
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff() -> None:
    """Style and, in `src/`, docstrings."""
    run("ruff", "check", ".")


def test_snakefmt() -> None:
    """The workflow is formatted."""
    run("snakefmt", "--check", "Snakefile", "workflow")


def test_snakemake_lint(repository: Path) -> None:
    """Snakemake's own lint finds what is listed above, all of it and nothing else."""
    report = run_snakemake(repository, "--lint").stdout
    assert set(re.findall(r"    \* (.*):\n", report)) == LINT_THAT_STAYS.keys(), report


def test_every_rule_says_what_it_does(repository: Path) -> None:
    """Each rule has a docstring and a message, and the Snakefile stays short."""
    rules = run_snakemake(repository, "--list-rules").stdout.splitlines()[1:]
    files = [ROOT / "Snakefile", *(ROOT / "workflow").glob("rules/*.smk")]
    text = "".join(file.read_text() for file in files)
    assert all(re.fullmatch(r"\w+ \(.+\)", line) for line in rules), rules
    assert text.count(" message:\n") == len(re.findall(r"^ *rule( \w+)?:$", text, re.MULTILINE)) > 5
    assert len((ROOT / "Snakefile").read_text().splitlines()) < 60
