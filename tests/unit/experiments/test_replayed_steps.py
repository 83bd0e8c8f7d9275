"""Every experiment on a device replays its steps from a graph: on the processor, with what a graph sees and no more.

A device is not needed to find a step that changes what a graph does not see, or one that waits for the device.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
import torch
from graphs_on_the_processor import capture

import ndgm.engine.capture
import ndgm.engine.descent
from ndgm.data.kinds import Data
from ndgm.data.sources import SOURCES
from ndgm.engine.capture import replayed
from ndgm.experiments.ensembles import sweep
from ndgm.experiments.inputs import Found, Inputs
from ndgm.experiments.training import deterministic_torch
from ndgm.groups import GROUPS
from ndgm.pipeline.commands import all_parts
from ndgm.pipeline.jobs import settings
from ndgm.pipeline.programs import function_of
from ndgm.store.provenance import generator

MOST_STEPS = 16
SMOKE = json.loads((Path(__file__).parents[3] / "reference/smoke/settings.json").read_text())


def fewer_steps(config):
    """A config with few steps everywhere."""
    if not isinstance(config, Mapping):
        return config
    return {key: min(value, MOST_STEPS) if key == "steps" else fewer_steps(value) for key, value in config.items()}


PARTS = [part for part in all_parts(fewer_steps(SMOKE), GROUPS) if part.job.trains]


@cache
def data(entry: str) -> Data:
    """The data of an entry `owner/name` of the table of samples."""
    owner, name = entry.split("/")
    options = dict(SMOKE["samples"][owner][name])
    source = options.pop("source")
    rng = generator(SMOKE["root_seed"], owner, name.replace("_", " "))
    return function_of("data", f"{SOURCES[source]}.{source}")(rng, **options)


def inputs_of(part, found: dict[str, Found]) -> Inputs:
    """What the experiments of a job may read."""
    samples: dict[str, dict[str, Data]] = {}
    for entry in part.samples:
        owner, name = entry.split("/")
        samples.setdefault(owner, {})[name] = data(entry)
    return Inputs(samples, found=found)


def swept(part, folder: Path) -> dict[str, Found]:
    """What the experiments of a job find."""
    found: dict[str, Found] = {}
    for each, told in zip(part.job.experiments, settings(part.job, part.config, part.part), strict=True):
        experiment = function_of("experiments", each.function)(told, inputs_of(part, found))
        found[each.table] = sweep(experiment.ensembles(told["ensemble_size"]), experiment.build, folder / each.table)
    return found


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_replayed_steps_are_the_steps(part, monkeypatch, tmp_path):
    captures = []
    deterministic_torch("cpu")
    steps = swept(part, tmp_path / "steps")
    monkeypatch.setattr(ndgm.engine.capture, "_capture", lambda step: captures.append(step) or capture(step))
    on_device = torch.device("cuda")
    monkeypatch.setattr(ndgm.engine.descent, "replayed", lambda step, memory, _: replayed(step, memory, on_device))
    replays = swept(part, tmp_path / "replays")
    assert captures
    for name, found in steps.items():
        pd.testing.assert_frame_equal(replays[name].table, found.table, check_exact=True)
