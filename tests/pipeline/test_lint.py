"""The code and the workflow are clean by their own linters."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml
from conftest import run_snakemake
from copies import ROOT

# Findings of `snakemake --lint` that stay, each with its reason.
LINT_THAT_STAYS = {
    "Shell command directly uses variable PYTHON from outside of the rule": "another path to it must rerun nothing",
}


(LOCAL,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]
HOOKS = {hook["id"]: hook for hook in LOCAL["hooks"]}


@pytest.mark.parametrize("name", HOOKS)
def test_what_runs_before_each_commit(name: str) -> None:
    """Programs of this environment, which fetch nothing and change nothing, find no fault."""
    hook = HOOKS[name]
    assert (LOCAL["repo"], hook["language"], hook["pass_filenames"]) == ("local", "system", False)
    done = subprocess.run(hook["entry"].split(), cwd=ROOT, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr


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
