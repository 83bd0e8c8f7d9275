"""Networks that were trained under an L1 penalty, pruned: each method at its largest penalty that keeps an accuracy."""

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ndgm.engine.pruning import accuracy, drop_below, keep_share, sequential, sparsity
from ndgm.experiments.grids import log_spaced
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.store.files import InputError
from ndgm.store.run_tables import last_rows

SWEEP = "l1_paradox_networks_minibatch"
"""Table and weights of the networks that are pruned."""


def pruning(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """Sparsity and accuracy of pruned networks, by rule.

    Raises:
        InputError: if no method keeps the accuracy at any penalty.
    """
    test = inputs.samples["l1_paradox_networks"]["split"].test
    x, y = (torch.tensor(array, dtype=torch.float32, device=settings["device"]) for array in test)
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
        network = sequential(parameters, widths, run["activation"], settings["device"])
        keep_share(network, kept)
        rows.append((rule, kept, sparsity(network), accuracy(network, x, y)))
    for threshold in log_spaced(**settings["thresholds"]):
        network = sequential(parameters, widths, run["activation"], settings["device"])
        drop_below(network, threshold * run["step_size"] * run["penalty"])
        rows.append(("threshold", threshold, sparsity(network), accuracy(network, x, y)))
    return pd.DataFrame(rows, columns=["rule", "at", "sparsity", "accuracy"])
