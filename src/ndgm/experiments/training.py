"""The frame of every training program: one thread, a sweep with progress, its run table, and the record beside it."""

import os
import shutil
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from tqdm import tqdm

from ndgm.experiments.ensembles import Problem, ensembles, sweep
from ndgm.store.files import InputError, write_json
from ndgm.store.provenance import record, value_hash
from ndgm.store.run_tables import write_table

Maker = Callable[[Mapping[str, Any]], tuple[pd.DataFrame, Callable[[pd.DataFrame], Problem], list[str]]]


def deterministic_torch(device: str) -> None:
    """One thread, float64, deterministic kernels, no TF32: the numbers are decided by config, code and data alone.

    Args:
        device: What the config says.

    Raises:
        InputError: if there is no such device here.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("device: cuda: PyTorch finds no CUDA device here")
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it cuBLAS refuses to be deterministic
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    # The same as `use_deterministic_algorithms`, which also imports the compiler: half of a small job.
    torch.set_deterministic_debug_mode("error")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def train(
    settings: Mapping[str, Any],
    inputs: Sequence[Path],
    out: Path,
    say: Callable[[str], None],
    runs: pd.DataFrame,
    build: Callable[[pd.DataFrame], Problem],
    together: list[str],
    block: int = 1,
) -> dict[int, np.ndarray]:
    """Train `runs`, write the run table to `out` and what it came from beside it, with the ending `.json`.

    Finished ensembles are kept in a folder beside the table until `remove_finished_ensembles`. Its name is a hash of
    everything that decides the numbers, so that a killed program goes on to the same bytes, and a changed one starts
    afresh.

    Args:
        settings: What the experiment is told; of these `ensemble_size` is used here.
        inputs: Files that the runs depend on.
        out: The run table.
        say: Says one line to the user.
        runs: One row a run; a column `dtype` says where they are not computed in float64.
        build: Makes the problem of an ensemble from its rows.
        together: Columns in which all runs of an ensemble agree.
        block: Ensembles hold a multiple of this many consecutive runs.

    Returns:
        Where each run was at the end, by run.
    """
    origin = record(settings, inputs)
    if "dtype" in runs:
        origin["dtype"] = ", ".join(sorted(runs["dtype"].unique()))
    checkpoints = out.with_name(f"{_hidden(out)}{value_hash(origin)[:16]}")
    parts = ensembles(runs, settings["ensemble_size"], together, block)
    silent = not sys.stderr.isatty()
    with tqdm(desc=out.stem, total=len(runs), unit="runs", unit_scale=True, disable=silent, leave=False) as bar:
        table, iterates = sweep(parts, build, checkpoints, bar.update)
    write_table(out, table)
    write_json(out.with_suffix(".json"), origin)
    reasons = table.groupby("run")["stopped_because"].last().value_counts().sort_index()
    ends = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())
    say(f"{out.stem}: {len(runs):,} runs of up to {table['step'].max():,} steps: {ends}")
    return iterates


def train_each(
    makers: Mapping[str, Maker],
    arguments: Namespace,
    inputs: Sequence[Path],
    say: Callable[[str], None],
) -> None:
    """All that a program trains: several experiments, each with its settings and to its own table.

    Args:
        makers: By the name of the experiment, what makes `runs`, `build` and `together` of `train` from its settings.
        arguments: Of the program: `settings`, one block for each experiment, and `out`, its run table.
        inputs: As for `train`.
        say: As for `train`.
    """
    # All are made before the first is run, so that a fault of the config comes up at once.
    made = [makers[settings["experiment"]](settings) for settings in arguments.settings]
    for settings, (runs, build, together), out in zip(arguments.settings, made, arguments.out, strict=True):
        runs.insert(0, "experiment", settings["experiment"])
        train(settings, inputs, out, say, runs, build, together)
    remove_finished_ensembles(arguments.out)


def remove_finished_ensembles(tables: Sequence[Path]) -> None:
    """Remove what a killed program would have gone on from; called when all that the program makes is written.

    Not table by table: whoever kills a program throws away all of its tables, those that were finished too.
    """
    for out in tables:
        for folder in out.parent.glob(f"{_hidden(out)}*"):
            shutil.rmtree(folder)


def _hidden(out: Path) -> str:
    """How the folders of finished ensembles of a table begin."""
    return f".{out.stem}-"
