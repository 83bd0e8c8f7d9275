"""What methods keep above λ_max on random designs, where the exact solution of the LASSO is zero."""

from functools import partial
from itertools import product

import numpy as np
import pandas as pd

from ndgm.engine.descent import Schedule, descend
from ndgm.engine.methods import METHODS
from ndgm.engine.schedules import constant
from ndgm.experiments.grids import log_spaced
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.experiments.l1_paradox_designs import Designs, numbered_table, of_family, rows_at, run, started
from ndgm.theory.adaptive import rmsprop_floor


def floors(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """Chosen families under every method, at every step and penalty above λ_max."""
    penalties = log_spaced(**settings["penalties_over_max"])
    return numbered_table(
        settings,
        [of_family(settings, family, penalties, partial(under_all_methods, settings)) for family in settings["chosen"]],
    )


def under_all_methods(settings: Settings, part: Designs) -> pd.DataFrame:
    """Rows of some designs under every method, at every step and penalty."""
    both = product(settings["methods"], settings["step_sizes_times_lipschitz"])
    return pd.concat([ensemble(settings, part, method, step) for method, step in both], ignore_index=True)


def ensemble(settings: Settings, part: Designs, method: str, step: float) -> pd.DataFrame:
    """Rows of some designs under one method, at one step and all penalties, run together."""
    rows = rows_at(part, step, method)
    problems = [part.problems[seed - part.first] for seed in rows["seed"]]
    pace = step / np.array([each.lipschitz for each in problems])
    at_max = pace * np.array([each.penalty_max for each in problems])
    rows["dimension"] = part.problems[0].dimension
    cells = zip(at_max, rows["penalty"], problems, strict=True)
    rows["first_order_l1_norm"] = [float(rmsprop_floor(length, penalty, each.b)) for length, penalty, each in cells]
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
