"""RMSProp with a long memory on random designs, beside the LASSO whose kinks are rounded off over its step."""

from functools import partial

import numpy as np
import pandas as pd

from ndgm.experiments.inputs import Inputs, Settings
from ndgm.experiments.l1_paradox_designs import Designs, numbered_table, of_family, rows_at, run
from ndgm.theory.rounded_lasso import PseudoHuber, kink_width, rmsprop_l1_norm, solve_rounded_lasso

METHOD = "rmsprop_0.999"
"""RMSProp whose memory is long against the steps from one side of a kink to the other."""


def designs(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """Chosen families at every step and penalty: norms, and the width of the kink, from the means of weights."""
    return numbered_table(
        settings,
        [
            of_family(settings, family, settings["penalties_over_max"], partial(at_all_steps, settings))
            for family in settings["chosen"]
        ],
    )


def at_all_steps(settings: Settings, part: Designs) -> pd.DataFrame:
    """Rows of some designs at every step and penalty."""
    tables = [ensemble(settings, part, step) for step in settings["step_sizes_times_lipschitz"]]
    return pd.concat(tables, ignore_index=True)


def ensemble(settings: Settings, part: Designs, step: float) -> pd.DataFrame:
    """Rows of some designs at one step and all penalties, run together."""
    rows = rows_at(part, step, METHOD)
    starts = np.concatenate([solution.weights for solution in part.exact])
    problems = [part.problems[seed - part.first] for seed in rows["seed"]]
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
