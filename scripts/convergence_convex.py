"""Run gradient methods on convex problems with a kink: the dial, the smoothed kink, the cures, and worst cases."""

import numpy as np
import pandas as pd
import torch

from ndgm.data.max_affine import slopes_around_zero
from ndgm.data.regression import read_regression
from ndgm.engine.descent import Schedule
from ndgm.engine.objectives.absolute_regression import AbsoluteRegression
from ndgm.engine.objectives.max_affine import MaxAffine, ResistingOracle
from ndgm.engine.objectives.relu_regression import ReluRegression
from ndgm.engine.objectives.smoothed import SmoothedLasso
from ndgm.experiments.ensembles import Problem, column, grid, log_spaced, start_directions
from ndgm.experiments.training import deterministic_torch, train_each
from ndgm.pipeline.programs import argument_parser, program
from ndgm.store.provenance import generator
from ndgm.theory.convergence import critical_width, settling_width
from ndgm.theory.lasso import Quadratic
from ndgm.theory.worst_cases import STEP_RULES, lower_bound

LAST_AND_AVERAGE = {
    "constant": ["subgradient", "averaged"],
    "inverse_square_root": ["subgradient_inverse_sqrt", "averaged_inverse_sqrt"],
    "linearly_decaying": ["subgradient_linear", "averaged_linear"],
}


def kink_dial(settings):
    """ReLU regression with a kink of size c, on each design."""
    runs = grid(
        design=settings["designs"],
        method=["subgradient"],
        step_size_times_lipschitz=settings["step_sizes_times_lipschitz"],
        kink=settings["kinks"],
        seed=range(settings["seeds"]),
    )
    lipschitz = {name: problems[name].lipschitz for name in settings["designs"]}
    runs["step_size"] = runs["step_size_times_lipschitz"] / runs["design"].map(lipschitz)
    schedule = Schedule.halving(settings["steps"], settings["recorded_steps"])

    def build(part):
        device = settings["device"]
        design = torch.tensor(designs[part["design"].iloc[0]].design, device=device)
        kink = column(part, "kink", device)
        # From a distance c, the problem with kink c is the one with kink 1: the dial then shows nothing but the kink.
        start = torch.where(kink > 0, kink, 1) * starts(part, settings, design.shape[1])
        return Problem(ReluRegression(design, kink), start, column(part, "step_size", device), schedule)

    return runs, build, ["design", "method"]


def smoothing(settings):
    """The LASSO with its kinks rounded off, on each design; and one rounded |x|."""
    factors = {
        "method": ["subgradient"],
        "step_size_times_lipschitz": settings["step_sizes_times_lipschitz"],
        "width_over_critical": log_spaced(**settings["widths_over_critical"]),
        "seed": range(settings["seeds"]),
    }
    absolute = grid(design=["absolute value"], penalty_over_max=[np.nan], **factors)
    lasso = grid(design=settings["designs"], penalty_over_max=settings["penalties_over_max"], **factors)
    runs = pd.concat([absolute, lasso], ignore_index=True).assign(run=lambda table: table.index)
    setting = ["design", "penalty_over_max", "step_size_times_lipschitz"]
    for (name, penalty, step), part in runs.groupby(setting, dropna=False):
        if name == "absolute value":
            step_size, slope, critical = step, 1.0, critical_width(step, 1.0)
        else:
            problem = problems[name]
            step_size, slope = step / problem.lipschitz, penalty * problem.penalty_max
            critical = settling_width(problem, slope, step_size)
        runs.loc[part.index, ["step_size", "penalty", "critical_width"]] = step_size, slope, critical
    runs["width"] = runs["width_over_critical"] * runs["critical_width"]
    schedule = Schedule.halving(settings["steps"], settings["recorded_steps"])

    def build(part):
        device, name = settings["device"], part["design"].iloc[0]
        problem = Quadratic(np.zeros((1, 1)), np.zeros(1), 0.0) if name == "absolute value" else problems[name]
        gram, correlation = (torch.tensor(array, device=device) for array in (problem.A, problem.b))
        penalty, width, step_size = (column(part, factor, device) for factor in ("penalty", "width", "step_size"))
        smoothed = SmoothedLasso(gram, correlation, penalty, width)
        return Problem(smoothed, starts(part, settings, problem.dimension), step_size, schedule)

    return runs, build, ["design", "method"]


