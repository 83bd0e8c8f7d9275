"""Gradient descent with full batches on small networks of every activation, with the sharpness along each run."""

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ndgm.data.kinds import Samples
from ndgm.engine.activations import activation
from ndgm.engine.curvature.observer import Observed
from ndgm.engine.curvature.tracking import TrackedCurvature
from ndgm.engine.descent import Schedule
from ndgm.engine.networks import Networks
from ndgm.engine.objectives.network import NetworkLoss
from ndgm.experiments.ensembles import Plan, Problem, column, generators
from ndgm.experiments.grids import grid, numbered
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.experiments.network_losses import tensors

KEPT = 2
"""Directions from which the next eigenvalue is looked for."""


def networks(settings: Settings, inputs: Inputs) -> Plan:
    """Every activation on every problem of one kind of data, with each of the problem's step sizes."""
    prefix = f"{settings['part']}_"
    owned = inputs.samples["edge_of_stability_networks"]
    samples = {name.removeprefix(prefix): data for name, data in owned.items()}
    kind = settings["data"][settings["part"]]
    asked = kind["problems"]
    grids = [
        grid(
            experiment=[settings["experiment"]],
            design=[settings["part"]],
            method=["subgradient"],
            problem=[problem],
            activation=settings["activations"],
            seed=range(kind["seeds"]),
            step_size=asked[problem]["step_sizes"],
        )
        for problem in samples
    ]

    def build(rows: pd.DataFrame) -> Problem:
        problem = rows["problem"].iloc[0]
        return tracked(settings, rows, samples[problem], asked[problem]["loss"])

    return Plan(numbered(grids), build, ["problem", "activation"])


def tracked(settings: Settings, rows: pd.DataFrame, samples: Samples, loss: str) -> Problem:
    """Loss of an ensemble with what is followed along its runs."""
    device, kind = settings["device"], settings["data"][settings["part"]]
    x, y = tensors(samples, torch.float64, device)
    widths = (x.shape[1], *kind["hidden"], y.shape[1])
    architecture = Networks(widths, activation(rows["activation"].iloc[0]))
    initial = architecture.initial(generators(settings, f"start of {widths}", rows["seed"]))
    start = torch.tensor(kind["start_scale"] * initial, device=device)
    step_size = column(rows, "step_size", device)
    objective = NetworkLoss(
        architecture,
        x,
        y,
        len(rows),
        loss=loss,
        classes=True,
        kinks=False,
        runs_at_once=settings["runs_at_once"],
        samples_at_once=settings["samples_at_once"],
    )
    curvature = TrackedCurvature(
        objective,
        start,
        step_size,
        directions(settings, rows, widths, architecture.parameters),
        generators(settings, f"probes of {widths}", rows["seed"]),
        tolerance=settings["residual"],
        most_products=settings["most_products"],
    )
    schedule = Schedule.even(kind["steps"], kind["recorded_steps"])
    return Problem(Observed(objective, curvature), start, step_size, schedule)


def directions(settings: Settings, rows: pd.DataFrame, widths: tuple[int, ...], parameters: int) -> Tensor:
    """Where the first eigenvalue of each run is looked for, shape (runs, kept, P)."""
    draws = generators(settings, f"directions of {widths}", rows["seed"])
    each = [rng.standard_normal((KEPT, parameters)) for rng in draws]
    return torch.tensor(np.stack(each), device=settings["device"])
