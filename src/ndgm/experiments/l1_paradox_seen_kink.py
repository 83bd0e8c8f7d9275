"""The kink that weights see on average: mean sign beside mean, on kinks alone and on the LASSO."""

import numpy as np
import pandas as pd
import torch

from ndgm.engine.methods import METHODS
from ndgm.engine.objectives.lasso import Lasso
from ndgm.engine.weight_means import weight_means
from ndgm.experiments.ensembles import column, start_directions
from ndgm.experiments.grids import grid
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.store.provenance import generator
from ndgm.theory.lasso import Quadratic

KINKS = "kinks"
"""Design without data: weights with nothing in common, each with a slope of its own beside its kink."""


def seen_kink(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """Mean and mean sign of each weight, in units of the width that its kink is rounded off to, by run and method.

    That width is ηλ for the subgradient method, and η for RMSProp, whose step is that of the other at λ_max.
    """
    tables = [
        weights_of(settings, design, problem, method)
        for design, problem in problems(settings, inputs).items()
        for method in ("subgradient", "rmsprop_0.999")
    ]
    table = pd.concat(tables, ignore_index=True)
    table.insert(0, "run", table.groupby(["design", "method", "penalty"], sort=False).ngroup())
    table.insert(0, "experiment", settings["experiment"])
    return table


def problems(settings: Settings, inputs: Inputs) -> dict[str, Quadratic]:
    """Smooth parts by design: slopes alone, drawn evenly between those of the kinks, and least squares."""
    draws = generator(settings["root_seed"], "l1_paradox_seen_kink", "slopes")
    count = settings["kinks"]
    found = {KINKS: Quadratic(np.zeros((count, count)), draws.uniform(-1.0, 1.0, (count,)), 0.0)}
    return found | {name: Quadratic.from_data(*inputs.samples["l1_paradox"][name]) for name in settings["designs"]}


def weights_of(settings: Settings, design: str, problem: Quadratic, method: str) -> pd.DataFrame:
    """Rows of the weights of one problem, at all penalties."""
    alone = design == KINKS
    largest, lipschitz = (1.0, 1.0) if alone else (problem.penalty_max, problem.lipschitz)
    runs = grid(penalty_over_max=[1.0] if alone else settings["penalties_over_max"])
    runs["penalty"] = runs["penalty_over_max"] * largest
    step_size = settings["step_size_times_lipschitz"] / lipschitz
    runs["step_size"] = step_size if method == "subgradient" else step_size * largest
    device = settings["device"]
    gram, correlation = (torch.tensor(array, device=device) for array in (problem.A, problem.b))
    direction = start_directions(settings["root_seed"], 1, problem.dimension)
    start = torch.tensor(direction, device=device).expand(len(runs), -1)
    found = weight_means(
        Lasso(gram, correlation, column(runs, "penalty", device)),
        METHODS[method],
        step_size * largest * start,
        column(runs, "step_size", device),
        first_steps=settings["first_steps"],
        steps=settings["steps"],
    )
    rows = runs.drop(columns="run").loc[runs.index.repeat(problem.dimension)].reset_index(drop=True)
    width = rows["step_size"] * (rows["penalty"] if method == "subgradient" else 1.0)
    rows.insert(0, "method", method)
    rows.insert(0, "design", design)
    return rows.assign(
        seed=0,
        weight=np.tile(np.arange(problem.dimension), len(runs)),
        over_width=found.mean.cpu().numpy().ravel() / width,
        sign=found.sign.cpu().numpy().ravel(),
    )
