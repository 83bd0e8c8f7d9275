"""Train small networks on one kind of data: a step for every activation, then the test; derivatives at the kink."""

from functools import cache

import numpy as np
import pandas as pd
import torch

from ndgm.data.networks import read_samples
from ndgm.decide.steps_to_target import best_steps
from ndgm.engine.activations import activation
from ndgm.engine.descent import Schedule
from ndgm.engine.networks import Networks
from ndgm.engine.objectives.network import MinibatchNetworkLoss, NetworkLoss
from ndgm.experiments.ensembles import Problem, column, grid, log_spaced
from ndgm.experiments.training import deterministic_torch, remove_finished_ensembles, train
from ndgm.pipeline.programs import argument_parser, program
from ndgm.store.files import InputError
from ndgm.store.provenance import generator
from ndgm.store.run_tables import read_table

FULL_BATCH = "full"
AS_AUTOGRAD = "as autograd"
TOGETHER = ["problem", "activation", "at_kink", "dtype", "batch_size", "method"]


def tuning():
    """Every activation on every problem, by batch and step size, for seeds of its own."""
    first = settings["seeds"]  # those before are kept for the test
    return grid(
        **factors(),
        method=["subgradient"],
        seed=range(first, first + settings["tuning_seeds"]),
        step_size=log_spaced(**settings["step_sizes"]),
    )


def networks():
    """The same at the step size that tuning found best, for new seeds."""
    seeds = range(settings["seeds"])
    return at_best_step(grid(**factors(), method=["subgradient"], seed=seeds, part_of_best_step=[1.0]))


def decay():
    """Full batches at the best step size, held and then decaying: to a solution, as near as a kink lets it."""
    wanted = settings["floors"]
    chosen = {"problem": wanted["problems"], "activation": wanted["activations"], "batch_size": [FULL_BATCH]}
    seeds = range(settings["seeds"])
    return at_best_step(
        grid(**factors() | chosen, method=["subgradient_geometric"], seed=seeds, part_of_best_step=[1.0])
    )


def floors():
    """From that solution on, parts of the best step size, held and then decaying again."""
    solutions = decay().drop(columns=["step_size", "at_edge", "part_of_best_step"]).rename(columns={"run": "decay_run"})
    parts = pd.DataFrame({"part_of_best_step": settings["floors"]["parts_of_best_step"]})
    runs = solutions.merge(parts, how="cross")
    runs.insert(0, "run", range(len(runs)))
    return at_best_step(runs)


def at_best_step(runs):
    """The runs with the step size that tuning found best, or the part of it that they are to have."""
    by = ["problem", "activation", "batch_size"]
    best = best_steps(read_table(arguments.out[0]), by).reset_index()
    runs = runs.merge(best, on=by, how="left", validate="many_to_one").sort_values("run", ignore_index=True)
    if (unknown := runs["step_size"].isna()).any():
        cell = ", ".join(runs.loc[unknown, by].iloc[0])
        raise InputError(f"convergence.networks.floors: {cell}: not among what step sizes were looked for")
    runs["step_size"] *= runs["part_of_best_step"]
    return runs


def kink_value():
    """ReLU with several derivatives at its kink, in single and in double precision; and softplus on its way to it."""
    near = [name for name in settings["activations"] if name.startswith("softplus_")]
    values = [str(float(value)) for value in settings["derivatives_at_kink"]["values"]]
    in_common = {
        "problem": list(samples),
        "batch_size": [FULL_BATCH],
        "method": ["subgradient"],
        "seed": range(settings["seeds"]),
        "step_size": [settings["derivatives_at_kink"]["step_size"]],
    }
    relu = grid(activation=["relu"], at_kink=values, dtype=["float32", "float64"], **in_common)
    softplus = grid(activation=near, at_kink=[AS_AUTOGRAD], dtype=["float64"], **in_common)
    return pd.concat([relu, softplus], ignore_index=True).assign(run=lambda table: table.index)


