"""The history of rules, on a made-up repository with a few commits."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CLAIM = """
from ndgm.claims.rows.ends import HOLDS

@claim(figure="a", kind="finding", test=equivalence(HOLDS){derived})
def {name}(runs):
    return Evidence(runs, 1.0)
"""
AUTHOR = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
PATHS = {
    "claims": "src/ndgm/claims/made_up.py",
    "ends": "src/ndgm/claims/rows/ends.py",
    "config": "config/laptop.yaml",
    "decided": "reference/laptop/claims.json",
}


@dataclass
class Repository:
    """A made-up repository of git."""

    root: Path

    def commit(self, **files: str) -> None:
        for name, text in files.items():
            path = self.root / PATHS[name]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "-A")
        self.git(*AUTHOR, "commit", "-qm", "a")

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.root, check=True, timeout=60)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path)
    made.git("init", "-q", "-b", "main")
    return made


def test_a_constant_in_another_module_and_a_claim_that_was_split_off_are_seen(repository: Repository) -> None:
    """A commit that changes the constant alone counts; what is not committed yet is the newest version."""
    root = repository.root
    entry = {"id": "falls", "verdict": "refuted", "measured": 2.0, "reference": 1.0}
    repository.commit(claims=CLAIM.format(name="falls", derived=""), ends="HOLDS = 0.03\n", config="a: 1\n")
    repository.commit(decided=json.dumps([entry]))
    repository.commit(ends="HOLDS = 0.05\n")
    repository.commit(decided=json.dumps([entry | {"verdict": "supported"}]))
    derived = CLAIM.format(name="falls_late", derived=', derived_from="falls"')
    (root / PATHS["claims"]).write_text(CLAIM.format(name="falls", derived="") + derived)
    history = written(root)
    (change,) = history["falls"]["changes"]
    assert (change["test_before"], change["test_after"]) == ("equivalence(0.03)", "equivalence(0.05)")
    assert (change["outcome_before"], change["outcome_after"]) == ("refuted: 2 (1)", "supported: 2 (1)")
    assert history["falls_late"]["origin"]["claim"] == "falls" and history["falls"]["origin"] is None
    assert history["falls_late"]["origin"]["outcome"] == "supported: 2 (1)"

    # A clone without the first commits has no past to read, and keeps the one that is written.
    repository.git("clone", "-q", "--depth", "1", f"file://{root}", str(root / "shallow"))
    shutil.copy(root / "rules.json", root / "shallow")
    assert written(root / "shallow") == {"falls": history["falls"]}, "with the claims that are there"


def test_a_change_on_a_branch_of_a_claim_that_the_main_line_did_not_have_is_seen(repository: Repository) -> None:
    """As one by which a joint claim is split before the branch is merged."""
    repository.commit(config="a: 1\n", ends="HOLDS = 0.03\n")
    repository.git("checkout", "-qb", "branch")
    joint, falls = (CLAIM.format(name=name, derived="") for name in ("joint", "falls"))
    repository.commit(claims=joint + falls)
    split = CLAIM.format(name="part", derived=', derived_from="joint"')
    repository.commit(claims=split + falls.replace("equivalence(HOLDS)", "within(HOLDS)"))
    repository.git("checkout", "-q", "main")
    repository.commit(config="a: 2\n")
    repository.git(*AUTHOR, "merge", "-q", "--no-ff", "-m", "a", "branch")
    history = written(repository.root)
    assert history["part"]["origin"]["claim"] == "joint" and history["part"]["origin"]["replaced"]
    (change,) = history["falls"]["changes"]
    assert (change["test_before"], change["test_after"]) == ("equivalence(0.03)", "within(0.03)")
    assert change["changed"] == ["test"]


def written(repository: Path) -> dict:
    """Claims of the history that the program writes into a repository."""
    program, out = ROOT / "scripts/write_rule_history.py", repository / "rules.json"
    command = [sys.executable, program, "--repository", repository, "--out", out]
    subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT / "src")}, check=True, timeout=60)
    return json.loads(out.read_text())["claims"]
