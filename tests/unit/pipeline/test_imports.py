"""Which of our modules a program depends on, against what Python itself loads."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ndgm.pipeline.imports import imports_of

ROOT = Path(__file__).parents[3]


def test_every_way_to_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Absolute and relative, whole and in part, in a function, in a circle; nothing that is not imported."""
    files = {
        "program.py": "import numpy, ndgm.a\nfrom ndgm import b\ndef late():\n    from ndgm.c import thing\n",
        "other.py": "from ndgm.room import *\n",
        "src/ndgm/__init__.py": "",
        "src/ndgm/a.py": "from .d import thing",
        "src/ndgm/b.py": "from . import e",
        "src/ndgm/c.py": "import ndgm.room.inner as inner",
        "src/ndgm/d.py": "import ndgm.a",
        "src/ndgm/e.py": "",
        "src/ndgm/f.py": "",
        "src/ndgm/room/__init__.py": "",
        "src/ndgm/room/inner.py": "from ..f import thing",
        "src/ndgm/unused.py": "",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    ours = [name for name in files if name.startswith("src/") and "unused" not in name]
    assert imports_of("program.py") == sorted(ours)
    assert imports_of("other.py") == ["src/ndgm/__init__.py", "src/ndgm/room/__init__.py"]
    assert imports_of("not_yet_written.py") == []


@pytest.mark.parametrize("program", sorted((ROOT / "scripts").glob("*.py")), ids=lambda file: file.stem)
def test_what_python_loads_is_found(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every module of ours that Python loads when it starts the program is one that we name."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PYTHONPATH", "src")
    command = [sys.executable, "-X", "importtime", str(program.relative_to(ROOT)), "--help"]
    done = subprocess.run(command, text=True, capture_output=True, check=True)
    loaded = set(re.findall(r"\| +(ndgm[\w.]*)$", done.stderr, re.MULTILINE))
    files = [file.removeprefix("src/").removesuffix(".py") for file in imports_of(command[3])]
    assert loaded
    assert loaded <= {file.removesuffix("/__init__").replace("/", ".") for file in files}
