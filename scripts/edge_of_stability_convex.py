"""Run gradient descent at and beyond the edge of stability: on scalar functions, with kinks, and on logistic loss."""

from functools import partial

import numpy as np
import pandas as pd
import torch

from ndgm.data.classification import load_classes
from ndgm.data.max_affine import slopes_around_zero
from ndgm.engine.curvature.observer import Observed
from ndgm.engine.curvature.orbit import Orbit
from ndgm.engine.descent import Schedule
from ndgm.engine.objectives.logistic import Logistic
from ndgm.engine.objectives.max_affine import MaxAffine
from ndgm.engine.objectives.scalar import ScalarLoss
from ndgm.experiments.ensembles import Problem, column, grid, log_spaced, start_directions
from ndgm.experiments.training import deterministic_torch, train_each
from ndgm.pipeline.programs import argument_parser, program
from ndgm.store.files import InputError
from ndgm.store.provenance import generator
from ndgm.theory.edge_of_stability import OrbitError, scalar
from ndgm.theory.logistic import separation, solve_logistic, two_cycles

NEAR, FAR = 0.1, 3.0  # starts near a minimiser and far from it, in units of random ones


def cycles(settings, scale=FAR):
    """Functions of one variable, from steps below the threshold 2/L to far above it."""
    runs = scalar_grid(settings, step_size_over_threshold=log_spaced(**settings["step_sizes_over_threshold"]))
    runs["threshold"] = runs["design"].map(lambda name: scalar(name).threshold)
    # Where every step is above the threshold, steps are counted from 2, as if L were 1.
    runs["step_size"] = runs["step_size_over_threshold"] * runs["threshold"].replace(0, 2)
    return runs, partial(scalar_problem, scale)


def near_threshold(settings):
    """The same just beyond the threshold, from near the minimiser."""
    runs = scalar_grid(settings, excess=settings["excesses"])
    runs["step_size"] = (2 + runs["excess"]) / runs["design"].map(lambda name: scalar(name).lipschitz)
    return runs, partial(scalar_problem, NEAR)


def max_affine(settings):
    """The largest of random linear functions, in several dimensions: a kink at the solution."""
    runs = grid(
        design=[f"max_affine_{features}" for features in settings["features"]],
        method=["subgradient"],
        step_size=settings["step_sizes"],
        seed=range(settings["seeds"]),
    )
    runs["features"] = runs["design"].str.removeprefix("max_affine_").astype(int)

    def build(settings, part):
        features = int(part["features"].iloc[0])
        pieces = settings["pieces_per_feature"] * features
        component = f"slopes in {features}"
        draws = [generator(settings["root_seed"], settings["experiment"], component, seed) for seed in part["seed"]]
        slopes = np.stack([slopes_around_zero(rng, pieces, features) for rng in draws])
        return MaxAffine(torch.tensor(slopes, device=device), 0.0), starts(settings, part, features)

    return runs, build


def logistic(settings):
    """Logistic regression on data that are not separable, around the step at which the minimiser begins to repel."""
    data, minima = tables_of(settings, separable=False), {}
    runs = table_grid(settings, log_spaced(**settings["step_sizes_over_threshold"]))
    for name, part in runs.groupby("design"):
        minima[name] = minimum = solve_logistic(data[name])
        runs.loc[part.index, "threshold"] = minimum.threshold
        ratios = np.unique(part["step_size_over_threshold"])
        beyond = ratios[ratios > 1]
        try:
            found = two_cycles(data[name], minimum, beyond * minimum.threshold)
        except (OrbitError, ArithmeticError) as fault:
            raise InputError(f"{key_of(settings, name)}: {fault}") from None
        predicted = pd.DataFrame(
            {"predicted_amplitude": [cycle.amplitude for cycle in found], "multiplier": [c.multiplier for c in found]},
            index=beyond,
        )
        runs.loc[part.index, predicted.columns] = predicted.reindex(part["step_size_over_threshold"]).to_numpy()
    runs["step_size"] = runs["step_size_over_threshold"] * runs["threshold"]

    def build(settings, part):
        name = part["design"].iloc[0]
        minimum = torch.tensor(minima[name].weights, device=device)
        return Logistic(torch.tensor(data[name], device=device)), minimum + NEAR * starts(settings, part, len(minimum))

    return runs, build