def factors():
    """What tuning and test have in common."""
    return {
        "problem": list(samples),
        "activation": settings["activations"],
        "at_kink": [AS_AUTOGRAD],
        "dtype": ["float32"],
        "batch_size": [str(size) for size in settings["batch_sizes"]],
    }


def schedule(decays):
    """Steps evenly on a log scale; where the step size decays, twice as many, and it is held for the first half.

    Then the last quarter of the held steps is recorded evenly too, to average over, and the end, which is what the run
    can be said to hover above.
    """
    held = (settings["floors"] if decays else settings)["steps"]
    recorded = {0, *Schedule.geometric(held, settings["recorded_steps"]).recorded}
    if decays:
        recorded |= {held - held // 4 + round(place * (held // 4) / 8) for place in range(9)} | {2 * held}
    return Schedule(max(recorded), tuple(sorted(recorded)), 0)


def random_generator(component, seed):
    """The same draws for tuning, test, floors and derivatives at the kink."""
    return generator(settings["root_seed"], "convergence_networks", component, seed)


@cache
def starts(widths, seed):
    """First parameters of a seed, the same for every activation and problem."""
    architecture = Networks(widths, activation("relu"))
    return architecture.initial([random_generator(f"start of {widths}", seed)])[0]


def build_problem(part):
    """The loss of an ensemble, its starts and steps."""
    row = part.iloc[0]
    data, loss = samples[row["problem"]], settings["problems"][row["problem"]]["loss"]
    dtype = getattr(torch, row["dtype"])
    x, y = (torch.tensor(array, dtype=dtype, device=settings["device"]) for array in data)
    widths = (x.shape[1], *settings["hidden"], y.shape[1])
    at_kink = None if row["at_kink"] == AS_AUTOGRAD else float(row["at_kink"])
    architecture = Networks(widths, activation(row["activation"], at_kink))
    options = {"loss": loss, "classes": settings["data"] == "digits"}
    options |= {name: settings[name] for name in ("runs_at_once", "samples_at_once")}
    if row["batch_size"] == FULL_BATCH:
        objective = NetworkLoss(architecture, x, y, len(part), **options)
    else:
        batch = f"batches of {row['batch_size']} for {row['problem']}"
        draws = [random_generator(batch, seed) for seed in part["seed"].unique()]
        objective = MinibatchNetworkLoss(architecture, x, y, len(part), int(row["batch_size"]), draws, **options)
    if "decay_run" in part:
        start = np.stack([ends["convergence_decay"][run] for run in part["decay_run"]])
    else:
        start = np.stack([starts(widths, seed) for seed in part["seed"]])
    start = torch.tensor(start, dtype=dtype, device=settings["device"])
    step_size = column(part, "step_size", settings["device"]).to(dtype)
    return Problem(objective, start, step_size, schedule(decays=row["method"] != "subgradient"))


EXPERIMENTS = {f"convergence_{make.__name__}": make for make in (tuning, networks, decay, floors, kink_value)}

arguments = argument_parser(__doc__, many=("samples", "out")).parse_args()
with program(arguments) as say:
    deterministic_torch(arguments.settings["device"])
    settings = arguments.settings
    prefix = f"network_{settings['data']}_"
    samples = {path.stem.removeprefix(prefix): read_samples(path) for path in arguments.samples}
    ends = {}
    for out, (experiment, make) in zip(arguments.out, EXPERIMENTS.items(), strict=True):
        runs = make().assign(experiment=experiment, design=settings["data"])
        runs["target"] = runs["problem"].map({name: settings["problems"][name]["target"] for name in samples})
        block = int(runs.groupby([*TOGETHER, "seed"]).size().iloc[0])
        ends[experiment] = train(settings, arguments.samples, out, say, runs, build_problem, TOGETHER, block)
    remove_finished_ensembles(arguments.out)
