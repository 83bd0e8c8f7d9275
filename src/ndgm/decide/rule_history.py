"""How the rules of claims changed: read from the source of each version of the claims, oldest first.

A rule is a claim's test with its margin, and its selection: the code that takes the measured values from the tables. It
is compared as a syntax tree, so that comments, docstrings and layout are no changes.
"""

import ast
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ndgm.store.files import InputError

RENAMED = re.compile(r"^identity\(")
"""The first name of the test `within`."""


@dataclass(frozen=True)
class Rule:
    """The rule of a claim in one version of its source.

    Attributes:
        test: The test as it is written, such as `equivalence(0.05)`, with the values of the module's constants.
        selection: The code of the claim and of the functions of its module that it uses, without docstrings.
    """

    test: str
    selection: str

    @property
    def digest(self) -> str:
        """A number by which the rule is known again."""
        return hashlib.sha256(f"{self.test}\n{self.selection}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Version:
    """The claims at one moment.

    Attributes:
        date: Day of the commit, such as `2026-11-21`.
        sources: Source of each module of claims, by its name.
        outcomes: What the reference run before this version said of each claim, such as `supported: 1.02 (1)`.
    """

    date: str
    sources: Mapping[str, str]
    outcomes: Mapping[str, str]


@dataclass(frozen=True)
class Change:
    """What changed in a claim's rule between two reference runs.

    Attributes:
        dates: Days of the commits.
        test_before: The test before them.
        test_after: The test after them, equal to `test_before` where only the selection changed.
        outcome_before: What the reference run before them said of the claim; empty where it did not decide it.
        outcome_after: What the reference run after them said.
    """

    dates: tuple[str, ...]
    test_before: str
    test_after: str
    outcome_before: str
    outcome_after: str

    @property
    def after_numbers(self) -> bool:
        """Whether the rule changed after numbers were known, in its test or outcome and not in its wording alone."""
        rewritten = (self.test_before, self.outcome_before) == (self.test_after, self.outcome_after)
        return bool(self.outcome_before) and not rewritten


def rules_of(source: str, name: str) -> dict[str, Rule]:
    """The rules of the claims of a module, by claim.

    Args:
        source: Text of the module.
        name: Its name, for messages.

    Raises:
        InputError: if it is not Python.
    """
    try:
        tree = ast.parse(source)
    except SyntaxError as fault:
        raise InputError(f"{name}: line {fault.lineno}: {fault.msg}") from None
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    rules = {}
    for claim, node in functions.items():
        tests = [
            keyword.value
            for decorator in node.decorator_list
            if isinstance(decorator, ast.Call)
            for keyword in decorator.keywords
            if keyword.arg == "test"
        ]
        if tests:
            test = RENAMED.sub("within(", ast.unparse(_Constants(constants).visit(tests[0])))
            used = _used(node, functions)
            rules[claim] = Rule(test, "\n".join(_code(functions[each], constants) for each in (claim, *used)))
    return rules


def rules_in(sources: Mapping[str, str]) -> dict[str, Rule]:
    """The rules of all claims of several modules, from their sources by name."""
    rules: dict[str, Rule] = {}
    for name, source in sorted(sources.items()):
        rules |= rules_of(source, name)
    return rules


def changes_of(versions: Sequence[Version]) -> dict[str, list[Change]]:
    """The changes of the rule of each claim of the newest version, oldest first; claims that never changed have none.

    Raises:
        InputError: naming a module that is not Python.
    """
    changes: dict[str, list[Change]] = {}
    before: dict[str, Rule] = {}
    for number, version in enumerate(versions):
        later = (each.outcomes for each in versions[number:] if each.outcomes != version.outcomes)
        after = next(later, version.outcomes)
        rules = rules_in(version.sources)
        for claim in rules.keys() & before.keys():
            old, new = before[claim], rules[claim]
            if old != new:
                outcomes = version.outcomes.get(claim, ""), after.get(claim, "")
                change = Change((version.date,), old.test, new.test, *outcomes)
                changes[claim] = _joined(changes.get(claim, []), change)
        before = rules
    return {claim: changes.get(claim, []) for claim in sorted(before)}


@dataclass(frozen=True)
class SettingChange:
    """A setting that changed after a reference run had been made with it.

    Attributes:
        date: Day of the commit.
        key: The setting, such as `l1_paradox.lasso.steps`.
        before: Its value before.
        after: Its value after.
    """

    date: str
    key: str
    before: Any
    after: Any


def setting_changes(versions: Sequence[tuple[str, Mapping[str, Any]]]) -> list[SettingChange]:
    """The changes of settings that are still there, oldest first.

    Args:
        versions: Day and settings of each version of a config, oldest first.
    """
    changes: list[SettingChange] = []
    flat = [(date, _flat(settings)) for date, settings in versions]
    for (_, before), (date, after) in zip(flat, flat[1:], strict=False):
        changes += [
            SettingChange(date, key, before[key], after[key])
            for key in after
            if key in before and key in flat[-1][1] and before[key] != after[key]
        ]
    return changes


def _flat(settings: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """Settings by the whole path of their names; a list is one setting."""
    flat: dict[str, Any] = {}
    for name, value in settings.items():
        key = f"{path}.{name}" if path else str(name)
        flat |= _flat(value, key) if isinstance(value, Mapping) else {key: value}
    return flat


def _joined(changes: list[Change], change: Change) -> list[Change]:
    """Changes with one more, which is joined to the last where no reference run was between them."""
    if not changes:
        return [change]
    last = changes[-1]
    if (last.outcome_before, last.outcome_after) != (change.outcome_before, change.outcome_after):
        return [*changes, change]
    dates = tuple(dict.fromkeys((*last.dates, *change.dates)))
    return [*changes[:-1], replace(last, dates=dates, test_after=change.test_after)]


class _Constants(ast.NodeTransformer):
    """Puts the value of a module's constant in the place of its name."""

    def __init__(self, constants: Mapping[str, ast.expr]) -> None:
        self.constants = constants

    def visit_Name(self, node: ast.Name) -> ast.AST:
        value = self.constants.get(node.id)
        return value if isinstance(value, ast.Constant) else node


def _used(node: ast.FunctionDef, functions: Mapping[str, ast.FunctionDef]) -> list[str]:
    """The functions of the module that a function uses, directly or through others, in the order of their names."""
    found: set[str] = set()
    waiting = [node]
    while waiting:
        names = {each.id for each in ast.walk(waiting.pop()) if isinstance(each, ast.Name)}
        new = (names & functions.keys()) - found - {node.name}
        found |= new
        waiting += [functions[name] for name in new]
    return sorted(found)


def _code(node: ast.FunctionDef, constants: Mapping[str, ast.expr]) -> str:
    """The code of a function: its tables and its body without docstring, with the module's constants filled in."""
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    arguments = ", ".join(argument.arg for argument in node.args.args)
    lines = [ast.unparse(_Constants(constants).visit(statement)) for statement in body]
    return "\n".join([f"{node.name}({arguments}):", *lines])
