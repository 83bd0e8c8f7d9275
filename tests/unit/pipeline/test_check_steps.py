"""Steps of the check of a device, on a repository of stand-ins: each fault that they look for is planted."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ndgm.groups import Experiment, Group, Job
from ndgm.pipeline import check_steps
from ndgm.pipeline.check import Check
from ndgm.pipeline.steps import Deadline, Outcome, unreached

ARGUMENTS = """
import argparse, json, os, sys, time
from pathlib import Path
parser = argparse.ArgumentParser()
for name in ("settings", "samples", "reads", "out", "weights", "tables", "devices",
             "config", "folder", "seconds", "groups"):
    parser.add_argument(f"--{name}", nargs="*", default=[])
arguments = parser.parse_args()
def write(path, content):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_bytes(content)
for path in [*arguments.samples, *arguments.reads, *arguments.tables]:
    if not os.path.exists(path):
        sys.exit(f"error: {path}: no such file")
"""
TRAIN = """
kind = json.loads(arguments.settings[0])[0]["function"].partition(".")[2]
if kind == "faulty":
    raise RuntimeError("CUDA error: an illegal memory access was encountered")
if kind == "slow":
    time.sleep(600)
for path in arguments.out:
    write(path, os.urandom(9) if kind == "random" else arguments.settings[0].encode())
    write(Path(path).with_suffix(".json"), b"{}")
for path in arguments.weights:
    write(path, b"weights")
"""
PROGRAMS = {
    "scripts/train.py": TRAIN,
    "scripts/tabulate.py": TRAIN,
    "scripts/make_samples.py": 'write(arguments.out[0], json.loads(arguments.settings[0])["function"].encode())',
    "scripts/decide_claims.py": """
claims = [{"id": "one", "verdict": "supported"}, {"id": "two", "verdict": "refuted"}]
write(arguments.out[0], json.dumps(claims).encode())
""",
    "benchmarks/bench.py": """
rows = [{"name": "a", "ours": 1.5, "ratio": 3.0}, {"name": "b", "ours": None, "ratio": None}]
write(arguments.out[0], json.dumps(rows).encode())
time.sleep(600)
""",
    "benchmarks/full.py": """
