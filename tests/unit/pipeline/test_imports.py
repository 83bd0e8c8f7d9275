"""Which of our modules a program depends on, against what Python itself loads and against the syntax trees."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from ndgm.pipeline.imports import imports_of, names

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
    assert bool(loaded) == ("ndgm" in program.read_text(encoding="utf-8"))  # before the set-up there is none
    assert loaded <= {file.removesuffix("/__init__").replace("/", ".") for file in files}


def in_syntax_tree(text: str, file: str) -> set[str]:
    """Full names of what a file imports from our package, by Python's own parser."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = Path(file).parent.parts[1:] if node.level else ()
            package = above[: len(above) + 1 - node.level]
            module = ".".join([*package, *([node.module] if node.module else [])])
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return {name for name in found if name.split(".")[0] == "ndgm"}


def test_names_are_those_of_the_syntax_tree() -> None:
    """In every file that a rule may depend on, exactly."""
    files = [file for folder in ("src", "scripts", "figures") for file in (ROOT / folder).glob("**/*.py")]
    assert len(files) > 200
    for file in files:
        text, name = file.read_text(encoding="utf-8"), str(file.relative_to(ROOT))
        assert names(text, name) == in_syntax_tree(text, name), name


@pytest.mark.parametrize(
    "statement",
    [
        "from ndgm.room import (\n    one,  # which is the first (of two)\n    two as second,\n)\n",
        "from ndgm.room import one, \\\n    two\n",
        "from \\\n    ndgm.room \\\n    import one\n",
        "from ndgm.room import one; from ndgm.other import two  # both\n",
        "if True: from ndgm.room import one\n",
        "try:\n\tfrom\tndgm.room\timport\tone as two\nexcept ImportError: import ndgm.other\n",
        "import ndgm.room as room, ndgm.other as other\n",
        "import ndgm . room\n",
        "from.room import one\n",
        "from .. import one\n",
        "from ... ndgm . room import one\n",
        "from ndgm.room import*\n",
        "from ndgm.room import(one)\n",
        "def late():\n    for each in (): import ndgm.room\n",
        "from ndgm.prüfung import größe\n",
    ],
)
def test_unusual_ways_to_write_an_import(statement: str) -> None:
    """What the linter would not let through is found too: a name that is missed would leave a stale result."""
    file = "src/ndgm/a/b.py"
    assert names(statement, file) == in_syntax_tree(statement, file)


def test_other_packages_and_words_are_no_imports() -> None:
    """Names that only begin like ours, and modules of others."""
    text = "import numpy\nfrom ndgmx import a\nfrom other.ndgm import b\nimported = from_file = 'import'\n"
    assert names(text, "scripts/a.py") == set()
