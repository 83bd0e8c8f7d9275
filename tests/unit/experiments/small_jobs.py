"""Every job of the manifest, on the smoke config with few steps, without files; of parts that differ in data, one."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ndgm.data.kinds import Data, Weights
from ndgm.data.sources import SOURCES
from ndgm.experiments.ensembles import Plan, sweep
from ndgm.experiments.inputs import Found, Inputs, Settings
from ndgm.groups import GROUPS, Experiment
from ndgm.pipeline.commands import RESULTS, Part, all_parts
from ndgm.pipeline.jobs import settings
from ndgm.pipeline.programs import function_of
from ndgm.pipeline.settings import load
from ndgm.store.files import read_json
from ndgm.store.provenance import generator

ROOT = Path(__file__).parents[3]
SMOKE = load("smoke", ROOT / "config")

MOST = {"steps": 10, "first_steps": 10, "most_steps": 80, "search_steps": 10, "accuracy": 0.0}
"""Settings that are no larger here. After so few steps no network is accurate."""


def fewer_steps(config: Any) -> Any:
    """A config with few steps everywhere, and with the ends of each grid of numbers."""
    if isinstance(config, list) and len(config) > 2 and all(isinstance(value, int | float) for value in config):
        return [config[0], config[-1]]
    if not isinstance(config, Mapping):
        return config
    return {key: min(value, MOST[key]) if key in MOST else fewer_steps(value) for key, value in config.items()}


def kind(part: Part) -> tuple[str, str]:
    """What decides which operations a part takes: its job and, where parts are sweeps, the part with its batches."""
    return part.job.name, part.part if part.job.parts.endswith(".sweeps") else ""


ALL = all_parts(fewer_steps(SMOKE), GROUPS)
OF_EACH_KIND = [part for part in ALL if part is next(each for each in ALL if kind(each) == kind(part))]
PARTS = [part for part in OF_EACH_KIND if part.job.trains]
TABULATED = [part for part in OF_EACH_KIND if not part.job.trains]


@cache
def data(entry: str) -> Data:
    """The data of an entry `owner/name` of the table of samples."""
    owner, name = entry.split("/")
    options = dict(SMOKE["samples"][owner][name])
    source = options.pop("source")
    rng = generator(SMOKE["root_seed"], owner, name.replace("_", " "))
    return function_of("data", f"{SOURCES[source]}.{source}")(rng, **options)


def inputs_of(part: Part, found: Mapping[str, Found]) -> Inputs:
    """What the experiments of a job read."""
    samples: dict[str, dict[str, Data]] = {}
    for entry in part.samples:
        owner, name = entry.split("/")
        samples.setdefault(owner, {})[name] = data(entry)
    paths = [path.replace("{part}", part.part) for path in part.job.reads]
    reads = {
        PurePath(path).name: result(path.removeprefix(RESULTS)) if path.startswith(RESULTS) else read_json(ROOT / path)
        for path in paths
    }
    return Inputs(samples, reads, found)


@cache
def result(path: str) -> Any:
    """What stands in a table of a job that trains, or in a file of the weights that its runs end with."""
    maker = next(part for part in ALL if path in part.outputs)
    place, each = next(
        (place, each) for place, each in enumerate(maker.job.experiments) if PurePath(path).stem.startswith(each.table)
    )
    experiment, size = experiment_of(maker, place, {})
    with TemporaryDirectory() as folder:
        found = sweep(experiment.ensembles(size), experiment.build, Path(folder), **named(each))
    if path.endswith(".parquet"):
        return found.table
    return Weights(np.stack([experiment.parameters(end) for _, end in sorted(found.ends.items())]))


def experiment_of(part: Part, place: int, found: Mapping[str, Found], **other: Any) -> tuple[Plan, int]:
    """An experiment of a job that trains, and its ensemble size.

    Args:
        part: The job.
        place: Of the experiment in the job.
        found: What the earlier ones found.
        **other: Settings in the place of the config's.
    """
    told = settings(part.job, part.config, part.part)[place] | other
    function = function_of("experiments", part.job.experiments[place].function)
    return function(told, inputs_of(part, found)), told["ensemble_size"]


def named(experiment: Experiment) -> dict[str, Any]:
    """What a sweep knows of the manifest."""
    return {"experiment": experiment.table, "undefined": experiment.undefined}


def swept(part: Part, folder: Path, **other: Any) -> dict[str, Found]:
    """What the experiments of a job find, trained as the pipeline does.

    Args:
        part: The job.
        folder: Of checkpoints.
        **other: Settings in the place of the config's.
    """
    found: dict[str, Found] = {}
    for place, each in enumerate(part.job.experiments):
        experiment, size = experiment_of(part, place, found, **other)
        found[each.table] = sweep(experiment.ensembles(size), experiment.build, folder / each.table, **named(each))
    return found


def tabulated(part: Part, **other: Any) -> Iterator[tuple[Settings, Found]]:
    """What the experiments of a job are told and find that trains nothing, made as the pipeline does.

    Args:
        part: The job.
        **other: Settings in the place of those that an experiment is given.
    """
    found: dict[str, Found] = {}
    for each, given in zip(part.job.experiments, settings(part.job, part.config, part.part), strict=True):
        told = given | {name: value for name, value in other.items() if name in given}
        made = function_of("experiments", each.function)(told, inputs_of(part, found))
        found[each.table] = made if isinstance(made, Found) else Found(made, {})
        yield told, found[each.table]
