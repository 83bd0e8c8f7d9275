"""The schema of claims.json takes both references and what is decided here, and nothing that is no decided claim."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from jsonschema import Draft202012Validator

import ndgm.decide.claim
from ndgm.decide.claim import Claim, Evidence
from ndgm.decide.entries import decide
from ndgm.decide.statistics import at_most, difference, equivalence, order, within
from ndgm.store.files import rounded

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads(Path(ndgm.decide.claim.__file__).with_name("claims.schema.json").read_text(encoding="utf-8"))
FIELDS = SCHEMA["items"]["properties"]
OPTIONAL = {"horizon", "diverged"}
REFERENCES = sorted(ROOT.glob("reference/*/claims.json"))


def faults(entries):
    return [f"{list(fault.path)}: {fault.message}" for fault in Draft202012Validator(SCHEMA).iter_errors(entries)]


def made_up(test, values, table=None):
    """What is decided of one claim, as its file has it."""
    index = pd.MultiIndex.from_product([["a", "b"], range(len(values))], names=["design", "seed"])
    measured = pd.Series(np.tile(np.asarray(values, dtype=float), 2), index)
    one = Claim(
        id="made_up",
        group="made",
        statement="Statement.",
        kind="finding",
        figure="figure",
        unit="1",
        test=test,
        experiments=("toy",),
        gather=lambda runs: Evidence(measured, 1.0, "other arm", table=table),
    )
    (entry,) = rounded(decide({"made_up": one}, {"toy": pd.DataFrame()}))
    return json.loads(json.dumps(entry)) | {"section": "3"}


def test_the_schema_is_one_and_describes_every_field():
    Draft202012Validator.check_schema(SCHEMA)
    assert all(field["description"].strip() for field in FIELDS.values())
    assert {*SCHEMA["items"]["required"], *OPTIONAL} == set(FIELDS)


@pytest.mark.parametrize("path", REFERENCES, ids=lambda path: path.parent.name)
def test_the_references_are_valid_and_sorted(path):
    entries = json.loads(path.read_text(encoding="utf-8"))
    assert faults(entries) == []
    assert [entry["id"] for entry in entries] == sorted(entry["id"] for entry in entries)


@pytest.mark.parametrize("rule", [equivalence, difference, lambda margin: order(), within, at_most])
@pytest.mark.parametrize("values", [np.arange(8) / 9, [1.1, 1.2, 1.0], [1.0, 1.0, 1.0], [1.0, np.nan, 2.0], [], [1.0]])
def test_what_is_decided_is_valid(rule, values):
    assert faults([made_up(rule(0.05), values)]) == []


def test_a_table_is_valid():
    table = pd.DataFrame({"step": [1.5, np.nan]}, index=["here", "there"])
    assert faults([made_up(within(0.05), [1.0], table)]) == []


@pytest.mark.parametrize("field", FIELDS)
def test_no_field_may_be_missing_or_misspelt_or_of_another_type(field):
    entry = made_up(order(), np.arange(8.0) / 9) | {"horizon": 4.0, "diverged": 2}
    assert faults([entry]) == []
    assert bool(faults([{key: value for key, value in entry.items() if key != field}])) == (field not in OPTIONAL)
    assert faults([entry | {field: [True]}])
    assert faults([entry | {f"{field}_": entry[field]}])


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "true"},
        {"kind": "law"},
        {"compared": "theory"},
        {"compared": None},
        {"measured": None},
        {"p_value": 1.5},
        {"interval": [1.0]},
        {"gap": ""},
        {"gap": "no runs"},  # and numbers all the same
    ],
)
def test_what_is_no_decided_claim_is_refused(change):
    assert faults([made_up(order(), np.arange(8.0) / 9) | change])
