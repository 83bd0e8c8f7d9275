"""The past of the rules, as CLAIMS.md and the paper print it."""

import json

import pytest
from paper_of_a_run import HISTORY, ROOT

from ndgm.decide.rule_history import rules_in
from ndgm.paper.rule_changes import RULES, SETTINGS, read_rule_changes
from ndgm.store.files import InputError


def test_the_history_knows_every_rule_as_it_is_now():
    """A rule that was changed since would be printed without its past."""
    sources = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "src/ndgm/claims").glob("*.py")}
    now = {claim: rule.digest for claim, rule in rules_in(sources).items()}
    assert read_rule_changes(HISTORY).digests == now, "reference/rules.json is out of date: run `make claims`"


def test_rows_have_a_cell_for_every_heading():
    changes = read_rule_changes(HISTORY)
    assert changes.rules and {len(row) for row in changes.rows_of_rules()} == {len(RULES)}
    assert changes.settings and {len(row) for row in changes.rows_of_settings()} == {len(SETTINGS)}


def test_of_a_list_what_left_and_what_came_is_printed(tmp_path):
    history = {"claims": {}, "settings": [{"date": "2026-01-01", "key": "a.b", "before": [1, 2], "after": [2, 3]}]}
    (tmp_path / "rules.json").write_text(json.dumps(history))
    assert read_rule_changes(tmp_path / "rules.json").rows_of_settings() == [["a.\u200bb", "2026-01-01", "1", "3"]]


@pytest.mark.parametrize("text", ["{}", '{"claims": {"a": {"rule": "x", "changes": [{}]}}, "settings": []}'])
def test_another_file_is_named(tmp_path, text):
    (tmp_path / "rules.json").write_text(text)
    with pytest.raises(InputError, match=r"rules.json: not a history of rules"):
        read_rule_changes(tmp_path / "rules.json")
