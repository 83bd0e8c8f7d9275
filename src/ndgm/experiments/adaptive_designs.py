"""RMSProp with a long memory on random designs, beside the LASSO whose kinks are rounded off over its step."""

from itertools import product

import numpy as np
import pandas as pd

from ndgm.experiments.input_faults import faults_of
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.experiments.l1_paradox_designs import Designs, drawn, numbered_table, rows_at, run
from ndgm.theory.rounded_lasso import PseudoHuber, kink_width, rmsprop_l1_norm, solve_rounded_lasso

METHOD = "rmsprop_0.999"
"""RMSProp whose memory is long against the steps from one side of a kink to the other."""


def designs(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """Chosen families at every step and penalty: norms, and the width of the kink, from the means of weights."""
    steps, penalties = settings["step_sizes_times_lipschitz"], settings["penalties_over_max"]
    parts = (part for family in settings["chosen"] for part in drawn(settings, family, penalties))
    tables = [ensemble(settings, *each).assign(single_case=False) for each in product(parts, steps)]
    return numbered_table(settings, tables)


def ensemble(settings: Settings, part: Designs, step: float) -> pd.DataFrame:
    """Rows of some designs at one step and all penalties, run together."""
    rows = rows_at(part, step, METHOD)
    means = law_means(part, rows)
    found = run(settings, part, rows, METHOD, rows["step_size"])
    step_size = rows["step_size"].to_numpy()[:, np.newaxis]
    hovers = np.abs(means) <= step_size
    measured = zip(rows["seed"], rows["penalty"], found.mean.numpy(), hovers, strict=True)
    return rows.assign(
        dimension=part.problems[0].dimension,
        hovering=hovers.sum(1),
        law_l1_norm=[rmsprop_l1_norm(*each) for each in zip(means, rows["step_size"], strict=True)],
        mean_l1_norm=found.modulus.numpy().sum(1),
        kink_width=[kink_width(part.problem(seed), *others) for seed, *others in measured],
        step=found.steps.numpy(),
        stationary=found.stationary.numpy(),
        stopped_because=np.where(np.isfinite(found.modulus.numpy()).all(1), "finished", "diverged"),
    )


def law_means(part: Designs, rows: pd.DataFrame) -> np.ndarray:
    """Solutions of the LASSO whose kinks are rounded off over the step of each run, shape (runs, d).

    Raises:
        InputError: naming a design of which one cannot be certified.
    """
    means = []
    starts = (weights for solution in part.exact for weights in solution.weights)
    cells = rows[["seed", "penalty", "step_size"]].itertuples(index=False)
    for (seed, penalty, width), start in zip(cells, starts, strict=True):
        with faults_of(part.where(seed)):
            means.append(solve_rounded_lasso(part.problem(seed), penalty, PseudoHuber(width), start))
    return np.stack(means)
