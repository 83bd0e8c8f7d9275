"""Gradient methods on convex problems with a kink: dialled, rounded off, cured, and as bad as can be."""

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ndgm.data.max_affine import slopes_around_zero
from ndgm.engine.descent import Schedule
from ndgm.engine.objectives.absolute_regression import AbsoluteRegression
from ndgm.engine.objectives.max_affine import MaxAffine, ResistingOracle
from ndgm.engine.objectives.objective import Objective
from ndgm.engine.objectives.relu_regression import ReluRegression
from ndgm.engine.objectives.smoothed import SmoothedLasso
from ndgm.experiments.ensembles import Plan, Problem, column, starts
from ndgm.experiments.grids import grid, log_spaced, numbered
from ndgm.experiments.input_faults import faults_of
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.store.provenance import generator
from ndgm.theory.convergence import critical_width, settling_width
from ndgm.theory.lasso import Quadratic
from ndgm.theory.worst_cases import STEP_RULES, lower_bound, smooth_worst_width

ABSOLUTE = "absolute value"
RESISTING = "resisting oracle"
RANDOM = "largest of linear functions"
ROUNDED = "rounded absolute value"
QUADRATIC = "quadratic"
LAST_AND_AVERAGE = {
    "constant": ["subgradient", "averaged"],
    "inverse_square_root": ["subgradient_inverse_sqrt", "averaged_inverse_sqrt"],
    "linearly_decaying": ["subgradient_linear", "averaged_linear"],
}


def kink_dial(settings: Settings, inputs: Inputs) -> Plan:
    """ReLU regression with a kink of size c, on each design."""
    runs = grid(
        design=settings["designs"],
        method=["subgradient"],
        step_size_times_lipschitz=settings["step_sizes_times_lipschitz"],
        kink=settings["kinks"],
        seed=range(settings["seeds"]),
    )
    runs["step_size"] = runs["step_size_times_lipschitz"] / lipschitz_constants(runs, inputs)
    schedule = Schedule.halving(settings["steps"], settings["recorded_steps"])
    device = settings["device"]

    def build(rows: pd.DataFrame) -> Problem:
        data = inputs.samples["l1_paradox"][rows["design"].iloc[0]]
        design, kink = torch.tensor(data.design, device=device), column(rows, "kink", device)
        # From a distance c, the problem with kink c is the one with kink 1: the dial then shows nothing but the kink.
        start = torch.where(kink > 0, kink, 1) * starts(rows, settings, design.shape[1])
        return Problem(ReluRegression(design, kink), start, column(rows, "step_size", device), schedule)

    return Plan(runs, build, ["design", "method"])


def smoothing(settings: Settings, inputs: Inputs) -> Plan:
    """The LASSO with its kinks rounded off, on each design; and one rounded |x|."""
    data = {name: inputs.samples["l1_paradox"][name] for name in settings["designs"]}
    problems = {name: Quadratic.from_data(*regression) for name, regression in data.items()}
    runs = smoothing_runs(settings, problems)
    schedule = Schedule.halving(settings["steps"], settings["recorded_steps"])
    device = settings["device"]

    def build(rows: pd.DataFrame) -> Problem:
        name = rows["design"].iloc[0]
        problem = Quadratic(np.zeros((1, 1)), np.zeros(1), 0.0) if name == ABSOLUTE else problems[name]
        gram, correlation = (torch.tensor(array, device=device) for array in (problem.A, problem.b))
        penalty, width, step_size = (column(rows, factor, device) for factor in ("penalty", "width", "step_size"))
        smoothed = SmoothedLasso(gram, correlation, penalty, width)
        return Problem(smoothed, starts(rows, settings, problem.dimension), step_size, schedule)

    return Plan(runs, build, ["design", "method"])


def smoothing_runs(settings: Settings, problems: dict[str, Quadratic]) -> pd.DataFrame:
    """Runs of `smoothing`, with widths about the one above which descent is predicted to settle."""
    factors = {
        "method": ["subgradient"],
        "step_size_times_lipschitz": settings["step_sizes_times_lipschitz"],
        "width_over_critical": log_spaced(**settings["widths_over_critical"]),
        "seed": range(settings["seeds"]),
    }
    absolute = grid(design=[ABSOLUTE], penalty_over_max=[np.nan], **factors)
    lasso = grid(design=settings["designs"], penalty_over_max=settings["penalties_over_max"], **factors)
    runs = numbered([absolute, lasso])
    setting = ["design", "penalty_over_max", "step_size_times_lipschitz"]
    for (name, penalty, step), rows in runs.groupby(setting, dropna=False):
        if name == ABSOLUTE:
            step_size, slope, critical = step, 1.0, float(critical_width(step, 1.0))
        else:
            problem = problems[name]
            step_size, slope = step / problem.lipschitz, penalty * problem.penalty_max
            with faults_of(f"samples.l1_paradox.{name}"):
                critical = settling_width(problem, slope, step_size)
        runs.loc[rows.index, ["step_size", "penalty", "critical_width"]] = step_size, slope, critical
    return runs.assign(width=runs["width_over_critical"] * runs["critical_width"])


