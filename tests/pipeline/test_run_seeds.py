"""`make seeds` decides each root seed under a scale of its own, and gathers verdicts: on made-up runs."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ndgm.decide.rules import rules_in, sources_of
from ndgm.groups import GROUPS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run_seeds(tmp_path, monkeypatch):
    """The program, in a folder with a config, where a run of Snakemake writes made-up claims of each group."""
    spec = importlib.util.spec_from_file_location("run_seeds", ROOT / "scripts/run_seeds.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / "config").mkdir()
    (tmp_path / "config/toy.yaml").write_text("scale: toy\nroot_seed: 0\nsteps: 9\n")
    claims = tmp_path / "src/ndgm/claims/made_up.py"
    claims.parent.mkdir(parents=True)
    claims.write_text("@claim(test=order())\ndef one(table):\n    return Evidence(table, 1.0)\n")
    monkeypatch.chdir(tmp_path)
    said = []

    def run(command):
        assert command[1] == "scripts/run_snakemake.py"
        named = dict(word.split("=") for word in command[command.index("--config") + 1 :])
        config = yaml.safe_load(Path(f"config/{named['scale']}.yaml").read_text())
        said.append(config)
        assert str(config["root_seed"]) == named["root_seed"] and config["scale"] == named["scale"]
        claims = Path("results", config["scale"], "claims")
        claims.mkdir(parents=True, exist_ok=True)
        verdict = "supported" if config["root_seed"] < 3 else "refuted"
        decided = {GROUPS[0].name: {"id": "one", "verdict": verdict}, GROUPS[1].name: {"id": "two", "verdict": verdict}}
        files = [Path(word) for word in command if word.endswith(".json")]
        for file in files:
            assert file.parent == claims
            file.write_text(json.dumps([decided[file.stem]] if file.stem in decided else []))
        return subprocess.CompletedProcess(command, int(config["root_seed"] == 13))

    monkeypatch.setattr(module.subprocess, "run", run)
    module.said = said
    return module


def start(module, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["run_seeds.py", "--scale", "toy", "--out", "reference/seeds.json", *arguments])
    module.main()


def test_every_root_seed_is_run_apart_and_gathered(run_seeds, monkeypatch):
    start(run_seeds, monkeypatch)
    assert [config["root_seed"] for config in run_seeds.said] == list(run_seeds.ROOT_SEEDS)
    assert len({config["scale"] for config in run_seeds.said}) == len(run_seeds.ROOT_SEEDS) >= 5
    assert all(config["steps"] == 9 for config in run_seeds.said)
    found = json.loads(Path("reference/seeds.json").read_text())
    assert found["root_seeds"] == list(run_seeds.ROOT_SEEDS)
    assert found["claims"]["one"] == ["supported"] * 2 + ["refuted"] * 3
    assert found["claims"]["two"] == found["claims"]["one"]
    assert found["rules"] == {"one": rules_in(sources_of(Path()))["one"].digest}  # the other has none here
    assert [path.name for path in Path("config").iterdir()] == ["toy.yaml"]


def test_claims_of_some_groups_are_decided_anew_and_the_others_stay(run_seeds, monkeypatch, capsys):
    start(run_seeds, monkeypatch)
    out = Path("reference/seeds.json")
    before = json.loads(out.read_text())
    before["claims"] = {claim: ["inconclusive"] * 5 for claim in before["claims"]}
    out.write_text(json.dumps(before))
    start(run_seeds, monkeypatch, "--groups", GROUPS[1].name)
    found = json.loads(out.read_text())
    assert found["claims"] == {"one": ["inconclusive"] * 5, "two": ["supported"] * 2 + ["refuted"] * 3}
    runs = len(run_seeds.said)
    with pytest.raises(SystemExit):
        start(run_seeds, monkeypatch, "--groups", GROUPS[1].name, "--root-seeds", "1", "2")
    assert "root seeds [1, 2] cannot stand beside those of before" in capsys.readouterr().err
    assert len(run_seeds.said) == runs, "said before anything runs"


def test_verdicts_of_rules_that_were_edited_in_between_are_refused(run_seeds, monkeypatch, capsys):
    claims, run = Path("src/ndgm/claims/made_up.py"), run_seeds.subprocess.run

    def edited(command):
        claims.write_text(claims.read_text().replace("1.0", "2.0"))
        return run(command)

    monkeypatch.setattr(run_seeds.subprocess, "run", edited)
    with pytest.raises(SystemExit):
        start(run_seeds, monkeypatch)
    assert "rules of claims were edited during the runs" in capsys.readouterr().err
    assert not Path("reference").exists()


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("--root-seeds", "1", "13"), "the run of root seed 13 ended with exit code 1"),
        (("--root-seeds", "0"), "root seed 0 is that of config/toy.yaml"),
        (("--scale", "other"), "config/other.yaml: no such file"),
    ],
)
def test_a_fault_is_one_line_and_leaves_no_config(run_seeds, monkeypatch, capsys, arguments, fault):
    with pytest.raises(SystemExit):
        start(run_seeds, monkeypatch, *arguments)
    assert fault in capsys.readouterr().err.strip().splitlines()[-1]
    assert [path.name for path in Path("config").iterdir()] == ["toy.yaml"]
    assert not Path("reference").exists()
