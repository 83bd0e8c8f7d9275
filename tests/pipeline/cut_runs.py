"""Valid configs that differ from the smoke scale in one thing or in many, and what a run of each would have made.

A run table holds all combinations of its factors, so that the tables of a smaller config are rows of those of a larger
one: `cut` takes them. A name that the larger config does not have is given the rows of another, which stands in for it.
"""

import copy
import json
import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import yaml

from ndgm.experiments.grids import log_spaced
from ndgm.groups import GROUPS
from ndgm.pipeline.schema import dotted
from ndgm.pipeline.settings import faults, load

Config = dict[str, Any]
Key = tuple[str, ...]

OPEN = (
    "samples.l1_paradox",
    "samples.edge_of_stability_logistic",
    "samples.edge_of_stability_separable",
    "convergence.networks.data",
    "convergence.networks.data.*.problems",
)
"""Mappings of the config whose entries may be left out."""

MORE: dict[str, list[Any]] = {
    "samples.l1_paradox": ["another_design"],
    "samples.edge_of_stability_logistic": ["another_table"],
    "samples.edge_of_stability_separable": ["another_table"],
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
}
"""Names that may stand in a mapping or a list besides those of the smoke scale."""


@dataclass(frozen=True)
class Factor:
    """A column of a run table, and the setting that names its values.

    Attributes:
        column: The column.
        key: Dotted key of the setting, where `{column}` stands for a value of that column; or a function of the config.
        rows: Rows that the setting speaks of, as a query; all where it is empty.
        shown: Value in the table of a value in the config.
    """

    column: str
    key: str | Callable[[Config], Sequence[Any]]
    rows: str = ""
    shown: Callable[[Any], Any] = lambda value: value


def _block(key: str, rows: str = "", **columns: str) -> list[Factor]:
    """Factors whose settings stand in one block of the config, and the number of seeds."""
    named = [Factor(column, f"{key}.{name}", rows) for column, name in columns.items()]
    return [*named, Factor("seed", f"{key}.seeds")]


def _at_kink(value: float) -> str:
    return str(float(value))


SWEEP = {
    "method": "methods",
    "step_size_times_lipschitz": "step_sizes_times_lipschitz",
    "penalty_over_max": "penalties_over_max",
}
NETWORKS = "convergence.networks"
DATA = [Factor("design", f"{NETWORKS}.data"), Factor("problem", f"{NETWORKS}.data.{{design}}.problems")]
IN_FLOORS = [
    *DATA,
    *_block(f"{NETWORKS}.floors", problem="problems", activation="activations")[:-1],
    Factor("seed", f"{NETWORKS}.seeds"),
]
L1_NETWORKS = "l1_paradox.networks.sweeps"
EPSILON = 1e-8


def _both_sweeps(config: Config, name: str) -> list[Any]:
    return [config["l1_paradox"][sweep][name] for sweep in ("lasso", "turning_point")]


def _step_sizes(config: Config) -> list[float]:
    return sorted({step for steps in _both_sweeps(config, "step_sizes_times_lipschitz") for step in steps})


def _low_penalties(config: Config) -> list[float]:
    return [EPSILON * each for each in log_spaced(**config["adaptive"]["one_weight"]["penalties_over_epsilon"])]


