"""The package works from a wheel: nothing is read from outside of it."""

import subprocess
import sys
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest
from copies import ROOT, copy_repository

# A program of someone who installed the package: it has the package, settings of its own, and nothing else of ours.
PROGRAM = """
import sys
from pathlib import Path

installed = Path(sys.argv[1])
sys.path.insert(0, str(installed))

from ndgm.experiments.determinism import deterministic_torch
from ndgm.experiments.inputs import Inputs
from ndgm.experiments.training import Task, train_job
from ndgm.pipeline.jobs import JOBS, settings
from ndgm.pipeline.programs import function_of
from ndgm.pipeline.settings import faults, load
from ndgm.store.run_tables import read_table

config = load("smoke")
assert faults(config, ["config/laptop.yaml", "config/smoke.yaml"], {}) == []
wrong = faults(config | {"seed": 1}, ["config/smoke.yaml"], {"seed": 1})
assert wrong == ["command line: seed: unknown key; did you mean root_seed?"], wrong
job = JOBS["train_edge_of_stability"]
experiment, told = job.experiments[0], settings(job, config)[0]
deterministic_torch("cpu")
task = Task(function_of("experiments", experiment.function), told, Path(f"{experiment.table}.parquet"))
train_job([task], Inputs(), {}, print)
assert read_table(task.table)["step"].max() == told["steps"]
ours = [module.__file__ for name, module in sys.modules.items() if name.partition(".")[0] == "ndgm"]
assert ours and all(Path(file).is_relative_to(installed) for file in ours), ours
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of the repository, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    repository = copy_repository(folder / "repository")
    pip("wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", str(folder), str(repository))
    (found,) = folder.glob("*.whl")
    return found


def pip(*arguments: str) -> None:
    """Run pip and fail with what it says."""
    done = subprocess.run([sys.executable, "-m", "pip", *arguments], text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_file_of_the_package_is_in_the_wheel(wheel: Path) -> None:
    """Modules, schemas, and the mark that the package is typed."""
    files = [file.relative_to(ROOT / "src") for file in (ROOT / "src/ndgm").rglob("*") if file.is_file()]
    wanted = {file.as_posix() for file in files if "__pycache__" not in file.parts}
    found = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert found == wanted and {"ndgm/py.typed", "ndgm/pipeline/config.schema.yaml"} <= found


def test_what_the_wheel_says_of_itself(wheel: Path) -> None:
    """No registry takes it; types, the license and a link are there."""
    text = ZipFile(wheel)
    (name,) = [name for name in text.namelist() if name.endswith(".dist-info/METADATA")]
    said = Parser().parsestr(text.read(name).decode())
    assert {"Private :: Do Not Upload", "Typing :: Typed"} <= set(said.get_all("Classifier"))
    assert said["License-Expression"] == "MIT" and "arxiv.org" in said["Project-URL"]


def test_an_experiment_is_trained_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """Installed in a folder of its own and run elsewhere, with no other module of ours in reach."""
    installed = tmp_path / "installed"
    pip("install", "--no-deps", "--no-index", "--no-compile", "--target", str(installed), str(wheel))
    (tmp_path / "config").symlink_to(ROOT / "config")
    command = [sys.executable, "-I", "-c", PROGRAM, str(installed)]
    done = subprocess.run(command, cwd=tmp_path, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("edge_of_stability_cycles: ")
