"""Files are written whole or not at all, and one that cannot be written is named."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ndgm.store.files import (
    InputError,
    check_fingerprint,
    fingerprint_of,
    read_json,
    read_json_list,
    write_atomically,
    write_json,
)

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


def test_two_processes_may_write_the_same_file_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither takes the temporary file of the other away."""
    path = tmp_path / "settings.json"
    with write_atomically(path, by_many=True) as ours:
        ours.write_text("whole")
        monkeypatch.setattr(os, "getpid", lambda: -1)
        with write_atomically(path, by_many=True) as theirs:
            theirs.write_text("whole")
    assert path.read_text() == "whole" and list(tmp_path.iterdir()) == [path]


def test_a_writer_that_writes_nothing_is_named(tmp_path: Path) -> None:
    """The block ended well, but there is no file."""
    with pytest.raises(FileNotFoundError) as fault, write_atomically(tmp_path / "out.txt"):
        pass
    assert fault.value.filename == str(tmp_path / "out.txt")


@pytest.mark.parametrize(
    "change", [lambda whole: whole[:-1], lambda whole: b"", lambda whole: whole.replace(b"2", b"3")]
)
def test_a_result_is_held_against_its_fingerprint(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    """A changed digit of a JSON file is still JSON, and no reader would know."""
    path = tmp_path / "claims.json"
    write_json(path, [{"id": 2}], fingerprint=True)
    check_fingerprint(path)
    done = subprocess.run(["sha256sum", "--check", fingerprint_of(path).name], cwd=tmp_path, capture_output=True)
    assert done.returncode == 0
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(InputError, match=rf"{path}: changed or damaged: expected the content that was written there"):
        read_json_list(path)


def test_a_file_without_fingerprint_is_taken_as_it_is(tmp_path: Path) -> None:
    """A reference or a file of the user's own has none, and one that is not there is another fault."""
    write_json(tmp_path / "values.json", {})
    assert [path.name for path in tmp_path.iterdir()] == ["values.json"]
    check_fingerprint(tmp_path / "values.json")
    check_fingerprint(tmp_path / "missing.json")


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("{}", "an object"),
        ("[1]", "item 0 is a number"),
        ('[{"id": 1}, {"n": 2}]', "item 1 has no id"),
        ("null", "null"),
    ],
)
def test_a_list_that_is_no_list_of_objects(tmp_path: Path, text: str, holds: str) -> None:
    """The file, what was expected, and what it holds stand in one line."""
    path = tmp_path / "claims.json"
    path.write_text(text)
    with pytest.raises(InputError, match=rf"^{path}: expected a list of JSON objects with id, and .*{holds}; remove"):
        read_json_list(path, keys=["id"])


@pytest.mark.parametrize(
    ("text", "holds"), [("[]", "a list"), ('"a"', "text"), ("true", "true or false"), ("1", "a number")]
)
def test_an_object_that_is_none(tmp_path: Path, text: str, holds: str) -> None:
    """The file, what was expected, and what it holds stand in one line."""
    path = tmp_path / "values.json"
    path.write_text(text)
    with pytest.raises(InputError, match=rf"^{path}: expected one JSON object, and it holds {holds}; remove"):
        read_json(path)
