"""What a user has set up for other work changes no byte, and notebooks rerun where they stand."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from conftest import SMOKE, run_snakemake
from copies import copy_repository, hashes

from ndgm.pipeline.jobs import FIGURES

REDRAWN = tuple(FIGURES)[2:5:2]  # two groups
LOUD = 'print("hostile"); import sys; print("hostile", file=sys.stderr); import os; os.environ["MPLBACKEND"] = "svg"\n'


@pytest.fixture
def hostile(tmp_path: Path) -> dict[str, str]:
    """An environment in which every file that is read before ours says or sets something, and TMPDIR is long."""
    home, long = tmp_path / "home", tmp_path / ("long" * 30)
    files = {
        ".config/matplotlib/matplotlibrc": "figure.facecolor: red\nfont.size: 40\nno.such.key: 1\nbroken\n",
        ".ipython/profile_default/startup/00.py": LOUD,
        ".ipython/profile_default/ipython_config.py": "get_config().InlineBackend.rc = {'font.size': 40}\n" + LOUD,
        ".local/share/pandoc/abbreviations": "a.\n",
        "startup.py": LOUD,
        "bash": "echo hostile; echo hostile >&2; export OMP_NUM_THREADS=7\n",
    }
    for name, text in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    long.mkdir()
    return {
        "HOME": str(home),
        "MATPLOTLIBRC": str(home / ".config/matplotlib/matplotlibrc"),
        "IPYTHONDIR": str(home / ".ipython"),
        "PYTHONSTARTUP": str(home / "startup.py"),
        "BASH_ENV": str(home / "bash"),
        "PYTHONWARNINGS": "always",
        "TMPDIR": str(long),
    }


@pytest.mark.elsewhere
def test_results_are_the_same_in_a_hostile_setup(smoke_copy: Path, hostile: dict[str, str]) -> None:
    """Two figures, with their notebooks and pages, and the paper in all its forms."""
    before = hashes(smoke_copy)
    results = smoke_copy / "results/smoke"
    again = [path for name in REDRAWN for path in results.rglob(f"{name}.*") if path.suffix != ".log"]
    again += [results / "paper.pdf", results / "paper.html"]
    for path in again:
        path.unlink()
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *SMOKE]
    done = subprocess.run(command, cwd=smoke_copy, env=os.environ | hostile, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(again) > 10 and hashes(smoke_copy) == before
    written = b"".join(path.read_bytes() for path in again if path.suffix in (".ipynb", ".html", ".svg", ".rst"))
    assert not any(word in written for word in (b"hostile", hostile["HOME"].encode(), str(smoke_copy).encode()))


@pytest.mark.parametrize("name", REDRAWN)
def test_a_notebook_reruns_where_it_stands(smoke_copy: Path, name: str) -> None:
    """It finds the tables of its scale by its own place, and draws the same bytes."""
    before = hashes(smoke_copy)
    folder = smoke_copy / "results/smoke/notebooks"
    cells = nbformat.read(folder / f"{name}.ipynb", as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    for path in (smoke_copy / "results/smoke/figures").glob(f"{name}.*"):
        path.unlink()
    environment = os.environ | {"PYTHONPATH": str(smoke_copy / "src"), "SOURCE_DATE_EPOCH": "1705363200"}
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, text=True, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert hashes(smoke_copy) == before


@pytest.mark.parametrize("name", ["12:30", "a folder with spaces"])
def test_a_path_that_a_shell_or_python_would_split(tmp_path: Path, name: str) -> None:
    """Programs run with the modules beside them, also where another checkout is installed."""
    folder = copy_repository(tmp_path / name)
    with (folder / "src/ndgm/data/regression.py").open("a") as module:
        module.write('\nprint("modules of", __file__)\n')
    done = run_snakemake(folder, "--cores", "1", "results/smoke/data/l1_paradox/diabetes.npz", *SMOKE)
    assert done.returncode == 0, done.stdout
    assert f"modules of {folder}/src/" in done.stdout
