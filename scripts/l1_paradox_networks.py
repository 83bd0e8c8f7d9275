"""Train networks under an L1 penalty on handwritten digits, over methods, penalties and seeds: one sweep a table."""

from functools import cache

import numpy as np
import torch

from ndgm.data.networks import Samples, Weights, read_samples
from ndgm.engine.activations import activation
from ndgm.engine.descent import Schedule
from ndgm.engine.networks import Networks
from ndgm.engine.objectives.network import MinibatchNetworkLoss, NetworkLoss
from ndgm.engine.objectives.penalised_network import FactoredNetwork, PenalisedNetwork
from ndgm.experiments.ensembles import Problem, column, grid, log_spaced
from ndgm.experiments.training import deterministic_torch, remove_finished_ensembles, train
from ndgm.pipeline.programs import argument_parser, program
from ndgm.store.arrays import write_data
from ndgm.store.provenance import generator

FULL_BATCH = "full"


def random_generator(component, seed):
    """The same draws for every sweep, method and penalty."""
    return generator(settings["root_seed"], "l1_paradox_networks", component, seed)


@cache
def first_parameters(widths, seed):
    """Where every network of a seed starts, whatever its activation."""
    return Networks(widths, activation("relu")).initial([random_generator("start", seed)])[0]


def tensors(data):
    """Inputs and targets in single precision."""
    return (torch.tensor(array, dtype=torch.float32, device=settings["device"]) for array in data)


def build(part):
    """The penalised loss of an ensemble, its starts and steps; the networks of a seed see the same batches."""
    options = {"classes": True} | {name: settings[name] for name in ("runs_at_once", "samples_at_once")}
    if sweep["batch_size"] == FULL_BATCH:
        loss = NetworkLoss(architecture, *tensors(samples), len(part), **options)
    else:
        size = sweep["batch_size"]
        draws = [random_generator(f"batches of {size}", seed) for seed in part["seed"].unique()]
        loss = MinibatchNetworkLoss(architecture, *tensors(samples), len(part), size, draws, **options)
    test_loss = NetworkLoss(architecture, *tensors(test_samples), len(part), **options)
    penalty, step_size = (column(part, name, settings["device"]).float() for name in ("penalty", "step_size"))
    start = np.stack([first_parameters(widths, seed) for seed in part["seed"]])
    start = torch.tensor(start, dtype=torch.float32, device=settings["device"])
    schedule = Schedule.halving(settings["steps"], settings["recorded_steps"])
    if part["method"].iloc[0] == "spred":
        factored = FactoredNetwork(loss, penalty, test_loss)
        return Problem(factored, factored.start(start), step_size, schedule)
    return Problem(PenalisedNetwork(loss, penalty, test_loss), start, step_size, schedule)


def runs_of_sweep():
    """Every method of the sweep without a penalty and with each of the grid, for every seed."""
    penalties = [0.0, *log_spaced(**sweep["penalties"])]
    runs = grid(
        experiment=[settings["experiment"]],
        design=[name],
        activation=[sweep["activation"]],
        batch_size=[str(sweep["batch_size"])],
        dtype=["float32"],
        method=sweep["methods"],
        seed=range(settings["seeds"]),
        penalty=penalties,
    )
    runs["step_size"] = runs["method"].map(settings["step_sizes"])
    for number, (inputs, outputs) in enumerate(zip(widths, widths[1:], strict=False), 1):
        runs[f"weights_{number}"] = inputs * outputs
    return runs.assign(weights=runs.filter(regex=r"^weights_\d").sum(axis=1)), len(penalties)


def parameters(end):
    """Those of the network that a run ended with: the product, where it was trained as two factors side by side."""
    return end if len(end) == architecture.parameters else np.multiply(*np.split(end, 2))


arguments = argument_parser(__doc__, "train", "test", many=("out", "weights")).parse_args()
with program(arguments) as say:
    deterministic_torch(arguments.settings["device"])
    settings = arguments.settings
    all_samples, test_samples = read_samples(arguments.train), read_samples(arguments.test)
    widths = (all_samples.inputs.shape[1], *settings["hidden"], all_samples.targets.shape[1])
    for out, weights in zip(arguments.out, arguments.weights, strict=True):
        name = out.stem.removeprefix(f"{settings['experiment']}_")
        sweep = settings["sweeps"][name]
        samples = Samples(*(array[: sweep.get("samples")] for array in all_samples))
        architecture = Networks(widths, activation(sweep["activation"]))
        runs, penalties = runs_of_sweep()
        told = {**settings, "sweeps": {name: sweep}}
        ends = train(told, [arguments.train, arguments.test], out, say, runs, build, ["method"], block=penalties)
        write_data(weights, Weights(np.stack([parameters(end) for _, end in sorted(ends.items())])))
    remove_finished_ensembles(arguments.out)
