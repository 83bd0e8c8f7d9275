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
    "laws": ("engine", "LAWS"),
    "attacks": ("engine", "ATTACKS"),
    "scalar_functions": ("engine", "SCALARS"),
    "step_rules": ("theory", "STEP_RULES"),
}
"""Room and variable of each registry: a dict literal in the body of a module, whose keys are texts."""


def names(registry: str) -> tuple[str, ...]:
    """Names in a registry, in its order.

    Args:
        registry: A key of `REGISTRIES`.
    """
    return tuple(_entries(registry))


@cache
def asks(method: str) -> frozenset[str]:
    """What a method asks of the objective: names of its methods and attributes, such as `subgradient` and `shrink`.

    Args:
        method: A name in `METHODS`.

    Raises:
        ValueError: if the entry is no call of a class of the engine that says so in a literal `asks`.
    """
    call = _entries("methods")[method]
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
        for module in _modules("engine", f"class {call.func.id}"):
            for kind in module.body:
                if isinstance(kind, ast.ClassDef) and kind.name == call.func.id:
                    for value in _assigned(kind, "asks"):
                        return frozenset(ast.literal_eval(value))
    raise ValueError(f"METHODS[{method!r}] is no call of a class of ndgm.engine with a literal `asks`")


@cache
def has_kinks(activation: str) -> bool:
    """Whether an activation has kinks, by the literal `kinks` of its entry in `ACTIVATIONS`.

    Args:
        activation: A name in `ACTIVATIONS`, or one of a family with a parameter, `softplus_<β>`, which is smooth.

    Raises:
        ValueError: if there is no such activation, or its entry has no literal `kinks`.
    """
    if activation.startswith("softplus_"):
        return False
    entry = _entries("activations").get(activation)
    if isinstance(entry, ast.Call):
        for keyword in entry.keywords:
            if keyword.arg == "kinks":
                return bool(ast.literal_eval(keyword.value))
    raise ValueError(f"ACTIVATIONS has no entry {activation!r} with a literal `kinks`")


@cache
def _entries(registry: str) -> dict[str, ast.expr]:
    """The entries of a registry by name."""
    room, variable = REGISTRIES[registry]
    for module in _modules(room, variable):
        for value in _assigned(module, variable):
            if isinstance(value, ast.Dict):
                items = zip(value.keys, value.values, strict=True)
                return {ast.literal_eval(key): entry for key, entry in items if key is not None}
    raise ValueError(f"no module of ndgm.{room} has a dict literal {variable}")


def _modules(room: str, beginning: str) -> list[ast.Module]:
    """Syntax trees of a room's modules in which a line begins like this."""
    return [_parsed(text) for text in _texts(room) if f"\n{beginning}" in text]


@cache
def _texts(room: str) -> list[str]:
    """Texts of a room's modules."""
    return [file.read_text(encoding="utf-8") for file in _python_files(files("ndgm") / room)]


_parsed = cache(ast.parse)


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