row = {"runs": 10, "failed": False, "finished": False, "reason": ""}
config = json.loads(Path(arguments.config[0]).read_text())
rows = [
    {**row, "name": config["device"], "finished": True},
    {**row, "name": "late"},
    {**row, "name": "faulty", "failed": True, "reason": "RuntimeError: out of memory"},
    {**row, "name": "later", "reason": "late has not ended"},
]
write(arguments.out[0], json.dumps(rows).encode())
""",
}
CONFIG = {
    "root_seed": 7,
    "device": "cpu",
    "ensemble_size": 5,
    "samples": {
        "digits": {"few": {"source": "teacher", "samples": 3}},
        "pictures": {"many": {"source": "cifar10", "file": "no/such/archive.tar.gz"}},
    },
    "stand_in": {"sizes": {"small": {}, "large": {}}},
}
PYPROJECT = '[tool.pytest.ini_options]\npythonpath = ["src"]\nmarkers = ["gpu: needs a CUDA device"]\n'
RIGHT, WRONG = "def test_one(): assert 1 + 1 == 2", "def test_one(): assert 1 + 1 == 3"
SLOW = "def test_one(): import time; time.sleep(600)"


def job(kind, **options):
    return Job(kind, kind, (Experiment(f"table_{kind}", f"stand_in.{kind}", "stand_in"),), **options)


def check(tmp_path, *jobs, seconds=60.0):
    """A check of the groups with these jobs, in a repository of stand-ins."""
    root = tmp_path / "repository"
    for name, text in PROGRAMS.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(ARGUMENTS + text)
    (root / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "scratch").mkdir()
    group = Group("a_group", "A group", "paper", "1", jobs, ())
    sources = {"teacher": "networks", "cifar10": "networks"}
    configs = {"smoke": CONFIG, "full": CONFIG}
    return Check("cpu", configs, sources, root, tmp_path / "scratch", Deadline(seconds), [group])


def by_name(records):
    return {record.name: (record.outcome, record.fault) for record in records}


def test_every_part_of_every_job_is_run_twice_and_its_bytes_compared(tmp_path):
    jobs = [
        job("good", samples=("digits/*",), weights=True),
        job("parted", parts="stand_in.sizes"),
        job("random"),
        job("faulty"),
        job("exact", folder="exact", trains=False),
        job("late", reads=("results/{scale}/runs/table_good.parquet", "results/{scale}/weights/table_good.npz")),
    ]
    there = replace(check(tmp_path, *jobs), device="cuda")
    records = list(check_steps.twice(there, "smoke", seconds=60))
    assert by_name(records) == {
        "smoke/data": (Outcome.PASSED, ""),
        "smoke/good": (Outcome.PASSED, ""),
        "smoke/parted/small": (Outcome.PASSED, ""),
        "smoke/parted/large": (Outcome.PASSED, ""),
        "smoke/random": (Outcome.FAILED, "other bytes the second time: runs/table_random.parquet"),
        "smoke/faulty": (Outcome.FAILED, "RuntimeError: CUDA error: an illegal memory access was encountered"),
        "smoke/exact": (Outcome.PASSED, ""),
        "smoke/late": (Outcome.PASSED, ""),
    }
    assert {record.name for record in records if record.numbers.get("device") == "cpu"} == {"smoke/exact"}
    identical = {record.name: record.numbers.get("identical") for record in records}
    assert identical["smoke/good"] == ["runs/table_good.parquet", "runs/table_good.json", "weights/table_good.npz"]
    assert identical["smoke/parted/small"][0] == "runs/table_parted_small.parquet"
    assert identical["smoke/exact"][0] == "exact/table_exact.parquet"


def test_jobs_that_the_deadline_ends_are_not_reached(tmp_path):
    records = list(check_steps.twice(check(tmp_path, job("slow"), job("good")), "smoke", seconds=3))
    found = by_name(records)
    assert found["smoke/slow"][0] == Outcome.NOT_REACHED and "smoke/slow" in unreached(records, ["smoke"])
    assert found["smoke/good"][0] == Outcome.PASSED or found["smoke/good"] == (Outcome.NOT_REACHED, "no time was left")


def test_data_of_an_archive_that_is_not_here_are_not_reached(tmp_path):
    this = check(tmp_path, job("good", samples=("digits/*", "pictures/*")))
    records = list(check_steps.twice(this, "smoke", seconds=60))
    found = by_name(records)
    assert found["smoke/good"][0] == Outcome.NOT_REACHED and unreached(records, ["smoke"]) == []
    assert found["smoke/data/pictures/many"] == (Outcome.NOT_REACHED, "there is no no/such/archive.tar.gz")
    assert (this.data("smoke") / "digits/few.npz").read_text() == "networks.teacher"


def claims_of_reference(this, *verdicts):
    claims = [
        {"id": name, "group": "a_group", "verdict": verdict, "experiments": ["convergence_certificates"]}
        for name, verdict in zip(("one", "two"), verdicts, strict=True)
    ]
    other = {"id": "three", "group": "another", "verdict": "supported", "experiments": ["no_such_table"]}
    path = this.root / "reference/smoke/claims.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps([*claims, other]))


def decided(tmp_path, verdict, seen):
    """The record of two claims: the reference says `supported`, and this of the second, which is `refuted` here."""
    this = check(tmp_path)
    claims_of_reference(this, "supported", verdict)
    (this.root / "reference/deviations.json").write_text(json.dumps({"verdicts": seen}))
    table = this.results("smoke") / "exact/convergence_certificates.parquet"
    table.parent.mkdir(parents=True)
    table.write_bytes(b"")
    (record,) = check_steps.verdicts(this, "smoke", seconds=60)
    return record


@pytest.mark.parametrize(
    ("verdict", "outcome", "fault"),
    [("refuted", Outcome.PASSED, ""), ("supported", Outcome.FAILED, "other verdicts than there: two")],
)
def test_verdicts_are_those_of_the_reference_or_named(tmp_path, verdict, outcome, fault):
    record = decided(tmp_path, verdict, {})
    assert (record.name, record.outcome, record.fault) == ("verdicts/a_group", outcome, fault)
    differ = {"two": {"here": "refuted", "reference": "supported"}} if fault else {}
    beside = {"claims": 2, "beside": "reference/smoke/claims.json"}
    assert record.numbers == {**beside, "differ": differ, "hang_on_the_processor": {}}


@pytest.mark.parametrize(
    ("seen", "hangs"),
    [
        ({"smoke": {"two": ["refuted", "supported"]}}, True),
        ({"smoke": {"two": ["inconclusive", "supported"]}}, False),
        ({"smoke": {"one": ["refuted", "supported"]}}, False),
        ({"laptop": {"two": ["refuted", "supported"]}}, False),
    ],
    ids=["that one", "another verdict", "another claim", "another scale"],
)
def test_a_verdict_that_hangs_on_the_processor_is_right_and_recorded(tmp_path, seen, hangs):
    record = decided(tmp_path, "supported", seen)
    two = {"two": {"here": "refuted", "reference": "supported"}}
    assert record.outcome == (Outcome.PASSED if hangs else Outcome.FAILED)
    assert record.numbers["hang_on_the_processor"] == (two if hangs else {})
    assert record.numbers["differ"] == ({} if hangs else two)


def test_verdicts_without_a_table_are_not_reached(tmp_path):
    this = check(tmp_path)
    claims_of_reference(this, "supported", "refuted")
    (record,) = check_steps.verdicts(this, "smoke", seconds=60)
    assert (record.outcome, record.fault) == (Outcome.NOT_REACHED, "there is no convergence_certificates.parquet")
    assert record.lacking


def test_rows_of_a_benchmark_that_is_stopped_are_kept(tmp_path):
    records = list(check_steps.benchmark(check(tmp_path), seconds=5))
    assert by_name(records) == {
        "benchmark/a": (Outcome.PASSED, ""),
        "benchmark/b": (Outcome.FAILED, "not measured"),
        "benchmark": (Outcome.NOT_REACHED, "stopped after 5 s"),
    }
    assert records[0].numbers == {"ours": 1.5, "ratio": 3.0}


def test_experiments_of_a_large_scale_have_ended_or_failed_or_were_not_reached(tmp_path):
    records = list(check_steps.largest_part(check(tmp_path, job("good", samples=("digits/*",))), "full"))
    assert by_name(records) == {
        "full/data": (Outcome.PASSED, ""),
        "full/cpu": (Outcome.PASSED, ""),
        "full/late": (Outcome.NOT_REACHED, "no time was left for all of it"),
        "full/faulty": (Outcome.FAILED, "RuntimeError: out of memory"),
        "full/later": (Outcome.NOT_REACHED, "late has not ended"),
    }
    assert records[1].numbers == {"runs": 10, "finished": True}


def written(this, *texts):
    """Test files of the stand-in, each marked as one for a device."""
    folder = this.root / "tests/unit"
    folder.mkdir(parents=True)
    mark = "import pytest\n\n\n@pytest.mark." + "gpu\n"
    for number, text in enumerate(texts):
        (folder / f"test_{number}.py").write_text(mark + text)
    (folder / "test_unmarked.py").write_text("import no_such_module")
    return this


def test_packages_are_found_where_they_were_for_the_check_itself(tmp_path, monkeypatch):
    """A machine may have PyTorch on a path of its own."""
    (tmp_path / "only_there.py").touch()
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (record,) = check_steps.tests(written(check(tmp_path), "def test_one(): import only_there"), seconds=60)
    assert (record.outcome, record.fault) == (Outcome.PASSED, "")


@pytest.mark.parametrize(
    ("texts", "outcome", "fault"),
    [
        ([RIGHT, RIGHT], Outcome.PASSED, ""),
        ([RIGHT, WRONG], Outcome.FAILED, "test_one: assert (1 + 1) == 3"),
        (["@pytest.mark.skip\n" + RIGHT, RIGHT], Outcome.NOT_REACHED, "1 of 2 tests were skipped"),
        (["import no_such_module"], Outcome.FAILED, "collection failure"),
        (
            [SLOW],
            Outcome.NOT_REACHED,
            "stopped after 2 s",
        ),
    ],
    ids=["pass", "fail", "skipped", "broken", "slow"],
)
def test_marked_tests_are_run_without_plugins_or_settings(tmp_path, texts, outcome, fault):
    (record,) = check_steps.tests(written(check(tmp_path), *texts), seconds=2 if texts == [SLOW] else 60)
    assert (record.name, record.outcome) == ("tests", outcome)
    assert record.fault.endswith(fault)


def test_the_marked_tests_of_this_repository_are_found(tmp_path):
    here = Path(__file__).parents[3]
    for folder in ("src", "tests"):
        shutil.copytree(here / folder, tmp_path / "repository" / folder, ignore=shutil.ignore_patterns("__pycache__"))
    this = check(tmp_path)
    shutil.copy(here / "pyproject.toml", this.root)
    (record,) = check_steps.tests(this, seconds=60)
    assert record.numbers["tests"] > 50 and not record.numbers["failed"]
