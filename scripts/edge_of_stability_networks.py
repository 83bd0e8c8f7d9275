"""Gradient descent with full batches on small networks of every activation, with the sharpness along each run."""

import numpy as np
import pandas as pd
import torch

from ndgm.data.networks import read_samples
from ndgm.engine.activations import activation
from ndgm.engine.curvature.observer import Observed
from ndgm.engine.curvature.tracking import TrackedCurvature
from ndgm.engine.descent import Schedule
from ndgm.engine.networks import Networks
from ndgm.engine.objectives.network import NetworkLoss
from ndgm.experiments.ensembles import Problem, column, grid
from ndgm.experiments.training import deterministic_torch, remove_finished_ensembles, train
from ndgm.pipeline.programs import argument_parser, program
from ndgm.store.provenance import generator

KEPT = 2  # directions from which the next eigenvalue is looked for
TOGETHER = ["problem", "activation"]


def of_seed(component, seed):
    """The same draws for every activation, problem and step size."""
    return generator(settings["root_seed"], settings["experiment"], component, seed)


def on_device(array):
    """As a float64 tensor on the device."""
    return torch.tensor(array, dtype=torch.float64, device=settings["device"])


def build(part):
    """The loss of an ensemble with what is followed along its runs."""
    problem = part["problem"].iloc[0]
    inputs, targets = samples[problem]
    widths = (inputs.shape[1], *settings["hidden"], targets.shape[1])
    networks = Networks(widths, activation(part["activation"].iloc[0]))
    starts = networks.initial([of_seed(f"start of {widths}", seed) for seed in part["seed"]])
    shape = (KEPT, networks.parameters)
    directions = [of_seed(f"directions of {widths}", seed).standard_normal(shape) for seed in part["seed"]]
    start = on_device(settings["start_scale"] * starts)
    step_size = column(part, "step_size", settings["device"])
    loss = NetworkLoss(
        networks,
        on_device(inputs),
        on_device(targets),
        len(start),
        loss=settings["problems"][problem]["loss"],
        classes=True,
        runs_at_once=settings["runs_at_once"],
        samples_at_once=settings["samples_at_once"],
    )
    curvature = TrackedCurvature(
        loss,
        start,
        step_size,
        on_device(np.stack(directions)),
        tolerance=settings["residual"],
        most_products=settings["most_products"],
    )
    return Problem(
        Observed(loss, curvature), start, step_size, Schedule.even(settings["steps"], settings["recorded_steps"])
    )


arguments = argument_parser(__doc__, "out", many=("samples",)).parse_args()
with program(arguments) as say:
    deterministic_torch(arguments.settings["device"])
    settings = arguments.settings
    prefix = f"edge_{settings['data']}_"
    samples = {path.stem.removeprefix(prefix): read_samples(path) for path in arguments.samples}
    factors = [
        grid(
            experiment=[settings["experiment"]],
            design=[settings["data"]],
            method=["subgradient"],
            problem=[problem],
            activation=settings["activations"],
            seed=range(settings["seeds"]),
            step_size=settings["problems"][problem]["step_sizes"],
        )
        for problem in samples
    ]
    runs = pd.concat(factors, ignore_index=True).assign(run=lambda table: table.index)
    train(settings, arguments.samples, arguments.out, say, runs, build, TOGETHER)
    remove_finished_ensembles([arguments.out])
