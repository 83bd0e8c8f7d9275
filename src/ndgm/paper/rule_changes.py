"""Rules that changed, and settings that did after numbers were known, as CLAIMS.md and the paper tell them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ndgm.decide.rule_history import Change, Origin, SettingChange, Withdrawal
from ndgm.groups import GROUPS
from ndgm.store.files import InputError, read_json

RULES = ["Claim", "Changed", "Test before", "Test after", "Outcome before", "Outcome after"]
WITHDRAWN = ["Claim", "Withdrawn", "Last outcome", "In its place"]
SETTINGS = ["Setting", "Changed", "Before", "After"]
NOT_DECIDED = "not decided yet"
"""Outcome of a claim that no reference run had decided."""


@dataclass(frozen=True)
class RuleChanges:
    """What changed.

    Attributes:
        digests: Of the rule of each claim as it is now.
        rules: Changes of rules that documents tell, by claim.
        settings: Changes of settings.
        origins: Where claims come from that were added for what another one had said, by claim.
        withdrawn: Claims that there are no more though a reference run had decided them.
    """

    digests: dict[str, str] = field(default_factory=dict)
    rules: dict[str, list[Change]] = field(default_factory=dict)
    settings: list[SettingChange] = field(default_factory=list)
    origins: dict[str, Origin] = field(default_factory=dict)
    withdrawn: list[Withdrawal] = field(default_factory=list)

    def claims(self) -> set[str]:
        """Claims whose rule was changed, or that were added for what another one had said."""
        return {claim for claim, changes in self.rules.items() if changes} | self.origins.keys()

    def rows_of_rules(self) -> list[list[str]]:
        """A row for each change of a rule, as `RULES` heads it; a test is not repeated where the selection changed."""
        return [row for claim in sorted(self.rules | self.origins) for row in self._rows_of(claim)]

    def _rows_of(self, claim: str) -> list[list[str]]:
        """Rows of one claim: where it comes from, and its changes."""
        rows = []
        if origin := self.origins.get(claim):
            rows.append([claim, origin.date, f"added {after_or_in_place(origin)}", "–", known_before(origin), "–"])
        return rows + [
            [
                claim,
                " and ".join(change.dates),
                f"`{change.test_before}`",
                _after(change),
                change.outcome_before or NOT_DECIDED,
                change.outcome_after or NOT_DECIDED,
            ]
            for change in self.rules.get(claim, [])
        ]

    def withdrawn_from(self, group: str) -> list[tuple[Withdrawal, list[str]]]:
        """Claims of a group that were withdrawn, each with those that came in its place or after it."""
        return [
            (each, sorted(claim for claim, origin in self.origins.items() if origin.claim == each.claim))
            for each in self.withdrawn
            if _group_of(each.claim) == group
        ]

    def rows_of_settings(self) -> list[list[str]]:
        """A row for each change of a setting, as `SETTINGS` heads it; of lists what left and what came."""
        # A zero-width space lets a long key break after a dot.
        return [
            [each.key.replace(".", ".\u200b"), each.date, *_sides(each.before, each.after)] for each in self.settings
        ]


def read_rule_changes(path: Path) -> RuleChanges:
    """The changes that `scripts/write_rule_history.py` wrote.

    Raises:
        InputError: naming the file, if it is not one of these.
    """
    history = read_json(path)
    try:
        found = {
            claim: [
                Change(**(each | {key: tuple(each[key]) for key in ("dates", "changed")})) for each in entry["changes"]
            ]
            for claim, entry in history["claims"].items()
        }
        digests = {claim: entry["rule"] for claim, entry in history["claims"].items()}
        settings = [SettingChange(**each) for each in history["settings"]]
        origins = {claim: Origin(**entry["origin"]) for claim, entry in history["claims"].items() if entry["origin"]}
        withdrawn = [Withdrawal(**each) for each in history["withdrawn"]]
    except (KeyError, TypeError, AttributeError) as fault:
        raise InputError(f"{path}: not a history of rules ({fault}); `make claims` writes it") from None
    rules = {claim: [each for each in changes if each.told] for claim, changes in found.items()}
    return RuleChanges(digests, rules, settings, origins, withdrawn)


def _group_of(claim: str) -> str:
    """The group whose name a claim's id begins with; empty where there is none."""
    return max((group.name for group in GROUPS if claim.startswith(f"{group.name}_")), key=len, default="")


def known_before(origin: Origin) -> str:
    """What was known of the other claim when one was added after it."""
    return f"of that one: {origin.outcome}" if origin.outcome else "of that one, in a run that was not kept"


def after_or_in_place(origin: Origin) -> str:
    """After which claim another one was added, or in place of which, where that left then: a joint one was split."""
    return f"{'in place of' if origin.replaced else 'after an outcome of'} `{origin.claim}`"


def _after(change: Change) -> str:
    """The test after a change, and whether the selection is another one."""
    if "test" not in change.changed:
        return "the same, on another selection"
    return f"`{change.test_after}`" + (", on another selection" if "selection" in change.changed else "")


def _sides(before: Any, after: Any) -> tuple[str, str]:
    """What a setting was and is; of two lists only what the other does not hold."""
    if isinstance(before, list) and isinstance(after, list):
        left, came = ([each for each in one if each not in other] for one, other in ((before, after), (after, before)))
        return ", ".join(map(str, left)) or "–", ", ".join(map(str, came)) or "–"
    return str(before), str(after)
