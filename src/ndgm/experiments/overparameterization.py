"""Wide two-layer networks on points of length 1: beside their kernel, their widths, and how few units train."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from ndgm.data.kinds import Samples
from ndgm.engine.curvature.observer import Observed
from ndgm.engine.descent import Schedule, Target
from ndgm.engine.moves import LeastGradient, Moves, UnitMoves
from ndgm.experiments.ensembles import Build, Plan, Problem, column
from ndgm.experiments.grids import grid
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.experiments.two_layer_networks import networks_at_once, points_on_a_sphere, two_layer
from ndgm.theory.overparameterization import KernelDynamics, arc_cosine_kernel

Points = tuple[np.ndarray, np.ndarray]
"""Inputs of length 1, shape (n, d), and targets ±1, shape (n,)."""


def spheres(settings: Settings, inputs: Inputs) -> Plan:
    """Random points with random labels of each seed, over numbers of units, with all moves of the weights."""
    size = settings["samples"], settings["features"]
    points = {("spheres", seed): points_on_a_sphere(settings, *size, seed) for seed in range(settings["seeds"])}
    return followed(settings, {"design": ["spheres"], "units": settings["units"]}, points)


def digits(settings: Settings, inputs: Inputs) -> Plan:
    """Handwritten digits, those from 5 on against the others, over numbers of units."""
    names = list(inputs.samples["overparameterization"])
    points = {
        (name, seed): pictures(inputs.samples["overparameterization"][name])
        for name in names
        for seed in range(settings["seeds"])
    }
    return followed(settings, {"design": names, "units": settings["units"]}, points)


def pictures(samples: Samples) -> Points:
    """Pictures scaled to length 1, with 1 for the digits from 5 on and −1 for the others."""
    lengths = np.linalg.norm(samples.inputs, axis=1, keepdims=True)
    return samples.inputs / lengths, np.where(samples.targets.argmax(1) >= 5, 1.0, -1.0)


def followed(settings: Settings, factors: dict[str, list], points: dict[tuple[str, int], Points]) -> Plan:
    """Runs whose moves are recorded, beside what the kernel says of them at the end.

    Args:
        settings: Of the experiment.
        factors: Of the runs, besides the seed.
        points: Data by design and seed.
    """
    runs = with_kernel(settings, grid(**factors, seed=range(settings["seeds"])), points)

    def build(rows: pd.DataFrame) -> Problem:
        loss, start = two_layer(settings, rows, *stacked(rows, points))
        step_size = column(rows, "step_size", settings["device"])
        observed = Observed(loss, Moves(start, step_size), UnitMoves(loss, start), LeastGradient(start))
        schedule = Schedule.geometric(settings["steps"], settings["recorded_steps"])
        return Problem(observed, start, step_size, schedule, keeps_ends=False)

    return plan(settings, runs, points, build)


def iterations(settings: Settings, inputs: Inputs) -> Plan:
    """The points of `spheres` with one number of units, trained to a target near rounding."""
    size = settings["samples"], settings["features"]
    points = {("spheres", seed): points_on_a_sphere(settings, *size, seed) for seed in range(settings["seeds"])}
    runs = with_kernel(
        settings, grid(design=["spheres"], units=settings["units"], seed=range(settings["seeds"])), points
    )
    return plan(settings, runs, points, plain(settings, points, Schedule.even))


def capacity(settings: Settings, inputs: Inputs) -> Plan:
    """Ever more points with random labels, over numbers of units, to find how few train them to a target."""
    seeds, features = range(settings["seeds"]), settings["features"]
    points = {
        (f"{samples} points", seed): points_on_a_sphere(settings, samples, features, seed)
        for samples in settings["samples"]
        for seed in seeds
    }
    runs = grid(samples=settings["samples"], units=settings["units"], seed=seeds)
    runs = runs.assign(design=runs["samples"].map("{} points".format), features=features)
    runs = with_kernel(settings, runs, points)
    return plan(settings, runs, points, plain(settings, points, Schedule.geometric))


def plan(settings: Settings, runs: pd.DataFrame, points: dict[tuple[str, int], Points], build: Build) -> Plan:
    """Runs in ensembles that share points and units, few enough at once."""

    def at_once(rows: pd.DataFrame) -> int:
        x, _ = points[rows["design"].iloc[0], rows["seed"].iloc[0]]
        return networks_at_once(settings, len(x), int(rows["units"].iloc[0]))

    return Plan(runs, build, ["design", "units"], at_once=at_once)


def plain(settings: Settings, points: dict[tuple[str, int], Points], recorded: Callable[[int, int], Schedule]) -> Build:
    """How ensembles are built of which the loss alone is recorded, and which stop at their target.

    Args:
        settings: Of the experiment, with `target`, the share of the first loss.
        points: Data by design and seed.
        recorded: (steps, recorded steps) → schedule.
    """
    schedule = recorded(settings["steps"], settings["recorded_steps"])

    def build(rows: pd.DataFrame) -> Problem:
        x, y = stacked(rows, points)
        loss, start = two_layer(settings, rows, x, y)
        first = (y**2).sum(1) / 2  # networks start as 0
        target, step_size = Target(settings["target"] * first), column(rows, "step_size", settings["device"])
        return Problem(loss, start, step_size, schedule, target, keeps_ends=False)

    return build


def stacked(rows: pd.DataFrame, points: dict[tuple[str, int], Points]) -> Points:
    """Inputs and targets of each run, shapes (runs, n, d) and (runs, n)."""
    each = [points[key] for key in zip(rows["design"], rows["seed"], strict=True)]
    x, y = zip(*each, strict=True)
    return np.stack(x), np.stack(y)


def with_kernel(settings: Settings, runs: pd.DataFrame, points: dict[tuple[str, int], Points]) -> pd.DataFrame:
    """Runs with their step size, and what the kernel of their points says of all steps."""
    runs = runs.assign(experiment=settings["experiment"], method="subgradient", activation="relu")
    part = settings["step_size_times_largest_eigenvalue"]
    for (design, seed), rows in runs.groupby(["design", "seed"]):
        x, y = points[design, seed]
        kernel = arc_cosine_kernel(x)
        step_size = part / np.linalg.eigvalsh(kernel)[-1]
        dynamics = KernelDynamics.of(kernel, y, step_size)
        runs.loc[rows.index, "step_size"] = step_size
        runs.loc[rows.index, "kernel_eigenvalue"] = dynamics.gradient_bound
        runs.loc[rows.index, "kernel_distance"] = dynamics.move(settings["steps"])
        runs.loc[rows.index, "kernel_path"] = dynamics.path(settings["steps"])
    return runs
