"""A grid of runs: which of them share a shape and train as one ensemble."""

import pickle
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ndgm.engine.descent import Schedule, Trace, descend
from ndgm.engine.methods import METHODS
from ndgm.engine.objectives.objective import Objective
from ndgm.store.files import write_atomically
from ndgm.store.provenance import generator


class Problem(NamedTuple):
    """What an ensemble minimises, where it starts, with which steps, and how many of them."""

    objective: Objective
    start: Tensor
    step_size: Tensor
    schedule: Schedule


def grid(**factors: list | np.ndarray) -> pd.DataFrame:
    """All combinations of the factors, one row a run, numbered in `run`; the last factor varies fastest."""
    runs = pd.MultiIndex.from_product(factors.values(), names=factors.keys()).to_frame(index=False)
    runs.insert(0, "run", range(len(runs)))
    return runs


def log_spaced(*, low: float, high: float, count: int) -> np.ndarray:
    """The values of a grid in the config: `count` of them from `low` to `high`, evenly spaced on a log scale."""
    return np.geomspace(low, high, count)


def column(part: pd.DataFrame, name: str, device: str) -> Tensor:
    """A factor of an ensemble's runs, shape (runs, 1)."""
    return torch.tensor(part[name].to_numpy(dtype=np.float64), device=device).unsqueeze(1)


def start_directions(root_seed: int, seeds: int, dimension: int) -> np.ndarray:
    """Gaussian starts of about unit length, one per seed, shape (seeds, d): the same in every experiment.

    None of their weights is zero or on the lattice of multiples of ηλ, where sign(0) = 0 would hold a weight for ever.
    """
    draws = [generator(root_seed, "any", "start", seed).standard_normal(dimension) for seed in range(seeds)]
    return np.stack(draws) / np.sqrt(dimension)


def ensembles(runs: pd.DataFrame, size: int, together: list[str], block: int = 1) -> Iterator[pd.DataFrame]:
    """Cut `runs` into ensembles.

    Args:
        runs: One row a run, with a `method` column.
        size: Most runs in one ensemble.
        together: Columns in which all runs of an ensemble agree.
        block: Ensembles hold a multiple of this many consecutive runs.
    """
    stride = max(size // block, 1) * block
    for _, alike in runs.groupby(together, sort=False):
        for first in range(0, len(alike), stride):
            yield alike.iloc[first : first + stride]


def sweep(
    parts: Iterable[pd.DataFrame],
    build: Callable[[pd.DataFrame], Problem],
    checkpoints: Path,
    advanced: Callable[[float], object] = float,
) -> tuple[pd.DataFrame, dict[int, np.ndarray]]:
    """Train ensemble after ensemble.

    Each finished ensemble is kept in `checkpoints`, and taken from there when the sweep is run again.

    Args:
        parts: The ensembles, one row a run, with a `run` number, a `method` and the factors of the experiment.
        build: Makes the problem of an ensemble from its rows.
        checkpoints: Folder of this sweep alone.
        advanced: Told how many runs' worth of steps are done since it was told last.

    Returns:
        The run table, sorted by run and step, and where each run was at the end, by run.
    """
    tables, ends = [], {}
    for number, part in enumerate(parts):
        kept = checkpoints / f"{number}.pickle"
        if kept.exists():
            trace = pickle.loads(kept.read_bytes())
            advanced(len(part))
        else:
            objective, start, step_size, schedule = build(part)
            method = METHODS[part["method"].iloc[0]]
            trace = descend(objective, method, start, step_size, schedule, advanced)
            with write_atomically(kept) as temporary:
                temporary.write_bytes(pickle.dumps(trace))
        tables.append(tabulate(part, trace))
        ends |= dict(zip(part["run"], trace.iterates, strict=True))
    return pd.concat(tables, ignore_index=True).sort_values(["run", "step"], ignore_index=True), ends


def tabulate(part: pd.DataFrame, trace: Trace) -> pd.DataFrame:
    """Rows of the run table for one ensemble: a row for each run and recorded step up to the run's last."""
    rows, run = np.nonzero(np.arange(len(trace.step))[:, None] <= trace.last_row)
    table = part.iloc[run].reset_index(drop=True)
    table["step"] = trace.step[rows]
    for name, values in trace.measured.items():
        table[name] = values[rows, run]
    table["stopped_because"] = trace.stopped_because[run]
    return table
