"""The schema of the config: its own words, and what it says of the code, against the code."""

import inspect
import math
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from jsonschema import Draft202012Validator

from ndgm.data.sources import SOURCES
from ndgm.engine.activations import activation
from ndgm.engine.networks import Networks
from ndgm.engine.objectives import scalar as engine_functions
from ndgm.engine.objectives.absolute_regression import AbsoluteRegression
from ndgm.engine.objectives.lasso import Lasso
from ndgm.engine.objectives.network import NetworkLoss
from ndgm.engine.objectives.objective import Objective
from ndgm.engine.objectives.one_weight import OneWeight
from ndgm.engine.objectives.penalised_network import PenalisedNetwork
from ndgm.groups import GROUPS
from ndgm.pipeline.programs import function_of
from ndgm.pipeline.registries import asks, names
from ndgm.pipeline.schema import completed, dotted, parts_of, schema, violations
from ndgm.theory.edge_of_stability import scalar

ROOT = Path(__file__).parents[3]
WRITTEN = yaml.safe_load((files("ndgm.pipeline") / "config.schema.yaml").read_text(encoding="utf-8"))
OWNERS = WRITTEN["properties"]["samples"]["properties"]


def everywhere(node: Any, word: str) -> Iterator[Any]:
    """What stands under a word of the schema, wherever it stands."""
    if isinstance(node, dict):
        yield from [node[word]] if word in node else []
        for below in node.values():
            yield from everywhere(below, word)
    elif isinstance(node, list):
        for below in node:
            yield from everywhere(below, word)


def test_it_is_json_schema() -> None:
    """What is left of our own words are those that are functions."""
    Draft202012Validator.check_schema(schema())
    assert [word for word in ("several", "optional", "sources") if list(everywhere(schema(), word))] == []


def test_words_that_save_writing() -> None:
    """What each stands for."""
    count = {"$ref": "#/$defs/count"}
    assert completed({"several": "count", "minItems": 2}) == {
        "type": "array",
        "minItems": 2,
        "uniqueItems": True,
        "items": count,
    }
    assert completed({"optional": ["one"], "properties": {"one": "count", "two": {"type": "number"}}}) == {
        "type": "object",
        "required": ["two"],
        "additionalProperties": False,
        "properties": {"one": count, "two": {"type": "number"}},
    }
    assert completed({"properties": {"one": {"maximum": 2}}, "$ref": "grid"}) == {
        "properties": {"one": {"maximum": 2}},
        "$ref": "#/$defs/grid",
    }


def test_parts_of_a_config() -> None:
    """Keys of a path, with a star for each key there; nothing where nothing is."""
    config = {"data": {"a": {"x": 1}, "b": {"x": 2}, "c": 3}}
    assert parts_of(config, "data.*.x") == [(("data", "a", "x"), 1), (("data", "b", "x"), 2)]
    assert parts_of(config, "data.c") == [(("data", "c"), 3)]
    assert parts_of(config, "other.x") == parts_of(None, "x") == []


def test_a_key_is_on_one_line() -> None:
    """Also where the config has strange names."""
    assert dotted(("step_sizes", 1)) == "step_sizes[1]"
    assert dotted((12, "a\nb", None)) == "[12]['a\\nb'][None]"


def test_the_owners_of_samples_are_those_of_the_manifest() -> None:
    """Whatever a job reads is in the schema, and nothing else."""
    patterns = [pattern for group in GROUPS for job in group.jobs for pattern in job.samples]
    assert OWNERS.keys() == {pattern.partition("/")[0] for pattern in patterns}


def test_every_block_that_an_experiment_reads_is_known() -> None:
    """The dotted keys of the manifest, in the schema."""
    experiments = [each for group in GROUPS for job in group.jobs for each in job.experiments]
    keys = {key for each in experiments for key in (each.settings, *each.also) if key}
    keys |= {job.parts for group in GROUPS for job in group.jobs if job.parts}
    assert [key for key in sorted(keys) if not known(key.split("."), schema())] == []


