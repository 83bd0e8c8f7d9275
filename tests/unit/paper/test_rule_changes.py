"""The past of the rules, as CLAIMS.md and the paper print it."""

import json
import re

import pytest
from paper_of_a_run import HISTORY, ROOT

from ndgm.decide.rule_history import Origin
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


@pytest.mark.parametrize(
    ("outcome", "words"),
    [("refuted: 2 (1)", "of that one: refuted: 2 (1)"), ("", "of that one, in a run that was not kept")],
)
def test_a_row_says_after_which_claim_one_was_added(outcome, words):
    history = RuleChanges({}, {}, [], {"b": Origin("2026-01-02", "a", outcome)})
    assert history.rows_of_rules() == [["b", "2026-01-02", "added after `a`", "–", words, "–"]]


def test_rows_have_a_cell_for_every_heading():
    changes = read_rule_changes(HISTORY)
    assert changes.rules and {len(row) for row in changes.rows_of_rules()} == {len(RULES)}
    assert changes.settings and {len(row) for row in changes.rows_of_settings()} == {len(SETTINGS)}


def test_of_a_list_what_left_and_what_came_is_printed(tmp_path):
    history = {"claims": {}, "settings": [{"date": "2026-01-01", "key": "a.b", "before": [1, 2], "after": [2, 3]}]}
    (tmp_path / "rules.json").write_text(json.dumps(history))
    assert read_rule_changes(tmp_path / "rules.json").rows_of_settings() == [["a.\u200bb", "2026-01-01", "1", "3"]]


@pytest.mark.parametrize(
    "text", ["{}", '{"claims": {"a": {"rule": "x", "origin": null, "changes": [{}]}}, "settings": []}']
)
def test_another_file_is_named(tmp_path, text):
    (tmp_path / "rules.json").write_text(text)
    with pytest.raises(InputError, match=r"rules.json: not a history of rules"):
        read_rule_changes(tmp_path / "rules.json")
