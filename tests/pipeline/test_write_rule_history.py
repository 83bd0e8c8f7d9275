"""The history of rules, on a made-up repository with a few commits."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLAIM = """
from ndgm.claims.rows.ends import HOLDS

@claim(figure="a", kind="finding", test=equivalence(HOLDS){derived})
def {name}(runs):
    return Evidence(runs, 1.0)
"""
PATHS = {
    "claims": "src/ndgm/claims/made_up.py",
    "ends": "src/ndgm/claims/rows/ends.py",
    "config": "config/laptop.yaml",
    "decided": "reference/laptop/claims.json",
}


def test_a_constant_in_another_module_and_a_claim_that_was_split_off_are_seen(tmp_path: Path) -> None:
    """A commit that changes the constant alone counts; what is not committed yet is the newest version."""

    def commit(**files: str) -> None:
        for name, text in files.items():
            path = tmp_path / PATHS[name]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        git("add", "-A")
        git("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false", "commit", "-qm", "a")

    def git(*arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True, timeout=60)

    git("init", "-q")
    entry = {"id": "falls", "verdict": "refuted", "measured": 2.0, "reference": 1.0}
    commit(claims=CLAIM.format(name="falls", derived=""), ends="HOLDS = 0.03\n", config="a: 1\n")
    commit(decided=json.dumps([entry]))
    commit(ends="HOLDS = 0.05\n")
    commit(decided=json.dumps([entry | {"verdict": "supported"}]))
    derived = CLAIM.format(name="falls_late", derived=', derived_from="falls"')
    (tmp_path / PATHS["claims"]).write_text(CLAIM.format(name="falls", derived="") + derived)
    history = written(tmp_path)
    (change,) = history["falls"]["changes"]
    assert (change["test_before"], change["test_after"]) == ("equivalence(0.03)", "equivalence(0.05)")
    assert (change["outcome_before"], change["outcome_after"]) == ("refuted: 2 (1)", "supported: 2 (1)")
    assert history["falls_late"]["origin"]["claim"] == "falls" and history["falls"]["origin"] is None
    assert history["falls_late"]["origin"]["outcome"] == "supported: 2 (1)"

    # A clone without the first commits has no past to read, and keeps the one that is written.
    git("clone", "-q", "--depth", "1", f"file://{tmp_path}", str(tmp_path / "shallow"))
    shutil.copy(tmp_path / "rules.json", tmp_path / "shallow")
    assert written(tmp_path / "shallow") == {"falls": history["falls"]}, "with the claims that are there"


def written(repository: Path) -> dict:
    """Claims of the history that the program writes into a repository."""
    program, out = ROOT / "scripts/write_rule_history.py", repository / "rules.json"
    command = [sys.executable, program, "--repository", repository, "--out", out]
    subprocess.run(command, env=os.environ | {"PYTHONPATH": str(ROOT / "src")}, check=True, timeout=60)
    return json.loads(out.read_text())["claims"]
