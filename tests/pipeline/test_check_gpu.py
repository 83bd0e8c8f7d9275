"""The check of a CUDA device, driven on the processor, where nothing can be imported but what it asks for."""

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import SMOKE, run_snakemake
from copies import ROOT

from ndgm.data.sources import SOURCES
from ndgm.groups import GROUPS
from ndgm.pipeline.commands import all_parts, deciding_command, samples_command
from ndgm.pipeline.device import PACKAGES
from ndgm.pipeline.jobs import JOBS, table_files

OPTIONS = ("settings", "samples", "reads", "tables", "out", "weights")
DRIVER = """
import json, runpy, sys
from importlib import import_module
from pathlib import Path

root, folder = Path(sys.argv[1]), Path(sys.argv[2])
program = runpy.run_path(str(root / "scripts/check_gpu.py"))  # imports what the program imports
from ndgm.data.sources import SOURCES
from ndgm.groups import GROUPS
from ndgm.pipeline import check_steps
from ndgm.pipeline.check import MAY_LACK, Check
from ndgm.pipeline.device import description
from ndgm.pipeline.steps import Deadline, take

for group in GROUPS:
    for module in (f"claims.{group.name}", *(f"experiments.{name}" for job in group.jobs for name in job.modules)):
        try:
            import_module(f"ndgm.{module}")
        except ModuleNotFoundError as lacking:
            assert lacking.name.partition(".")[0] in MAY_LACK, lacking

smoke = json.loads((root / "reference/smoke/settings.json").read_text())
for experiment in smoke["adaptive"].values():
    experiment["steps"] = 40
    if "most_steps" in experiment:
        experiment["most_steps"] = 1024
chosen = [group for group in GROUPS if group.name == "adaptive"]
check = Check("cpu", {"smoke": smoke, "full": smoke}, SOURCES, root, folder, Deadline(400), chosen)
steps = {
    "tests": lambda: check_steps.tests(check, 400),
    "smoke": lambda: check_steps.twice(check, "smoke", 400),
    "verdicts": lambda: check_steps.verdicts(check, "smoke", 400),
    "full": lambda: check_steps.largest_part(check, "full"),
}
take(steps, folder / "out.json", description("cpu"), print, program["REQUIRED"])
"""
REFUSING = """
import sys
from importlib.abc import MetaPathFinder

REFUSED = {refused!r}


class Refusing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in REFUSED:
            raise ModuleNotFoundError(f"No module named {{name!r}}: it is refused", name=name)


sys.meta_path.insert(0, Refusing())
"""


SECONDS_LEFT = """
import runpy, sys
main = runpy.run_path(sys.argv.pop(1))["main"]
main.__globals__["Deadline"] = lambda seconds: sys.exit(print(seconds))
main()
"""
SLOW_START = """
import sys, time
from importlib.abc import MetaPathFinder


class Slow(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            time.sleep(2)


sys.meta_path.insert(0, Slow())
"""


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def brought(distributions: tuple[str, ...]) -> set[str]:
    """These distributions and what they require."""
    found: set[str] = set()
    waiting = list(distributions)
    while waiting:
        name = canonical(waiting.pop())
        if name not in found:
            found.add(name)
            try:
                lines = requires(name) or []
            except PackageNotFoundError:
                continue
            waiting += [re.match(r"[\w.-]+", line)[0] for line in lines if "extra ==" not in line]
    return found


def refused() -> set[str]:
    """Modules that are installed here and are not on a machine with the packages that the check asks for."""
    there = brought(PACKAGES)
    return {
        module
        for module, distributions in packages_distributions().items()
        if module != "ndgm" and not there & set(map(canonical, distributions))
    }


def test_what_it_must_do_without_is_refused() -> None:
    assert {
        "yaml",
        "jsonschema",
        "snakemake",
        "hypothesis",
        "xdist",
        "matplotlib",
        "statsmodels",
        "psutil",
    } <= refused()
    assert not {"torch", "numpy", "pandas", "pyarrow", "scipy", "sklearn", "tqdm", "pytest", "ndgm"} & refused()


