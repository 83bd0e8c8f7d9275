"""The rooms of the package, and which of them may import which: arrows go down the list only."""

import ast
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

import ndgm

SOURCES = Path(ndgm.__file__).parent
MAY_IMPORT = {
    "experiments": {"engine", "theory", "data", "decide", "pipeline", "store"},
    "claims": {"decide", "theory", "store"},
    "paper": {"store", "decide"},
    "pipeline": {"store"},
    "decide": {"store"},
    "engine": set(),
    "theory": set(),
    "data": {"store"},
    "store": set(),
}
READS_THE_MANIFEST = {"paper", "pipeline"}
GRAPH = grimp.build_graph("ndgm", include_external_packages=True, cache_dir=None)


def room(module: str) -> str:
    """The room of `ndgm.room.module`; the manifest is a room of its own."""
    return module.split(".")[1]


def ours(room: str | None = None) -> list[str]:
    """All our modules, or those of a room."""
    return sorted(m for m in GRAPH.modules if m.startswith("ndgm.") and (room is None or m.split(".")[1] == room))


def test_nothing_but_the_rooms_and_the_manifest_stands_at_the_top() -> None:
    assert {name for _, name, _ in pkgutil.iter_modules([str(SOURCES)])} == {*MAY_IMPORT, "groups"}


@pytest.mark.parametrize("importer", MAY_IMPORT)
def test_a_room_imports_what_it_may(importer: str) -> None:
    allowed = MAY_IMPORT[importer] | {importer} | ({"groups"} if importer in READS_THE_MANIFEST else set())
    arrows = {
        (module, imported)
        for module in ours(importer)
        for imported in GRAPH.find_modules_directly_imported_by(module)
        if imported.startswith("ndgm.") and room(imported) not in allowed
    }
    assert arrows == set()


def test_the_manifest_needs_the_standard_library_only() -> None:
    """Snakemake imports it at every start."""
    assert GRAPH.find_modules_directly_imported_by("ndgm.groups") <= {"dataclasses", "collections", "typing"}


def test_no_room_but_engine_and_experiments_waits_for_torch() -> None:
    """Importing PyTorch takes longer than most of what the other rooms do; the first module that does is named."""
    modules = [name for importer in MAY_IMPORT if importer not in ("engine", "experiments") for name in ours(importer)]
    program = (
        "import importlib, sys\n"
        f"for name in {modules}:\n"
        "    importlib.import_module(name)\n"
        "    assert 'torch' not in sys.modules, name\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env={**os.environ, "PYTHONPATH": str(SOURCES.parent)})


@pytest.mark.parametrize("file", sorted(SOURCES.rglob("__init__.py")), ids=lambda file: str(file.relative_to(SOURCES)))
def test_a_room_is_opened_by_a_docstring_and_nothing_else(file: Path) -> None:
    """What stands in `__init__.py` is a dependency of every module of the room."""
    body = ast.parse(file.read_text(encoding="utf-8")).body
    assert len(body) == 1 and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)


@pytest.mark.parametrize("module", ["utils", "helpers", "base", "common", "misc", "tools"])
def test_no_module_is_named_after_nothing(module: str) -> None:
    assert list(SOURCES.rglob(f"{module}.py")) == []
