"""Configs at random: what is wrong gives lines and never a traceback, and what is right gives none."""

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ndgm.data.sources import SOURCES
from ndgm.pipeline.registries import asks, names
from ndgm.pipeline.schema import dotted
from ndgm.pipeline.settings import faults, load, merged, overrides

ROOT = Path(__file__).parents[3]
DEFAULT = "config/laptop.yaml"
LAPTOP = load("laptop", ROOT / "config")
# A line names where the key was set, the key, and what is wrong.
LINE = re.compile(r"(command line|config/laptop\.yaml): \S.*: \S.*")

MANY = settings(
    max_examples=40, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.dates() | st.binary(max_size=3)
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=9) | st.integers() | st.none(), inner, max_size=3)
    ),
    max_leaves=6,
)


@pytest.fixture(autouse=True)
def in_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scales are looked for in `config/`."""
    monkeypatch.chdir(ROOT)


def keys_of(node: Any, key: tuple = ()) -> Iterator[tuple]:
    """Every key of a config, and every place of a list."""
    below = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, value in below:
        yield (*key, name)
        yield from keys_of(value, (*key, name))


KEYS = list(keys_of(LAPTOP))
# Mappings whose entries have any name.
OPEN = [
    ("l1_paradox",),
    ("edge_of_stability_logistic",),
    ("edge_of_stability_separable",),
    ("samples", "overparameterization"),
    ("problems",),
    ("l1_paradox", "designs", "families"),
    ("l1_paradox", "pruning", "partners"),
    ("subspace_attack", "frozen_weights", "step_sizes"),
    ("weight_initialization", "wide", "activations"),
    ("weight_initialization", "training", "activations"),
]


def at(config: Any, key: tuple) -> Any:
    """What stands at a key."""
    for name in key:
        config = config[name]
    return config


def changed(key: tuple, value: Any) -> dict:
    """The laptop scale with another value at one key."""
    config = copy.deepcopy(LAPTOP)
    at(config, key[:-1])[key[-1]] = value
    return config


def found_in(config: Any) -> list[str]:
    """Faults of a config all of which the command line said, after a look that each is a line."""
    found = faults(config, [DEFAULT], config)
    assert [line for line in found if not LINE.fullmatch(line)] == []
    return found


@MANY
@given(st.dictionaries(st.sampled_from(sorted(LAPTOP)) | st.text(max_size=9), ANYTHING, max_size=4))
def test_any_config(config: dict) -> None:
    """Whatever YAML can hold gives lines."""
    assert found_in(config)


@MANY
@given(st.sampled_from(KEYS), ANYTHING)
def test_any_value_at_any_key(key: tuple, value: Any) -> None:
    """Right or wrong, it gives lines, and where there is none the run can be told from the scale's."""
    config = changed(key, value)
    if not found_in(config):
        assert bool(overrides(config)) == (config != load(config["scale"]))


@MANY
@given(st.sampled_from(KEYS), st.data())
def test_a_value_of_another_kind(key: tuple, data: st.DataObject) -> None:
    """Text for a number, a list for a mapping: a line names the key."""
    kinds = {dict: st.dictionaries(st.text(max_size=3), st.none(), max_size=2), list: st.lists(st.none(), max_size=2)}
    wrong = [strategy for kind, strategy in kinds.items() if not isinstance(at(LAPTOP, key), kind)]
    scalars = st.none() | st.booleans() | st.sampled_from([float("nan"), float("inf"), "", "no such name"])
    config = changed(key, data.draw(st.one_of(*wrong, scalars)))
    assert any(line.startswith(f"command line: {dotted(key)}: ") for line in found_in(config))


@MANY
@given(st.sampled_from([key for key in KEYS if isinstance(at(LAPTOP, key), dict)] + [()]), st.text(max_size=9), SCALARS)
def test_a_key_that_there_is_not(key: tuple, name: str, value: Any) -> None:
    """Also where entries may have any name, a value alone is none."""
    if name not in at(LAPTOP, key):
        config = copy.deepcopy(LAPTOP)
        at(config, key)[name] = value
        assert found_in(config)


@MANY
@given(st.sampled_from([key for key in KEYS if isinstance(key[-1], str)]))
def test_a_key_that_is_missing(key: tuple) -> None:
    """A line names it, or the mapping that lost its last entry; entries of open tables may be missing."""
    config = copy.deepcopy(LAPTOP)
    del at(config, key[:-1])[key[-1]]
    may_be_missing = (
        key[-1] in ("components", *SOURCES)
        or any(key[:-1][-len(each) :] == each for each in OPEN)
        or key[-3:] == ("sweeps", "full_batch", "samples")
    )
    assert found_in(config) or may_be_missing


