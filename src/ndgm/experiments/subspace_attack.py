"""Two-layer ReLU networks trained on data in a linear subspace, and attacked orthogonally to it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ndgm.data.subspaces import zero_padded
from ndgm.engine.activations import activation
from ndgm.engine.descent import Schedule
from ndgm.engine.initialization import Initialization
from ndgm.engine.networks import Networks
from ndgm.engine.objectives.network import MinibatchNetworkLoss, NetworkLoss
from ndgm.engine.objectives.partly_trained import PartlyTrained, of_layers
from ndgm.experiments.attacked_networks import Recorded, against_start, flips_of_nearest, on_a_line
from ndgm.experiments.ensembles import Plan, Problem, column, generators
from ndgm.experiments.grids import grid
from ndgm.experiments.inputs import Inputs, Settings

LAYERS = {"first layer": (0,), "both layers": (0, 1)}
"""Layers that are trained, by what is said of them."""

POINTS = np.linspace(-1, 1, 7)
"""Where the seven points lie along (1, 1); their labels alternate. Source: the public code of the paper's authors."""


def frozen_weights(settings: Settings, inputs: Inputs) -> Plan:
    """Every method with and without an L2 penalty on one or both layers: what becomes of off-subspace weights."""
    runs = grid(
        experiment=[settings["experiment"]],
        design=["digits"],
        trained=list(LAYERS),
        method=list(settings["step_sizes"]),
        penalty=settings["penalties"],
        seed=range(settings["seeds"]),
    )
    runs["step_size"] = runs["method"].map(settings["step_sizes"])

    def build(rows: pd.DataFrame) -> Problem:
        network, start = on_digits(settings, inputs, rows, settings["components"])
        objective = Recorded(network, against_start(network, start, settings["components"]))
        step_size = column(rows, "step_size", settings["device"])
        return Problem(objective, start, step_size, early_and_at_the_end(settings["steps"]))

    return Plan(runs, build, ["trained", "method"])


def flips(settings: Settings, inputs: Inputs) -> Plan:
    """Attacks over dimensions of the subspace, with Gaussian starts of one scale."""
    runs = grid(
        experiment=[settings["experiment"]],
        design=["digits"],
        method=["subgradient"],
        components=settings["components"],
        scale=[1.0],
        seed=range(settings["seeds"]),
    )
    return attacks(settings, inputs, runs)


def scales(settings: Settings, inputs: Inputs) -> Plan:
    """Attacks over scales of the first layer's start, all other draws of a seed being the same."""
    runs = grid(
        experiment=[settings["experiment"]],
        design=["digits"],
        method=["subgradient"],
        components=[settings["components"]],
        scale=settings["scales"],
        seed=range(settings["seeds"]),
    )
    return attacks(settings, inputs, runs)


def attacks(settings: Settings, inputs: Inputs, runs: pd.DataFrame) -> Plan:
    """Networks whose first layer is trained without a penalty, attacked at the end."""
    dimension = settings["dimension"]
    runs = runs.assign(
        features=dimension, step_size=settings["step_size"], trained="first layer", units=settings["width"]
    )

    def build(rows: pd.DataFrame) -> Problem:
        components = int(rows["components"].iloc[0])
        network, start = on_digits(settings, inputs, rows.assign(penalty=0.0), components)
        variance = rows["scale"].to_numpy() ** 2 / dimension
        measure = flips_of_nearest(network, components, settings["output"], settings["points"], variance)
        step_size = column(rows, "step_size", settings["device"])
        return Problem(Recorded(network, measure), start, step_size, at_the_end(settings["steps"]))

    return Plan(runs, build, ["components"])


