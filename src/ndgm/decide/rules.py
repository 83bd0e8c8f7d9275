"""The rule of each claim, read from the source of its module and of the modules from which that imports.

A rule is a claim's test with its margin, and its selection: the code that takes the measured values from the tables. It
is compared as a syntax tree in which each module-level constant stands as its value, so that comments, docstrings,
layout, another name and another place are no changes.
"""

import ast
import hashlib
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeAlias

from ndgm.store.files import InputError

PACKAGE_FOLDER = "src/ndgm"
"""The package whose modules rules are made of."""

FOLLOWED = "ndgm.claims."
"""Modules whose functions belong to the selection of a claim that uses them; of all others only constants do."""

OLD_BELOW = "Test('order: in every cell the median is below the reference, in pairs', 0.0"
RENAMED = (
    (re.compile(r"^identity\("), "within("),
    (re.compile(rf"^{re.escape(OLD_BELOW)}(, two_sided=False, beyond=False)?\)$"), "below(margin=0.0)"),
)
"""How tests were written first that have another name now."""

OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}

Names: TypeAlias = tuple[tuple[str, str], ...]
"""What stands in the place of a name, as source."""


@dataclass(frozen=True)
class Rule:
    """The rule of a claim in one version of its source.

    Attributes:
        test: The test with the values of all constants, and of the arguments that it leaves to their defaults, such as
            `order(smallest=0.01)`.
        selection: The code of the claim and of the functions of modules of claims that it uses, without docstrings.
        derived_from: The claim from which it was split off, or after whose outcome it was added.
    """

    test: str
    selection: str
    derived_from: str = field(default="", compare=False)

    @property
    def digest(self) -> str:
        """A number by which the rule is known again."""
        return hashlib.sha256(f"{self.test}\n{self.selection}".encode()).hexdigest()[:16]


def sources_of(root: Path) -> dict[str, str]:
    """Sources of a repository as they are now, by path."""
    paths = sorted((root / PACKAGE_FOLDER).rglob("*.py"))
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def rules_in(sources: Mapping[str, str]) -> dict[str, Rule]:
    """The rules of all claims.

    Args:
        sources: Text of modules by path, such as `src/ndgm/claims/adaptive.py`: those with claims, and all others from
            which they may import.

    Raises:
        InputError: naming a module that is read and not Python.
    """
    found: dict[str, Rule] = {}
    for path in sorted(sources):
        if "@claim(" in sources[path]:
            found |= _rules(path, _needed(path, sources))
    return found


@cache
def _rules(path: str, needed: tuple[tuple[str, str], ...]) -> dict[str, Rule]:
    """The rules of the claims of a module, found once for all versions in which it and what it needs are the same."""
    return dict(_Package(dict(needed)).rules(path))


@dataclass(frozen=True)
class _Module:
    """What a module defines and imports.

    Attributes:
        functions: Its functions by name.
        constants: Expressions of its constants by name.
        imported: For each name that it imports, the module and the name there.
    """

    functions: Mapping[str, ast.FunctionDef]
    constants: Mapping[str, ast.expr]
    imported: Mapping[str, tuple[str, str]]


