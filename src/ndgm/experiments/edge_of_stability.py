"""Gradient descent at and beyond the edge of stability: on scalar functions, with kinks, and on logistic loss."""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ndgm.data.max_affine import slopes_around_zero
from ndgm.engine.curvature.observer import Observed
from ndgm.engine.curvature.orbit import Orbit
from ndgm.engine.descent import Schedule
from ndgm.engine.objectives.logistic import Logistic
from ndgm.engine.objectives.max_affine import MaxAffine
from ndgm.engine.objectives.objective import Objective
from ndgm.engine.objectives.scalar import ScalarLoss
from ndgm.experiments.ensembles import Plan, Problem, column, generators, starts
from ndgm.experiments.grids import grid, log_spaced
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.store.files import InputError
from ndgm.theory.checks import OrbitError
from ndgm.theory.edge_of_stability import scalar
from ndgm.theory.logistic import (
    Minimum,
    hard_margin,
    largest_curvature,
    longest_row,
    separation,
    solve_logistic,
    two_cycles,
)

NEAR, FROM_ONE, FAR = 0.1, 1.0, 3.0
"""How far from a minimiser descent starts, in units of random starts of about unit length."""


def cycles(settings: Settings, inputs: Inputs) -> Plan:
    """Even functions of one variable, from steps below the threshold 2/L to far above it."""
    return scalar_functions(settings, threshold_runs(settings), FAR)


def asymmetric(settings: Settings, inputs: Inputs) -> Plan:
    """Functions of one variable that are not even; from afar, an exponential would take descent too far to return."""
    return scalar_functions(settings, threshold_runs(settings), FROM_ONE)


def near_threshold(settings: Settings, inputs: Inputs) -> Plan:
    """Smooth functions of one variable with steps just beyond the threshold, from near the minimiser."""
    runs = scalar_grid(settings, excess=settings["excesses"])
    runs["step_size"] = (2 + runs["excess"]) / runs["design"].map(lambda name: scalar(name).lipschitz)
    return scalar_functions(settings, runs, NEAR)


def max_affine(settings: Settings, inputs: Inputs) -> Plan:
    """The largest of random linear functions, in several dimensions: a kink at the solution."""
    runs = grid(
        design=[f"max_affine_{features}" for features in settings["features"]],
        method=["subgradient"],
        step_size=settings["step_sizes"],
        seed=range(settings["seeds"]),
    )
    runs["features"] = runs["design"].str.removeprefix("max_affine_").astype(int)

    def build(rows: pd.DataFrame) -> tuple[Objective, Tensor]:
        features = int(rows["features"].iloc[0])
        draws = generators(settings, f"slopes in {features}", rows["seed"])
        pieces = settings["pieces_per_feature"] * features
        slopes = np.stack([slopes_around_zero(rng, pieces, features) for rng in draws])
        return MaxAffine(torch.tensor(slopes, device=settings["device"]), 0.0), starts(rows, settings, features)

    return followed(settings, runs, build, last_steps(settings))


def logistic(settings: Settings, inputs: Inputs) -> Plan:
    """Logistic regression on data that are not separable, around the step at which the minimiser begins to repel."""
    data = tables(settings, inputs, separable=False)
    minima = {name: solve_logistic(signed) for name, signed in data.items()}
    runs = table_grid(settings, data, log_spaced(**settings["step_sizes_over_threshold"]))
    for name, rows in runs.groupby("design"):
        runs.loc[rows.index, "threshold"] = minima[name].threshold
        predicted = predicted_cycles(settings, name, data[name], minima[name], rows["step_size_over_threshold"])
        runs.loc[rows.index, predicted.columns] = predicted.to_numpy()
    runs["step_size"] = runs["step_size_over_threshold"] * runs["threshold"]

    def build(rows: pd.DataFrame) -> tuple[Objective, Tensor]:
        name, device = rows["design"].iloc[0], settings["device"]
        minimum = torch.tensor(minima[name].weights, device=device)
        return Logistic(torch.tensor(data[name], device=device)), minimum + NEAR * starts(rows, settings, len(minimum))

    return followed(settings, runs, build, last_steps(settings))


def predicted_cycles(
    settings: Settings, name: str, signed: np.ndarray, minimum: Minimum, step_sizes_over_threshold: pd.Series
) -> pd.DataFrame:
    """Amplitude and multiplier of the 2-cycle of each run, NaN up to the threshold.

    Raises:
        InputError: if no cycle leaves the minimiser, or it cannot be followed to the longest step.
    """
    ratios = np.unique(step_sizes_over_threshold)
    beyond = ratios[ratios > 1]
    try:
        found = two_cycles(signed, minimum, beyond * minimum.threshold)
    except (OrbitError, ArithmeticError) as fault:
        raise InputError(f"samples.{settings['experiment']}.{name}: {fault}") from None
    predicted = pd.DataFrame(
        {"predicted_amplitude": [cycle.amplitude for cycle in found], "multiplier": [c.multiplier for c in found]},
        index=beyond,
    )
    return predicted.reindex(step_sizes_over_threshold)


