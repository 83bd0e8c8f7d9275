"""Gradient methods on the LASSO, over methods, steps, penalties and seeds."""

import numpy as np
import pandas as pd
import torch

from ndgm.engine.descent import Schedule
from ndgm.engine.methods import HeavyBall
from ndgm.engine.objectives.lasso import Lasso
from ndgm.experiments.ensembles import Plan, Problem, column, starts
from ndgm.experiments.grids import grid, log_spaced
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.experiments.penalties import penalty_by
from ndgm.theory.lasso import Quadratic


def lasso(settings: Settings, inputs: Inputs) -> Plan:
    """Every method on one design, at penalties from far below λ_max to above it."""
    problem = Quadratic.from_data(*inputs.samples["l1_paradox"][settings["part"]])
    runs = grid(
        experiment=[settings["experiment"]],
        design=[settings["part"]],
        method=settings["methods"],
        step_size_times_lipschitz=settings["step_sizes_times_lipschitz"],
        penalty_over_max=log_spaced(**settings["penalties_over_max"]),
        seed=range(settings["seeds"]),
    )
    runs["penalty_by"] = runs["method"].map(penalty_by)
    # The heavy-ball method moves by η/(1 − β) in the long run: that is what is as long as the others' step.
    effective = np.where(runs["method"] == "heavy_ball", 1 - HeavyBall().momentum, 1.0)
    runs["step_size"] = runs["step_size_times_lipschitz"] / problem.lipschitz * effective
    runs["penalty"] = runs["penalty_over_max"] * problem.penalty_max
    schedule = Schedule.halving(settings["steps"], settings["recorded_steps"])
    device = settings["device"]
    gram, correlation = (torch.tensor(array, device=device) for array in (problem.A, problem.b))

    def build(rows: pd.DataFrame) -> Problem:
        objective = Lasso(gram, correlation, column(rows, "penalty", device))
        start = starts(rows, settings, problem.dimension)
        return Problem(objective, start, column(rows, "step_size", device), schedule)

    return Plan(runs, build, ["method"], dimension=problem.dimension)
