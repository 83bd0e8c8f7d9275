"""The past of the rules, as CLAIMS.md and the paper print it."""

import json
import re

import pytest
from paper_of_a_run import HISTORY, ROOT

from ndgm.decide.rule_history import Change, Origin
from ndgm.decide.rules import rules_in, sources_of
from ndgm.paper.rule_changes import RULES, SETTINGS, RuleChanges, read_rule_changes
from ndgm.store.files import InputError


def test_the_history_knows_every_rule_as_it_is_now():
    """A rule that was changed since would be printed without its past."""
    now = {claim: rule.digest for claim, rule in rules_in(sources_of(ROOT)).items()}
    assert read_rule_changes(HISTORY).digests == now, "reference/rules.json is out of date: run `make claims`"


def test_the_history_knows_every_claim_that_was_added_after_another_one():
    """As the decorators say; and no margin in it is a name, which could hide another value or invent a change."""
    history = read_rule_changes(HISTORY)
    rules = rules_in(sources_of(ROOT))
    declared = {claim: rule.derived_from for claim, rule in rules.items() if rule.derived_from}
    assert {claim: origin.claim for claim, origin in history.origins.items()} == declared
    tests = {
        test for changes in history.rules.values() for each in changes for test in (each.test_before, each.test_after)
    }
    assert not {test for test in tests if re.search(r"\b[A-Z_]{2,}\b", test)}


def test_the_history_has_the_changes_that_are_known_without_it():
    """Each was found by reading the commits: two on a branch that was merged later, before a reference decided them."""
    history = read_rule_changes(HISTORY)
    for claim in ("adaptive_adam_cycles", "adaptive_heavy_ball_cycles"):
        assert history.origins[claim] == Origin("2026-11-21", "adaptive_momentum_family", "", replaced=True)
    tests = {
        (claim, each.dates[0]): (each.test_before, each.test_after, each.outcome_before)
        for claim, changes in history.rules.items()
        for each in changes
        if "test" in each.changed
    }
    long_memory = "adaptive_rmsprop_cycle_long_memory", "2026-11-21"
    assert tests[long_memory] == ("equivalence(0.01)", "within(0.01)", "")
    subquadratic = "edge_of_stability_subquadratic", "2026-11-28"
    assert tests[subquadratic] == ("within(0.05)", "at_most(0)", "refuted: 0 (1)")
    went = {each.claim: (each.date, each.outcome, instead) for each, instead in history.withdrawn_from("l1_paradox")}
    assert went["l1_paradox_floor_everywhere"] == ("2026-11-28", "refuted: 0.11 (0.101)", ["l1_paradox_law"])
    assert all(claim.startswith("l1_paradox_") and not claim.startswith("l1_paradox_networks_") for claim in went)
    settings = [(each.date, each.key, each.before, each.after) for each in history.settings]
    digits = "edge_of_stability.networks.data.digits.problems"
    for known in (
        ("2026-11-21", "l1_paradox.lasso.steps", 15000, 12000),
        ("2026-11-21", f"{digits}.squared.step_sizes", [0.15, 0.3], [0.16, 0.32]),
        ("2026-11-21", f"{digits}.cross_entropy.step_sizes", [0.5, 1.0], [0.6, 1.2]),
    ):
        assert known in settings


@pytest.mark.parametrize(
    ("changed", "after", "words"),
    [
        (("test",), "within(0)", "`within(0)`"),
        (("test", "selection"), "within(0)", "`within(0)`, on another selection"),
        (("selection",), "order()", "the same, on another selection"),
    ],
)
def test_a_row_says_what_changed(changed, after, words):
    change = Change(("2026-01-02",), changed, "order()", after, "", "refuted: 2 (1)")
    (row,) = RuleChanges(rules={"a": [change]}).rows_of_rules()
    assert row == ["a", "2026-01-02", "`order()`", words, "not decided yet", "refuted: 2 (1)"]


def test_each_change_in_the_history_says_what_changed():
    """One from a test to the same test is one of the selection."""
    changes = [each for entry in json.loads(HISTORY.read_text())["claims"].values() for each in entry["changes"]]
    assert all(each["changed"] and set(each["changed"]) <= {"test", "selection"} for each in changes)
    assert all(("test" in each["changed"]) == (each["test_before"] != each["test_after"]) for each in changes)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [("refuted: 2 (1)", "of that one: refuted: 2 (1)"), ("", "of that one, in a run that was not kept")],
)
def test_a_row_says_after_which_claim_one_was_added(outcome, words):
    history = RuleChanges({}, {}, [], {"b": Origin("2026-01-02", "a", outcome)})
    assert history.rows_of_rules() == [["b", "2026-01-02", "added after an outcome of `a`", "–", words, "–"]]
    replaced = RuleChanges(origins={"b": Origin("2026-01-02", "a", outcome, replaced=True)})
    assert replaced.rows_of_rules()[0][2] == "added in place of `a`"


def test_rows_have_a_cell_for_every_heading():
    changes = read_rule_changes(HISTORY)
    assert changes.rules and {len(row) for row in changes.rows_of_rules()} == {len(RULES)}
    assert changes.settings and {len(row) for row in changes.rows_of_settings()} == {len(SETTINGS)}


def test_of_a_list_what_left_and_what_came_is_printed(tmp_path):
    history = {"claims": {}, "settings": [{"date": "2026-01-01", "key": "a.b", "before": [1, 2], "after": [2, 3]}]}
    history["withdrawn"] = []
    (tmp_path / "rules.json").write_text(json.dumps(history))
    assert read_rule_changes(tmp_path / "rules.json").rows_of_settings() == [["a.\u200bb", "2026-01-01", "1", "3"]]


@pytest.mark.parametrize(
    "text", ["{}", '{"claims": {"a": {"rule": "x", "origin": null, "changes": [{}]}}, "settings": [], "withdrawn": []}']
)
def test_another_file_is_named(tmp_path, text):
    (tmp_path / "rules.json").write_text(text)
    with pytest.raises(InputError, match=r"rules.json: not a history of rules"):
        read_rule_changes(tmp_path / "rules.json")
