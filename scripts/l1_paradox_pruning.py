"""Prune networks that were trained under an L1 penalty: each method at the largest penalty that keeps an accuracy."""

import pandas as pd
import torch

from ndgm.data.networks import read_samples, read_weights
from ndgm.engine.pruning import PROXIMAL_AND_PLAIN, accuracy, drop_below, keep_share, sequential, sparsity
from ndgm.experiments.ensembles import log_spaced
from ndgm.pipeline.programs import argument_parser, program
from ndgm.store.files import InputError
from ndgm.store.run_tables import last_rows, read_table, write_table

arguments = argument_parser(__doc__, "test", "runs", "weights", "out").parse_args()


def pruned(run):
    """Rows of one network: pruned to shares of its weights, to what a proximal partner keeps, and at thresholds."""
    parameters = weights[run["run"]]

    def network():
        return sequential(parameters, widths, run["activation"])

    def row(rule, at, this):
        return {"rule": rule, "at": at, "sparsity": sparsity(this), "accuracy": accuracy(this, x, y)}

    rows = []
    shares = [("kept", kept) for kept in settings["kept"]]
    for pair in PROXIMAL_AND_PLAIN:
        partner = chosen[(chosen["method"] == pair[0]) & (chosen["seed"] == run["seed"])]
        if run["method"] in pair and len(partner):
            shares.append((f"as_{pair[0]}", 1 - partner["zeros"].iloc[0] / run["weights"]))
    for rule, kept in shares:
        this = network()
        keep_share(this, kept)
        rows.append(row(rule, kept, this))
    for threshold in log_spaced(**settings["thresholds"]):
        this = network()
        drop_below(this, threshold * run["step_size"] * run["penalty"])
        rows.append(row("threshold", threshold, this))
    columns = ["experiment", "design", "run", "method", "seed", "penalty", "step_size"]
    return pd.DataFrame(rows).assign(**run[columns])[[*columns, "rule", "at", "sparsity", "accuracy"]]


with program(arguments) as say:
    torch.set_num_threads(1)
    settings = arguments.settings
    samples = read_samples(arguments.test)
    x, y = (torch.tensor(array, dtype=torch.float32) for array in samples)
    widths = (x.shape[1], *settings["hidden"], y.shape[1])
    weights = read_weights(arguments.weights)

    runs = last_rows(read_table(arguments.runs))
    means = runs[runs["penalty"] > 0].groupby(["method", "penalty"])["test_accuracy"].mean()
    enough = means[means >= settings["accuracy"]].reset_index().groupby("method")["penalty"].max()
    if missing := sorted(set(runs["method"]) - set(enough.index)):
        say(f"no penalty leaves {', '.join(missing)} a mean test accuracy of {settings['accuracy']}")
    if enough.empty:
        raise InputError(f"l1_paradox.pruning.accuracy: no method has a mean test accuracy of {settings['accuracy']}")
    chosen = runs[runs["penalty"] == runs["method"].map(enough)]
    chosen = chosen.assign(experiment="l1_paradox_pruning", design="digits")
    write_table(arguments.out, pd.concat([pruned(run) for _, run in chosen.iterrows()], ignore_index=True))
    for method, penalty in enough.items():
        say(f"{method}: penalty {penalty:.2g}")
