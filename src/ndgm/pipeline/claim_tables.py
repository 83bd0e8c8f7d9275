"""Tables that each claim reads, taken from the syntax tree of its module, so that Snakemake starts without pandas."""

import ast
from pathlib import Path

CLAIMS = Path("src/ndgm/claims")


def claim_tables(group: str) -> dict[str, tuple[str, ...]]:
    """Names of the tables that the claims of a group read, by claim: the parameters of its function.

    Args:
        group: Name of the group, and of its module in `ndgm.claims`.
    """
    path = CLAIMS / f"{group}.py"
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    return {
        node.name: tuple(argument.arg for argument in node.args.args)
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and any(map(_is_claim, node.decorator_list))
    }


def _is_claim(decorator: ast.expr) -> bool:
    """Whether a decorator is `@claim(…)`."""
    return isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name) and decorator.func.id == "claim"
