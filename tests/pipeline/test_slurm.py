"""The workflow on a cluster: a Slurm of one node runs it to the bytes of a local run, with faults in one line."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import yaml
from conftest import SMOKE
from copies import ROOT, SMOKE_RESULTS, hashes
from one_node_slurm import missing, one_node_slurm

from ndgm.pipeline.jobs import FIGURES, JOBS

WHOLE = bool(os.environ.get("NDGM_WHOLE_SLURM"))
"""Whether all of smoke runs there, and what takes Slurm minutes: a quarter of an hour."""

SLURM = (
    *(sys.executable, "-m", "snakemake", "--workflow-profile", "profiles/slurm", "--slurm-no-account"),
    *("--slurm-init-seconds-before-status-checks", "2"),
)
JOB = "train_l1_paradox"
TABLE = SMOKE_RESULTS / "runs/l1_paradox_lasso_diabetes_quadratic.parquet"
FIGURE = SMOKE_RESULTS / "figures/l1_paradox_norm.svg"
HOSTILE = {"OMP_NUM_THREADS": "3", "LC_ALL": "C", "TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7", "PYTHONOPTIMIZE": "1"}


@pytest.fixture(scope="module")
def slurm() -> Iterator[dict[str, str]]:
    """The environment of programs that are to find a Slurm of one node."""
    if reason := missing():
        pytest.skip(reason)
    with one_node_slurm() as variables:
        yield variables


def test_the_profile_asks_for_what_was_measured(smoke_run: Path) -> None:
    """Three times as much, and a share for Snakemake; of rules that there are; and enough for what smoke takes here.

    A shard is asked for what its whole job is: as long as it holds ensembles of that size, it takes as much memory.
    """
    text = (ROOT / "profiles/slurm/config.yaml").read_text(encoding="utf-8")
    profile = yaml.safe_load(text)
    asked, usual = profile["set-resources"], profile["default-resources"]
    shards = {f"{job.name}_shard": job.name for job in JOBS.values() if job.longest}
    assert asked.keys() - shards.keys() <= {*JOBS, "draw_figure"}
    assert all(asked.get(shard) == asked.get(job) for shard, job in shards.items())
    measured = re.findall(r"^  (\w+): (?:&\w+ )?\{.*\}  # (?:(\d+) MB)?(?:, )?(?:(\d+) s)?", text, re.MULTILINE)
    assert {rule for rule, mem_mb, seconds in measured if mem_mb or seconds} == asked.keys() - shards.keys()
    for rule, mem_mb, seconds in measured:
        given = usual | asked[rule]
        assert not mem_mb or given["mem_mb"] >= 3 * int(mem_mb) + 300, rule
        assert not seconds or given["runtime"] >= 3 * int(seconds) / 60 + 2, rule
    benchmarks = list((smoke_run / SMOKE_RESULTS / "benchmarks").rglob("*.tsv"))
    assert len(benchmarks) > len(FIGURES) + len(asked)
    for file in benchmarks:
        names, values = (line.split("\t") for line in file.read_text().splitlines()[:2])
        took = dict(zip(names, values, strict=True))
        named = [rule for rule in asked if file.stem.startswith(rule)] + ["draw_figure"] * (file.stem in FIGURES)
        rule = max(named, key=len, default="")
        given = usual | asked.get(rule, {})
        if took["max_rss"] != "NA":
            assert float(took["max_rss"]) + 300 < given["mem_mb"], file
        assert float(took["s"]) < 60 * given["runtime"], file


def begun(folder: Path, variables: dict[str, str], *arguments: str | Path) -> subprocess.Popen:
    """Snakemake that gives its jobs to Slurm."""
    pipes = {"text": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    return subprocess.Popen([*SLURM, *map(str, arguments), *SMOKE], cwd=folder, env=variables, **pipes)


def run(folder: Path, variables: dict[str, str], *arguments: str | Path) -> tuple[int, str]:
    """Exit code, and what was said."""
    process = begun(folder, variables, *arguments)
    said, _ = process.communicate()
    return process.returncode, said


def programs_of_a_job(folder: Path) -> list[psutil.Process]:
    """Training programs that run in a folder."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        if (process.info["cmdline"] or [])[1:2] == ["scripts/train.py"] and process.info["cwd"] == str(folder):
            found.append(process)
    return found


def wait_for_training(folder: Path, snakemake: subprocess.Popen) -> psutil.Process:
    """The training program, when Slurm has begun it."""
    while snakemake.poll() is None:
        if found := programs_of_a_job(folder):
            return found[0]
        time.sleep(0.05)
    raise AssertionError(snakemake.communicate()[0])


