"""How the rules of claims changed, and which claims were added for what another one had said, oldest first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from ndgm.decide.rules import Rule, rules_in


@dataclass(frozen=True)
class Version:
    """The claims at one moment.

    Attributes:
        date: Day of the commit, such as `2026-11-21`.
        sources: Source of each module, by its path: those of claims, and all others from which they may import.
        outcomes: What the reference run before this version said of each claim, such as `supported: 1.02 (1)`.
    """

    date: str
    sources: Mapping[str, str]
    outcomes: Mapping[str, str]

    @cached_property
    def rules(self) -> dict[str, Rule]:
        """The rules of all claims.

        Raises:
            InputError: naming a module that is not Python.
        """
        return rules_in(self.sources)


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


@dataclass(frozen=True)
class Origin:
    """Where a claim comes from that was added for what another one had said.

    Attributes:
        date: Day on which it was added.
        claim: The other claim.
        outcome: What the reference run before it said of the other claim; empty where it did not decide it, so that
            the outcome which was known is that of a run that was not kept.
    """

    date: str
    claim: str
    outcome: str


def origins_of(versions: Sequence[Version]) -> dict[str, Origin]:
    """Where each claim of the newest version comes from that says that it is derived from another one.

    Raises:
        InputError: naming a module that is not Python.
    """
    origins = {}
    waiting = {claim: rule.derived_from for claim, rule in versions[-1].rules.items() if rule.derived_from}
    for version in versions:
        if not waiting:
            break
        for claim in sorted(waiting.keys() & version.rules.keys()):
            parent = waiting.pop(claim)
            origins[claim] = Origin(version.date, parent, version.outcomes.get(parent, ""))
    return origins


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
        rules = version.rules
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
