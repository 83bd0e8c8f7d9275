"""Two-layer networks on two points of length 1 with opposite targets, at several distances from each other.

The two points span a plane. What a weight has beyond it never matters and never moves, so inputs have two dimensions.
"""

from functools import cache

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ndgm.engine.activations import activation
from ndgm.engine.curvature.observer import Observed
from ndgm.engine.descent import Schedule, Target
from ndgm.engine.moves import LeastGradient
from ndgm.engine.objectives.two_layer import TwoLayerLoss
from ndgm.experiments.ensembles import Plan, Problem, column
from ndgm.experiments.grids import grid, numbered
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.experiments.two_layer_networks import networks_at_once, two_layer
from ndgm.store.files import InputError
from ndgm.theory.overparameterization import (
    conflicting_pair,
    kernel_steps,
    late_deficit,
    pair_gradient,
    smooth_pair_gradient,
    steps_for_pair,
)

TARGETS = np.array([1.0, -1.0])
TOGETHER = ["activation", "separation", "units"]


def start(settings: Settings, inputs: Inputs) -> Plan:
    """One step with every activation, of which the gradient at the start is wanted, and beside it its closed form."""
    runs = grid(
        activation=settings["activations"],
        separation=settings["separations"],
        units=[settings["units"]],
        seed=range(settings["seeds"]),
    )
    runs["predicted_gradient_ratio"] = np.nan
    for name, rows in runs.groupby("activation"):
        runs.loc[rows.index, "predicted_gradient_ratio"] = gradient_at_start(str(name), rows["separation"].to_numpy())
    runs = described(settings, runs)

    def build(rows: pd.DataFrame) -> Problem:
        loss, first = pair_of(settings, rows)
        observed = Observed(loss, LeastGradient(first))
        step_size = column(rows, "step_size", settings["device"])
        return Problem(observed, first, step_size, Schedule(1, (1,), 1), keeps_ends=False)

    return Plan(runs, build, TOGETHER)


def pairs(settings: Settings, inputs: Inputs) -> Plan:
    """ReLU over distances and numbers of units, trained to the target; what may take too many steps is left out.

    Raises:
        InputError: if nothing is left.
    """
    runs = grid(
        activation=["relu"],
        separation=settings["separations"],
        units=settings["units"],
        seed=range(settings["seeds"]),
    )
    runs = with_steps(settings, runs)
    runs = numbered([runs[runs["steps"] * runs["units"] <= settings["most_steps_times_units"]]])
    if runs.empty:
        raise InputError(
            f"overparameterization.pairs.most_steps_times_units: {settings['most_steps_times_units']} lets nothing in"
        )
    return trained(settings, runs)


def narrow(settings: Settings, inputs: Inputs) -> Plan:
    """Activations over distances with so few units that every kink is crossed."""
    runs = grid(
        activation=settings["activations"],
        separation=settings["separations"],
        units=[settings["units"]],
        seed=range(settings["seeds"]),
    )
    return trained(settings, with_steps(settings, runs))


def trained(settings: Settings, runs: pd.DataFrame) -> Plan:
    """Runs on pairs of points that end where their ensemble is at the target, or after their number of steps."""
    runs = described(settings, runs)

    def build(rows: pd.DataFrame) -> Problem:
        loss, first = pair_of(settings, rows)
        target = Target(rows["target"].to_numpy() * (TARGETS**2).sum() / 2)  # networks start as 0
        step_size = column(rows, "step_size", settings["device"])
        return Problem(loss, first, step_size, geometric(settings, rows), target, keeps_ends=False)

    def at_once(rows: pd.DataFrame) -> int:
        return networks_at_once(settings, len(TARGETS), int(rows["units"].iloc[0]))

    return Plan(runs, build, TOGETHER, at_once=at_once)


def described(settings: Settings, runs: pd.DataFrame) -> pd.DataFrame:
    """Runs with the columns in which all of these experiments agree."""
    return runs.assign(
        experiment=settings["experiment"], design="pair", method="subgradient", step_size=settings["step_size"]
    )


def pair_of(settings: Settings, rows: pd.DataFrame) -> tuple[TwoLayerLoss, Tensor]:
    """Loss and start of an ensemble on one pair of points."""
    return two_layer(settings, rows, conflicting_pair(rows["separation"].iloc[0]), TARGETS)


def with_steps(settings: Settings, runs: pd.DataFrame) -> pd.DataFrame:
    """Runs with their number of steps, enough to reach the target, and what the kernel and its crossings say of them.

    `kernel_steps` is how many steps the kernel takes to the target, and `predicted_deficit` the share by which the rate
    of a network falls short of the kernel's.
    """
    step_size, target = settings["step_size"], settings["target"]
    eigenvalue = pair_gradient(runs["separation"].to_numpy())
    cells = zip(runs["units"], runs["separation"], strict=True)
    return runs.assign(
        target=target,
        kernel_eigenvalue=eigenvalue,
        kernel_steps=kernel_steps(eigenvalue, step_size, target),
        predicted_deficit=late_deficit(runs["units"], runs["separation"].to_numpy(), step_size),
        steps=[steps_for_pair(units, separation, step_size, target) for units, separation in cells],
    )


def geometric(settings: Settings, rows: pd.DataFrame) -> Schedule:
    """The steps of an ensemble, recorded at the start and evenly on a log scale."""
    steps = int(rows["steps"].iloc[0])
    recorded = {0, *Schedule.geometric(steps, settings["recorded_steps"]).recorded}
    return Schedule(steps, tuple(sorted(recorded)), steps)


def gradient_at_start(name: str, separations: np.ndarray) -> np.ndarray:
    """Closed form of ‖g‖²/(2L) at the start: that of ReLU, or the leading order of a smooth activation."""
    return pair_gradient(separations) if name == "relu" else smooth_coefficient(name) * separations**2


@cache
def smooth_coefficient(name: str) -> float:
    """Coefficient of φ² in the leading order of ‖g‖²/(2L) of a smooth activation, computed once in a process."""
    found = activation(name)

    def slope(z: np.ndarray) -> np.ndarray:
        before = torch.tensor(z)
        at = found.value(before, torch.empty_like(before)) if found.from_output else before
        return found.slope(torch.ones_like(before), at).numpy()

    return float(smooth_pair_gradient(1.0, slope, lambda z: found.second(torch.tensor(z)).numpy()))
