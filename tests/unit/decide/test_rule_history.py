"""What counts as a change of a rule, on made-up modules of claims."""

import pytest

from ndgm.decide.rule_history import (
    Origin,
    Version,
    Withdrawal,
    changes_of,
    origins_of,
    setting_changes,
    withdrawals_of,
)

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


SELECTED = SOURCE.replace("runs[-1]", "runs[len(runs) - 1]")


def version(
    source: str, outcomes: dict[str, str] | None = None, date: str = "2026-01-01", *parents: Version
) -> Version:
    return Version(date, {"claims.py": source}, outcomes or {}, parents)


def one_line(versions: list[Version]) -> Version:
    """The last of versions of which each is made from the one before."""
    newest = versions[0]
    for each in versions[1:]:
        newest = Version(each.date, each.sources, each.outcomes, (newest,))
    return newest


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
    found = changes_of(one_line([version(source), version(source.replace(before, after))]))
    assert {claim for claim, changes in found.items() if changes} == changed


def test_a_change_after_numbers_says_what_they_were_and_became() -> None:
    """Changes between the same two reference runs are one, of which the last test counts."""
    first, second = {"falls": "supported: 1 (1)"}, {"falls": "refuted: 2 (1)"}
    sources = [SOURCE.replace("0.05", margin) for margin in ("0.05", "0.1", "0.2")]
    history = [version(SOURCE), *(version(s, first, f"2026-01-0{day}") for day, s in enumerate(sources, 2))]
    (change,) = changes_of(one_line([*history, version(sources[-1], second)]))["falls"]
    assert change.dates == ("2026-01-03", "2026-01-04")
    assert (change.test_before, change.test_after) == ("equivalence(0.05)", "equivalence(0.2)")
    assert (change.outcome_before, change.outcome_after) == ("supported: 1 (1)", "refuted: 2 (1)")
    assert change.changed == ("test",) and change.told


@pytest.mark.parametrize(
    ("outcomes", "later", "counts"),
    [({}, {}, False), ({"falls": "a"}, {"falls": "a", "rises": "b"}, False), ({"falls": "a"}, {"falls": "b"}, True)],
)
def test_other_code_for_the_same_numbers_is_no_change_after_numbers(outcomes, later, counts) -> None:
    """Nor is another selection before the claim was first decided; another test is told then too."""
    versions = version(SOURCE, outcomes), version(changed := SELECTED, outcomes), version(changed, later)
    (change,) = changes_of(one_line([*versions]))["falls"]
    assert change.changed == ("selection",) and change.told is counts
    (change,) = changes_of(one_line([version(SOURCE), version(changed.replace("0.05", "0.1"))]))["falls"]
    assert change.changed == ("test", "selection") and change.told


def test_a_test_that_came_back_between_two_runs_did_not_change() -> None:
    back = [SOURCE, SOURCE.replace("0.05", "0.1"), SOURCE]
    assert changes_of(one_line([version(source) for source in back]))["falls"] == []
    (change,) = changes_of(one_line([version(source) for source in (*back, SELECTED)]))["falls"]
    assert change.changed == ("selection",)


def test_a_rule_is_followed_into_the_branch_that_it_was_taken_from() -> None:
    """A claim that was new on a branch changed there, before it came to the main line, which never had it otherwise."""
    strict = SOURCE.replace("order()", "within(0)")
    root = version("", {"other": "supported"})
    branch = version(strict, {}, "2026-01-03", version(SOURCE, {}, "2026-01-02", root))
    merged = version(strict, {}, "2026-01-05", version("", {"other": "refuted"}, "2026-01-04", root), branch)
    (change,) = changes_of(version(strict, {"rises": "refuted: 2 (1)"}, "2026-01-06", merged))["rises"]
    assert (change.dates, change.test_before, change.test_after) == (("2026-01-03",), "order()", "within(0)")
    assert (change.outcome_before, change.outcome_after, change.told) == ("", "refuted: 2 (1)", True)
    # A branch that lost its change as it was merged leaves none.
    assert changes_of(version(SOURCE, {}, "2026-01-05", version(SOURCE, {}, "2026-01-04"), branch))["rises"] == []


def test_a_claim_that_is_gone_has_no_history() -> None:
    newest = one_line([version(SOURCE), version(SOURCE.replace("def rises", "def climbs"))])
    assert changes_of(newest).keys() == {"falls", "climbs"}


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
    before = version(SOURCE, {"falls": "refuted: 2 (1)"})
    later = version(split, {"falls": "supported: 1 (1)"}, "2026-01-03")
    origin = Origin("2026-01-02", "falls", "refuted: 2 (1)")
    assert origins_of(one_line([before, version(split, {}, "2026-01-02"), later])) == {"rises_late": origin}
    gone = version(split.replace("def falls", "def fell"), {}, "2026-01-04")
    replaced = Origin("2026-01-04", "falls", "", replaced=True)
    assert origins_of(one_line([version(SOURCE), gone])) == {"rises_late": replaced}


def test_where_a_claim_comes_from_is_no_change_of_its_rule() -> None:
    derived = SOURCE.replace("order()", 'order(), derived_from="falls"')
    assert changes_of(one_line([version(SOURCE), version(derived)]))["rises"] == []


def test_a_claim_that_went_after_a_run_had_decided_it_is_told() -> None:
    """As it went last: one that came back is there, and one that no run had decided may go."""
    falls, rises = SOURCE[: SOURCE.index("@claim", 60)], SOURCE.replace("def falls", "def sinks")
    decided = {"falls": "supported: 1 (1)", "rises": "refuted: 2 (1)"}
    newest = one_line(
        [
            version(SOURCE),
            version(SOURCE, decided),
            version(falls, decided, "2026-01-02"),
            version(SOURCE, decided, "2026-01-03"),
            version(falls, {"falls": "supported: 1 (1)", "rises": "supported: 3 (1)"}, "2026-01-04"),
        ]
    )
    assert withdrawals_of(newest) == [Withdrawal("rises", "2026-01-04", "refuted: 2 (1)")]
    assert withdrawals_of(one_line([version(SOURCE), version(falls, decided)])) == []
    back = Version("2026-01-05", {"claims.py": SOURCE}, decided, (newest,))
    assert withdrawals_of(back) == []
    # On a branch that was merged, too; under another name it went and another one came.
    merged = version(rises, decided, "2026-01-06", version(rises), back)
    assert withdrawals_of(merged) == [Withdrawal("falls", "2026-01-06", "supported: 1 (1)")]
    # A short old branch, and a longer one on which it went later.
    old = version(falls, {}, "2026-01-02", version(SOURCE, decided))
    late = version(falls, {}, "2026-01-08", version(SOURCE, {"rises": "refuted: 9 (1)"}, "2026-01-07"))
    both = version(falls, {}, "2026-01-09", old, version(falls, {}, "2026-01-08", late))
    assert withdrawals_of(both) == [Withdrawal("rises", "2026-01-08", "refuted: 9 (1)")]