def separable(settings: Settings, inputs: Inputs) -> Plan:
    """Logistic regression on separable data, with steps up to far beyond 2/L, L the largest curvature anywhere."""
    data = tables(settings, inputs, separable=True)
    runs = table_grid(settings, data, settings["step_sizes_over_threshold"])
    for name, rows in runs.groupby("design"):
        signed = data[name]
        runs.loc[rows.index, "threshold"] = 2 / largest_curvature(signed)
        runs.loc[rows.index, "longest_row"] = longest_row(signed)
        runs.loc[rows.index, "margin"] = hard_margin(signed)
        runs.loc[rows.index, "samples"] = len(signed)
    runs["step_size"] = runs["step_size_over_threshold"] * runs["threshold"]

    def build(rows: pd.DataFrame) -> tuple[Objective, Tensor]:
        signed = data[rows["design"].iloc[0]]
        objective = Logistic(torch.tensor(signed, device=settings["device"]))
        return objective, starts(rows, settings, signed.shape[1])

    return followed(settings, runs, build, first_and_even_steps(settings))


def threshold_runs(settings: Settings) -> pd.DataFrame:
    """Runs of every function with steps in units of the one beyond which its minimiser repels."""
    runs = scalar_grid(settings, step_size_over_threshold=log_spaced(**settings["step_sizes_over_threshold"]))
    runs["threshold"] = runs["design"].map(lambda name: scalar(name).threshold)
    # Where every step is above the threshold, steps are counted from 2, as if L were 1.
    runs["step_size"] = runs["step_size_over_threshold"] * runs["threshold"].replace(0, 2)
    return runs


def scalar_grid(settings: Settings, **step_sizes: Sequence[float] | np.ndarray) -> pd.DataFrame:
    """Every function with every step and start."""
    return grid(design=settings["functions"], method=["subgradient"], **step_sizes, seed=range(settings["seeds"]))


def scalar_functions(settings: Settings, runs: pd.DataFrame, scale: float) -> Plan:
    """Functions of one variable, from starts of about the length `scale`."""

    def build(rows: pd.DataFrame) -> tuple[Objective, Tensor]:
        return ScalarLoss(rows["design"].iloc[0]), scale * starts(rows, settings, 1)

    return followed(settings, runs, build, last_steps(settings))


def table_grid(
    settings: Settings, data: dict[str, np.ndarray], step_sizes: Sequence[float] | np.ndarray
) -> pd.DataFrame:
    """Every table with every step, as a multiple of its threshold, and start."""
    return grid(
        design=list(data),
        method=["subgradient"],
        step_size_over_threshold=step_sizes,
        seed=range(settings["seeds"]),
    )


def tables(settings: Settings, inputs: Inputs, separable: bool) -> dict[str, np.ndarray]:
    """Signed rows of each table of the experiment, sorted by name.

    Raises:
        InputError: if data are separable that should not be, or the other way round.
    """
    owner = settings["experiment"]
    data = {name: classes.signed for name, classes in sorted(inputs.samples[owner].items())}
    for name, signed in data.items():
        if (separation(signed) > 0) != separable:
            raise InputError(f"samples.{owner}.{name}: these data are {'not ' if separable else ''}separable")
    return data


def last_steps(settings: Settings) -> Schedule:
    """The last steps, averaged over all."""
    steps, count = settings["steps"], settings["recorded_steps"]
    return Schedule(steps, tuple(range(steps - count + 1, steps + 1)), 0)


def first_and_even_steps(settings: Settings) -> Schedule:
    """One half of what is recorded at the first steps, the other evenly spaced from there to the end."""
    steps, count = settings["steps"], settings["recorded_steps"]
    first = count // 2
    evenly = np.linspace(first, steps, count - first + 1).round().astype(int)
    return Schedule(steps, tuple(sorted({*range(1, first + 1), *evenly.tolist()})), 0)


def followed(
    settings: Settings,
    runs: pd.DataFrame,
    build: Callable[[pd.DataFrame], tuple[Objective, Tensor]],
    schedule: Schedule,
) -> Plan:
    """Plan of an experiment that records what `Orbit` measures and averages along each run.

    Args:
        settings: Of the experiment.
        runs: One row a run.
        build: Makes the objective and the starts of an ensemble.
        schedule: Steps.
    """

    def problem_of(rows: pd.DataFrame) -> Problem:
        objective, start = build(rows)
        step_size = column(rows, "step_size", settings["device"])
        observed = Observed(objective, Orbit(objective, step_size, start))
        return Problem(observed, start, step_size, schedule)

    return Plan(runs, problem_of, ["design", "method"])
