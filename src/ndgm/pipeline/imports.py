"""Which of our modules a program depends on, so that an edited module reruns just what imports it."""

import os
import re
from functools import cache
from pathlib import Path

SOURCE_FOLDER = "src"
PACKAGE = "ndgm"

COMMENT, JOINT = r"\#[^\n]*", r"(?:[ \t]|\\\n)"
REST = r"(?:[^\n;#\\]|\\\n)*"
STATEMENT = re.compile(
    rf"""
    from {JOINT}* (?P<module> (?:\. | {PACKAGE}\b) (?:[.\w]|{JOINT})*?) \b import\b {JOINT}*
        (?P<taken> \( (?:[^)#]|{COMMENT})* \) | {REST})
    | import {JOINT}+ (?P<modules> {REST} \b {PACKAGE}\b {REST})
    """,
    re.VERBOSE,
)
"""A statement that imports from our package.

Snakemake asks at every start, and syntax trees of all files take ten times as long. A line of a text that reads like
such a statement is taken for one: it may name a module more, and never one less.
"""
KEYWORD = re.compile(r"(?:from|import)\b")


def imports_of(*programs: str) -> list[str]:
    """Modules of ours that the programs import, directly or through each other.

    Args:
        programs: Python files, relative to the root of the repository.

    Returns:
        Sorted paths such as `src/ndgm/engine/descent.py`.
    """
    root = os.getcwd()
    found: set[str] = set()
    waiting = list(programs)
    while waiting:
        new = _imported_by(waiting.pop(), root) - found
        found |= new
        waiting += new
    return sorted(found)


@cache
def _imported_by(file: str, root: str) -> frozenset[str]:
    """The files that one Python file imports from `src/`, as it was when the workflow was read."""
    path = Path(root, file)
    if not path.is_file():  # Snakemake names a missing program
        return frozenset()
    return frozenset().union(*(_files(name, root) for name in names(path.read_text(encoding="utf-8"), file)))


def names(text: str, file: str) -> set[str]:
    """Full names of what a Python file imports from our package: modules, and what it takes from them.

    Args:
        text: Of the file.
        file: Its path from the root of the repository, by which leading dots are resolved.
    """
    found: set[str] = set()
    for keyword in KEYWORD.finditer(text):
        start = keyword.start()
        before = text[text.rfind("\n", 0, start) + 1 : start].rstrip()
        in_a_line = before and before[-1] not in ":;"
        if in_a_line or not (statement := STATEMENT.match(text, start)):
            continue
        if statement["modules"]:
            found |= {name for name in _listed(statement["modules"]) if name.split(".")[0] == PACKAGE}
        else:
            module = _absolute(_plain(statement["module"]), file)
            found |= {f"{module}.{name}" for name in _listed(statement["taken"])}  # a module, or a thing in one
    return found


def _listed(names: str) -> list[str]:
    """Names between commas, without what they are called here, brackets and comments."""
    given = re.sub(rf"{COMMENT}|[()]", "", names).split(",")
    return [_plain(re.split(r"\bas\b", name)[0]) for name in given if name.strip()]


def _plain(name: str) -> str:
    """A dotted name without blanks and line ends."""
    return re.sub(r"[\s\\]", "", name)


def _absolute(module: str, file: str) -> str:
    """The module that `from … import` names, with leading dots resolved."""
    name = module.lstrip(".")
    level = len(module) - len(name)
    package = Path(file).parts[1:-level] if level else ()
    return ".".join([*package, name] if name else package)


@cache
def _files(name: str, root: str) -> frozenset[str]:
    """Importing `a.b.c` runs `a/__init__.py`, `a/b/__init__.py` and `a/b/c.py`, as far as they are ours."""
    parts = name.split(".")
    stems = ["/".join([SOURCE_FOLDER, *parts[: i + 1]]) for i in range(len(parts))]
    candidates = [path for stem in stems for path in (f"{stem}.py", f"{stem}/__init__.py")]
    return frozenset(path for path in candidates if os.path.isfile(os.path.join(root, path)))
