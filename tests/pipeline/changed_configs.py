"""Valid configs that differ from the smoke scale in one thing or in many."""

import copy
import random
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import yaml

from ndgm.experiments.grids import log_spaced
from ndgm.pipeline.schema import dotted
from ndgm.pipeline.settings import faults, load

Config = dict[str, Any]
Key = tuple[str, ...]
Change = tuple[str, Callable[[], Config]]
"""What is done to a config, and what makes the changed one: most are never asked for."""

OPEN = (
    "samples.l1_paradox",
    "samples.edge_of_stability_logistic",
    "samples.edge_of_stability_separable",
    "samples.overparameterization",
    "convergence.networks.data",
    "convergence.networks.data.*.problems",
    "l1_paradox.weights.data",
    "subspace_attack.frozen_weights.step_sizes",
    "adversarial_spectrum.attacks.data",
    "weight_initialization.wide.activations",
    "weight_initialization.training.activations",
)
"""Mappings of the config whose entries may be left out."""

MORE: dict[str, list[Any]] = {
    "samples.l1_paradox": ["another_design"],
    "samples.edge_of_stability_logistic": ["another_table"],
    "samples.edge_of_stability_separable": ["another_table"],
    "samples.overparameterization": ["other_pictures"],
    "convergence.networks.data.*.problems": ["another_problem"],
    "convergence.networks.activations": ["elu", "softplus_3.5", "hardtanh"],
    "convergence.cures.methods": ["subgradient_linear"],
    "l1_paradox.lasso.methods": ["sign", "adagrad"],
    "adaptive.lasso.methods": ["heavy_ball"],
    "adaptive.one_weight.methods": ["heavy_ball", "ista"],
    "adaptive.cycles.methods": ["rmsprop_0.9"],
    "edge_of_stability.cycles.functions": ["linex", "power_1.95", "tilted_softplus_0.3"],
    "edge_of_stability.asymmetric.functions": ["log_cosh", "tilted_softplus_0.7"],
    "edge_of_stability.networks.activations": ["silu", "softplus_3"],
    "overparameterization.start.activations": ["silu", "elu"],
    "overparameterization.narrow.activations": ["gelu"],
}
"""Names that may stand in a mapping or a list besides those of the smoke scale."""


def at(config: Any, key: Key) -> Any:
    """What stands at a key of the config."""
    for name in key:
        config = config[name]
    return config


def is_grid(value: Any) -> bool:
    """Whether a setting is a grid of numbers."""
    return isinstance(value, Mapping) and set(value) == {"low", "high", "count"}


def keys(config: Config, wanted: Callable[[Key, Any], bool], below: Key = ()) -> Iterator[Key]:
    """Keys of the config with a wanted value, in its order."""
    for name, value in at(config, below).items():
        key = (*below, name)
        if wanted(key, value):
            yield key
        if isinstance(value, Mapping):
            yield from keys(config, wanted, key)


def matches(key: Key, path: str) -> bool:
    """Whether a key is that of a path in which `*` stands for any name."""
    names = path.split(".")
    return len(names) == len(key) and all(wanted in ("*", name) for wanted, name in zip(names, key, strict=True))


def choices(config: Config) -> dict[Key, list[Any]]:
    """What can be chosen from: the values of each list, grid and open mapping, by its key."""

    def chosen(key: Key, value: Any) -> bool:
        return key[-1] != "hidden" and (isinstance(value, list) or is_grid(value) or any(matches(key, o) for o in OPEN))

    return {key: values_at(config, key) for key in keys(config, chosen)}


def values_at(config: Config, key: Key) -> list[Any]:
    """The values of a list, a grid or an open mapping; none where the config no longer has it."""
    try:
        value = at(config, key)
    except KeyError:
        return []
    return list(log_spaced(**value)) if is_grid(value) else list(value)


def with_only(config: Config, key: Key, values: list[Any]) -> Config:
    """The config with just some values of a list, a grid or an open mapping, and without what speaks of the others.

    Values of a grid are neighbours.
    """
    config = copy.deepcopy(config)
    around, name = at(config, key[:-1]), key[-1]
    if is_grid(around[name]):
        around[name] = {"low": float(values[0]), "high": float(values[-1]), "count": len(values)}
    elif isinstance(around[name], Mapping):
        first = next(iter(around[name].values()))
        around[name] = {each: around[name].get(each, first) for each in values}
    else:
        around[name] = list(values)
    return _consistent(config)


