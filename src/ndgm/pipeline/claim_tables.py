"""What the syntax trees of claims say: the tables that each reads, and slips of who added one.

So Snakemake starts without pandas, and before anything is run.
"""

import ast
from collections.abc import Collection, Mapping
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
        figure = _figure(node, _constants(path))
        if figure not in figures:
            found.append(f"{where}: there is no figure {figure}; {meant(figure, sorted(figures))}")
    return found


@cache
def _tree(path: Path) -> ast.Module:
    """The syntax tree of a module."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _claims(path: Path) -> list[tuple[str, ast.FunctionDef]]:
    """Functions of a module that are claims, by name, in their order."""
    functions = [node for node in _tree(path).body if isinstance(node, ast.FunctionDef)]
    return [(node.name, node) for node in functions if any(map(_is_claim, node.decorator_list))]


def _constants(path: Path) -> dict[str, str]:
    """Names to which a module gives a text, one or several at once."""
    found: dict[str, str] = {}
    for node in (each for each in _tree(path).body if isinstance(each, ast.Assign)):
        for target in node.targets:
            pairs = [(target, node.value)]
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                pairs = list(zip(target.elts, node.value.elts, strict=False))
            for name, value in pairs:
                if isinstance(name, ast.Name) and isinstance(value, ast.Constant):
                    found[name.id] = str(value.value)
    return found


def _is_claim(decorator: ast.expr) -> bool:
    """Whether a decorator is `@claim(…)`."""
    return isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "claim"


def _figure(node: ast.FunctionDef, constants: Mapping[str, str]) -> str:
    """The figure that `@claim(figure=…)` of a function names, as text or by a constant of its module."""
    for decorator in filter(_is_claim, node.decorator_list):
        for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
            if keyword.arg == "figure" and isinstance(keyword.value, ast.Constant):
                return str(keyword.value.value)
            if keyword.arg == "figure" and isinstance(keyword.value, ast.Name):
                return constants.get(keyword.value.id, keyword.value.id)
    return "without a name"
