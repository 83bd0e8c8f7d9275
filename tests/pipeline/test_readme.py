"""Every command in the README is run, and what it says of the claims is what the reference says."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from ndgm.groups import GROUPS

README = (ROOT / "README.md").read_text(encoding="utf-8")
# What takes minutes, or what no test may do, is run as far as it can be; the reason stands beside it.
INSTEAD = {
    "make paper": "make paper SNAKEMAKE='.venv/bin/snakemake --cores all --dry-run'",  # laptop scale takes minutes
    "make test": "make --dry-run test",  # this is it
    "snakemake --cores all": "snakemake --cores all --dry-run",  # laptop scale takes minutes
    "snakemake --cores all verify": "snakemake --cores all verify --dry-run",
    "snakemake --report results/report.html": "snakemake --report results/report.html --config scale=smoke",
    "conda env create -f environment.yml": "true",  # test_packaging.py reads that file as conda does
    "pip install -c constraints.txt -e '.[slurm]'": "true",  # test_packaging.py holds the pins together
    "pip install -c constraints.txt -e '.[certify]'": "true",
    "snakemake --workflow-profile profiles/slurm": "true",  # needs a cluster
    "python scripts/accept_reference.py --results results/laptop --reference reference/laptop": (
        "python scripts/accept_reference.py --results results/smoke --reference reference/mine"
    ),
}


def commands() -> list[str]:
    """Lines of the blocks without a language, and code spans that begin with a program's name."""
    blocks = re.findall(r"^```\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line]
    spans = re.findall(r"`((?:make|snakemake|python|pip|conda) [^`]+)`", README)
    return sorted({*lines, *spans})


@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_readme(smoke_copy: Path, command: str) -> None:
    """It ends well in a clone in which the smoke scale has been run."""
    # Set up, so that make installs nothing: the programs are those of this environment.
    (smoke_copy / ".venv").mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (smoke_copy / ".venv" / name).symlink_to(Path(sys.prefix) / name)
    (smoke_copy / ".venv/ready").touch()
    done = subprocess.run(
        ["bash", "-c", INSTEAD.get(command, command)],
        cwd=smoke_copy,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert done.returncode == 0, done.stdout


def claims_tables() -> str:
    """The claims of the reference run as the README's tables, one a group; `|` in a cell would begin the next one."""
    claims = json.loads((ROOT / "reference/laptop/claims.json").read_text(encoding="utf-8"))
    assert {claim["group"] for claim in claims} == {group.name for group in GROUPS}
    lines = []
    for group in GROUPS:
        rows = [claim for claim in claims if claim["group"] == group.name]
        verdicts = [claim["verdict"] for claim in rows]
        counts = [f"{verdicts.count(verdict)} {verdict}" for verdict in dict.fromkeys(sorted(verdicts, reverse=True))]
        lines += ["", f"### {group.title}: {', '.join(counts)}", ""]
        lines += ["| claim | predicted | measured | verdict |", "|---|---|---|---|"]
        for claim in rows:
            unit = "" if claim["unit"] == "1" else f" {claim['unit']}"
            values = ("–" if claim[key] is None else f"{claim[key]:.4g}{unit}" for key in ("predicted", "measured"))
            cells = [claim["statement"], *values, f"**{claim['verdict']}**"]
            lines.append("| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |")
    return "\n".join([*lines, ""])


def test_the_claims_tables_are_those_of_the_reference() -> None:
    """The failure prints the tables that belong there."""
    inside = re.search(r"<!-- claims -->\n(.*)\n<!-- /claims -->", README, re.DOTALL)
    assert inside, "README.md has no claims tables"
    assert inside.group(1) == claims_tables(), f"it should be:\n{claims_tables()}"


def test_pictures_and_paths_exist() -> None:
    """What the README shows and names is there."""
    links = re.findall(r"\]\((?!http)([^)]+)\)", README)
    paths = re.findall(r"`((?:config|src|scripts|figures|workflow|reference)/[\w./]+\.\w+)`", README)
    assert [name for name in [*links, *paths] if not (ROOT / name).exists()] == []