@pytest.mark.elsewhere
def test_the_bytes_of_a_local_run(smoke_copy: Path, slurm: dict[str, str]) -> None:
    """Whatever the environment that jobs are sent from: data, tables, a figure; or all of smoke."""
    before = hashes(smoke_copy)
    if WHOLE:
        (smoke_copy / SMOKE_RESULTS).rename(smoke_copy / "local")
        code, said = run(smoke_copy, slurm | HOSTILE)
    else:
        for file in (SMOKE_RESULTS / "data/l1_paradox/diabetes_quadratic.npz", TABLE, FIGURE):
            (smoke_copy / file).unlink()
        code, said = run(smoke_copy, slurm | HOSTILE, FIGURE)
    assert code == 0 and said.count("has been submitted with SLURM jobid") >= (90 if WHOLE else 3), said
    assert hashes(smoke_copy) == before


@pytest.mark.elsewhere
@pytest.mark.skipif(not WHOLE, reason="Slurm waits two minutes with jobs of a lost node: with NDGM_WHOLE_SLURM=1")
def test_a_job_that_was_killed_with_its_node(smoke_copy: Path, slurm: dict[str, str]) -> None:
    """Slurm begins it anew when the node is back, and it ends with the same bytes."""
    before = hashes(smoke_copy)
    (smoke_copy / TABLE).unlink()
    process = begun(smoke_copy, slurm, TABLE)
    training = wait_for_training(smoke_copy, process)
    for state in ("state=down reason=test", "state=resume"):
        subprocess.run(["scontrol", "update", "nodename=ALL", *state.split()], env=slurm, check=True)
    said, _ = process.communicate()
    assert not training.is_running()
    assert process.returncode == 0, said
    assert hashes(smoke_copy) == before


@pytest.mark.elsewhere
def test_a_job_that_was_killed(smoke_copy: Path, slurm: dict[str, str]) -> None:
    """It fails, and the same command goes on to the same bytes."""
    before = hashes(smoke_copy)
    (smoke_copy / TABLE).unlink()
    process = begun(smoke_copy, slurm, TABLE)
    wait_for_training(smoke_copy, process).kill()
    said, _ = process.communicate()
    assert process.returncode == 1 and "/.snakemake/slurm_logs/" in said.splitlines()[-1], said
    assert run(smoke_copy, slurm, TABLE)[0] == 0
    assert hashes(smoke_copy) == before


@pytest.mark.elsewhere
def test_a_job_out_of_memory(smoke_copy: Path, slurm: dict[str, str]) -> None:
    """One line names the rule and the resource."""
    (smoke_copy / TABLE).unlink()
    code, said = run(smoke_copy, slurm, TABLE, "--set-resources", f"{JOB}:mem_mb=220")
    line = f"{JOB}: out of memory: Slurm has ended it; ask for more, --set-resources {JOB}:mem_mb=…"
    assert code == 1 and said.splitlines()[-1] == line, said


@pytest.mark.elsewhere
@pytest.mark.skipif(not WHOLE, reason="Slurm's shortest limit is a minute: with NDGM_WHOLE_SLURM=1")
def test_a_job_out_of_time(smoke_copy: Path, slurm: dict[str, str]) -> None:
    """One line names the job that Slurm ended, here one that stands still, and how to ask for more time."""
    (smoke_copy / TABLE).unlink()
    process = begun(smoke_copy, slurm, TABLE, "--set-resources", f"{JOB}:runtime=1")
    wait_for_training(smoke_copy, process).suspend()
    said, _ = process.communicate()
    line = f"{JOB}: out of time: Slurm has ended it; ask for more, --set-resources {JOB}:runtime=…"
    assert process.returncode == 1 and said.splitlines()[-1] == line, said


@pytest.mark.elsewhere
def test_a_partition_that_there_is_not(smoke_copy: Path, slurm: dict[str, str]) -> None:
    """One line says so."""
    (smoke_copy / TABLE).unlink()
    profile = smoke_copy / "profiles/slurm/config.yaml"
    profile.write_text(profile.read_text().replace("  runtime: 5\n", "  runtime: 5\n  slurm_partition: nosuch\n"))
    code, said = run(smoke_copy, slurm, TABLE)
    line = f"{JOB}: Slurm takes no such job: invalid partition specified: nosuch; "
    assert code == 1 and said.splitlines()[-1].startswith(line), said