def known(key: list[str], node: dict) -> bool:
    """Whether a schema has a key."""
    if "$ref" in node:
        node = schema()["$defs"][node["$ref"].rpartition("/")[2]]
    return not key or (key[0] in node.get("properties", {}) and known(key[1:], node["properties"][key[0]]))


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_takes_the_options_of_its_function(source: str) -> None:
    """Names of options are those of the function; what has no default there is required."""
    function = function_of("data", f"{SOURCES[source]}.{source}")
    parameters = [p for p in inspect.signature(function).parameters.values() if p.kind == p.KEYWORD_ONLY]
    tables = [owner["sources"][source] for owner in OWNERS.values() if source in owner["sources"]]
    assert tables, "add it to the sources of an owner in config.schema.yaml"
    for table in tables:
        assert table["properties"].keys() <= {parameter.name for parameter in parameters}
        required = table["properties"].keys() - set(table.get("optional", []))
        assert required >= {parameter.name for parameter in parameters if parameter.default is parameter.empty}


def test_every_source_of_the_schema_is_there() -> None:
    """No source without a function."""
    assert {name for owner in OWNERS.values() for name in owner["sources"]} <= SOURCES.keys()


def test_the_exceptions_of_registries_exist() -> None:
    """A name that is excluded, and a family, is one of the code."""
    found = list(everywhere(WRITTEN, "registry"))
    excluded = [(one["of"], name) for one in found for name in one.get("without", [])]
    assert excluded and [(of, name) for of, name in excluded if name not in names(of)] == []
    families = [one["families"] for one in found if one["of"] == "scalar_functions"]
    assert set().union(*families) == engine_functions.FAMILIES.keys()


def objectives() -> dict[str, list[Objective]]:
    """What experiments with these `methods` minimise, in small; a key of the schema, or of its `$defs`."""
    one, row = torch.ones(1, 1), torch.ones(1)
    networks = NetworkLoss(Networks((1, 1, 1), activation("relu")), one, one, 1)
    return {
        "lasso_methods": [Lasso(one, row, one), OneWeight(one, one, one)],
        "network_method": [PenalisedNetwork(networks, one)],
        "methods": [AbsoluteRegression(one, row, one)],
    }


@pytest.mark.parametrize("where", ["lasso_methods", "network_method", "methods"])
def test_what_is_offered_to_methods_is_there(where: str) -> None:
    """All that the objective has of what methods ask for, and nothing else."""
    asked = {name for method in names("methods") for name in asks(method)}
    (offers,) = [set(registry["offers"]) for node in everywhere(WRITTEN, where) for registry in registries_in(node)]
    assert asked - set().union(*(objective.lacks(asked) for objective in objectives()[where])) == offers


def registries_in(node: Any) -> list[dict]:
    """Uses of the word `registry` in a schema that name what is offered to methods."""
    return [registry for registry in everywhere(node, "registry") if "offers" in registry]


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("power_1.5", False),
        ("power_1.001", False),
        ("power_2", True),
        ("power_1.0", True),
        ("power_1e0", True),
        ("power_nan", True),
        ("power_", True),
        ("tilted_softplus_0.3", False),
        ("tilted_softplus_.3", False),
        ("tilted_pseudo_huber_1", True),
        ("absolute_1.5", True),
        ("linex", False),
    ],
)
def test_a_family_is_a_name_with_a_number(name: str, fault: bool) -> None:
    """A number between the limits of the family, in digits; the engine has the function."""
    found = dict(violations({"edge_of_stability": {"cycles": {"functions": [name]}}}))
    assert (("edge_of_stability", "cycles", "functions", 0) in found) == fault
    if not fault:
        engine_functions.ScalarLoss(name)


def test_functions_near_the_threshold_have_a_fourth_derivative() -> None:
    """Those that the schema admits, and only those, by the closed forms."""
    known = [
        *names("scalar_functions"),
        *(f"{name}_{1.5 if name == 'power' else 0.3}" for name in engine_functions.FAMILIES),
    ]
    found = dict(violations({"edge_of_stability": {"near_threshold": {"functions": known}}}))
    key = ("edge_of_stability", "near_threshold", "functions")
    admitted = [name for place, name in enumerate(known) if (*key, place) not in found]
    assert admitted == [name for name in known if math.isfinite(scalar(name).fourth)]


def test_the_readme_explains_every_key_and_source() -> None:
    """Each has a line in config/README.md, which explains nothing else."""
    keys = {name for properties in everywhere(schema(), "properties") for name in properties}
    sources = {name for owner in OWNERS.values() for name in owner["sources"]}
    rows = re.findall(r"^(?:\||##) (`.*?)(?: \||$)", (ROOT / "config/README.md").read_text(), re.MULTILINE)
    explained = {name.rpartition(".")[2] for row in rows for name in re.findall(r"`([\w.<>]+)`", row)}
    assert keys | sources == explained - {"yaml"}  # the table of files
