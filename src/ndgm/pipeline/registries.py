"""Names that the config may use, read from the source of the registries that hold them.

Snakemake checks the config at every start, and importing the engine would load PyTorch: so files are parsed, not run.
"""

import ast
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

REGISTRIES = {
    "methods": ("engine", "METHODS"),
    "activations": ("engine", "ACTIVATIONS"),
    "losses": ("engine", "LOSSES"),
    "scalar_functions": ("engine", "SCALARS"),
    "step_rules": ("theory", "STEP_RULES"),
}
"""Room and variable of each registry: a dict literal in the body of a module, whose keys are texts."""


def names(registry: str) -> tuple[str, ...]:
    """Names in a registry, in its order.

    Args:
        registry: A key of `REGISTRIES`.
    """
    return tuple(_entries(registry)[0])


def asks(method: str) -> frozenset[str]:
    """What a method asks of the objective.

    Args:
        method: A name in `METHODS`.

    Returns:
        Some of `subgradient`, `smooth_gradient`, `penalty_subgradient`, `shrink`, `value` and `lowest`, its infimum.

    Raises:
        ValueError: if the entry is no call of a class with a literal `asks`, in its module or one of `ndgm.engine`
            that it takes the class from.
    """
    entries, module = _entries("methods")
    call = entries[method]
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
        for statement in _home(module, call.func.id).body:
            if isinstance(statement, ast.ClassDef) and statement.name == call.func.id:
                for value in _assigned(statement, "asks"):
                    return frozenset(ast.literal_eval(value))
    raise ValueError(f"METHODS[{method!r}] is no call of a class with a literal `asks`")


def _home(module: ast.Module, name: str) -> ast.Module:
    """The module that a module takes a name from, or itself."""
    for statement in module.body:
        if isinstance(statement, ast.ImportFrom) and name in {alias.name for alias in statement.names}:
            return _parsed((statement.module or "").removeprefix("ndgm."))
    return module


@cache
def _parsed(name: str) -> ast.Module:
    """Syntax tree of one of our modules, such as `engine.methods`."""
    file = files("ndgm").joinpath(*name.split(".")[:-1], f"{name.split('.')[-1]}.py")
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


@cache
def _entries(registry: str) -> tuple[dict[str, ast.expr], ast.Module]:
    """The entries of a registry by name, and the syntax tree of its module."""
    room, variable = REGISTRIES[registry]
    for file in _python_files(files("ndgm") / room):
        text = file.read_text(encoding="utf-8")
        if f"\n{variable}" not in text:  # most modules need no parsing
            continue
        module = ast.parse(text, str(file))
        for value in _assigned(module, variable):
            if isinstance(value, ast.Dict):
                keys = [ast.literal_eval(key) for key in value.keys if key is not None]
                return dict(zip(keys, value.values, strict=True)), module
    raise ValueError(f"no module of ndgm.{room} has a dict literal {variable}")


def _python_files(folder: Traversable) -> list[Traversable]:
    """Python files in a folder and below it."""
    inside = sorted(folder.iterdir(), key=lambda item: item.name)
    below = [file for item in inside if item.is_dir() for file in _python_files(item)]
    return [item for item in inside if item.name.endswith(".py")] + below


def _assigned(body_of: ast.Module | ast.ClassDef, name: str) -> list[ast.expr]:
    """What is assigned to a name in the body of a module or class, with a type or without."""
    found = []
    for statement in body_of.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                found.append(statement.value)
    return found