@cache
def _module(path: str, source: str) -> _Module:
    """Parse a module, once for all versions that have it."""
    try:
        lines = source.split("\n")  # str.splitlines also ends lines where Python does not
        body = [_first_like(node, lines) for node in ast.parse(source).body]
    except SyntaxError as fault:
        raise InputError(f"{path}: line {fault.lineno}: {fault.msg}") from None
    constants: dict[str, ast.expr] = {}
    for node in body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            constants |= {target.id: node.value for target in targets if isinstance(target, ast.Name)}
    imported = {
        alias.asname or alias.name: (node.module, alias.name)
        for node in body
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    return _Module({node.name: node for node in body if isinstance(node, ast.FunctionDef)}, constants, imported)


_FIRST: dict[tuple[str, int, int], ast.stmt] = {}


def _first_like(node: ast.stmt, lines: list[str]) -> ast.stmt:
    """The first statement with the same text as one at the head of a module with these lines.

    So what caches know of a function stays known in versions of its module that differ elsewhere.
    """
    first = min(each.lineno for each in (node, *getattr(node, "decorator_list", ())))
    text = "\n".join(lines[first - 1 : node.end_lineno])
    return _FIRST.setdefault((text, node.col_offset, node.end_col_offset or 0), node)


def _needed(path: str, sources: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """A module and all that it imports from the package, also through others, each with its source, in their order."""
    paths = {_dotted(each): each for each in sources}
    needed = [path]
    for each in needed:  # which grows
        of_each = dict.fromkeys(paths.get(module) for module, _ in _module(each, sources[each]).imported.values())
        needed += [other for other in of_each if other and other not in needed]
    return tuple((each, sources[each]) for each in sorted(needed))


@dataclass(frozen=True)
class _Package:
    """All modules of one version."""

    sources: Mapping[str, str]

    @cached_property
    def paths(self) -> dict[str, str]:
        """Paths by the name that an import has."""
        return {_dotted(path): path for path in self.sources}

    def module(self, name: str) -> _Module | None:
        """A module by the name that an import has; None where it is no module of the package."""
        path = self.paths.get(name)
        return None if path is None else _module(path, self.sources[path])

    def rules(self, path: str) -> Iterator[tuple[str, Rule]]:
        """The rules of the claims of one module."""
        here = _dotted(path)
        for claim, node in _module(path, self.sources[path]).functions.items():
            keywords = _keywords(node)
            if test := keywords.get("test"):
                derived_from = keywords.get("derived_from", ast.Constant(""))
                yield (
                    claim,
                    Rule(self.test(here, test), self.selection(here, node, test), ast.literal_eval(derived_from)),
                )

    def test(self, here: str, test: ast.expr) -> str:
        """A test as source, with all values that it has."""
        call = ast.parse(_resolved(test, self.values(here, test)), mode="eval").body
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Name)
            and (rule := self.function(here, call.func.id))
        ):
            where, node = rule
            given = {keyword.arg for keyword in call.keywords}
            for argument, default in _defaults(node.args)[len(call.args) :]:
                if default is not None and argument not in given:
                    value = ast.parse(_resolved(default, self.values(where, default)), mode="eval").body
                    call.keywords.append(ast.keyword(argument, value))
        written = ast.unparse(call)
        for first, name in RENAMED:
            written = first.sub(name, written)
        return written

    def selection(self, here: str, claim: ast.FunctionDef, test: ast.expr) -> str:
        """The code of a claim and of all functions that it uses, each by its place in the order of their first use."""
        found = [(here, claim)]
        helpers: dict[tuple[str, str], str] = {}
        codes = []
        for where, node in found:  # which grows
            names = dict(self.values(where, node))
            looked_at = [test, node] if node is claim else [node]
            for name in dict.fromkeys(each.id for part in looked_at for each in _names(part)):
                helper = self.function(where, name)
                if helper is None or helper[1] is claim or not (helper[0] == here or helper[0].startswith(FOLLOWED)):
                    continue
                key = helper[0], helper[1].name
                if key not in helpers:
                    helpers[key] = f"function_{len(found)}"
                    found.append(helper)
                names[name] = helpers[key]
            codes.append(_code(node, tuple(sorted(names.items()))))
        return "\n".join(codes)

    def function(self, here: str, name: str) -> tuple[str, ast.FunctionDef] | None:
        """The function behind a name in a module, and the module that defines it; None where it is none."""
        return self._found(here, name, lambda module: module.functions)

    def values(self, here: str, node: ast.AST, inside: frozenset[tuple[str, str]] = frozenset()) -> Names:
        """The values of all constants that some code of a module names, but of those inside which it stands."""
        values = {}
        for name in dict.fromkeys(each.id for each in _names(node)):
            constant = self._found(here, name, lambda module: module.constants)
            if constant is not None and (constant[0], name) not in inside:
                where, value = constant
                values[name] = _resolved(value, self.values(where, value, inside | {(where, name)}))
        return tuple(sorted(values.items()))

    def _found(self, here: str, name: str, of: Callable[[_Module], Mapping[str, Any]]) -> tuple[str, Any] | None:
        """What a name stands for in a module, followed through imports, and the module that defines it."""
        seen = set()
        while (here, name) not in seen and (module := self.module(here)) is not None:
            seen.add((here, name))
            if name in of(module):
                return here, of(module)[name]
            here, name = module.imported.get(name, (here, name))
        return None


def _dotted(path: str) -> str:
    """The name that an import has for the module of a path."""
    return path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _keywords(node: ast.FunctionDef) -> dict[str, ast.expr]:
    """What the decorators of a function are given by name."""
    calls = [decorator for decorator in node.decorator_list if isinstance(decorator, ast.Call)]
    return {keyword.arg: keyword.value for call in calls for keyword in call.keywords if keyword.arg}


def _defaults(arguments: ast.arguments) -> list[tuple[str, ast.expr | None]]:
    """Each argument that a call may give, in their order, and its default."""
    positional = [*arguments.posonlyargs, *arguments.args]
    without: list[ast.expr | None] = [None] * (len(positional) - len(arguments.defaults))
    defaults = [*without, *arguments.defaults, *arguments.kw_defaults]
    return list(zip([each.arg for each in (*positional, *arguments.kwonlyargs)], defaults, strict=True))


@cache
def _names(node: ast.AST) -> tuple[ast.Name, ...]:
    """Names that some code reads and does not bind itself; of a function those of its body and of its defaults."""
    parts: list[ast.AST] = [node]
    bound: set[str] = set()
    if isinstance(node, ast.FunctionDef):
        parts = [*node.body, *node.args.defaults, *filter(None, node.args.kw_defaults)]
        bound = {each.arg for each in ast.walk(node.args) if isinstance(each, ast.arg)}
    names = [each for part in parts for each in ast.walk(part) if isinstance(each, ast.Name)]
    bound |= {each.id for each in names if not isinstance(each.ctx, ast.Load)}
    return tuple(each for each in names if each.id not in bound)


class _Values(ast.NodeTransformer):
    """Puts in the place of a name what it stands for, and computes what is arithmetic on numbers then."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.AST:
        value = self.names.get(node.id)
        return node if value is None else ast.parse(value, mode="eval").body

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        left, right, compute = node.left, node.right, OPERATORS.get(type(node.op))
        if compute and isinstance(left, ast.Constant) and isinstance(right, ast.Constant):
            try:
                value = compute(left.value, right.value)
            except (TypeError, ArithmeticError):
                return node
            return ast.Constant(value) if isinstance(value, (int, float)) and value >= 0 else node
        return node


@cache
def _resolved(node: ast.expr, names: Names) -> str:
    """An expression as source, with what its names stand for."""
    return ast.unparse(_Values(dict(names)).visit(deepcopy(node)))


@cache
def _code(node: ast.FunctionDef, names: Names) -> str:
    """Arguments and body of a function without docstring, with what its names stand for."""
    node = deepcopy(node)
    for argument in ast.walk(node.args):
        if isinstance(argument, ast.arg):
            argument.annotation = None
    values = _Values(dict(names))
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    lines = [ast.unparse(values.visit(part)) for part in (node.args, *body)]
    return "\n".join([f"({lines[0]}):", *lines[1:]])
