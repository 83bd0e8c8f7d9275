"""What holds for every claim of every group in the manifest."""

import ast
import json
import re
from importlib import import_module
from pathlib import Path

import pytest

from ndgm.decide.claim import CLAIMS
from ndgm.groups import GROUPS

ROOT = Path(__file__).parents[3]
for group in GROUPS:
    import_module(f"ndgm.claims.{group.name}")
REGISTERED = [
    pytest.param(group, one, id=one.id) for group in GROUPS for one in CLAIMS.values() if one.group == group.name
]


def test_every_module_of_claims_is_a_group_with_claims():
    modules = {path.stem for path in (ROOT / "src/ndgm/claims").glob("*.py")} - {"__init__"}
    assert modules == {group.name for group in GROUPS} == {one.group for one in CLAIMS.values()}


@pytest.mark.parametrize(("group", "one"), REGISTERED)
def test_a_claim_names_what_its_group_has(group, one):
    tables = {experiment.table for job in group.jobs for experiment in job.experiments}
    assert one.id.startswith(f"{group.name}_")
    assert set(one.experiments) <= tables and one.experiments
    assert one.figure in {figure.name for each in GROUPS for figure in each.figures}


def test_no_claim_is_called_as_a_table_or_a_group():
    # The file of a claim stands beside that of its group, and a parameter would shadow its function.
    tables = {experiment.table for group in GROUPS for job in group.jobs for experiment in job.experiments}
    assert not set(CLAIMS) & (tables | {group.name for group in GROUPS})


@pytest.mark.parametrize(("group", "one"), REGISTERED)
def test_a_statement_can_be_printed(group, one):
    assert one.statement.endswith(".") and "\n" not in one.statement and "  " not in one.statement
    assert one.statement.count("$") % 2 == 0
    assert "\\\\" not in one.statement and not any(ord(character) < 32 for character in one.statement)


@pytest.mark.parametrize(("group", "one"), REGISTERED)
def test_a_unit_follows_a_number_as_english(group, one):
    # "1 of the certified worst case" was what the tables said of a ratio.
    number = ("times ", "of the ", "$", "(")
    assert one.unit in ("1", "steps", "weights", "decades", "decades per step") or one.unit.startswith(number)
    if one.unit.startswith("of the "):
        assert one.unit.endswith("s"), "a share of many"


def test_no_identity_is_refuted():
    # It follows from algebra or a theorem: what refutes it is an error in the code, or in its kind.
    decided = json.loads((ROOT / "reference/laptop/claims.json").read_text(encoding="utf-8"))
    verdicts = {entry["id"]: entry["verdict"] for entry in decided}
    identities = [one.id for one in CLAIMS.values() if one.kind == "identity"]
    assert {name: verdicts[name] for name in identities} == dict.fromkeys(identities, "supported")


@pytest.mark.parametrize(("group", "one"), REGISTERED)
def test_an_order_has_a_smallest_effect_or_a_factor_in_its_statement(group, one):
    if one.test.random and not one.test.two_sided and one.test.margin == 0:
        factor = r"than (five times|a tenth|a quarter|a fifth|half|ten times|a hundred times|twice|.* less the margin)"
        assert re.search(factor, one.statement)
    else:
        assert one.test.margin > 0 or not one.test.random


@pytest.mark.parametrize(("group", "one"), REGISTERED)
def test_a_rule_says_in_its_sentence_whether_it_is_in_pairs(group, one):
    assert one.test.name.endswith(", in pairs") == one.test.in_pairs


@pytest.mark.parametrize("path", sorted((ROOT / "src/ndgm/claims").rglob("*.py")), ids=lambda path: path.stem)
def test_rules_are_read_from_all_that_a_module_of_claims_imports(path):
    """`ndgm.decide.rules` follows `from … import` at the head of a module, and would miss what comes otherwise."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert not [alias.name for alias in node.names if alias.name.partition(".")[0] == "ndgm"]
        if isinstance(node, ast.ImportFrom):
            assert node in tree.body and node.level == 0 and "*" not in [alias.name for alias in node.names]