def on_digits(settings: Settings, inputs: Inputs, rows: pd.DataFrame, components: int) -> tuple[PartlyTrained, Tensor]:
    """Networks of an ensemble on digits in a subspace, with mini-batches of their own, and where they start.

    Args:
        settings: `dimension`, `width`, `batch_size` and what every experiment has.
        inputs: The digits.
        rows: Runs, all with the same layers `trained`, with `penalty` and `seed`; `scale` of the first layer, or 1.
        components: Dimensions of the subspace.
    """
    device, digits = settings["device"], inputs.samples["subspace_attack"]["digits"]
    architecture = Networks((settings["dimension"], settings["width"], 1), activation("relu"))
    scale = rows.get("scale", pd.Series(1.0, rows.index))
    start = torch.tensor(
        np.concatenate([
            first_parameters(settings, architecture, components, of_run, seed)
            for of_run, seed in zip(scale, rows["seed"], strict=True)
        ]),
        device=device,
    )  # fmt: skip
    loss = MinibatchNetworkLoss(
        architecture,
        torch.tensor(zero_padded(digits.inputs, components, settings["dimension"]), device=device),
        torch.tensor(digits.targets, device=device),
        len(rows),
        settings["batch_size"],
        generators(settings, f"batches of {components}", rows["seed"]),
        loss="logistic",
    )
    trained = of_layers(architecture, LAYERS[rows["trained"].iloc[0]], start)
    return PartlyTrained(loss, trained, column(rows, "penalty", device)), start


def first_parameters(
    settings: Settings, architecture: Networks, components: int, scale: float, seed: int
) -> np.ndarray:
    """Gaussian start, of variance scale²/d in the first layer and 1/m in the second, shape (1, P)."""
    laws = [Initialization("normal", scale**2), Initialization("normal", 1.0)]
    return architecture.initial(generators(settings, f"start of {components}", [seed]), laws)


def seven_points(settings: Settings, inputs: Inputs) -> Plan:
    """Seven points on a line of the plane, both layers trained by descent, over factors that divide the start."""
    runs = grid(
        experiment=[settings["experiment"]],
        design=["seven points"],
        method=["subgradient"],
        factor=settings["factors"],
        seed=range(settings["seeds"]),
    ).assign(step_size=settings["step_size"], wanted_margin=settings["margin"])

    def build(rows: pd.DataFrame) -> Problem:
        network, start = on_seven_points(settings, rows["factor"], rows["seed"])
        signs = [rng.choice([-1.0, 1.0], len(POINTS)) for rng in generators(settings, "directions", rows["seed"])]
        objective = Recorded(network, on_a_line(network, torch.tensor(np.stack(signs), device=settings["device"])))
        step_size = column(rows, "step_size", settings["device"])
        return Problem(objective, start, step_size, Schedule.even(settings["steps"], settings["recorded_steps"]))

    return Plan(runs, build, ["method"])


def on_seven_points(settings: Settings, factors: Sequence[float], seeds: Sequence[int]) -> tuple[PartlyTrained, Tensor]:
    """Networks on seven points, and where they start, as in the public code of the paper's authors.

    Weights are Gaussian with variance 1/inputs, divided by the factor; biases are uniform within ±1/√inputs, and are
    not: initializations draw weights, and leave biases zero. The plane is turned so that the points lie on its first
    axis, which Gaussian weights do not notice.
    """
    device, width = settings["device"], settings["width"]
    architecture = Networks((2, width, 1), activation("relu"))
    starts = []
    for factor, rng in zip(factors, generators(settings, "start", seeds), strict=True):
        start = torch.tensor(architecture.initial([rng], Initialization("normal", 1.0)) / factor)
        for layer, inputs in zip(architecture.layers(start), architecture.widths, strict=False):
            layer.biases.copy_(torch.tensor(rng.uniform(-1, 1, layer.biases.shape) / np.sqrt(inputs)))
        starts.append(start)
    start = torch.cat(starts).to(device)
    loss = NetworkLoss(
        architecture,
        torch.tensor(np.column_stack([np.sqrt(2) * POINTS, np.zeros(len(POINTS))]), device=device),
        torch.tensor(np.where(np.arange(len(POINTS)) % 2, 1.0, -1.0)[:, np.newaxis], device=device),
        len(start),
        loss="logistic",
    )
    return PartlyTrained(loss, of_layers(architecture, (0, 1), start), start.new_zeros(len(start), 1)), start


def early_and_at_the_end(steps: int) -> Schedule:
    """The last step is recorded, and one after a tenth of them, while weights that shrink are still on their way."""
    return Schedule(steps, tuple(sorted({max(steps // 10, 1), steps})), steps)


def at_the_end(steps: int) -> Schedule:
    """Only the last step is recorded, and nothing is averaged."""
    return Schedule(steps, (steps,), steps)
