"""Figure scripts as notebooks: one execution, the same bytes, one line for a fault."""

import json
import signal
import subprocess
import sys
import tempfile
import time

import psutil
import pytest
from bs4 import BeautifulSoup
from paper_of_a_run import ROOT

from ndgm.paper import notebooks
from ndgm.pipeline.interruption import Interrupted

SCRIPT = r"""
# %% [markdown]
# # A title
# The norm $\|w\|_1$ is $\frac{\eta d}{2}\lambda$.

# %%
import os
import sys
from matplotlib.figure import Figure
from ndgm.paper.drawing import save, style

print("one", flush=True)
print("two", os.environ["NDGM_TABLES"])
print("warned", file=sys.stderr)
object()

# %%
style()
figure = Figure()
figure.subplots().plot([1, 2])
save(figure, "demo")
"""


def start_notebook(folder, script):
    """Start the program in its own process."""
    folder.mkdir()
    (folder / "demo.py").write_text(script, encoding="utf-8")
    options = {
        "figure": folder / "demo.py",
        "results": folder / "results",
        "templates": ROOT / "paper/templates",
        "notebook": folder / "demo.ipynb",
        "html": folder / "demo.html",
    }
    program = [sys.executable, ROOT / "scripts/run_notebook.py"]
    program += [word for name, path in options.items() for word in (f"--{name}", path)]
    program += ["--tables", "demo_a.parquet", "demo_b.parquet"]
    return subprocess.Popen(program, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run_notebook(folder, script):
    """Run the program in its own process; its exit code and what it said on standard error."""
    run = start_notebook(folder, script)
    said = run.communicate(timeout=120)[1]
    return run.returncode, said


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    folders = [tmp_path_factory.mktemp("notebook") / name for name in ("a", "b")]
    for folder in folders:
        code, said = run_notebook(folder, SCRIPT)
        assert code == 0, said
    return folders


@pytest.mark.parametrize(
    "file", ["demo.ipynb", "demo.html", *(f"results/figures/demo.{k}" for k in ("pdf", "svg", "png"))]
)
def test_two_executions_give_the_same_bytes(twice, file):
    a, b = ((folder / file).read_bytes() for folder in twice)
    assert a == b


def test_the_page_shows_formula_output_and_picture_and_needs_no_other_file(twice):
    soup = BeautifulSoup((twice[0] / "demo.html").read_text(encoding="utf-8"), "html.parser")
    assert soup.h1.text == "A title"
    assert soup.math and soup.svg
    assert "one\ntwo demo_a.parquet:demo_b.parquet" in soup.text
    assert "0x" not in soup.text
    assert not soup.find_all(["script", "link", "iframe"])


def test_what_a_notebook_says_on_standard_error_is_left_out(twice):
    """Warnings name files and folders of the machine that it runs on."""
    cells = json.loads((twice[0] / "demo.ipynb").read_text(encoding="utf-8"))["cells"]
    said = [output["name"] for cell in cells for output in cell.get("outputs", []) if output["output_type"] == "stream"]
    assert said == ["stdout"]


def test_sockets_stand_where_their_path_is_short(monkeypatch, tmp_path):
    """A socket's path has 107 bytes, of which a batch system's TMPDIR can take more."""
    monkeypatch.setattr(tempfile, "tempdir", "/tmp/" + "long" * 30)
    assert len(notebooks._folder_for_sockets()) <= notebooks.LONGEST_FOLDER
    monkeypatch.setattr(tempfile, "tempdir", "/tmp")
    assert notebooks._folder_for_sockets() == "/tmp"


def test_an_exception_in_the_notebook_ends_in_one_line(tmp_path):
    code, said = run_notebook(tmp_path / "bad", SCRIPT.replace("object()", "raise ValueError('no such\\nthing')"))
    assert (code, said) == (1, f"error: {tmp_path}/bad/demo.py: ValueError: no such\n")
    assert [path.name for path in (tmp_path / "bad").iterdir()] == ["demo.py"]


def test_a_notebook_that_draws_nothing_says_so(tmp_path):
    code, said = run_notebook(tmp_path / "bad", "# %%\nprint(1)\n")
    assert (code, said) == (
        1,
        f'error: {tmp_path}/bad/demo.py: has not drawn figures/demo.svg: it has to end with save(figure, "demo")\n',
    )
    assert [path.name for path in (tmp_path / "bad").iterdir()] == ["demo.py"]


@pytest.mark.parametrize(
    ("moment", "number"), [(0, signal.SIGTERM), (0.3, signal.SIGINT), (1, signal.SIGTERM), (3, signal.SIGINT)]
)
def test_a_signal_at_any_moment_ends_the_kernel_too_in_one_line(tmp_path, moment, number):
    """Moments are seconds after the kernel has been started, which takes about one until it draws."""
    run = start_notebook(tmp_path / "stopped", SCRIPT.replace("object()", "__import__('time').sleep(60)"))
    kernels = []
    while not kernels and run.poll() is None:
        time.sleep(0.01)
        kernels = psutil.Process(run.pid).children()
    time.sleep(moment)
    run.send_signal(number)
    said = run.communicate(timeout=30)[1]  # a kernel that lives on would keep the pipe open
    assert (run.returncode, said) == (128 + number, f"{Interrupted(number).line(goes_on=False)}\n")
    assert psutil.wait_procs(kernels, timeout=5)[1] == []  # what was killed is there until its parent takes note of it
    assert [path.name for path in (tmp_path / "stopped").iterdir()] == ["demo.py"]


def test_the_program_that_runs_notebooks_does_not_wait_for_what_their_kernels_load():
    program = "import ndgm.paper.notebooks, sys; assert not {'matplotlib', 'numpy', 'pandas'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", program], check=True)
