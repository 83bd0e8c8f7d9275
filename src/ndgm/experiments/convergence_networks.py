"""Small networks on one kind of data: a step size for every activation, then the test; derivatives at the kink."""

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ndgm.data.kinds import Samples
from ndgm.decide.steps_to_target import best_steps
from ndgm.engine.activations import activation
from ndgm.engine.descent import Schedule
from ndgm.engine.networks import Networks
from ndgm.experiments.ensembles import Plan, Problem, column
from ndgm.experiments.grids import grid, log_spaced, numbered
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.experiments.network_losses import FULL_BATCH, first_parameters, network_loss, tensors
from ndgm.store.files import InputError
from ndgm.store.provenance import generator

OWNER = "convergence_networks"
"""Owner of the samples; all draws are made under its name, so networks of one seed start alike in every table."""

AS_AUTOGRAD = "as autograd"
TOGETHER = ["problem", "activation", "at_kink", "dtype", "batch_size", "method"]
BY = ["problem", "activation", "batch_size"]


def tuning(settings: Settings, inputs: Inputs) -> Plan:
    """Every activation on every problem, by batch and step size, for seeds of its own."""
    first = settings["seeds"]  # those before are kept for the test
    runs = grid(
        **factors(settings, inputs),
        method=["subgradient"],
        seed=range(first, first + settings["tuning_seeds"]),
        step_size=log_spaced(**settings["data"][settings["part"]]["step_sizes"]),
    )
    return experiment(settings, inputs, runs)


def networks(settings: Settings, inputs: Inputs) -> Plan:
    """Every activation on every problem at the step size that tuning found best, for new seeds."""
    seeds = range(settings["seeds"])
    runs = grid(**factors(settings, inputs), method=["subgradient"], seed=seeds, part_of_best_step=[1.0])
    return experiment(settings, inputs, at_best_step(runs, inputs))


def decay(settings: Settings, inputs: Inputs) -> Plan:
    """Full batches at the best step size, held and then decaying: to a solution, as near as a kink lets it."""
    return experiment(settings, inputs, decay_runs(settings, inputs))


