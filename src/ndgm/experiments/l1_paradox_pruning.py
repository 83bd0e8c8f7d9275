"""Networks that were trained under an L1 penalty, pruned by the size of their weights or of their weights' means.

By size, each method is pruned at the largest penalty that keeps an accuracy.
"""

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ndgm.engine.pruning import accuracy, drop_below, keep_share, sequential, sparsity
from ndgm.experiments.grids import log_spaced
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.experiments.l1_paradox_weights import ACTIVATION, OWNER, layers_of, runs_of, widths_of
from ndgm.store.files import InputError
from ndgm.store.run_tables import last_rows

SWEEP = "l1_paradox_networks_minibatch"
"""Table and weights of the networks that are pruned."""

THRESHOLDS = ("1e-2", "1e-3", "1e-4")
"""Sizes below which people take a weight for zero, as they write them."""


def pruning(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """Sparsity and accuracy of pruned networks, by rule.

    Raises:
        InputError: if no method keeps the accuracy at any penalty.
    """
    torch.set_num_threads(1)  # sums in another order may turn a prediction over
    test = inputs.samples["l1_paradox_networks"]["split"].test
    x, y = (torch.tensor(array, dtype=torch.float32) for array in test)
    widths = (x.shape[1], *settings["hidden"], y.shape[1])
    weights = inputs.reads[f"{SWEEP}.npz"].weights
    trained = inputs.reads[f"{SWEEP}.parquet"]
    chosen, largest = accurate_enough(trained, settings["accuracy"])
    left_out = sorted(set(trained["method"]) - set(largest))
    chosen = chosen.assign(experiment=settings["experiment"], design="digits")
    tables = []
    for _, run in chosen.iterrows():
        rows = pruned(settings, run, shares(settings, chosen, run), weights[run["run"]], widths, x, y)
        columns = ["experiment", "design", "run", "method", "seed", "penalty", "step_size"]
        tables.append(rows.assign(**run[columns])[[*columns, "rule", "at", "sparsity", "accuracy"]])
    table = pd.concat(tables, ignore_index=True)
    table.attrs |= {"penalties": largest, "methods_left_out": left_out}
    return table


def accurate_enough(table: pd.DataFrame, wanted: float) -> tuple[pd.DataFrame, dict[str, float]]:
    """Last rows of each method at its largest penalty with the mean test accuracy wanted, and these penalties.

    A method without one is left out.
    """
    runs = last_rows(table)
    means = runs[runs["penalty"] > 0].groupby(["method", "penalty"])["test_accuracy"].mean()
    enough = means[means >= wanted].reset_index().groupby("method")["penalty"].max()
    if enough.empty:
        raise InputError(f"l1_paradox.pruning.accuracy: no method has a mean test accuracy of {wanted}")
    return runs[runs["penalty"] == runs["method"].map(enough)], enough.to_dict()


def shares(settings: Settings, chosen: pd.DataFrame, run: pd.Series) -> list[tuple[str, float]]:
    """Shares of its weights that a network is pruned to, by rule; also what a proximal partner of that seed keeps."""
    found = [("kept", kept) for kept in settings["kept"]]
    for proximal, plain in settings["partners"].items():
        model = chosen[(chosen["method"] == proximal) & (chosen["seed"] == run["seed"])]
        if run["method"] in (proximal, plain) and len(model):
            found.append((f"as_{proximal}", 1 - model["zeros"].iloc[0] / run["weights"]))
    return found


def pruned(
    settings: Settings,
    run: pd.Series,
    shares: list[tuple[str, float]],
    parameters: np.ndarray,
    widths: tuple[int, ...],
    x: Tensor,
    y: Tensor,
) -> pd.DataFrame:
    """Rows of one network, pruned to shares of its weights and at thresholds in units of step size times penalty."""
    rows = []
    for rule, kept in shares:
        network = sequential(parameters, widths, run["activation"])
        keep_share(network, kept)
        rows.append((rule, kept, sparsity(network), accuracy(network, x, y)))
    for threshold in log_spaced(**settings["thresholds"]):
        network = sequential(parameters, widths, run["activation"])
        drop_below(network, threshold * run["step_size"] * run["penalty"])
        rows.append(("threshold", threshold, sparsity(network), accuracy(network, x, y)))
    return pd.DataFrame(rows, columns=["rule", "at", "sparsity", "accuracy"])


def by_means(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """Networks without the weights whose mean is within one step of zero, beside other rules, and proximal networks.

    Nothing is trained again after weights are removed. `overlap` is with the zeros of the proximal network of the same
    seed, batches and penalty.
    """
    torch.set_num_threads(1)
    split, ends = inputs.samples[OWNER]["split"], inputs.found["l1_paradox_weights"].ends
    x, y = (torch.tensor(array) for array in split.test)
    widths, runs = widths_of(settings, split), runs_of(settings)
    penalised = layers_of(widths) > 0
    partners = runs[runs["method"] == "ista"].set_index(["design", "penalty", "seed"])["run"]
    tables = []
    for row in runs.to_dict("records"):
        last, mean = ends[row["run"]][0], ends[row["run"]][-1]
        zero = ends[partners[row["design"], row["penalty"], row["seed"]]][0] == 0
        found = []
        for rule, removed in removals(last, mean, penalised, row).items():
            network = sequential(np.where(removed, 0.0, last), widths, ACTIVATION)
            shared, either = (how(removed, zero)[penalised].sum() for how in (np.logical_and, np.logical_or))
            found.append((rule, sparsity(network), accuracy(network, x, y), shared / max(either, 1)))
        tables.append(pd.DataFrame(found, columns=["rule", "sparsity", "accuracy", "overlap"]).assign(**row))
    table = pd.concat(tables, ignore_index=True).assign(experiment=settings["experiment"])
    head = ["experiment", "run", "design", "method", "penalty", "step_size", "seed", "rule"]
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
    strip = penalised & (np.abs(mean) <= row["step_size"] * row["penalty"])
    size = np.where(penalised, np.abs(last), np.inf)
    smallest = np.zeros_like(penalised)
    smallest[np.argsort(size, kind="stable")[: strip.sum()]] = True
    below = {f"below_{threshold}": size < float(threshold) for threshold in THRESHOLDS}
    return {"none": np.zeros_like(penalised), "strip": strip, "magnitude": smallest, **below}