def cures(settings):
    """Regression with the absolute loss where some weights fit all samples: a sharp problem."""
    factors = {"step_size": settings["step_sizes"], "seed": range(settings["seeds"])}
    sharp = grid(design=settings["designs"], method=settings["methods"], width_over_critical=[0.0], **factors)
    smooth = grid(design=settings["designs"], method=["subgradient"], width_over_critical=[2.0], **factors)
    runs = pd.concat([sharp, smooth], ignore_index=True).assign(run=lambda table: table.index)
    lipschitz = {name: problems[name].lipschitz for name in settings["designs"]}
    runs["width"] = runs["width_over_critical"] * critical_width(runs["step_size"], runs["design"].map(lipschitz))
    apart = settings["steps"] // settings["recorded_steps"]
    # Evenly, for what decays late; and evenly on a log scale, for what is at rounding before the first of these.
    evenly = range(apart, settings["steps"] + 1, apart)
    recorded = {*evenly, *Schedule.geometric(settings["steps"], settings["recorded_steps"]).recorded}
    schedule = Schedule(settings["steps"], tuple(sorted(recorded)), settings["steps"] - apart)

    def build(part):
        device, name = settings["device"], part["design"].iloc[0]
        design = torch.tensor(designs[name].design, device=device)
        truth = generator(settings["root_seed"], settings["experiment"], name).standard_normal(design.shape[1])
        target = design @ torch.tensor(truth, device=device)
        objective = AbsoluteRegression(design, target, column(part, "width", device))
        return Problem(objective, starts(part, settings, len(truth)), column(part, "step_size", device), schedule)

    return runs, build, ["design", "method"]


def worst_cases(settings):
    """Functions of slope 1 from a distance 1 of their minimiser, by step rule and number of steps N."""
    tables = []
    for rule, count in ((rule, count) for rule in settings["rules"] for count in range(1, settings["most_steps"] + 1)):
        factors = {"steps": [count], "step_size": [STEP_RULES[rule](count)[0]], "method": LAST_AND_AVERAGE[rule]}
        tables.append(grid(design=["largest of linear functions"], **factors, seed=range(settings["seeds"])))
        tables.append(grid(design=["resisting oracle"], **factors, seed=[0]))
        tables[-2]["rule"] = tables[-1]["rule"] = rule
    smooth = grid(
        design=["rounded absolute value", "quadratic"],
        steps=range(1, settings["most_steps"] + 1),
        step_size=settings["smooth_step_sizes"],
        method=["subgradient"],
        seed=[0],
    )
    smooth["rule"] = "smooth"
    runs = pd.concat([*tables, smooth], ignore_index=True).assign(run=lambda table: table.index, lowest=0.0)
    resisting = runs["design"] == "resisting oracle"
    runs.loc[resisting, "lowest"] = [-lower_bound(steps) for steps in runs.loc[resisting, "steps"]]

    def build(part):
        device, name, count = settings["device"], part["design"].iloc[0], int(part["steps"].iloc[0])
        step_size = column(part, "step_size", device)
        if name == "resisting oracle":
            objective, start = ResistingOracle(count), torch.zeros(len(part), count + 1, device=device)
        elif name == "largest of linear functions":
            drawn = zip(*(random_slopes(settings, seed) for seed in part["seed"]), strict=True)
            slopes, start = (torch.tensor(np.stack(arrays), device=device) for arrays in drawn)
            objective = MaxAffine(slopes, 0.0)
        else:
            # Curvature 1 within the width, beyond which the quadratic has no iterate; the other is the extremal one.
            width = torch.full_like(step_size, 2.0) if name == "quadratic" else 1 / (2 * count * step_size + 1)
            zero = torch.zeros(1, 1, device=device)
            objective, start = SmoothedLasso(zero, zero[0], width, width), torch.ones(len(part), 1, device=device)
        return Problem(objective, start, step_size, Schedule(count, tuple(range(count + 1)), 0))

    return runs, build, ["design", "method", "steps"]


def random_slopes(settings, seed):
    """Slopes whose largest linear function is minimal at 0; and a start at a distance 1 of it."""
    rng = generator(settings["root_seed"], settings["experiment"], "slopes", seed)
    slopes = slopes_around_zero(rng, settings["pieces"], settings["features"])
    start = rng.standard_normal(settings["features"])
    return slopes, start / np.linalg.norm(start)


def starts(part, settings, dimension):
    """Starts of about unit length, decided by each run's seed."""
    directions = start_directions(settings["root_seed"], settings["seeds"], dimension)
    return torch.tensor(directions[part["seed"]].T, device=settings["device"]).T


EXPERIMENTS = {f"convergence_{make.__name__}": make for make in (kink_dial, smoothing, cures, worst_cases)}

arguments = argument_parser(__doc__, many=("designs", "out")).parse_args()
with program(arguments) as say:
    deterministic_torch(arguments.settings[0]["device"])
    designs = {path.stem.removeprefix("lasso_"): read_regression(path) for path in arguments.designs}
    problems = {name: Quadratic.from_data(*data) for name, data in designs.items()}
    train_each(EXPERIMENTS, arguments, arguments.designs, say)
