"""`verify` on whole runs: here, with numbers that are wrong by 2 %, and as on another processor."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from conftest import SMOKE, run_snakemake
from copies import MADE, ROOT, SMOKE_RESULTS, copy_repository, hashes

from ndgm.pipeline.deviations import read_measured
from ndgm.pipeline.jobs import JOBS
from ndgm.pipeline.processor import OTHER_PROCESSORS
from ndgm.pipeline.verification import Agreement, accept, compare
from ndgm.store.run_tables import write_table

REFERENCE = Path("reference/smoke")


def accepted(folder: Path) -> subprocess.CompletedProcess:
    """The program that makes a run the reference, in a clone with a finished run."""
    command = [sys.executable, "scripts/accept_reference.py", "--results", SMOKE_RESULTS, "--reference", REFERENCE]
    environment = {**os.environ, "PYTHONPATH": "src"}
    return subprocess.run(command, cwd=folder, env=environment, text=True, capture_output=True)


def test_a_table_that_no_job_makes_is_not_accepted(smoke_copy: Path) -> None:
    """It is an old one, and no later run would have it."""
    old, reference = SMOKE_RESULTS / "runs/l1_paradox_old.parquet", smoke_copy / REFERENCE / "hashes.json"
    shutil.copy(smoke_copy / SMOKE_RESULTS / "exact/spurious_minima.parquet", smoke_copy / old)
    before, done = reference.read_bytes(), accepted(smoke_copy)
    line = f"error: {old}: no job of config/smoke.yaml makes it; delete it if it is an old one\n"
    assert (done.returncode, done.stderr) == (1, line) and reference.read_bytes() == before


def test_verify(smoke_copy: Path) -> None:
    """A run equals the reference made from it; a changed reference value is reported by file, name and rule."""
    assert accepted(smoke_copy).returncode == 0
    done = run_snakemake(smoke_copy, "verify", "--cores", "1", *SMOKE)
    assert done.returncode == 0, done.stdout
    assert "identical bytes (" in (smoke_copy / "results/smoke/logs/verify.log").read_text().splitlines()[-1]
    reference = smoke_copy / "reference/smoke/values.json"
    values = json.loads(reference.read_text())
    changed = next(name for name, value in values["claims.json"].items() if value.get("tolerance"))
    values["claims.json"][changed]["value"] += 1000
    reference.write_text(json.dumps(values))
    done = run_snakemake(smoke_copy, "verify", "--cores", "1", *SMOKE)
    assert done.returncode != 0
    assert re.search(rf"claims.json: {changed}.*\(made by rule gather_claims\)", done.stdout), done.stdout


@pytest.fixture(scope="module")
def reference(smoke_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished run as a reference."""
    folder = tmp_path_factory.mktemp("accepted") / "reference"
    settings = json.loads((ROOT / "reference/smoke/settings.json").read_text())
    deviations = read_measured(ROOT / "reference/deviations.json").deviations
    accept(smoke_run / SMOKE_RESULTS, folder, settings, deviations, {})
    return folder


@pytest.mark.parametrize("factor", [1.02, 0.98])
def test_each_number_that_is_wrong_by_two_percent_is_named(
    smoke_run: Path, reference: Path, tmp_path: Path, factor: float
) -> None:
    """In every table of a run, every number that is compared; words and what chance decides aside."""
    results = tmp_path / "results"
    shutil.copytree(smoke_run / SMOKE_RESULTS, results, copy_function=os.link)
    values = json.loads((reference / "values.json").read_text())
    tables = [file for file in values if file.endswith(".parquet")]
    for file in tables:
        table = pd.read_parquet(results / file)
        wrong = {name: factor * table[name] for name in table.select_dtypes("number") if name != "run"}
        write_table(results / file, table.assign(**wrong))
    found = {each.file: each for each in compare(results, reference)}
    for file in tables:
        said = {line.partition(" is ")[0] for line in found[file].differences}
        numbers = {name: entry for name, entry in values[file].items() if entry["tolerance"]}
        # Shares of what is finite or too large do not change with a factor; zeros and infinities are what they were.
        held = {name for name in numbers if "share" not in name and not name.startswith(("run,", "run."))}
        missed = {name for name in held - said if not _mean_of_both_signs(name, numbers)}
        assert {name for name in missed if ".run, " not in name} == set(), file
        assert found[file].agreement == Agreement.DIFFERS


def _mean_of_both_signs(name: str, numbers: dict) -> bool:
    """A mean whose entries cancel, beside which the mean size is held."""
    return name.replace(", mean", ", mean size") in numbers


@pytest.mark.elsewhere
def test_a_run_as_on_another_processor_is_within_tolerance(tmp_path: Path) -> None:
    """Without fused multiply-add and long vectors no number leaves its tolerance: what a reviewer tries first."""
    folder = copy_repository(tmp_path / "elsewhere")
    there = tuple(f"{name}={value}" for name, value in OTHER_PROCESSORS["sse4.2"].items())
    done = run_snakemake(folder, "verify", "--cores", "1", *SMOKE, prefix=("env", *there))
    assert done.returncode == 0, done.stdout
    said = (folder / "results/smoke/logs/verify.log").read_text().splitlines()
    assert said[-1].startswith("within tolerance ("), said
    assert any("limited by ATEN_CPU_CAPABILITY=default" in line for line in said)
    assert any(line.startswith("nearest to its tolerance: ") for line in said)


def test_deviations_are_measured_in_copies_without_what_was_made() -> None:
    """The program cannot import from the tests, and leaves out what they leave out."""
    assert runpy.run_path(str(ROOT / "scripts/measure_deviations.py"))["MADE"] == MADE


@pytest.mark.elsewhere
def test_deviations_of_one_table_are_measured_beside_a_finished_run(smoke_copy: Path) -> None:
    """Nothing else is made again but what is made of it; a table that no job makes is named."""
    environment = {**os.environ, "PYTHONPATH": "src"}

    def measure(table: str) -> subprocess.CompletedProcess:
        options = ["--scale", "smoke", "--processors", "sse4.2", "--out", "found.json", "--tables", table]
        command = [sys.executable, "scripts/measure_deviations.py", *options]
        return subprocess.run(command, cwd=smoke_copy, env=environment, text=True, capture_output=True)

    before = hashes(smoke_copy)
    assert (done := measure("convergence_smoothing")).returncode == 0, done.stderr
    found = read_measured(smoke_copy / "found.json")
    of_its_job = {f"runs/{each.table}.parquet" for each in JOBS["train_convergence"].experiments}
    assert set(found.deviations) <= {*of_its_job, "claims.json"}
    assert [(run["scale"], run["other_processor"]) for run in found.runs] == [("smoke", "sse4.2")]
    assert found.deviations["runs/convergence_smoothing.parquet"] and before == hashes(smoke_copy)
    record = smoke_copy / "results/smoke/runs/convergence_smoothing.json"
    record.write_text(record.read_text().replace('"root_seed": 20240116', '"root_seed": 7'))
    done = measure("convergence_smoothing")
    line = "made with the root seed 7, and that of the scale is 20240116"
    assert done.returncode == 1 and done.stderr.startswith(f"error: {record.relative_to(smoke_copy)}: {line}")
    done = measure("l1_paradox_old")
    assert (done.returncode, done.stderr) == (1, "error: results/smoke: no table l1_paradox_old at this scale\n")
