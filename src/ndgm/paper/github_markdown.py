"""Markdown as GitHub shows it: tables, formulas, and lines of sources that links lead to."""

import ast
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from ndgm.store.files import InputError


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; a bar in a cell would begin the next one."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(formulas(cell).replace("|", r"\|") for cell in line) + " |" for line in lines)


def formulas(text: str) -> str:
    r"""Formulas as GitHub takes them without reading Markdown in them, and with \vert for a bar, which ends a cell."""

    def formula(found: re.Match) -> str:
        return "$`" + found[1].replace(r"\|", r"\Vert ").replace("|", r"\vert ").rstrip() + "`$"

    return re.sub(r"\$([^$`]+)\$", formula, text)


@cache
def function_lines(path: Path) -> Mapping[str, int]:
    """Line at which each function of a module begins.

    Raises:
        InputError: if there is no such file; naming the function, where one is asked for that is not in it.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    body = ast.parse(path.read_text(encoding="utf-8")).body
    return _Lines(path, {node.name: node.lineno for node in body if isinstance(node, ast.FunctionDef)})


class _Lines(dict[str, int]):
    """Lines at which the functions of a module begin."""

    def __init__(self, path: Path, lines: dict[str, int]) -> None:
        super().__init__(lines)
        self.path = path

    def __missing__(self, name: str) -> int:
        raise InputError(f"{self.path}: no function {name}")
