"""Small networks on one kind of data: a step size for every activation, then the test; derivatives at the kink."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ndgm.data.kinds import Samples
from ndgm.decide.steps_to_target import best_steps
from ndgm.engine.activations import activation
from ndgm.engine.descent import Schedule, Target
from ndgm.engine.networks import Networks
from ndgm.engine.objectives.network import NetworkLoss
from ndgm.experiments.ensembles import Plan, Problem, column
from ndgm.experiments.grids import grid, log_spaced, numbered
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.experiments.network_losses import FULL_BATCH, first_biases, first_parameters, network_loss, tensors
from ndgm.store.files import InputError
from ndgm.store.provenance import generator

OWNER = "convergence_networks"
"""Owner of the samples; all draws are made under its name, so networks of one seed start alike in every table."""

AS_AUTOGRAD = "as autograd"
TOGETHER = ["problem", "activation", "at_kink", "dtype", "batch_size", "method"]
BY = ["problem", "activation", "batch_size"]

WINDOW = 32
"""Recorded steps that a level is the mean of."""


def tuning(settings: Settings, inputs: Inputs) -> Plan:
    """Every activation on every problem, by batch, for seeds of its own: a race of step sizes to the target."""
    first = settings["seeds"]  # those before are kept for the test
    runs = grid(
        **factors(settings, inputs),
        method=["subgradient"],
        seed=range(first, first + settings["tuning_seeds"]),
        step_size=log_spaced(**settings["data"][settings["part"]]["step_sizes"]),
    )

    def race(rows: pd.DataFrame) -> Target:
        return Target(rows["target"].to_numpy(), rows["step_size"].to_numpy())

    block = int(runs.groupby(TOGETHER).size().iloc[0])  # all that race against each other
    return experiment(settings, inputs, runs, to_target(settings), target=race, block=block)


def networks(settings: Settings, inputs: Inputs) -> Plan:
    """Every activation on every problem to its target, at the step size that tuning found best, for new seeds."""
    seeds = range(settings["seeds"])
    runs = grid(**factors(settings, inputs), method=["subgradient"], seed=seeds, part_of_best_step=[1.0])

    def target(rows: pd.DataFrame) -> Target:
        return Target(rows["target"].to_numpy())

    return experiment(settings, inputs, at_best_step(runs, inputs), to_target(settings), target=target)


def decay(settings: Settings, inputs: Inputs) -> Plan:
    """Full batches at the best step size, held and then decaying: near a solution, with how close to the kinks."""
    held = settings["floors"]["decay_steps"]
    recorded = {0, *Schedule.geometric(held, settings["recorded_steps"]).recorded, 2 * held}
    schedule = Schedule(2 * held, tuple(sorted(recorded)), 0)
    return experiment(settings, inputs, decay_runs(settings, inputs), lambda rows: schedule, kinks=True)


def decay_runs(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """Runs of `decay`."""
    wanted = settings["floors"]
    chosen = {"problem": wanted["problems"], "activation": wanted["activations"], "batch_size": [FULL_BATCH]}
    varied = factors(settings, inputs) | chosen
    seeds = range(settings["seeds"])
    return at_best_step(grid(**varied, method=["subgradient_geometric"], seed=seeds, part_of_best_step=[1.0]), inputs)


def floors(settings: Settings, inputs: Inputs) -> Plan:
    """From the end of each run of `decay` on, parts of the best step size for the same time ηk.

    A path that all of them follow takes each equally far in that time, so that it drops out of differences.
    """
    dropped = ["method", "step_size", "at_edge", "all_reach", "part_of_best_step"]
    solutions = decay_runs(settings, inputs).drop(columns=dropped).rename(columns={"run": "decay_run"})
    parts = pd.DataFrame({"part_of_best_step": settings["floors"]["parts_of_best_step"]})
    runs = solutions.merge(parts, how="cross").assign(method="subgradient")
    runs.insert(0, "run", range(len(runs)))

    def schedule(rows: pd.DataFrame) -> Schedule:
        steps = round(settings["floors"]["steps"] / rows["part_of_best_step"].iloc[0])
        window = {steps - (steps // 2) * place // WINDOW for place in range(WINDOW)}
        return Schedule(steps, tuple(sorted({0} | window)), 0)

    return experiment(settings, inputs, at_best_step(runs, inputs), schedule, together=[*TOGETHER, "part_of_best_step"])


def kink_value(settings: Settings, inputs: Inputs) -> Plan:
    """ReLU with several derivatives at its kink, from biases of zero and others; and softplus on its way to it."""
    asked = settings["derivatives_at_kink"]
    near = [f"softplus_{sharpness:g}" for sharpness in asked["softplus"]]
    values = [str(float(value)) for value in asked["values"]]
    in_common = {
        "problem": list(problems(settings, inputs)),
        "batch_size": [FULL_BATCH],
        "method": ["subgradient"],
        "seed": range(settings["seeds"]),
        "step_size": [asked["step_size"]],
    }
    scales = asked["bias_scales"]
    relu = grid(activation=["relu"], at_kink=values, dtype=["float32", "float64"], **in_common, bias_scale=scales)
    softplus = grid(activation=near, at_kink=[AS_AUTOGRAD], dtype=["float64"], **in_common, bias_scale=[0.0])
    schedule = Schedule(asked["steps"], (0, asked["steps"]), 0)
    return experiment(settings, inputs, numbered([relu, softplus]), lambda rows: schedule, kinks=True)


def experiment(
    settings: Settings,
    inputs: Inputs,
    runs: pd.DataFrame,
    schedule: Callable[[pd.DataFrame], Schedule],
    *,
    target: Callable[[pd.DataFrame], Target | None] = lambda rows: None,
    kinks: bool = False,
    together: list[str] = TOGETHER,
    block: int | None = None,
) -> Plan:
    """Networks on one kind of data, with the loss that they are to reach.

    Args:
        settings: Of the experiment.
        inputs: Its samples.
        runs: One row a run.
        schedule: Of an ensemble, from its rows.
        target: What ends its runs earlier.
        kinks: Whether it is recorded how close they are to kinks.
        together: Columns in which all runs of an ensemble agree.
        block: As for `Plan`; consecutive runs of one seed where it is None.
    """
    asked = settings["data"][settings["part"]]["problems"]
    runs = runs.assign(experiment=settings["experiment"], design=settings["part"])
    runs["target"] = runs["problem"].map({name: asked[name]["target"] for name in problems(settings, inputs)})

    def build(rows: pd.DataFrame) -> Problem:
        objective, start, step_size = problem_of(settings, inputs, rows, kinks)
        return Problem(objective, start, step_size, schedule(rows), target(rows))

    return Plan(runs, build, together, block or int(runs.groupby([*together, "seed"]).size().iloc[0]))


def problem_of(
    settings: Settings, inputs: Inputs, rows: pd.DataFrame, kinks: bool
) -> tuple[NetworkLoss, Tensor, Tensor]:
    """Loss of an ensemble, its starts and step sizes."""
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
        kinks=kinks,
        draws=[generator(settings["root_seed"], OWNER, batch, seed) for seed in rows["seed"].unique()],
    )
    start = starts(settings, inputs, rows, widths).to(dtype)
    return objective, start, column(rows, "step_size", device).to(dtype)


def starts(settings: Settings, inputs: Inputs, rows: pd.DataFrame, widths: tuple[int, ...]) -> Tensor:
    """First parameters of each run: those of its seed or, after `decay`, those that its run there ended with."""
    root_seed, name = settings["root_seed"], f"start of {widths}"
    if "decay_run" in rows:
        ends = inputs.found["convergence_decay"].ends
        each = [ends[run] for run in rows["decay_run"]]
    else:
        each = [first_parameters(root_seed, OWNER, name, widths, seed) for seed in rows["seed"]]
    start = torch.tensor(np.stack(each), device=settings["device"])
    if "bias_scale" in rows:
        name = f"biases of {widths}"
        draws = [first_biases(root_seed, OWNER, name, widths, seed) for seed in rows["seed"]]
        start += column(rows, "bias_scale", settings["device"]) * torch.tensor(np.stack(draws), device=start.device)
    return start


def to_target(settings: Settings) -> Callable[[pd.DataFrame], Schedule]:
    """Schedule on a log scale, with the start."""
    recorded = Schedule.geometric(settings["steps"], settings["recorded_steps"]).recorded
    schedule = Schedule(settings["steps"], (0, *recorded), 0)
    return lambda rows: schedule


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
