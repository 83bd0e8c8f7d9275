"""What methods keep above λ_max on random designs, where the exact solution of the LASSO is zero."""

from itertools import product

import numpy as np
import pandas as pd

from ndgm.engine.adaptive_methods import RMSProp
from ndgm.engine.descent import Schedule, descend
from ndgm.engine.methods import METHODS
from ndgm.engine.schedules import constant
from ndgm.experiments.grids import log_spaced
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.experiments.l1_paradox_designs import Designs, drawn, numbered_table, rows_at, run, started
from ndgm.theory.adaptive import rmsprop_floor


def floors(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """Chosen families under every method, at every step and penalty above λ_max."""
    methods, steps = settings["methods"], settings["step_sizes_times_lipschitz"]
    penalties = log_spaced(**settings["penalties_over_max"])
    parts = (part for family in settings["chosen"] for part in drawn(settings, family, penalties))
    tables = [ensemble(settings, *each).assign(single_case=False) for each in product(parts, methods, steps)]
    return numbered_table(settings, tables)


def ensemble(settings: Settings, part: Designs, method: str, step: float) -> pd.DataFrame:
    """Rows of some designs under one method, at one step and all penalties, run together."""
    rows = rows_at(part, step, method)
    problems = [part.problem(seed) for seed in rows["seed"]]
    lipschitz, largest = np.array([(each.lipschitz, each.penalty_max) for each in part.problems]).T
    pace = (step / lipschitz)[rows["seed"] - part.first]
    at_max = pace * largest[rows["seed"] - part.first]
    rows["dimension"] = part.problems[0].dimension
    cells = zip(at_max, rows["penalty"], problems, strict=True)
    first_order = np.array([rmsprop_floor(length, penalty, each.b) for length, penalty, each in cells])
    rows["first_order_l1_norm"] = first_order if isinstance(METHODS[method], RMSProp) else np.nan
    length = pd.Series(at_max) if METHODS[method].normalises else pace * rows["penalty"]
    kept = averaged if METHODS[method].schedule is constant else decayed
    return kept(settings, part, rows, length)


def averaged(settings: Settings, part: Designs, rows: pd.DataFrame, length: pd.Series) -> pd.DataFrame:
    """Rows with what a constant step keeps in the mean, once it is stationary."""
    method = rows["method"].iloc[0]
    if METHODS[method].inertial:
        settings = {**settings, "norm_tolerance": settings["norm_tolerance_with_momentum"]}
    found = run(settings, part, rows, method, length)
    norm = found.modulus.numpy().sum(1)
    return rows.assign(
        l1_norm=found.last.abs().sum(1).numpy(),
        mean_l1_norm=norm,
        step=found.steps.numpy(),
        stationary=found.stationary.numpy(),
        stopped_because=np.where(np.isfinite(norm), "finished", "diverged"),
    )


def decayed(settings: Settings, part: Designs, rows: pd.DataFrame, length: pd.Series) -> pd.DataFrame:
    """Rows with what is left where the step has decayed; nothing is stationary there, nor has to be."""
    objective, start, step_size = started(settings, part, rows, length)
    schedule = Schedule.halving(settings["steps"], 1)
    trace = descend(objective, METHODS[rows["method"].iloc[0]], start, step_size, schedule)
    return rows.assign(
        l1_norm=trace.measured["l1_norm"][-1],
        mean_l1_norm=trace.measured["mean_l1_norm"][-1],
        step=settings["steps"],
        stationary=True,
        stopped_because=trace.stopped_because,
    )
