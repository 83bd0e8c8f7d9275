"""Adaptive methods on convex problems: the LASSO, parabolas and kinks of one weight, cycles from many starts."""

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ndgm.engine.adaptive_methods import EPSILON
from ndgm.engine.descent import Schedule
from ndgm.engine.methods import METHODS
from ndgm.engine.objectives.lasso import Lasso
from ndgm.engine.objectives.objective import Objective
from ndgm.engine.objectives.one_weight import OneWeight
from ndgm.experiments.ensembles import Plan, Problem, column, start_directions
from ndgm.experiments.grids import grid, log_spaced, numbered
from ndgm.experiments.input_faults import faults_of
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.theory.adaptive import normalised_step, sign_floor
from ndgm.theory.l1_paradox import floor_above_penalty_max
from ndgm.theory.lasso import Quadratic
from ndgm.theory.rounded_lasso import PseudoHuber, rmsprop_l1_norm, solve_rounded_lasso

SPREAD = 10.0
"""Standard deviation of starts, in steps."""


def lasso(settings: Settings, inputs: Inputs) -> Plan:
    """The LASSO above λ_max, where its exact solution is zero, on each design."""
    data = {name: inputs.samples["l1_paradox"][name] for name in settings["designs"]}
    problems = {name: Quadratic.from_data(*regression) for name, regression in data.items()}
    device = settings["device"]

    def build(rows: pd.DataFrame) -> Problem:
        problem = problems[rows["design"].iloc[0]]
        gram, correlation = (torch.tensor(array, device=device) for array in (problem.A, problem.b))
        directions = start_directions(settings["root_seed"], settings["seeds"], problem.dimension)
        length = SPREAD * np.sqrt(problem.dimension) * rows["step_length_at_max"].to_numpy()
        start = torch.tensor(directions[rows["seed"]] * length[:, np.newaxis], device=device)
        return problem_of(settings, rows, Lasso(gram, correlation, column(rows, "penalty", device)), start)

    return Plan(lasso_runs(settings, problems), build, ["design", "method"])


def lasso_runs(settings: Settings, problems: dict[str, Quadratic]) -> pd.DataFrame:
    """Runs of `lasso` with the L1 norms that are predicted."""
    runs = grid(
        design=settings["designs"],
        method=settings["methods"],
        step_size_times_lipschitz=settings["step_sizes_times_lipschitz"],
        penalty_over_max=log_spaced(**settings["penalties_over_max"]),
        seed=range(settings["seeds"]),
    )
    for (design, step, penalty), rows in runs.groupby(["design", "step_size_times_lipschitz", "penalty_over_max"]):
        problem = problems[design]
        penalty *= problem.penalty_max
        # A step of a method that divides by the size of the gradient is as long as the subgradient method's at λ_max.
        length = step / problem.lipschitz * problem.penalty_max
        step_size = np.where(_normalises(rows), length, step / problem.lipschitz)
        with faults_of(f"samples.l1_paradox.{design}"):
            rounded = solve_rounded_lasso(problem, penalty, PseudoHuber(length))
        predicted = {
            "subgradient": floor_above_penalty_max(step / problem.lipschitz, penalty, problem.b),
            "sign": sign_floor(length, problem.dimension),
            "rmsprop_0.999": rmsprop_l1_norm(rounded, length),
        }
        runs.loc[rows.index, "step_size"] = step_size
        runs.loc[rows.index, "step_length_at_max"] = length
        runs.loc[rows.index, "penalty"] = penalty
        runs.loc[rows.index, "dimension"] = problem.dimension
        runs.loc[rows.index, "predicted_l1_norm"] = rows["method"].map(predicted).astype(float)
    return runs


def one_weight(settings: Settings, inputs: Inputs) -> Plan:
    """Parabolas of every curvature; kinks, also tilted ones; and kinks whose slope is about as small as ε."""
    factors = {"method": settings["methods"], "step_size": [settings["step_size"]], "seed": range(settings["seeds"])}
    low = EPSILON * log_spaced(**settings["penalties_over_epsilon"])
    grids = [
        grid(design=["parabola"], curvature=log_spaced(**settings["curvatures"]), tilt=[0.0], penalty=[0.0], **factors),
        grid(design=["kink"], curvature=[0.0], tilt=settings["tilts"], penalty=[1.0], **factors),
        grid(design=["low kink"], curvature=[0.0], tilt=[0.0], penalty=low, **factors),
    ]
    runs = numbered(grids).assign(epsilon=EPSILON)
    # At a kink a step that still settles moves the orbit, and rounding can put it on 0 itself, where sign(0) = 0 holds
    # it. So methods arrive after half of the steps. Adagrad's shrink for ever, and those that grow with the gradient
    # are short where it is: they would not arrive at all.
    arrives = _normalises(runs) & (runs["method"] != "adagrad")
    runs["steps_away"] = settings["steps"] / 2 * np.where(arrives, normalised_step(runs["penalty"], EPSILON), 0.0)

    def build(rows: pd.DataFrame) -> Problem:
        return problem_of(settings, rows, kinks_and_parabolas(settings, rows), start_of_each(settings, rows, 1))

    return Plan(runs, build, ["method"], dimension=1)


def cycles(settings: Settings, inputs: Inputs) -> Plan:
    """|w| from many starts, for methods with momentum."""
    runs = grid(
        design=["kink"],
        method=settings["methods"],
        step_size=[settings["step_size"]],
        seed=range(settings["seeds"]),
        start=range(settings["starts"]),
    ).assign(curvature=0.0, tilt=0.0, penalty=1.0, steps_away=0)

    def build(rows: pd.DataFrame) -> Problem:
        start = start_of_each(settings, rows, settings["starts"])
        return problem_of(settings, rows, kinks_and_parabolas(settings, rows), start)

    return Plan(runs, build, ["method"], dimension=1)


def _normalises(rows: pd.DataFrame) -> pd.Series:
    """Whether the method of each run divides by the size of gradients."""
    return rows["method"].map({name: METHODS[name].normalises for name in rows["method"].unique()})


def kinks_and_parabolas(settings: Settings, rows: pd.DataFrame) -> OneWeight:
    """½Lw² − bw + λ|w| of each run; its tilt is b."""
    return OneWeight(*(column(rows, name, settings["device"]) for name in ("curvature", "tilt", "penalty")))


def start_of_each(settings: Settings, rows: pd.DataFrame, count: int) -> Tensor:
    """Start of each run, shape (runs, 1), out of the `count` of its seed."""
    directions = start_directions(settings["root_seed"], settings["seeds"], count) * np.sqrt(count)
    steps = rows["steps_away"].to_numpy() + SPREAD * directions[rows["seed"], rows.get("start", 0)]
    return column(rows, "step_size", settings["device"]) * torch.tensor(steps, device=settings["device"]).unsqueeze(1)


def problem_of(settings: Settings, rows: pd.DataFrame, objective: Objective, start: Tensor) -> Problem:
    """An ensemble's problem, with the steps that the config says."""
    schedule = Schedule.halving(settings["steps"], settings["recorded_steps"])
    return Problem(objective, start, column(rows, "step_size", settings["device"]), schedule)
