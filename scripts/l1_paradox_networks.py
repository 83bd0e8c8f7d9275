"""Train networks under an L1 penalty on handwritten digits, over methods, penalties and seeds: one sweep for a table."""

from functools import cache

import numpy as np
import torch

from ndgm.datasets import Samples, Weights, read_samples, write_data
from ndgm.descent import Schedule
from ndgm.networks import Networks, activation
from ndgm.objectives.network import MinibatchNetworkLoss, NetworkLoss
from ndgm.objectives.penalised_network import FactoredNetwork, PenalisedNetwork
from ndgm.programs import argument_parser, program
from ndgm.provenance import generator
from ndgm.sweep import Problem, column, grid, log_spaced
from ndgm.training import deterministic_torch, train

FULL_BATCH = "full"


def random_generator(component, seed):
    """The same draws for every sweep, method and penalty."""
    return generator(settings["root_seed"], "l1_paradox_networks", component, seed)


@cache
def first_parameters(seed):
    """Where every network of a seed starts."""
    return architecture.initial([random_generator("start", seed)])[0]


def tensors(samples):
    """Inputs and targets in single precision."""
    return (torch.tensor(array, dtype=torch.float32, device=settings["device"]) for array in samples)


def build(part):
    """The penalised loss of an ensemble, its starts and steps; the networks of a seed see the same batches."""
    options = {"classes": True, "runs_at_once": settings["runs_at_once"]}
    if sweep["batch_size"] == FULL_BATCH:
        loss = NetworkLoss(architecture, *tensors(train_samples), len(part), **options)
    else:
        size = sweep["batch_size"]
        draws = [random_generator(f"batches of {size}", seed) for seed in part["seed"].unique()]
        loss = MinibatchNetworkLoss(architecture, *tensors(train_samples), len(part), size, draws, **options)
    test_loss = NetworkLoss(architecture, *tensors(test_samples), len(part), **options)
    penalty, step_size = (column(part, name, settings["device"]).float() for name in ("penalty", "step_size"))
    start = np.stack([first_parameters(seed) for seed in part["seed"]])
    start = torch.tensor(start, dtype=torch.float32, device=settings["device"])
    schedule = Schedule.halving(settings["steps"], settings["recorded_steps"])
    if part["method"].iloc[0] == "spred":
        factored = FactoredNetwork(loss, penalty, test_loss)
        return Problem(factored, factored.start(start), step_size, schedule)
    return Problem(PenalisedNetwork(loss, penalty, test_loss), start, step_size, schedule)


arguments = argument_parser(__doc__, "train", "test", "out", "weights").parse_args()
with program(arguments) as say:
    deterministic_torch()
    settings = arguments.settings
    sweep = settings["sweep"]
    train_samples, test_samples = read_samples(arguments.train), read_samples(arguments.test)
    train_samples = Samples(*(array[: sweep.get("samples")] for array in train_samples))
    widths = (train_samples.inputs.shape[1], *settings["hidden"], train_samples.targets.shape[1])
    architecture = Networks(widths, activation(sweep["activation"]))

    penalties = log_spaced(**sweep["penalties"])
    penalties = np.concatenate([[0.0], penalties])
    runs = grid(
        experiment=[settings["experiment"]],
        design=[settings["name"]],
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
    runs["weights"] = runs.filter(regex=r"^weights_\d").sum(axis=1)
    data = [arguments.train, arguments.test]
    ends = train(settings, data, arguments.out, say, runs, build, ["method"], len(penalties))
    # Two factors of each weight stand side by side where a network was trained in factors.
    parameters = [end if len(end) == architecture.parameters else np.multiply(*np.split(end, 2)) for _, end in sorted(ends.items())]
    write_data(arguments.weights, Weights(np.stack(parameters)))
