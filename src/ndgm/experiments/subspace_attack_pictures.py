"""Outputs of single networks for figures: along an attack, and over the plane of the seven points."""

import numpy as np
import pandas as pd
import torch

from ndgm.engine.descent import Schedule, descend
from ndgm.engine.methods import METHODS
from ndgm.engine.networks import with_ones
from ndgm.engine.rays import along_ray
from ndgm.experiments.attacked_networks import Attack, nearest_outputs
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.experiments.subspace_attack import at_the_end, on_digits, on_seven_points
from ndgm.theory.subspace_attack import FURTHEST, expected_output, flip_distance

ROOM = 1.2
"""The plane is shown as far as this along both axes; the points lie within 1."""

BEHIND = 2.0
"""Curves go on to so many times the predicted flip."""


def curves(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """Output along the attack and its predicted mean, for one network of each width, trained as those of `flips`."""
    components = settings["components"]
    tables = []
    for width in settings["widths"]:
        told = {**settings["flips"], **settings, "width": width, "device": "cpu"}
        run = pd.DataFrame({"seed": [0], "trained": "first layer", "penalty": 0.0})
        network, start = on_digits(told, inputs, run, components)
        step_size = start.new_full((1, 1), told["step_size"])
        trace = descend(network, METHODS["subgradient"], start, step_size, at_the_end(told["steps"]))
        w = torch.tensor(trace.iterates)
        attack = Attack(network, w, nearest_outputs(network, w, told["output"], 1)[0], components)
        (point,) = attack.points(np.full(1, 1 / told["dimension"]))
        flip = flip_distance(point)
        farthest = BEHIND * flip if np.isfinite(flip) else FURTHEST * abs(point.output) / point.gradient_norm
        distance = np.linspace(0, farthest, settings["distances"])
        network_and_distances = (
            attack.preactivations,
            attack.slopes(attack.downhill),
            attack.weights,
            attack.bias,
            start.new_tensor(distance).unsqueeze(0),
        )
        sign = np.sign(point.output)
        tables.append(
            pd.DataFrame(
                {
                    "units": width,
                    "distance": distance,
                    "output": sign * along_ray(*network_and_distances)[0].numpy(),
                    "predicted_output": sign * expected_output(point, distance),
                }
            )
        )
    table = pd.concat(tables, ignore_index=True)
    return named(table, settings, "digits")


def regions(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """Output over the plane, of one network for each factor, once it has the margin on all points, or at the end."""
    told = {**settings["seven_points"], **settings, "device": "cpu"}
    factors = told["factors"]
    network, w = on_seven_points(told, factors, [0] * len(factors))
    at_once = max(told["steps"] // told["recorded_steps"], 1)
    step_size = w.new_full((len(factors), 1), told["step_size"])
    for _ in range(told["recorded_steps"]):
        margin = (network.loss.outputs(w) * network.loss.target).amin((1, 2))
        going = (margin < told["margin"]).unsqueeze(1)  # a run that has the margin takes steps of length 0
        if not going.any():
            break
        trace = descend(network, METHODS["subgradient"], w, step_size * going, Schedule(at_once, (at_once,), at_once))
        w = torch.tensor(trace.iterates)
    axis = np.linspace(-ROOM, ROOM, told["across"])
    first, second = (values.ravel() for values in np.meshgrid(axis, axis))
    turned = np.column_stack([first + second, second - first]) / np.sqrt(2)
    networks = network.loss.networks
    tape = networks.tape(len(factors), len(turned), w)
    outputs = networks.forward(networks.layers(w), with_ones(w.new_tensor(turned)), tape)[..., 0]
    margins = (network.loss.outputs(w) * network.loss.target).amin((1, 2)).tolist()
    plane = {"first_axis": first, "second_axis": second}
    tables = [
        pd.DataFrame({"factor": factor, **plane, "output": output.numpy(), "smallest_margin": margin})
        for factor, output, margin in zip(factors, outputs, margins, strict=True)
    ]
    return named(pd.concat(tables, ignore_index=True), settings, "seven points")


def named(table: pd.DataFrame, settings: Settings, design: str) -> pd.DataFrame:
    """A table with the columns that every table begins with."""
    head = pd.DataFrame({"experiment": settings["experiment"], "design": design}, index=table.index)
    return pd.concat([head, table], axis=1)