COUNT = st.integers(1, 10**6)
SAMPLE = st.integers(2, 10**6)
POSITIVE = st.floats(1e-12, 1e12)
SHARE = st.floats(0, 1)
NAME = st.from_regex(r"[a-z][a-z0-9_]{0,9}", fullmatch=True)
GRID = st.tuples(POSITIVE, POSITIVE, COUNT).map(
    lambda drawn: {"low": min(drawn[:2]), "high": max(drawn[:2]), "count": drawn[2]}
)


def several(values: st.SearchStrategy) -> st.SearchStrategy:
    """One value or more, none twice."""
    return st.lists(values, min_size=1, max_size=4, unique=True)


def run_of(**other: st.SearchStrategy) -> st.SearchStrategy:
    """Other settings with seeds and steps."""
    steps = st.tuples(COUNT, COUNT).map(sorted)
    both = st.tuples(st.fixed_dictionaries({"seeds": SAMPLE, **other}), steps)
    return both.map(lambda drawn: drawn[0] | {"recorded_steps": drawn[1][0], "steps": drawn[1][1]})


DESIGNS = {
    "diabetes": {},
    "diabetes_quadratic": {},
    "gaussian": {
        "samples": st.integers(2, 999),
        "features": st.integers(9, 99),
        "nonzeros": st.integers(1, 9),
        "noise": POSITIVE,
    },
}
ON_THE_LASSO = st.sampled_from([name for name in names("methods") if "lowest" not in asks(name) and name != "spred"])
WITHOUT_SMOOTH_PART = st.sampled_from(
    [name for name in names("methods") if "smooth_gradient" not in asks(name) and name != "spred"]
)


@st.composite
def right(draw: st.DrawFn) -> dict:
    """Settings of one's own, as someone would write them who knows what they mean."""
    designs = {
        draw(NAME): {"source": source, **draw(st.fixed_dictionaries(DESIGNS[source]))}
        for source in draw(st.lists(st.sampled_from(sorted(DESIGNS)), max_size=3))
    }
    some_designs = several(st.sampled_from([*LAPTOP["samples"]["l1_paradox"], *designs]))
    problem = draw(NAME.filter(lambda name: name not in ("interpolated", "noisy", "absolute")))
    test = draw(st.integers(1, 1700))
    activations = draw(
        several(st.sampled_from(names("activations")) | st.floats(1e-3, 999).map(lambda b: f"softplus_{b:.4f}"))
    )
    own = {
        "root_seed": st.integers(0, 2**63),
        "device": st.sampled_from(["cpu", "cuda"]),
        "ensemble_size": COUNT,
        "shards": st.integers(1, 1000),
        "l1_paradox": st.fixed_dictionaries(
            {
                "lasso": run_of(
                    methods=several(ON_THE_LASSO), penalties_over_max=GRID, step_sizes_times_lipschitz=several(POSITIVE)
                ),
                "pruning": st.fixed_dictionaries({"accuracy": SHARE, "kept": several(SHARE), "thresholds": GRID}),
            }
        ),
        "convergence": st.fixed_dictionaries(
            {
                "cures": run_of(
                    designs=some_designs, methods=several(WITHOUT_SMOOTH_PART), step_sizes=several(POSITIVE)
                ),
                "kink_dial": run_of(designs=some_designs, kinks=several(st.just(0.0) | POSITIVE)),
            }
        ),
        "edge_of_stability": st.fixed_dictionaries(
            {
                "cycles": run_of(
                    functions=several(
                        st.sampled_from(names("scalar_functions"))
                        | st.floats(1.01, 1.99).map(lambda q: f"power_{q:.3f}")
                    ),
                    step_sizes_over_threshold=GRID,
                )
            }
        ),
    }
    config = draw(st.fixed_dictionaries({}, optional=own))
    samples = {
        "l1_paradox": designs,
        "l1_paradox_networks": {"split": {"test": test}},
        "convergence_networks": {
            f"digits_{problem}": {"source": "digits", "samples": draw(st.integers(2, 1797)), "wrong": draw(SHARE)}
        },
    }
    networks = {
        "activations": activations,
        "floors": {"activations": draw(several(st.sampled_from(activations)))},
        "data": {
            "digits": {
                "problems": {
                    problem: {"loss": draw(st.sampled_from(["squared", "absolute"])), "target": draw(POSITIVE)}
                }
            }
        },
    }
    pictures = st.integers(2, 1797 - test)
    penalised = {
        "networks": {"sweeps": {"full_batch": {"samples": draw(pictures)}}},
        "weights": {"data": {"digits": {"full_batch": draw(pictures)}}},
    }
    return merged(config, {"samples": samples, "convergence": {"networks": networks}, "l1_paradox": penalised})


@MANY
@given(right())
def test_a_right_config_has_no_fault(mine: dict) -> None:
    """Also after it was written as YAML and read again; and its run is not the laptop scale's."""
    mine = yaml.safe_load(yaml.safe_dump(mine))
    config = merged(LAPTOP, mine)
    assert faults(config, [DEFAULT], mine) == []
    assert overrides(config)
