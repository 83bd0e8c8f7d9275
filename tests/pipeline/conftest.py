"""What the tests of the workflow share: Snakemake, a copy of the repository, finished smoke runs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from copies import copy_repository
from filelock import FileLock

# As in an activated environment, also where nobody activated it.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
# As on a terminal, also where make started the tests: a make below another one says more.
for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
    os.environ.pop(name, None)
SMOKE = ("--configfile", "config/smoke.yaml")


def run_snakemake(folder: Path, *arguments: str, prefix: tuple[str, ...] = ()) -> subprocess.CompletedProcess:
    """Run Snakemake in a folder, as a user would; standard error is in `stdout`, as on a terminal."""
    command = [*prefix, sys.executable, "-m", "snakemake", *arguments]
    return subprocess.run(command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def smoke_run_in(tmp_path_factory: pytest.TempPathFactory, worker_id: str, name: str, cores: int) -> Path:
    """A copy of the repository in which the smoke scale has been run: once for all workers of pytest-xdist."""
    shared = tmp_path_factory.getbasetemp() if worker_id == "master" else tmp_path_factory.getbasetemp().parent
    folder = shared / name
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            copy_repository(folder)
            done = run_snakemake(folder, "--cores", str(cores), *SMOKE)
            (folder / "said.txt").write_text(f"{done.returncode}\n{done.stdout}")
    said = (folder / "said.txt").read_text()
    assert said.startswith("0\n"), said
    return folder


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository; tests leave it as they found it."""
    return copy_repository(tmp_path_factory.mktemp("copy") / "repository")


@pytest.fixture(scope="session")
def smoke_run(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The smoke scale on one core, while another worker uses the other; tests leave it as they found it."""
    return smoke_run_in(tmp_path_factory, worker_id, "smoke", cores=1)


@pytest.fixture(scope="session")
def other_smoke_run(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The smoke scale in a folder with a longer name, on two cores; tests leave it as they found it."""
    return smoke_run_in(tmp_path_factory, worker_id, "smoke_elsewhere_on_two_cores", cores=2)


@pytest.fixture
def smoke_copy(smoke_run: Path, tmp_path: Path) -> Path:
    """A clone of the finished smoke run that kept `.snakemake`, with new files, which tests may change."""
    return shutil.copytree(smoke_run, tmp_path / "repository", copy_function=shutil.copy)