def cures(settings: Settings, inputs: Inputs) -> Plan:
    """Regression with the absolute loss where some weights fit all samples: a sharp problem."""
    factors = {"step_size": settings["step_sizes"], "seed": range(settings["seeds"])}
    sharp = grid(design=settings["designs"], method=settings["methods"], width_over_critical=[0.0], **factors)
    smooth = grid(design=settings["designs"], method=["subgradient"], width_over_critical=[2.0], **factors)
    runs = numbered([sharp, smooth])
    critical = critical_width(runs["step_size"], lipschitz_constants(runs, inputs))
    runs["width"] = runs["width_over_critical"] * critical
    schedule = evenly_and_geometric(settings["steps"], settings["recorded_steps"])
    device = settings["device"]

    def build(rows: pd.DataFrame) -> Problem:
        name = rows["design"].iloc[0]
        design = torch.tensor(inputs.samples["l1_paradox"][name].design, device=device)
        truth = generator(settings["root_seed"], settings["experiment"], name).standard_normal(design.shape[1])
        target = design @ torch.tensor(truth, device=device)
        objective = AbsoluteRegression(design, target, column(rows, "width", device))
        return Problem(objective, starts(rows, settings, len(truth)), column(rows, "step_size", device), schedule)

    return Plan(runs, build, ["design", "method"])


def evenly_and_geometric(steps: int, count: int) -> Schedule:
    """Schedule that records evenly, for late decay, and log-evenly, for early rounding."""
    apart = steps // count
    recorded = {*range(apart, steps + 1, apart), *Schedule.geometric(steps, count).recorded}
    return Schedule(steps, tuple(sorted(recorded)), steps - apart)


def worst_cases(settings: Settings, inputs: Inputs) -> Plan:
    """Functions of slope 1 from a distance 1 of their minimiser, by step rule and number of steps N."""
    device = settings["device"]

    def build(rows: pd.DataFrame) -> Problem:
        count = int(rows["steps"].iloc[0])
        objective, start = worst_case(rows, settings)
        return Problem(objective, start, column(rows, "step_size", device), Schedule(count, tuple(range(count + 1)), 0))

    return Plan(worst_case_runs(settings), build, ["design", "method", "steps"])


def worst_case_runs(settings: Settings) -> pd.DataFrame:
    """Runs of `worst_cases`, with the lowest value of each function."""
    tables = []
    for rule, count in ((rule, count) for rule in settings["rules"] for count in range(1, settings["most_steps"] + 1)):
        factors = {"steps": [count], "step_size": [STEP_RULES[rule](count)[0]], "method": LAST_AND_AVERAGE[rule]}
        tables.append(grid(design=[RANDOM], **factors, seed=range(settings["seeds"])).assign(rule=rule))
        tables.append(grid(design=[RESISTING], **factors, seed=[0]).assign(rule=rule))
    smooth = grid(
        design=[ROUNDED, QUADRATIC],
        steps=range(1, settings["most_steps"] + 1),
        step_size=settings["smooth_step_sizes"],
        method=["subgradient"],
        seed=[0],
    )
    runs = numbered([*tables, smooth.assign(rule="smooth")]).assign(lowest=0.0)
    resisting = runs["design"] == RESISTING
    runs.loc[resisting, "lowest"] = [-lower_bound(steps) for steps in runs.loc[resisting, "steps"]]
    return runs


def worst_case(rows: pd.DataFrame, settings: Settings) -> tuple[Objective, Tensor]:
    """One of the functions and its starts."""
    device, name, count = settings["device"], rows["design"].iloc[0], int(rows["steps"].iloc[0])
    if name == RESISTING:
        return ResistingOracle(count), torch.zeros(len(rows), count + 1, device=device)
    if name == RANDOM:
        drawn = zip(*(random_slopes(settings, seed) for seed in rows["seed"]), strict=True)
        slopes, start = (torch.tensor(np.stack(arrays), device=device) for arrays in drawn)
        return MaxAffine(slopes, 0.0), start
    # Curvature 1 within the width, beyond which the quadratic has no iterate; the other is the extremal one.
    step_size = rows["step_size"].to_numpy()
    widths = np.full_like(step_size, 2.0) if name == QUADRATIC else smooth_worst_width(step_size, count)
    width, zero = torch.tensor(widths, device=device).unsqueeze(1), torch.zeros(1, 1, device=device)
    return SmoothedLasso(zero, zero[0], width, width), torch.ones(len(rows), 1, device=device)


def random_slopes(settings: Settings, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Slopes whose largest linear function is minimal at 0; and a start at a distance 1 of it."""
    rng = generator(settings["root_seed"], settings["experiment"], "slopes", seed)
    slopes = slopes_around_zero(rng, settings["pieces"], settings["features"])
    start = rng.standard_normal((settings["features"],))
    return slopes, start / np.linalg.norm(start)


def lipschitz_constants(runs: pd.DataFrame, inputs: Inputs) -> pd.Series:
    """L of each run's design, the largest eigenvalue of ZᵀZ/n."""
    data = {name: inputs.samples["l1_paradox"][name] for name in runs["design"].unique()}
    return runs["design"].map({name: Quadratic.from_data(*regression).lipschitz for name, regression in data.items()})
