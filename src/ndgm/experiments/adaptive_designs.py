"""RMSProp with a long memory on random designs, beside the LASSO whose kinks are rounded off over its step."""

from itertools import product

import numpy as np
import pandas as pd

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
    starts = np.concatenate([solution.weights for solution in part.exact])
    problems = [part.problem(seed) for seed in rows["seed"]]
    cells = [*zip(problems, rows["penalty"], rows["step_size"], strict=True)]
    means = np.stack(
        [
            solve_rounded_lasso(problem, penalty, PseudoHuber(width), start)
            for (problem, penalty, width), start in zip(cells, starts, strict=True)
        ]
    )
    found = run(settings, part, rows, METHOD, rows["step_size"])
    step_size = rows["step_size"].to_numpy()[:, np.newaxis]
    hovers = np.abs(means) <= step_size
    measured = zip(cells, found.mean.numpy(), hovers, strict=True)
    return rows.assign(
        dimension=part.problems[0].dimension,
        hovering=hovers.sum(1),
        law_l1_norm=[rmsprop_l1_norm(m, width) for m, (*_, width) in zip(means, cells, strict=True)],
        mean_l1_norm=found.modulus.numpy().sum(1),
        kink_width=[kink_width(problem, penalty, m, which) for (problem, penalty, _), m, which in measured],
        step=found.steps.numpy(),
        stationary=found.stationary.numpy(),
        stopped_because=np.where(np.isfinite(found.modulus.numpy()).all(1), "finished", "diverged"),
    )
