"""The frame of every training program: one thread, a sweep with progress, its run table, and the record beside it."""

import shutil
import sys
from argparse import Namespace
from collections.abc import Callable

import pandas as pd
import torch
from tqdm import tqdm

from ndgm.descent import Schedule
from ndgm.files import write_json
from ndgm.provenance import record, value_hash
from ndgm.sweep import Problem, ensembles, sweep
from ndgm.tables import write_table


def deterministic_torch() -> None:
    """One thread, float64, deterministic kernels, no TF32: the numbers are decided by config, code and data alone."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    torch.use_deterministic_algorithms(True)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def train(
    arguments: Namespace,
    say: Callable[[str], None],
    runs: pd.DataFrame,
    build: Callable[[pd.DataFrame], Problem],
    together: list[str],
    block: int = 1,
) -> None:
    """Train `runs`, write the run table to `arguments.out` and what it came from to `arguments.record`.

    Finished ensembles are kept in a folder beside the table until it is written. Its name is a hash of everything that
    decides the numbers, so that a killed program goes on to the same bytes, and a changed one starts afresh.

    Args:
        arguments: The program's: `settings`, `design`, `out`, `record`.
        say: Says one line to the user.
        runs: One row a run.
        build: Makes the problem of an ensemble from its rows.
        together: Columns in which all runs of an ensemble agree.
        block: Ensembles hold a multiple of this many consecutive runs.
    """
    name, settings = arguments.out.stem, arguments.settings
    schedule = Schedule.halving(settings["steps"], settings["recorded_steps"])
    origin = record(settings, [arguments.design])
    checkpoints = arguments.out.with_name(f".{name}-{value_hash(origin)[:16]}")
    parts = ensembles(runs, settings["ensemble_size"], together, block)
    silent = not sys.stderr.isatty()
    with tqdm(desc=name, total=len(runs) * schedule.steps, unit_scale=True, disable=silent, leave=False) as bar:
        table = sweep(parts, build, schedule, checkpoints, bar.update)
    write_table(arguments.out, table)
    write_json(arguments.record, origin)
    for folder in arguments.out.parent.glob(f".{name}-*"):
        shutil.rmtree(folder)
    reasons = table.groupby("run")["stopped_because"].last().value_counts().sort_index()
    ends = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())
    say(f"{name}: {len(runs):,} runs of up to {schedule.steps:,} steps: {ends}")
