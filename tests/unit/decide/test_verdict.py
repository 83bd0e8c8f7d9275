"""The words of `claims.json` are those of its schema, which users validate against."""

import json
from pathlib import Path
from typing import get_args

import pytest

import ndgm.decide.claim
from ndgm.decide.verdict import Compared, Kind, Verdict
from ndgm.store.files import read_json


def words(schema: object, key: str) -> list[str]:
    """What a schema allows a key to be, wherever it has it, but for nothing."""
    if not isinstance(schema, dict | list):
        return []
    below = schema.values() if isinstance(schema, dict) else schema
    here = schema.get("properties", {}).get(key, {}).get("enum", []) if isinstance(schema, dict) else []
    return [word for word in here if word] + [word for part in below for word in words(part, key)]


@pytest.mark.parametrize(
    ("key", "ours"),
    [("verdict", [*map(str, Verdict)]), ("kind", [*get_args(Kind)]), ("compared", [*get_args(Compared)])],
)
def test_the_words_are_those_of_the_schema(key, ours):
    schema = read_json(Path(ndgm.decide.claim.__file__).with_name("claims.schema.json"))
    assert words(schema, key) == ours


def test_a_verdict_is_written_as_its_word():
    assert json.dumps(Verdict.SUPPORTED) == '"supported"' and f"{Verdict.REFUTED}" == "refuted"