def _consistent(config: Config) -> Config:
    """The config without names of what it no longer has; a list that would be empty names the first that there is."""
    samples, networks = config["samples"], config["convergence"]["networks"]
    for key in keys(config, lambda key, value: key[-1] == "designs" and isinstance(value, list)):
        block, there = at(config, key[:-1]), list(samples["l1_paradox"])
        block["designs"] = [name for name in block["designs"] if name in there] or there[:1]
    owned = {f"{data}_{name}": data for data, block in networks["data"].items() for name in block["problems"]}
    before = samples["convergence_networks"]
    alike = {data: next(entry for entry in before.values() if entry["source"] == data) for data in networks["data"]}
    samples["convergence_networks"] = {name: before.get(name, alike[data]) for name, data in owned.items()}
    shared = [set(block["problems"]) for block in networks["data"].values()]
    in_all = [
        name for name in next(iter(networks["data"].values()))["problems"] if all(name in each for each in shared)
    ]
    for name, there in (("problems", in_all), ("activations", networks["activations"])):
        some = [each for each in networks["floors"][name] if each in there]
        networks["floors"][name] = some or list(there[:1])
    families, turns = config["l1_paradox"]["designs"]["families"], config["l1_paradox"]["turns"]
    turns["turning"] = [name for name in turns["turning"] if name in families] or list(families)[:1]
    return config


def one_change(config: Config) -> Iterator[Change]:
    """One value less, one alone or one more, and one seed."""
    for key, values in choices(config).items():
        grid = is_grid(at(config, key))
        name = dotted(key)
        for place, value in enumerate(values):
            shown = f"{value:.3g}" if isinstance(value, float) else value
            yield f"{name}: {shown} alone", partial(with_only, config, key, [value])
            if len(values) > 2 and not grid:
                yield f"{name}: without {shown}", partial(with_only, config, key, values[:place] + values[place + 1 :])
        if grid and len(values) > 2:
            half = len(values) // 2
            yield f"{name}: lower half", partial(with_only, config, key, values[:half])
            yield f"{name}: upper half", partial(with_only, config, key, values[half:])
        for path, more in MORE.items():
            for value in more if matches(key, path) else []:
                yield f"{name}: with {value}", partial(with_only, config, key, [*values, value])
                yield f"{name}: {value} alone", partial(with_only, config, key, [value])
    for key in keys(config, lambda key, value: key[-1] in ("seeds", "starts", "most_steps")):
        yield f"{dotted(key)}: 1", partial(with_one, config, key)


def with_one(config: Config, key: Key) -> Config:
    """The config with 1 at a key."""
    config = copy.deepcopy(config)
    at(config, key[:-1])[key[-1]] = 1
    return config


def many_changes(config: Config, count: int, seed: int) -> Iterator[Change]:
    """Lists, grids and open mappings become parts of themselves; not those that need certain values."""
    for number in range(count):
        yield f"number {number} at random", partial(at_random, config, random.Random(f"{seed}, {number}"))


def at_random(config: Config, draw: random.Random) -> Config:
    """The config with parts of half of its lists, grids and open mappings."""
    for key in choices(config):
        values = values_at(config, key)  # none where it went with a change before
        if not values or key[-1] in ("values", "tilts", "step_sizes") or draw.random() < 0.5:
            continue
        size = draw.randint(1, len(values))
        if is_grid(at(config, key)):
            first = draw.randint(0, len(values) - size)
            some = values[first : first + size]
        else:
            some = sorted(draw.sample(values, size), key=values.index)
            more = [each for path, each in MORE.items() if matches(key, path)]
            some += [each for each in (more[0] if more else []) if draw.random() < 0.2]
        config = with_only(config, key, some)
    return config


def is_valid(config: Config) -> bool:
    """Whether the pipeline's own check finds no fault with a config, as it would be read from a file."""
    config = yaml.load(yaml.dump(config, Dumper=yaml.CSafeDumper), yaml.CSafeLoader)
    return not faults(config, ["config/laptop.yaml"], config)


def configs(count: int = 100, seed: int = 1) -> Iterator[tuple[str, Config]]:
    """All of these, around the smoke scale, that are valid."""
    smoke = load("smoke")
    for name, changed in [*one_change(smoke), *many_changes(smoke, count, seed)]:
        if is_valid(config := changed()):
            yield name, config