@pytest.fixture(scope="module")
def driven(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the check writes where it is driven on the processor, with one group and few steps, by name."""
    folder, scratch = tmp_path_factory.mktemp("hook"), tmp_path_factory.mktemp("check")
    (folder / "sitecustomize.py").write_text(REFUSING.format(refused=refused()))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT / "src")])}
    command = [sys.executable, "-c", DRIVER, str(ROOT), str(scratch)]
    done = subprocess.run(command, env=environment, text=True, capture_output=True, cwd=scratch)
    assert done.returncode == 0, done.stderr
    return json.loads((scratch / "out.json").read_text())


def records(driven: dict[str, Any], step: str) -> dict[str, Any]:
    return {row["name"]: row for row in driven["records"] if row["name"].partition("/")[0] == step}


def test_the_device_and_versions_are_written(driven: dict[str, Any]) -> None:
    assert driven["device"] == {"name": "cpu"} and driven["packages"]["torch"] == torch.__version__
    assert driven["python"] == ".".join(map(str, sys.version_info[:3]))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_its_tests_can_be_imported_and_are_skipped_without_a_device(driven: dict[str, Any]) -> None:
    row = records(driven, "tests")["tests"]
    assert row["outcome"] == "not reached" and row["failed"] == []
    assert row["skipped"] == row["tests"] > 50


def test_experiments_give_the_same_bytes_twice(driven: dict[str, Any]) -> None:
    rows = records(driven, "smoke")
    assert {name: row["outcome"] for name, row in rows.items()} == {
        "smoke/data": "passed",
        "smoke/train_adaptive": "passed",
        "smoke/run_adaptive_designs": "passed",
    }
    assert len(rows["smoke/train_adaptive"]["identical"]) == 6 and len(rows["smoke/train_adaptive"]["seconds"]) == 2


def test_verdicts_of_fewer_steps_differ_and_are_named(driven: dict[str, Any]) -> None:
    (row,) = records(driven, "verdicts").values()
    assert row["outcome"] == "failed" and row["claims"] > 5 and row["differ"]
    assert driven["passed"] is False


def test_large_experiments_are_trained_to_their_end(driven: dict[str, Any]) -> None:
    rows = records(driven, "full")
    trained = {name.rpartition("/")[2]: row for name, row in rows.items() if name.count("/") == 2}
    assert trained.keys() == {each.table for each in JOBS["train_adaptive"].experiments}
    for row in trained.values():
        assert row["outcome"] == "passed" and row["finished"] and row["steps"] == 40
        assert row["finished_runs"] == row["runs"] and row["finished_ensembles"] == row["ensembles"]
        assert row["predicted_seconds"] == pytest.approx(row["seconds"])


def check_gpu(out: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "scripts/check_gpu.py"), "--out", str(out), *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")} | variables
    return subprocess.run(command, env=environment, text=True, capture_output=True)


def test_without_a_cuda_device_it_says_so_in_one_line(tmp_path: Path) -> None:
    done = check_gpu(tmp_path / "gpu.json", CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 1 and not done.stdout and not (tmp_path / "gpu.json").exists()
    assert done.stderr == "error: device: cuda: PyTorch finds no CUDA device here\n"


def test_without_pytorch_it_says_so_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(REFUSING.format(refused={"torch"}))
    done = check_gpu(tmp_path / "gpu.json", PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT / "src")]))
    assert done.returncode == 1 and done.stderr == f"error: {sys.executable} finds no torch\n"


def test_a_python_that_is_too_old_is_one_line_with_those_that_are_not(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import enum; del enum.StrEnum")
    done = check_gpu(tmp_path / "gpu.json", PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT / "src")]))
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    assert done.stderr.startswith("error: cannot import name 'StrEnum'") and f"and {wanted} is needed" in done.stderr


def test_what_the_start_takes_counts(tmp_path: Path) -> None:
    """PyTorch once took a part of the minutes for itself, and the check was killed from outside."""
    (tmp_path / "sitecustomize.py").write_text(SLOW_START)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT / "src")])}
    command = [sys.executable, "-c", SECONDS_LEFT, str(ROOT / "scripts/check_gpu.py"), "--out", "out", "--minutes", "1"]
    done = subprocess.run(command, check=True, env=environment, text=True, capture_output=True, cwd=tmp_path)
    assert 0 < float(done.stdout) <= 60 - 5 - 2


def test_no_option_names_another_device(tmp_path: Path) -> None:
    """A result that was made on a processor can't be taken for one of a device."""
    done = check_gpu(tmp_path / "gpu.json", "--help")
    assert "--out" in done.stdout and "--minutes" in done.stdout and "--device" not in done.stdout
    assert check_gpu(tmp_path / "gpu.json", "--device", "cpu").returncode == 2


def words(command: list[str]) -> tuple[str, dict[str, list[str]]]:
    """Program and options of a command; an option without a value is as good as none."""
    options: dict[str, list[str]] = {"": []}
    for word in command:
        name = word.removeprefix("--")
        if word != name:
            options[name] = []
        else:
            options[list(options)[-1]].append(word)
    (program,) = options.pop("")
    return program, {name: options[name] for name in OPTIONS if options.get(name)}


def with_settings(command: str, folder: Path) -> str:
    """A command of the workflow with its settings in the place of the file that holds them."""
    return re.sub(r"(?<=--settings )\S+", lambda file: shlex.quote((folder / file[0]).read_text()), command)


def test_jobs_are_run_as_the_workflow_runs_them(repository: Path) -> None:
    said = run_snakemake(repository, "--dry-run", "--printshellcmds", "--cores", "1", *SMOKE).stdout
    commands = re.findall(r"scripts/(?:train|tabulate|make_samples|decide_claims)\.py .*", said)
    workflows = [words(shlex.split(with_settings(command, repository))) for command in commands]
    config = json.loads((ROOT / "reference/smoke/settings.json").read_text())
    root, data, results = Path(), Path("results/smoke/data"), Path("results/smoke")
    parts = all_parts(config, GROUPS)
    entries = {entry for part in parts for entry in part.samples}
    ours = [part.command(root, data, results) for part in parts]
    ours += [samples_command(entry, config, SOURCES, root, data) for entry in entries]
    claims = json.loads((ROOT / "reference/smoke/claims.json").read_text())
    for group in GROUPS:  # as in the check, the reference says which tables a claim reads
        read = {table for claim in claims if claim["group"] == group.name for table in claim["experiments"]}
        tables = [results / table for table in table_files(config, *read)]
        ours.append(deciding_command(group, tables, root, results / f"claims/{group.name}.json"))
    assert sorted((words(command[1:]) for command in ours), key=str) == sorted(workflows, key=str)
