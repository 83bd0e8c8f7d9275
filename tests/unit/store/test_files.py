"""Files are written whole or not at all, and one that cannot be written is named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ndgm.store.files import write_atomically

LARGE = 200_000
WRITERS = {
    "table.parquet": "write_table(path, pd.DataFrame({'a': np.random.default_rng(0).random(LARGE)}))",
    "arrays.npz": "write_data(path, Samples(np.ones((LARGE, 1)), np.ones((LARGE, 1))))",
    "values.json": "write_json(path, list(range(LARGE)))",
    "drawing.pdf": "draw(path)",
    "drawing.svg": "draw(path)",
    "drawing.png": "draw(path)",
    "text.html": "text(path)",
}
PROGRAM = """
import resource, signal, sys
from pathlib import Path
import matplotlib
import numpy as np
import pandas as pd
from ndgm.data.networks import Samples
from ndgm.store.arrays import write_data
from ndgm.store.files import write_atomically, write_json
from ndgm.store.run_tables import write_table

LARGE = {large}

def draw(path):
    from matplotlib.figure import Figure
    figure = Figure()
    figure.add_subplot().plot(np.random.default_rng(0).random(LARGE // 10), rasterized=False)
    with write_atomically(path) as temporary:
        figure.savefig(temporary)

def text(path):
    with write_atomically(path) as temporary:
        temporary.write_text("x" * LARGE)

path = Path(sys.argv[1])
path.write_text("old")
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
try:
    {write}
except OSError as fault:
    print(fault.filename, fault.strerror, sep="|")
"""


@pytest.mark.parametrize("name", WRITERS)
def test_a_file_that_does_not_fit_is_named_and_the_old_one_stays(tmp_path: Path, name: str) -> None:
    """A limit on the size of a file cuts a writer off in the middle, as a full disk does."""
    path = tmp_path / name
    program = PROGRAM.format(large=LARGE, write=WRITERS[name])
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "src"), "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], text=True, stdout=subprocess.PIPE, check=True, env=environment
    )
    assert done.stdout.partition("|")[0] == str(path), done.stdout
    assert "too large" in done.stdout
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_the_fault_of_another_file_keeps_its_name(tmp_path: Path) -> None:
    """A program may read one file while it writes another."""
    with pytest.raises(FileNotFoundError) as fault, write_atomically(tmp_path / "out.txt"):
        (tmp_path / "missing.txt").read_text()
    assert fault.value.filename == str(tmp_path / "missing.txt")


def test_a_writer_that_writes_nothing_is_named(tmp_path: Path) -> None:
    """The block ended well, but there is no file."""
    with pytest.raises(FileNotFoundError) as fault, write_atomically(tmp_path / "out.txt"):
        pass
    assert fault.value.filename == str(tmp_path / "out.txt")