FACTORS: dict[str, list[Factor]] = {
    "convergence_certificates": [
        Factor("rule", "convergence.worst_cases.rules"),
        Factor("steps", lambda config: range(1, 1 + config["convergence"]["worst_cases"]["most_steps"])),
    ],
    "convergence_kink_dial": _block(
        "convergence.kink_dial",
        design="designs",
        kink="kinks",
        step_size_times_lipschitz="step_sizes_times_lipschitz",
    ),
    "convergence_smoothing": [
        *_block(
            "convergence.smoothing",
            "design != 'absolute value'",
            design="designs",
            penalty_over_max="penalties_over_max",
        ),
        *_block(
            "convergence.smoothing",
            step_size_times_lipschitz="step_sizes_times_lipschitz",
            width_over_critical="widths_over_critical",
        ),
    ],
    "convergence_cures": [
        Factor("method", "convergence.cures.methods", "width_over_critical == 0"),
        *_block("convergence.cures", design="designs", step_size="step_sizes"),
    ],
    "convergence_worst_cases": [
        Factor("rule", "convergence.worst_cases.rules", "rule != 'smooth'"),
        Factor("step_size", "convergence.worst_cases.smooth_step_sizes", "rule == 'smooth'"),
        Factor("steps", lambda config: range(1, 1 + config["convergence"]["worst_cases"]["most_steps"])),
        Factor("seed", "convergence.worst_cases.seeds"),
    ],
    "convergence_tuning": [*DATA, Factor("activation", f"{NETWORKS}.activations")],
    "convergence_networks": [
        *DATA,
        Factor("batch_size", f"{NETWORKS}.batch_sizes", shown=str),
        *_block(NETWORKS, activation="activations"),
    ],
    "convergence_decay": IN_FLOORS,
    "convergence_floors": [*IN_FLOORS, Factor("part_of_best_step", f"{NETWORKS}.floors.parts_of_best_step")],
    "convergence_kink_value": [
        *DATA,
        Factor(
            "activation",
            lambda config: [
                name for name in config["convergence"]["networks"]["activations"] if name.startswith("softplus_")
            ],
            "at_kink == 'as autograd'",
        ),
        Factor("at_kink", f"{NETWORKS}.derivatives_at_kink.values", "at_kink != 'as autograd'", _at_kink),
        Factor("seed", f"{NETWORKS}.seeds"),
    ],
    "l1_paradox_exact": [
        Factor("design", "samples.l1_paradox"),
        Factor("step_size_times_lipschitz", _step_sizes),
    ],
    "l1_paradox_lasso": [Factor("design", "samples.l1_paradox"), *_block("l1_paradox.lasso", **SWEEP)],
    "l1_paradox_turning_point": [Factor("design", "samples.l1_paradox"), *_block("l1_paradox.turning_point", **SWEEP)],
    "l1_paradox_noise": [
        Factor("design", "samples.l1_paradox"),
        *_block(
            "l1_paradox.noise",
            batch_size="batch_sizes",
            step_size_times_lipschitz="step_sizes_times_lipschitz",
            penalty_over_noise="penalties_over_noise",
        ),
    ],
    "l1_paradox_networks": [
        Factor("method", f"{L1_NETWORKS}.{{design}}.methods"),
        Factor("penalty", f"{L1_NETWORKS}.{{design}}.penalties", "penalty > 0"),
        Factor("seed", "l1_paradox.networks.seeds"),
    ],
    "l1_paradox_pruning": [
        Factor("method", f"{L1_NETWORKS}.minibatch.methods"),
        Factor("penalty", f"{L1_NETWORKS}.minibatch.penalties"),
        Factor("at", "l1_paradox.pruning.kept", "rule == 'kept'"),
        Factor("at", "l1_paradox.pruning.thresholds", "rule == 'threshold'"),
        Factor("seed", "l1_paradox.networks.seeds"),
    ],
    "adaptive_lasso": _block("adaptive.lasso", design="designs", **SWEEP),
    "adaptive_one_weight": [
        Factor("curvature", "adaptive.one_weight.curvatures", "design == 'parabola'"),
        Factor("tilt", "adaptive.one_weight.tilts", "design == 'kink'"),
        Factor("penalty", _low_penalties, "design == 'low kink'"),
        *_block("adaptive.one_weight", method="methods"),
    ],
    "adaptive_cycles": _block("adaptive.cycles", method="methods", start="starts"),
    "edge_of_stability_cycles": _block(
        "edge_of_stability.cycles", design="functions", step_size_over_threshold="step_sizes_over_threshold"
    ),
    "edge_of_stability_asymmetric": _block(
        "edge_of_stability.asymmetric", design="functions", step_size_over_threshold="step_sizes_over_threshold"
    ),
    "edge_of_stability_near_threshold": _block(
        "edge_of_stability.near_threshold", design="functions", excess="excesses"
    ),
    "edge_of_stability_max_affine": _block("edge_of_stability.max_affine", features="features", step_size="step_sizes"),
    "edge_of_stability_logistic": [
        Factor("design", "samples.edge_of_stability_logistic"),
        *_block("edge_of_stability.logistic", step_size_over_threshold="step_sizes_over_threshold"),
    ],
    "edge_of_stability_separable": [
        Factor("design", "samples.edge_of_stability_separable"),
        *_block("edge_of_stability.separable", step_size_over_threshold="step_sizes_over_threshold"),
    ],
    "edge_of_stability_networks": [
        Factor("design", "edge_of_stability.networks.data"),
        Factor("step_size", "edge_of_stability.networks.data.{design}.problems.{problem}.step_sizes"),
        *_block("edge_of_stability.networks", activation="activations"),
    ],
}
"""Factors of each experiment."""


