"""Every job that trains, on the smoke config with few steps, without files; of parts that differ in their data, one."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ndgm.data.kinds import Data
from ndgm.data.sources import SOURCES
from ndgm.experiments.ensembles import Plan, sweep
from ndgm.experiments.inputs import Found, Inputs
from ndgm.groups import GROUPS
from ndgm.pipeline.commands import Part, all_parts
from ndgm.pipeline.jobs import settings
from ndgm.pipeline.programs import function_of
from ndgm.store.provenance import generator

MOST_STEPS = 10
SMOKE = json.loads((Path(__file__).parents[3] / "reference/smoke/settings.json").read_text())


def fewer_steps(config: Any) -> Any:
    """A config with few steps everywhere, and with the ends of each grid of numbers."""
    if isinstance(config, list) and len(config) > 2 and all(isinstance(value, int | float) for value in config):
        return [config[0], config[-1]]
    if not isinstance(config, Mapping):
        return config
    return {key: min(value, MOST_STEPS) if key == "steps" else fewer_steps(value) for key, value in config.items()}


def kind(part: Part) -> tuple[str, str]:
    """What decides which operations a part takes: its job and, where parts are sweeps, the part with its batches."""
    return part.job.name, part.part if part.job.parts.endswith(".sweeps") else ""


TRAINED = [part for part in all_parts(fewer_steps(SMOKE), GROUPS) if part.job.trains]
PARTS = [part for part in TRAINED if part is next(each for each in TRAINED if kind(each) == kind(part))]


@cache
def data(entry: str) -> Data:
    """The data of an entry `owner/name` of the table of samples."""
    owner, name = entry.split("/")
    options = dict(SMOKE["samples"][owner][name])
    source = options.pop("source")
    rng = generator(SMOKE["root_seed"], owner, name.replace("_", " "))
    return function_of("data", f"{SOURCES[source]}.{source}")(rng, **options)


def experiment_of(part: Part, place: int, found: Mapping[str, Found], **other: Any) -> tuple[Plan, int]:
    """An experiment of a job and its ensemble size.

    Args:
        part: The job.
        place: Of the experiment in the job.
        found: What the earlier ones found.
        **other: Settings in the place of the config's.
    """
    samples: dict[str, dict[str, Data]] = {}
    for entry in part.samples:
        owner, name = entry.split("/")
        samples.setdefault(owner, {})[name] = data(entry)
    told = settings(part.job, part.config, part.part)[place] | other
    function = function_of("experiments", part.job.experiments[place].function)
    return function(told, Inputs(samples, found=found)), told["ensemble_size"]


def swept(part: Part, folder: Path) -> dict[str, Found]:
    """What the experiments of a job find, trained as the pipeline does."""
    found: dict[str, Found] = {}
    for place, each in enumerate(part.job.experiments):
        experiment, size = experiment_of(part, place, found)
        found[each.table] = sweep(
            experiment.ensembles(size), experiment.build, folder / each.table, experiment=each.table
        )
    return found
