"""What a run of a config would have made, out of what a run of a larger one did.

A run table holds all combinations of its factors, so that the tables of a smaller config are rows of those of a larger
one: `cut` takes them. A name that the larger config does not have is given the rows of another, which stands in for it.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from changed_configs import Config, at, is_grid

from ndgm.experiments.grids import log_spaced
from ndgm.experiments.spurious_minima import SPLIT_NEURONS
from ndgm.groups import GROUPS
from ndgm.paper.columns import COLUMNS
from ndgm.pipeline.jobs import JOBS


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


def _of_activations(key: str) -> list[Factor]:
    """Factors of a block that has gains of its own for each activation."""
    activations = f"{key}.activations"
    gains = Factor("initialization", f"{activations}.{{activation}}.gains", shown=str)
    return [Factor("activation", activations), gains, Factor("seed", f"{key}.seeds")]


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
WEIGHTS = [
    Factor("data", "l1_paradox.weights.data"),
    Factor("penalty", "l1_paradox.weights.data.{data}.penalties"),
    Factor("seed", "l1_paradox.weights.seeds"),
]
ATTACKED = "adversarial_spectrum.attacks"
FAMILIES = "spurious_minima.minima.families"
EPSILON = 1e-8


def _neurons(config: Config) -> list[int]:
    starts = config["spurious_minima"]["starts"]
    return [k + added for k in starts["teachers"] for added in starts["added"]]


def _split_families(config: Config) -> list[str]:
    return [name for name in config["spurious_minima"]["minima"]["families"] if name in SPLIT_NEURONS]


def _low_penalties(config: Config) -> list[float]:
    return [EPSILON * each for each in log_spaced(**config["adaptive"]["one_weight"]["penalties_over_epsilon"])]


FACTORS: dict[str, list[Factor]] = {
    "convergence_certificates": [
        Factor("rule", "convergence.worst_cases.rules"),
        Factor("steps", lambda config: range(1, 1 + config["convergence"]["worst_cases"]["most_steps"])),
    ],
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
            "activation", f"{NETWORKS}.derivatives_at_kink.softplus", "at_kink == 'as autograd'", "softplus_{:g}".format
        ),
        Factor("at_kink", f"{NETWORKS}.derivatives_at_kink.values", "at_kink != 'as autograd'", _at_kink),
        Factor("bias_scale", f"{NETWORKS}.derivatives_at_kink.bias_scales", "at_kink != 'as autograd'"),
        Factor("seed", f"{NETWORKS}.seeds"),
    ],
    "l1_paradox_exact": [
        Factor("design", "samples.l1_paradox"),
        Factor("step_size_times_lipschitz", "l1_paradox.lasso.step_sizes_times_lipschitz"),
    ],
    "l1_paradox_lasso": [Factor("design", "samples.l1_paradox"), *_block("l1_paradox.lasso", **SWEEP)],
    "l1_paradox_designs": [
        Factor("design", "l1_paradox.designs.families", "not single_case"),
        Factor("design", "l1_paradox.designs.cases", "single_case"),
        *_block(
            "l1_paradox.designs",
            step_size_times_lipschitz="step_sizes_times_lipschitz",
            penalty_over_max="penalties_over_max",
        ),
    ],
    "l1_paradox_turns": [
        Factor("design", "l1_paradox.turns.turning"),
        *_block(
            "l1_paradox.turns",
            step_size_times_lipschitz="step_sizes_times_lipschitz",
            penalty_over_max="penalties_over_max",
        ),
    ],
    "l1_paradox_floors": _block("l1_paradox.floors", design="chosen", **SWEEP),
    "l1_paradox_noise": [
        Factor("design", "samples.l1_paradox"),
        *_block(
            "l1_paradox.noise",
            batch_size="batch_sizes",
            step_size_times_lipschitz="step_sizes_times_lipschitz",
            penalty_over_noise="penalties_over_noise",
        ),
    ],
    "l1_paradox_noisy_weight": _block(
        "l1_paradox.noisy_weight",
        noise="noises_over_penalty",
        tilt="tilts",
        step_size_times_lipschitz="step_sizes_times_lipschitz",
    ),
    "l1_paradox_seen_kink": [
        Factor("design", "l1_paradox.seen_kink.designs", "design != 'kinks'"),
        Factor("penalty_over_max", "l1_paradox.seen_kink.penalties_over_max", "design != 'kinks'"),
    ],
    "l1_paradox_weights": WEIGHTS,
    "l1_paradox_strip": WEIGHTS,
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
    "adaptive_designs": [
        Factor("design", "adaptive.designs.chosen"),
        *_block(
            "adaptive.designs",
            step_size_times_lipschitz="step_sizes_times_lipschitz",
            penalty_over_max="penalties_over_max",
        ),
    ],
    "adaptive_floors": _block("adaptive.floors", design="chosen", **SWEEP),
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
    "edge_of_stability_logistic": [
        Factor("design", "samples.edge_of_stability_logistic"),
        *_block("edge_of_stability.logistic", step_size_over_threshold="step_sizes_over_threshold"),
    ],
    "edge_of_stability_separable": [
        Factor("design", "samples.edge_of_stability_separable"),
        *_block("edge_of_stability.separable", step_size_over_threshold="step_sizes_over_threshold"),
    ],
    "subspace_attack_frozen_weights": _block(
        "subspace_attack.frozen_weights", method="step_sizes", penalty="penalties"
    ),
    "subspace_attack_curves": [Factor("units", "subspace_attack.curves.widths")],
    "subspace_attack_regions": [Factor("factor", "subspace_attack.seven_points.factors")],
    "adversarial_spectrum_networks": [
        Factor("design", "adversarial_spectrum.networks.data"),
        Factor("seed", "adversarial_spectrum.networks.seeds"),
    ],
    "adversarial_spectrum_attacks": [
        Factor("design", f"{ATTACKED}.data"),
        Factor("attack", f"{ATTACKED}.attacks"),
        Factor("seed", "adversarial_spectrum.networks.seeds"),
    ],
    "adversarial_spectrum_curves": [
        Factor("design", f"{ATTACKED}.data"),
        Factor("attack", f"{ATTACKED}.attacks", "attack != 'clean' and not attack.str.startswith('signs')"),
        Factor("attack", f"{ATTACKED}.attacks", "attack.str.startswith('signs')", "signs of {}".format),
    ],
    "edge_of_stability_networks": [
        Factor("design", "edge_of_stability.networks.data"),
        Factor("step_size", "edge_of_stability.networks.data.{design}.problems.{problem}.step_sizes"),
        Factor("activation", "edge_of_stability.networks.activations"),
        Factor("seed", "edge_of_stability.networks.data.{design}.seeds"),
    ],
    "spurious_minima": [
        Factor("family", FAMILIES),
        Factor("teacher_neurons", f"{FAMILIES}.{{family}}"),
    ],
    "spurious_minima_splits": [
        Factor("family", _split_families),
        Factor("teacher_neurons", f"{FAMILIES}.{{family}}"),
        Factor("share", "spurious_minima.splits.shares"),
    ],
    "spurious_minima_large": [Factor("teacher_neurons", "spurious_minima.large.teachers")],
    "spurious_minima_one": _block("spurious_minima.chains", teacher_neurons="teachers"),
    "spurious_minima_two": _block("spurious_minima.chains", teacher_neurons="teachers"),
    "spurious_minima_starts": [
        *_block("spurious_minima.starts", teacher_neurons="teachers"),
        Factor("neurons", _neurons),
    ],
    "overparameterization_digits": [
        Factor("design", "samples.overparameterization"),
        *_block("overparameterization.digits", units="units"),
    ],
    "weight_initialization_spread": _block("weight_initialization.spread", units="widths"),
    "weight_initialization_wide": _of_activations("weight_initialization.wide"),
    "weight_initialization_training": [
        *_of_activations("weight_initialization.training"),
        Factor("hidden_layers", "weight_initialization.training.activations.{activation}.hidden_layers"),
    ],
    "weight_initialization_convolutions": [
        Factor("initialization", "weight_initialization.convolutions.initializations", shown=str),
        *_block("weight_initialization.convolutions", design="data"),
    ],
}
"""Factors of the experiments that have some setting whose values stand in a column of another name."""


def factors_of(table: str, config: Config) -> list[Factor]:
    """Factors of an experiment: those of `FACTORS`, or else the settings that are called as columns are.

    Raises:
        KeyError: saying what to add to `FACTORS`, if no column is called as a setting with several values.
    """
    if table in FACTORS:
        return FACTORS[table]
    job, experiment = next((job, each) for job in JOBS.values() for each in job.experiments if each.table == table)
    factors = [Factor("design", job.parts)] if job.parts else []
    block = at(config, tuple(experiment.settings.split("."))) if experiment.settings else {}
    for name, values in block.items():
        if isinstance(values, list | Mapping) or name == "seeds":
            key = f"{experiment.settings}.{name}"
            if not (column := _column(name)):
                line = f'"{table}": [Factor("…", "{key}")]'
                raise KeyError(f"tests/pipeline/cut_runs.py: FACTORS: add {line}: no column is called as {key}")
            factors.append(Factor(column, key))
    return factors


def _column(setting: str) -> str:
    """Column that is called as a setting, in the singular: `penalty_over_max` of `penalties_over_max`; or nothing."""
    head, unit, of = re.fullmatch(r"(.+?)(?:(_over_|_times_)(.+))?", setting).groups(default="")
    forms = (head, head.removesuffix("s"), head.removesuffix("es"), head.removesuffix("ies") + "y")
    return next((form + unit + of for form in forms if form + unit + of in COLUMNS), "")


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
    table = _cut(table, factors_of(name, config), config)
    if name == "l1_paradox_exact":  # which has more penalties than are run, from the lowest to the highest
        grid = config["l1_paradox"]["lasso"]["penalties_over_max"]
        low, high = grid["low"], grid["high"]
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
        for factor in factors_of(name, config)
    ]
    grid = config["l1_paradox"]["lasso"]["penalties_over_max"] if name == "l1_paradox_exact" else {}
    return json.dumps([read, grid], default=list)


def _cut(table: pd.DataFrame, factors: list[Factor], config: Config) -> pd.DataFrame:
    """Rows of a table whose factors have the values of the config, or stand in for one that has."""
    for factor in factors:
        rows = table.query(factor.rows) if factor.rows else table
        levels = ("design", "data", "problem", "activation", "family")
        by = [name for name in levels if isinstance(factor.key, str) and f"{{{name}}}" in factor.key]
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
        table = table.sort_values("data" if "data" in table else "design", kind="stable")
    if "run" in table:
        names = [column for column in ("design", "data", "problem", "method", "activation") if column in table]
        table = table.assign(run=table.groupby([*names, "run"], sort=False).ngroup())
    return table.reset_index(drop=True)