class NothingLeft(ValueError):
    """A table would have no rows; its job says so in one line."""


def cut(name: str, table: pd.DataFrame, config: Config) -> pd.DataFrame:
    """Table that a run of the config would make, out of that of a run of a larger one.

    Args:
        name: Of the experiment.
        table: The larger run's.
        config: The smaller one's.

    Raises:
        NothingLeft: if it would be empty.
    """
    table = _cut(table, FACTORS[name], config)
    if name == "l1_paradox_exact":  # which has more penalties than are run, from the lowest to the highest
        grids = _both_sweeps(config, "penalties_over_max")
        low, high = min(grid["low"] for grid in grids), max(grid["high"] for grid in grids)
        table = table[table["penalty_over_max"].between(low * (1 - 1e-9), high * (1 + 1e-9))]
    if name == "l1_paradox_pruning":
        partners = table["rule"].str.removeprefix("as_").where(table["rule"].str.startswith("as_"))
        table = table[partners.isna() | partners.isin(table["method"])]
    if table.empty:
        raise NothingLeft(name)
    return _in_order(name, table)


def settings_of(name: str, config: Config) -> str:
    """All that `cut` reads of a config, as text."""
    read = [
        factor.key(config) if callable(factor.key) else at(config, tuple(factor.key.partition(".{")[0].split(".")))
        for factor in FACTORS[name]
    ]
    grids = _both_sweeps(config, "penalties_over_max") if name == "l1_paradox_exact" else []
    return json.dumps([read, grids], default=list)


def _cut(table: pd.DataFrame, factors: list[Factor], config: Config) -> pd.DataFrame:
    """Rows of a table whose factors have the values of the config, or stand in for one that has."""
    for factor in factors:
        rows = table.query(factor.rows) if factor.rows else table
        by = [name for name in ("design", "problem") if isinstance(factor.key, str) and f"{{{name}}}" in factor.key]
        parts = rows.groupby(by, sort=False) if by else [((), rows)]
        kept = [table.drop(rows.index)]
        for names, part in parts:
            key = factor.key.format(**dict(zip(by, names, strict=True))) if by else factor.key
            kept.append(_with(part, factor.column, [factor.shown(value) for value in _values(config, key)]))
        table = pd.concat(kept).sort_index(kind="stable")
        table = table.reset_index(drop=True)
    return table


def _values(config: Config, key: str | Callable[[Config], Sequence[Any]]) -> list[Any]:
    """Values that a setting names: of a list, a grid, the names of a mapping, or the numbers below a count."""
    if callable(key):
        return list(key(config))
    found = at(config, tuple(key.split(".")))
    if is_grid(found):
        return list(log_spaced(**found))
    return list(range(found)) if isinstance(found, int) else list(found)


