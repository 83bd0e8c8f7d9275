"""What the syntax trees of claims say: the tables that each reads, and slips of who added one.

So Snakemake starts without pandas, and before anything is run.
"""

import ast
from collections.abc import Collection
from functools import cache
from pathlib import Path

from ndgm.store.names import meant

CLAIMS = Path("src/ndgm/claims")


def claim_tables(group: str) -> dict[str, tuple[str, ...]]:
    """Names of the tables that the claims of a group read, by claim: the parameters of its function.

    Args:
        group: Name of the group, and of its module in `ndgm.claims`.
    """
    return {name: tuple(each.arg for each in node.args.args) for name, node in _claims(CLAIMS / f"{group}.py")}


def misdeclared(group: str, figures: Collection[str]) -> list[str]:
    """Claims of a group that have no name of their own in it, no statement or no figure, a line for each.

    Args:
        group: Name of the group.
        figures: Names of the figures of the manifest.
    """
    path, found = CLAIMS / f"{group}.py", []
    lines: dict[str, int] = {}
    for name, node in _claims(path):
        where = f"{path}: line {node.lineno}: {name}"
        if name in lines:
            found.append(f"{where}: line {lines[name]} has a claim of this name, too")
        lines[name] = node.lineno
        if not name.startswith(f"{group}_") or name != name.lower():
            found.append(f"{where}: its name has small letters, digits and _, and begins with {group}_")
        if not ast.get_docstring(node):
            found.append(f"{where}: its docstring is what documents state, and is missing")
        figure = next((_figure(each) for each in node.decorator_list if _figure(each)), None)
        if figure and figure not in figures:
            found.append(f"{where}: there is no figure {figure}; {meant(figure, sorted(figures))}")
    return found


@cache
def _claims(path: Path) -> list[tuple[str, ast.FunctionDef]]:
    """Functions of a module that are claims, by name, in their order."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return [(node.name, node) for node in functions if any(map(_is_claim, node.decorator_list))]


def _is_claim(decorator: ast.expr) -> bool:
    """Whether a decorator is `@claim(…)`."""
    return isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "claim"


def _figure(decorator: ast.expr) -> str:
    """The figure that `@claim(figure="…")` names; empty where the name is not written there."""
    for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
        if keyword.arg == "figure" and isinstance(keyword.value, ast.Constant):
            return str(keyword.value.value)
    return ""
