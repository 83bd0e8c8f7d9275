"""How the rules of claims changed, and which claims were added for what another one had said, oldest first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

from ndgm.decide.rules import Rule, rules_in


@dataclass(frozen=True, eq=False)
class Version:
    """The claims at one moment.

    Attributes:
        date: Day of the commit, such as `2026-11-21`.
        sources: Source of each module, by its path: those of claims, and all others from which they may import.
        outcomes: What the newest reference run in this version said of each claim, such as `supported: 1.02 (1)`.
        parents: The versions that it was made from, several where branches were merged; the first is the one that the
            others were merged into.
    """

    date: str
    sources: Mapping[str, str]
    outcomes: Mapping[str, str]
    parents: tuple["Version", ...] = field(default=(), repr=False)

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
        changed: `test`, which includes its margin, `selection`, or both.
        test_before: The test before them.
        test_after: The test after them.
        outcome_before: What the reference run before them said of the claim; empty where it did not decide it.
        outcome_after: What the reference run after them said.
    """

    dates: tuple[str, ...]
    changed: tuple[str, ...]
    test_before: str
    test_after: str
    outcome_before: str
    outcome_after: str

    @property
    def told(self) -> bool:
        """Whether documents tell it: the test changed, or the outcome of a claim that had been decided.

        A run that was not kept may have been known before the first reference run, so that each change of a test
        counts. A selection alone may have been rewritten; it counts where another outcome followed.
        """
        return "test" in self.changed or bool(self.outcome_before) and self.outcome_before != self.outcome_after


@dataclass(frozen=True)
class Origin:
    """Where a claim comes from that was added for what another one had said.

    Attributes:
        date: Day on which it was added.
        claim: The other claim.
        outcome: What the reference run before it said of the other claim; empty where it did not decide it, so that
            the outcome which was known is that of a run that was not kept.
        replaced: Whether the other claim left with the same commit, as one that was split.
    """

    date: str
    claim: str
    outcome: str
    replaced: bool = False


@dataclass(frozen=True)
class Withdrawal:
    """A claim that a reference run had decided and that there is no more.

    Attributes:
        claim: Its id.
        date: Day on which it went.
        outcome: What the last reference run before that said of it.
    """

    claim: str
    date: str
    outcome: str


def withdrawals_of(newest: Version) -> list[Withdrawal]:
    """Claims that went after a reference run had decided them, by id, each as it went on the last day.

    Raises:
        InputError: naming a module that is not Python.
    """
    found: dict[str, Withdrawal] = {}
    seen, versions = {newest}, [newest]
    for version in versions:  # which grows by their parents, newest first
        for parent in version.parents:
            for claim in sorted(parent.rules.keys() - version.rules.keys() - newest.rules.keys()):
                outcome, known = parent.outcomes.get(claim), found.get(claim)
                if outcome and (known is None or known.date < version.date):
                    found[claim] = Withdrawal(claim, version.date, outcome)
            if parent not in seen:
                seen.add(parent)
                versions.append(parent)
    return [found[claim] for claim in sorted(found)]


def origins_of(newest: Version) -> dict[str, Origin]:
    """Where each claim of the newest version comes from that says that it is derived from another one.

    Raises:
        InputError: naming a module that is not Python.
    """
    origins = {}
    for claim, rule in sorted(newest.rules.items()):
        if parent := rule.derived_from:
            added = _way(newest, claim)[0]
            before = added.parents[0] if added.parents else added
            replaced = parent in before.rules and parent not in added.rules
            origins[claim] = Origin(added.date, parent, before.outcomes.get(parent, ""), replaced)
    return origins


def changes_of(newest: Version) -> dict[str, list[Change]]:
    """The changes of the rule of each claim of the newest version, oldest first; claims that never changed have none.

    Raises:
        InputError: naming a module that is not Python.
    """
    return {claim: _changes(_way(newest, claim), claim) for claim in sorted(newest.rules)}


def _way(newest: Version, claim: str) -> list[Version]:
    """The versions through which the rule of a claim came to be what it is now, from the one that added it.

    Where branches were merged they lead into the one that the rule was taken from.
    """
    here, way = newest, [newest]
    while parents := [parent for parent in here.parents if claim in parent.rules]:
        rule = here.rules[claim]
        here = next((parent for parent in parents if parent.rules[claim] == rule), parents[0])
        way.append(here)
    return way[::-1]


def _changes(way: Sequence[Version], claim: str) -> list[Change]:
    """The changes of a claim's rule on its way, oldest first."""
    changes: list[Change] = []
    for number, (before, version) in enumerate(pairwise(way), 1):
        old, new = before.rules[claim], version.rules[claim]
        parts = {"test": old.test != new.test, "selection": old.selection != new.selection}
        if changed := tuple(part for part, differs in parts.items() if differs):
            after = next((each.outcomes for each in way[number:] if each.outcomes != before.outcomes), before.outcomes)
            outcomes = before.outcomes.get(claim, ""), after.get(claim, "")
            changes = _joined(changes, Change((version.date,), changed, old.test, new.test, *outcomes))
    return changes


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
    """Changes with one more, which is joined to the last where no reference run was between them.

    A test that came back to what it was did not change.
    """
    if not changes:
        return [change]
    last = changes[-1]
    if (last.outcome_before, last.outcome_after) != (change.outcome_before, change.outcome_after):
        return [*changes, change]
    dates = tuple(dict.fromkeys((*last.dates, *change.dates)))
    test = ("test",) if last.test_before != change.test_after else ()
    selection = ("selection",) if "selection" in (*last.changed, *change.changed) else ()
    both = Change(dates, test + selection, last.test_before, change.test_after, last.outcome_before, last.outcome_after)
    return [*changes[:-1], *([both] if both.changed else [])]
