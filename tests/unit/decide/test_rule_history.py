"""What counts as a change of a rule, on made-up modules of claims."""

import pytest

from ndgm.decide.rule_history import Origin, Version, changes_of, origins_of, setting_changes

SOURCE = '''
MARGIN = 0.05

@claim(figure="a", kind="finding", test=equivalence(MARGIN))
def falls(runs):
    """Falls."""
    return Evidence(_ends(runs), 1.0)

@claim(figure="a", kind="finding", test=order())
def rises(runs):
    """Rises."""
    return Evidence(runs, 0.0)

def _ends(runs):
    return _last(runs)

def _last(runs):
    return runs[-1]
'''


def version(source: str, outcomes: dict[str, str] | None = None, date: str = "2026-01-01") -> Version:
    return Version(date, {"claims.py": source}, outcomes or {})


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ("MARGIN = 0.05", "MARGIN = 0.1", {"falls"}),
        ("runs[-1]", "runs[0]", {"falls"}),
        ("order()", "order(smallest=0.01)", {"rises"}),
        ('"""Rises."""', '"""Rises, and how."""', set()),
        ("    return runs[-1]", "    # why\n\n    return runs[-1]", set()),
        ('figure="a"', 'figure="b"', set()),
        ("identity(0)", "within(0)", set()),
        ("Test('order: in every cell the median is below the reference, in pairs', 0.0)", "below(margin=0.0)", set()),
    ],
)
def test_what_is_a_change(before: str, after: str, changed: set[str]) -> None:
    """Words, comments, figures and the name of a test are none."""
    source = SOURCE if before in SOURCE else SOURCE.replace("order()", before)
    found = changes_of([version(source), version(source.replace(before, after))])
    assert {claim for claim, changes in found.items() if changes} == changed


def test_a_change_after_numbers_says_what_they_were_and_became() -> None:
    """Changes between the same two reference runs are one, of which the last test counts."""
    first, second = {"falls": "supported: 1 (1)"}, {"falls": "refuted: 2 (1)"}
    sources = [SOURCE.replace("0.05", margin) for margin in ("0.05", "0.1", "0.2")]
    history = [version(SOURCE), *(version(s, first, f"2026-01-0{day}") for day, s in enumerate(sources, 2))]
    (change,) = changes_of([*history, version(sources[-1], second)])["falls"]
    assert change.dates == ("2026-01-03", "2026-01-04")
    assert (change.test_before, change.test_after) == ("equivalence(0.05)", "equivalence(0.2)")
    assert (change.outcome_before, change.outcome_after) == ("supported: 1 (1)", "refuted: 2 (1)")
    assert change.after_numbers


@pytest.mark.parametrize(
    ("outcomes", "later", "counts"),
    [({}, {}, False), ({"falls": "a"}, {"falls": "a", "rises": "b"}, False), ({"falls": "a"}, {"falls": "b"}, True)],
)
def test_other_code_for_the_same_numbers_is_no_change_after_numbers(outcomes, later, counts) -> None:
    """Nor is a change before the claim was first decided."""
    changed = SOURCE.replace("runs[-1]", "runs[len(runs) - 1]")
    (change,) = changes_of([version(SOURCE, outcomes), version(changed, outcomes), version(changed, later)])["falls"]
    assert change.after_numbers is counts


def test_a_claim_that_is_gone_has_no_history() -> None:
    assert changes_of([version(SOURCE), version(SOURCE.replace("def rises", "def climbs"))]).keys() == {
        "falls",
        "climbs",
    }


def test_settings_that_changed_and_are_still_there() -> None:
    """A list is one setting; what was added or has left is no change."""
    versions = [
        ("2026-01-01", {"a": {"steps": 10, "kinks": [0, 1]}, "left": 1}),
        ("2026-01-02", {"a": {"steps": 20, "kinks": [0, 1]}, "left": 2, "new": 3}),
        ("2026-01-03", {"a": {"steps": 20, "kinks": [0, 1, 2]}, "new": 3}),
    ]
    found = [(change.date, change.key, change.before, change.after) for change in setting_changes(versions)]
    assert found == [("2026-01-02", "a.steps", 10, 20), ("2026-01-03", "a.kinks", [0, 1], [0, 1, 2])]


def test_a_claim_that_was_split_off_says_from_which_and_what_was_known_of_it() -> None:
    """The other one may be gone by now, as one that was refuted; and it may not have been decided yet."""
    split = SOURCE.replace("order()", 'order(), derived_from="falls"').replace("def rises", "def rises_late")
    known = {"falls": "refuted: 2 (1)"}
    later = version(split, {"falls": "supported: 1 (1)"}, "2026-01-03")
    origin = Origin("2026-01-02", "falls", "refuted: 2 (1)")
    assert origins_of([version(SOURCE), version(split, known, "2026-01-02"), later]) == {"rises_late": origin}
    gone = version(split.replace("def falls", "def fell"), {}, "2026-01-04")
    assert origins_of([version(SOURCE), gone]) == {"rises_late": Origin("2026-01-04", "falls", "")}


def test_where_a_claim_comes_from_is_no_change_of_its_rule() -> None:
    derived = SOURCE.replace("order()", 'order(), derived_from="falls"')
    assert changes_of([version(SOURCE), version(derived)])["rises"] == []