def decay_runs(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """Runs of `decay`."""
    wanted = settings["floors"]
    chosen = {"problem": wanted["problems"], "activation": wanted["activations"], "batch_size": [FULL_BATCH]}
    varied = factors(settings, inputs) | chosen
    seeds = range(settings["seeds"])
    return at_best_step(grid(**varied, method=["subgradient_geometric"], seed=seeds, part_of_best_step=[1.0]), inputs)


def floors(settings: Settings, inputs: Inputs) -> Plan:
    """From the end of each run of `decay` on, parts of the best step size, held and then decaying again."""
    solutions = decay_runs(settings, inputs).drop(columns=["step_size", "at_edge", "part_of_best_step"])
    parts = pd.DataFrame({"part_of_best_step": settings["floors"]["parts_of_best_step"]})
    runs = solutions.rename(columns={"run": "decay_run"}).merge(parts, how="cross")
    runs.insert(0, "run", range(len(runs)))
    return experiment(settings, inputs, at_best_step(runs, inputs))


def kink_value(settings: Settings, inputs: Inputs) -> Plan:
    """ReLU with several derivatives at its kink, in single and in double precision; and softplus on its way to it."""
    near = [name for name in settings["activations"] if name.startswith("softplus_")]
    values = [str(float(value)) for value in settings["derivatives_at_kink"]["values"]]
    in_common = {
        "problem": list(problems(settings, inputs)),
        "batch_size": [FULL_BATCH],
        "method": ["subgradient"],
        "seed": range(settings["seeds"]),
        "step_size": [settings["derivatives_at_kink"]["step_size"]],
    }
    relu = grid(activation=["relu"], at_kink=values, dtype=["float32", "float64"], **in_common)
    softplus = grid(activation=near, at_kink=[AS_AUTOGRAD], dtype=["float64"], **in_common)
    return experiment(settings, inputs, numbered([relu, softplus]))


def experiment(settings: Settings, inputs: Inputs, runs: pd.DataFrame) -> Plan:
    """Networks on one kind of data, with the loss that they are to reach."""
    asked = settings["data"][settings["part"]]["problems"]
    runs = runs.assign(experiment=settings["experiment"], design=settings["part"])
    runs["target"] = runs["problem"].map({name: asked[name]["target"] for name in problems(settings, inputs)})
    block = int(runs.groupby([*TOGETHER, "seed"]).size().iloc[0])

    def build(rows: pd.DataFrame) -> Problem:
        return problem_of(settings, inputs, rows)

    return Plan(runs, build, TOGETHER, block)


def problem_of(settings: Settings, inputs: Inputs, rows: pd.DataFrame) -> Problem:
    """Loss of an ensemble, its starts and steps."""
    row, data = rows.iloc[0], settings["data"][settings["part"]]
    name, dtype, device = row["problem"], getattr(torch, row["dtype"]), settings["device"]
    x, y = tensors(problems(settings, inputs)[name], dtype, device)
    widths = (x.shape[1], *data["hidden"], y.shape[1])
    at_kink = None if row["at_kink"] == AS_AUTOGRAD else float(row["at_kink"])
    batch = f"batches of {row['batch_size']} for {name}"
    objective = network_loss(
        Networks(widths, activation(row["activation"], at_kink)),
        x,
        y,
        len(rows),
        settings,
        loss=data["problems"][name]["loss"],
        batch_size=row["batch_size"],
        draws=[generator(settings["root_seed"], OWNER, batch, seed) for seed in rows["seed"].unique()],
    )
    start = starts(settings, inputs, rows, widths).to(dtype)
    step_size = column(rows, "step_size", device).to(dtype)
    return Problem(objective, start, step_size, schedule(settings, decays=row["method"] != "subgradient"))


def starts(settings: Settings, inputs: Inputs, rows: pd.DataFrame, widths: tuple[int, ...]) -> Tensor:
    """First parameters of each run: those of its seed or, after `decay`, those that its run there ended with."""
    if "decay_run" in rows:
        ends = inputs.found["convergence_decay"].ends
        each = [ends[run] for run in rows["decay_run"]]
    else:
        name = f"start of {widths}"
        each = [first_parameters(settings["root_seed"], OWNER, name, widths, seed) for seed in rows["seed"]]
    return torch.tensor(np.stack(each), device=settings["device"])


def problems(settings: Settings, inputs: Inputs) -> dict[str, Samples]:
    """Data of the part by problem, in the order of the samples."""
    prefix = f"{settings['part']}_"
    return {name.removeprefix(prefix): data for name, data in inputs.samples[OWNER].items()}


def factors(settings: Settings, inputs: Inputs) -> dict[str, list]:
    """Factors that tuning and test have in common."""
    return {
        "problem": list(problems(settings, inputs)),
        "activation": settings["activations"],
        "at_kink": [AS_AUTOGRAD],
        "dtype": ["float32"],
        "batch_size": [str(size) for size in settings["batch_sizes"]],
    }


def at_best_step(runs: pd.DataFrame, inputs: Inputs) -> pd.DataFrame:
    """Runs with the step size that tuning found best, or with a part of it.

    Raises:
        InputError: if a run has an activation or a problem for which no step size was looked for.
    """
    best = best_steps(inputs.found["convergence_tuning"].table, BY).reset_index()
    runs = runs.merge(best, on=BY, how="left", validate="many_to_one").sort_values("run", ignore_index=True)
    if (unknown := runs["step_size"].isna()).any():
        cell = ", ".join(runs.loc[unknown, BY].iloc[0])
        raise InputError(f"convergence.networks.floors: {cell}: not among what step sizes were looked for")
    runs["step_size"] *= runs["part_of_best_step"]
    return runs


def schedule(settings: Settings, decays: bool) -> Schedule:
    """Schedule on a log scale; with a decaying step size, twice as many steps, constant for the first half.

    With decay, the last quarter of the constant steps is recorded evenly too, to average over, and so is the end, which
    is the level that the run hovers above.
    """
    held = (settings["floors"] if decays else settings)["steps"]
    recorded = {0, *Schedule.geometric(held, settings["recorded_steps"]).recorded}
    if decays:
        recorded |= {held - held // 4 + round(place * (held // 4) / 8) for place in range(9)} | {2 * held}
    return Schedule(max(recorded), tuple(sorted(recorded)), 0)