def separable(settings):
    """Logistic regression on separable data, with steps up to far beyond 2/L, L the largest curvature anywhere."""
    data = tables_of(settings, separable=True)
    runs = table_grid(settings, settings["step_sizes_over_threshold"])
    for name, part in runs.groupby("design"):
        signed = data[name]
        runs.loc[part.index, "threshold"] = 8 / np.linalg.eigvalsh(signed.T @ signed / len(signed))[-1]
        runs.loc[part.index, "separation"] = separation(signed)
        runs.loc[part.index, "samples"] = len(signed)
    runs["step_size"] = runs["step_size_over_threshold"] * runs["threshold"]

    def build(settings, part):
        signed = data[part["design"].iloc[0]]
        return Logistic(torch.tensor(signed, device=device)), starts(settings, part, signed.shape[1])

    return runs, build


def scalar_grid(settings, **step_sizes):
    """Every function with every step and start."""
    return grid(design=settings["functions"], method=["subgradient"], **step_sizes, seed=range(settings["seeds"]))


def scalar_problem(scale, settings, part):
    """One function and its starts."""
    return ScalarLoss(part["design"].iloc[0]), scale * starts(settings, part, 1)


def table_grid(settings, step_sizes_over_threshold):
    """Every table with every step and start."""
    return grid(
        design=list(settings["tables"]),
        method=["subgradient"],
        step_size_over_threshold=step_sizes_over_threshold,
        seed=range(settings["seeds"]),
    )


def tables_of(settings, separable):
    """The data by name, which have to be separable or not."""
    made = {}
    for name, told in settings["tables"].items():
        made[name] = load_classes(told, generator(settings["root_seed"], settings["experiment"], name))
        if (separation(made[name]) > 0) != separable:
            raise InputError(f"{key_of(settings, name)}: these data are {'not ' if separable else ''}separable")
    return made


def key_of(settings, table):
    """Where a table stands in the config."""
    return f"edge_of_stability.{settings['experiment'].removeprefix('edge_of_stability_')}.tables.{table}"


def starts(settings, part, dimension):
    """Starts of about unit length, decided by each run's seed."""
    directions = start_directions(settings["root_seed"], settings["seeds"], dimension)
    return torch.tensor(directions[part["seed"]], device=device)


def schedule(settings):
    """The last steps; where data are separable, some at the beginning and some evenly after them too."""
    steps, count = settings["steps"], settings["recorded_steps"]
    if settings["experiment"] != "edge_of_stability_separable":
        return Schedule(steps, tuple(range(steps - count + 1, steps + 1)), 0)
    first = count // 2
    evenly = np.linspace(first, steps, count - first + 1).round().astype(int)
    return Schedule(steps, tuple(sorted({*range(1, first + 1), *evenly.tolist()})), 0)


def followed(make, settings):
    """An experiment with what tells an orbit measured on every run."""
    runs, build = make(settings)

    def build_problem(part):
        objective, start = build(settings, part)
        step_size = column(part, "step_size", device)
        return Problem(Observed(objective, Orbit(objective, step_size, start)), start, step_size, schedule(settings))

    return runs, build_problem, ["design", "method"]


MAKERS = {
    "cycles": cycles,
    # From afar, an exponential would take descent too far to return.
    "asymmetric": partial(cycles, scale=1.0),
    "near_threshold": near_threshold,
    "max_affine": max_affine,
    "logistic": logistic,
    "separable": separable,
}
EXPERIMENTS = {f"edge_of_stability_{name}": partial(followed, make) for name, make in MAKERS.items()}

arguments = argument_parser(__doc__, many=("out",)).parse_args()
with program(arguments) as say:
    device = arguments.settings[0]["device"]
    deterministic_torch(device)
    train_each(EXPERIMENTS, arguments, [], say)
