"""Outputs of single networks for figures: along an attack, and over the plane of the seven points."""

from itertools import pairwise

import numpy as np
import pandas as pd
import torch

from ndgm.engine.descent import Schedule, descend
from ndgm.engine.methods import METHODS
from ndgm.engine.networks import with_ones
from ndgm.engine.rays import along_ray
from ndgm.experiments.attacked_networks import OffSubspaceAttack, nearest_outputs
from ndgm.experiments.grids import headed
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
        asked = {**settings["flips"], **settings, "width": width}
        run = pd.DataFrame({"seed": [0], "trained": "first layer", "penalty": 0.0})
        network, start = on_digits(asked, inputs, run, components)
        step_size = start.new_full((1, 1), asked["step_size"])
        trace = descend(network, METHODS["subgradient"], start, step_size, at_the_end(asked["steps"]))
        w = torch.tensor(trace.iterates, device=settings["device"])
        attack = OffSubspaceAttack(network, w, nearest_outputs(network, w, asked["output"], 1)[0], components)
        (point,) = attack.points(np.full(1, 1 / asked["dimension"]))
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
                    "output": sign * along_ray(*network_and_distances)[0].cpu().numpy(),
                    "predicted_output": sign * expected_output(point, distance),
                }
            )
        )
    table = pd.concat(tables, ignore_index=True)
    return headed(table, settings["experiment"], "digits")


def regions(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """Output over the plane, of one network for each factor, once it has the margin on all points, or at the end."""
    asked = {**settings["seven_points"], **settings}
    factors = asked["factors"]
    network, w = on_seven_points(asked, factors, [0] * len(factors))
    looked_at = Schedule.even(asked["steps"], asked["recorded_steps"]).recorded
    step_size = w.new_full((len(factors), 1), asked["step_size"])
    for first, last in pairwise(looked_at):
        margin = (network.loss.outputs(w) * network.loss.target).amin((1, 2))
        going = (margin < asked["margin"]).unsqueeze(1)  # a run that has the margin takes steps of length 0
        if not going.any():
            break
        some = Schedule(last - first, (last - first,), last - first)
        trace = descend(network, METHODS["subgradient"], w, step_size * going, some)
        w = torch.tensor(trace.iterates, device=settings["device"])
    axis = np.linspace(-ROOM, ROOM, asked["across"])
    across, up = (values.ravel() for values in np.meshgrid(axis, axis))
    turned = np.column_stack([across + up, up - across]) / np.sqrt(2)
    networks = network.loss.networks
    tape = networks.tape(len(factors), len(turned), w)
    outputs = networks.forward(networks.layers(w), with_ones(w.new_tensor(turned)), tape)[..., 0]
    margins = (network.loss.outputs(w) * network.loss.target).amin((1, 2)).tolist()
    plane = {"first_axis": across, "second_axis": up}
    tables = [
        pd.DataFrame({"factor": factor, **plane, "output": output.cpu().numpy(), "smallest_margin": margin})
        for factor, output, margin in zip(factors, outputs, margins, strict=True)
    ]
    return headed(pd.concat(tables, ignore_index=True), settings["experiment"], "seven points")
