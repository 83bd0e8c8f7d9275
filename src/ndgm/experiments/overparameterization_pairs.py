"""Two-layer networks on two points of length 1 with opposite targets, at several distances from each other.

The two points span a plane. What a weight has beyond it never matters and never moves, so inputs have two dimensions.
"""

from collections.abc import Callable
from functools import cache
from math import log

import numpy as np
import pandas as pd
import torch

from ndgm.engine.activations import activation
from ndgm.engine.curvature.observer import Observed
from ndgm.engine.descent import Schedule
from ndgm.engine.moves import LeastGradient
from ndgm.experiments.ensembles import Plan, Problem, column
from ndgm.experiments.grids import grid, numbered
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.experiments.two_layer_networks import two_layer
from ndgm.store.files import InputError
from ndgm.theory.overparameterization import (
    conflicting_pair,
    decay_rate,
    late_deficit,
    pair_gradient,
    smooth_pair_gradient,
    steps_for_pair,
)

TARGETS = np.array([1.0, -1.0])


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
    return plan(settings, runs, lambda rows: Schedule(1, (1,), 1), gradient=True)


def pairs(settings: Settings, inputs: Inputs) -> Plan:
    """ReLU over distances and numbers of units, trained to the target; what takes too many steps is left out.

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
    return plan(settings, runs, lambda rows: geometric(settings, rows))


def narrow(settings: Settings, inputs: Inputs) -> Plan:
    """Activations over distances with so few units that every kink is crossed."""
    runs = grid(
        activation=settings["activations"],
        separation=settings["separations"],
        units=[settings["units"]],
        seed=range(settings["seeds"]),
    )
    return plan(settings, with_steps(settings, runs), lambda rows: geometric(settings, rows))


def plan(
    settings: Settings, runs: pd.DataFrame, schedule: Callable[[pd.DataFrame], Schedule], *, gradient: bool = False
) -> Plan:
    """Runs on pairs of points, in ensembles that share the number of steps.

    Args:
        settings: Of the experiment.
        runs: One row a run.
        schedule: Steps of an ensemble, from its rows.
        gradient: Whether the gradient is recorded beside the loss.
    """
    runs = runs.assign(
        experiment=settings["experiment"], design="pair", method="subgradient", step_size=settings["step_size"]
    )

    def build(rows: pd.DataFrame) -> Problem:
        loss, first = two_layer(settings, rows, conflicting_pair(rows["separation"].iloc[0]), TARGETS)
        observed = Observed(loss, LeastGradient(first)) if gradient else loss
        return Problem(observed, first, column(rows, "step_size", settings["device"]), schedule(rows))

    return Plan(runs, build, ["activation", "separation", "units"])


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
        kernel_steps=log(1 / target) / decay_rate(eigenvalue, step_size),
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
    """What the leading order of a smooth activation has before φ²; the same for all plans of a process."""
    found = activation(name)

    def slope(z: np.ndarray) -> np.ndarray:
        before = torch.tensor(z)
        at = found.value(before, torch.empty_like(before)) if found.from_output else before
        return found.slope(torch.ones_like(before), at).numpy()

    return float(smooth_pair_gradient(1.0, slope, lambda z: found.second(torch.tensor(z)).numpy()))
