"""Which of our modules a program depends on, so that an edited module reruns just what imports it."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

SOURCES = Path("src")


def imports_of(*programs: str) -> list[str]:
    """Modules of ours that the programs import, directly or through each other.

    Args:
        programs: Python files, relative to the root of the repository.

    Returns:
        Sorted paths such as `src/ndgm/engine/descent.py`.
    """
    found: set[Path] = set()
    waiting = [Path(program) for program in programs]
    while waiting:
        new = _imported_by(waiting.pop(), Path.cwd()) - found
        found |= new
        waiting += new
    return sorted(map(str, found))


@cache
def _imported_by(file: Path, root: Path) -> frozenset[Path]:
    """The files that one Python file imports from `src/`, as it was when the workflow was read."""
    if not (root / file).is_file():  # Snakemake names a missing program
        return frozenset()
    return frozenset(path for name in _names(file) for path in _files(name, root))


def _names(file: Path) -> set[str]:
    """Full names of what a Python file imports: modules, and what it takes from them."""
    names: set[str] = set()
    for node in _statements(ast.parse(file.read_text(encoding="utf-8"), str(file))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(node, file)
            names |= {f"{module}.{alias.name}" for alias in node.names}  # a module, or a thing in one
    return names


def _statements(module: ast.Module) -> Iterator[ast.AST]:
    """All statements of a module, and those in them; expressions, which are most of it, import nothing."""
    waiting: list[ast.AST] = [module]
    while waiting:
        node = waiting.pop()
        yield node
        for part in ("body", "orelse", "finalbody", "handlers", "cases"):
            waiting += getattr(node, part, ())


def _absolute(node: ast.ImportFrom, file: Path) -> str:
    """The module that `from … import` names, with leading dots resolved."""
    if not node.level:
        return node.module or ""
    package = file.relative_to(SOURCES).parts[: -node.level]
    return ".".join([*package, node.module] if node.module else package)


@cache
def _files(name: str, root: Path) -> frozenset[Path]:
    """Importing `a.b.c` runs `a/__init__.py`, `a/b/__init__.py` and `a/b/c.py`, as far as they are ours."""
    parts = name.split(".")
    stems = [SOURCES.joinpath(*parts[: i + 1]) for i in range(len(parts))]
    candidates = [path for stem in stems for path in (stem.with_suffix(".py"), stem / "__init__.py")]
    return frozenset(path for path in candidates if (root / path).is_file())
