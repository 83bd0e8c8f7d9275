"""Networks under an L1 penalty without the weights that the law takes for zero, beside other rules."""

import numpy as np
import pandas as pd
import torch

from ndgm.engine.pruning import USUAL_THRESHOLDS, accuracy, sequential, sparsity
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.experiments.l1_paradox_weights import ACTIVATION, OWNER, layers_of, of_data, runs_of, widths_of
from ndgm.theory.rounded_lasso import in_strip


def by_means(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """Networks without the weights whose mean is within one step of zero, beside other rules, and proximal networks.

    Nothing is trained again after weights are removed. `overlap` is with the zeros of the proximal network of the same
    seed, batches and penalty; it is missing for data on which none is trained: MNIST, where that would cost most.
    """
    settings = of_data(settings)
    split, ends = inputs.samples[OWNER][settings["split"]], inputs.found["l1_paradox_weights"].ends
    x, y = (torch.tensor(array, device=settings["device"]) for array in split.test)
    widths, runs = widths_of(settings, split), runs_of(settings)
    penalised = layers_of(widths) > 0
    partners = runs[runs["method"] == "ista"].set_index(["design", "penalty", "seed"])["run"].to_dict()
    tables = []
    for row in runs.to_dict("records"):
        last, mean = ends[row["run"]][0], ends[row["run"]][-1]
        partner = partners.get((row["design"], row["penalty"], row["seed"]))
        zero = None if partner is None else penalised & (ends[partner][0] == 0)
        found = []
        for rule, removed in removals(last, mean, penalised, row).items():
            network = sequential(np.where(removed, 0.0, last), widths, ACTIVATION, settings["device"])
            shared = np.nan if zero is None else (removed & zero).sum() / max((removed | zero).sum(), 1)
            found.append((rule, sparsity(network), accuracy(network, x, y), shared))
        tables.append(pd.DataFrame(found, columns=["rule", "sparsity", "accuracy", "overlap"]).assign(**row))
    table = pd.concat(tables, ignore_index=True).assign(experiment=settings["experiment"], data=settings["part"])
    head = ["experiment", "data", "run", "design", "method", "penalty", "step_size", "seed", "rule"]
    return table[[*head, "sparsity", "accuracy", "overlap"]]


def removals(last: np.ndarray, mean: np.ndarray, penalised: np.ndarray, row: dict) -> dict[str, np.ndarray]:
    """Which parameters of a network each rule removes; of a proximal network its zeros alone.

    Args:
        last: Last iterate, shape (P,).
        mean: Mean of the iterates, shape (P,).
        penalised: Whether a parameter is a weight, shape (P,).
        row: The run, with `method`, `step_size` and `penalty`.
    """
    if row["method"] == "ista":
        return {"zeros": penalised & (last == 0)}
    strip = penalised & in_strip(mean, row["penalty"], row["step_size"])
    size = np.where(penalised, np.abs(last), np.inf)
    smallest = np.zeros_like(penalised)
    smallest[np.argsort(size, kind="stable")[: strip.sum()]] = True
    below = {f"below_{name}": size < threshold for name, threshold in USUAL_THRESHOLDS.items()}
    return {"none": np.zeros_like(penalised), "strip": strip, "magnitude": smallest, **below}