def _with(table: pd.DataFrame, column: str, values: Collection[Any]) -> pd.DataFrame:
    """Rows with one of the values in a column; a name that has none gets those of the first name in the table."""
    if not pd.api.types.is_numeric_dtype(table[column]):
        there = set(table[column])
        first = table[table[column] == table[column].iloc[0]] if len(table) else table
        known = table[table[column].isin(list(values))]
        return pd.concat([known, *(first.assign(**{column: name}) for name in values if name not in there)])
    close = np.isclose(table[column].to_numpy()[:, np.newaxis], np.array(list(values), dtype=float), rtol=1e-9, atol=0)
    return table[close.any(axis=1)]


def _in_order(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """A table as it is read: parts in the order of their names, and runs with numbers of their own."""
    divided = {each.table for group in GROUPS for job in group.jobs if job.parts for each in job.experiments}
    if name in divided:
        table = table.sort_values("design", kind="stable")
    if "run" in table:
        names = [column for column in ("design", "problem", "method", "activation") if column in table]
        table = table.assign(run=table.groupby([*names, "run"], sort=False).ngroup())
    return table.reset_index(drop=True)


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

    found = {key: at(config, key) for key in keys(config, chosen)}
    return {key: list(log_spaced(**value)) if is_grid(value) else list(value) for key, value in found.items()}


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
    for key in keys(config, lambda key, value: key[-1] == "designs"):
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
    return config


def one_change(config: Config) -> Iterator[tuple[str, Config]]:
    """Configs, with what was done to each: one value less, one alone or one more, and one seed."""
    for key, values in choices(config).items():
        grid = is_grid(at(config, key))
        name = dotted(key)
        for place, value in enumerate(values):
            shown = f"{value:.3g}" if isinstance(value, float) else value
            yield f"{name}: {shown} alone", with_only(config, key, [value])
            if len(values) > 2 and not grid:
                yield f"{name}: without {shown}", with_only(config, key, values[:place] + values[place + 1 :])
        if grid and len(values) > 2:
            half = len(values) // 2
            yield f"{name}: lower half", with_only(config, key, values[:half])
            yield f"{name}: upper half", with_only(config, key, values[half:])
        for path, more in MORE.items():
            for value in more if matches(key, path) else []:
                yield f"{name}: with {value}", with_only(config, key, [*values, value])
                yield f"{name}: {value} alone", with_only(config, key, [value])
    for key in keys(config, lambda key, value: key[-1] in ("seeds", "starts", "most_steps")):
        changed = copy.deepcopy(config)
        at(changed, key[:-1])[key[-1]] = 1
        yield f"{dotted(key)}: 1", changed


def many_changes(config: Config, count: int, seed: int) -> Iterator[tuple[str, Config]]:
    """Configs in which lists, grids and open mappings are parts of themselves; not those that need certain values."""
    draw = random.Random(seed)
    for number in range(count):
        changed = config
        for key in choices(config):
            values = choices(changed).get(key)  # none where it went with a change before
            if not values or key[-1] in ("values", "tilts", "step_sizes") or draw.random() < 0.5:
                continue
            size = draw.randint(1, len(values))
            if is_grid(at(changed, key)):
                first = draw.randint(0, len(values) - size)
                some = values[first : first + size]
            else:
                some = sorted(draw.sample(values, size), key=values.index)
                more = [each for path, each in MORE.items() if matches(key, path)]
                some += [each for each in (more[0] if more else []) if draw.random() < 0.2]
            changed = with_only(changed, key, some)
        yield f"number {number} at random", changed


def is_valid(config: Config) -> bool:
    """Whether the pipeline's own check finds no fault with a config, as it would be read from a file."""
    config = yaml.safe_load(yaml.safe_dump(config))
    return not faults(config, ["config/laptop.yaml"], config)


def configs(count: int = 100, seed: int = 1) -> Iterator[tuple[str, Config]]:
    """All of these, around the smoke scale, that are valid."""
    smoke = load("smoke")
    for name, config in [*one_change(smoke), *many_changes(smoke, count, seed)]:
        if is_valid(config):
            yield name, config
