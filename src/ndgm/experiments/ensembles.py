"""What is to be run, and how: runs that share a shape train as one ensemble."""

import io
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ndgm.engine.descent import Schedule, Target, Trace, descend
from ndgm.engine.methods import METHODS
from ndgm.engine.objectives.objective import Objective
from ndgm.experiments.finite import check_finite
from ndgm.experiments.inputs import Found, Settings
from ndgm.store.provenance import generator
from ndgm.store.sealed import TornError, read_sealed, write_sealed


class Problem(NamedTuple):
    """What an ensemble minimises, where it starts, with which steps, how many of them, and what ends them earlier.

    Where a run ends is kept beside its trace, unless no later experiment asks for it and no weights are kept:
    `keeps_ends` is False then, and spares as much writing as there are weights.
    """

    objective: Objective
    start: Tensor
    step_size: Tensor
    schedule: Schedule
    target: Target | None = None
    keeps_ends: bool = True


Build = Callable[[pd.DataFrame], Problem]

ELEMENTS = 25_000
"""Weights of an ensemble: with fewer, a step takes long for the calls that it makes; many more leave the cache."""


@dataclass(frozen=True)
class Plan:
    """What is to be run.

    Attributes:
        runs: One row a run, with its number in `run`, its `method` and all factors; a column `dtype` says where they
            are not computed in float64.
        build: Makes the problem of an ensemble from its rows.
        together: Columns in which all runs of an ensemble agree.
        block: Ensembles hold a multiple of this many consecutive runs.
        parameters: Makes what is kept of a run, where weights are, from where it ended.
        dimension: Weights of a run, where they are so few that ensembles are filled up to `ELEMENTS` of them.
        at_once: Most runs of an ensemble, from the rows of which it is cut; None where nothing bounds it but its size.
    """

    runs: pd.DataFrame
    build: Build
    together: list[str]
    block: int = 1
    parameters: Callable[[np.ndarray], np.ndarray] = np.asarray
    dimension: int = ELEMENTS
    at_once: Callable[[pd.DataFrame], int] | None = None

    def ensembles(self, size: int) -> Iterator[pd.DataFrame]:
        """Rows of ensembles of at most `size` runs, of one block where that is longer, or of `ELEMENTS` weights."""
        size = max(size, ELEMENTS // self.dimension)
        return ensembles(self.runs, size, self.together, self.block, self.at_once)


def column(rows: pd.DataFrame, name: str, device: str) -> Tensor:
    """A factor of an ensemble's runs, shape (runs, 1)."""
    return torch.tensor(rows[name].to_numpy(dtype=np.float64), device=device).unsqueeze(1)


def start_directions(root_seed: int, seeds: int, dimension: int) -> np.ndarray:
    """Gaussian starts of about unit length, one per seed, shape (seeds, d): the same in every experiment.

    None of their weights is zero or on the lattice of multiples of ηλ, where sign(0) = 0 would hold a weight for ever.
    """
    draws = [generator(root_seed, "any", "start", seed).standard_normal(dimension) for seed in range(seeds)]
    return np.stack(draws) / np.sqrt(dimension)


def starts(rows: pd.DataFrame, settings: Settings, dimension: int) -> Tensor:
    """Starts of about unit length, decided by each run's seed, shape (runs, d)."""
    directions = start_directions(settings["root_seed"], settings["seeds"], dimension)
    return torch.tensor(directions[rows["seed"]], device=settings["device"])


def generators(settings: Settings, component: str, seeds: Iterable[int]) -> list[np.random.Generator]:
    """A generator of one component of an experiment for each seed: what runs of a seed draw does not depend on more."""
    return [generator(settings["root_seed"], settings["experiment"], component, seed) for seed in seeds]


def ensembles(
    runs: pd.DataFrame,
    size: int,
    together: list[str],
    block: int = 1,
    at_once: Callable[[pd.DataFrame], int] | None = None,
) -> Iterator[pd.DataFrame]:
    """Cut `runs` into ensembles.

    Args:
        runs: One row a run, with a `method` column.
        size: Most runs in one ensemble.
        together: Columns in which all runs of an ensemble agree.
        block: Ensembles hold a multiple of this many consecutive runs.
        at_once: Most runs in one ensemble of those that agree, where it is less than `size`.
    """
    for _, alike in runs.groupby(together, sort=False):
        most = min(size, at_once(alike)) if at_once else size
        stride = max(most // block, 1) * block
        for first in range(0, len(alike), stride):
            yield alike.iloc[first : first + stride]


def sweep(
    ensembles: Iterable[pd.DataFrame],
    build: Build,
    checkpoints: Path,
    advanced: Callable[[float], object] = float,
    say: Callable[[str], object] = str,
    experiment: str = "",
    undefined: Collection[str] = (),
) -> Found:
    """Train ensemble after ensemble.

    Each finished ensemble is kept in `checkpoints`, and taken from there when the sweep is run again. One that was torn
    since, by a power loss for example, is thrown away and trained again.

    Args:
        ensembles: Rows of each, one a run, with a `run` number, a `method` and the factors of the experiment.
        build: Makes the problem of an ensemble from its rows.
        checkpoints: Folder of this sweep alone.
        advanced: Called at each recorded step with the newly completed share, in whole runs.
        say: Says one line to the user.
        experiment: Name for the column `experiment`, where the rows have none.
        undefined: Columns that are NaN in runs for which they have no meaning.

    Returns:
        The run table, sorted by run and step, and where each run ended, of problems that keep it.

    Raises:
        InputError: at the first ensemble with a number that is not finite where it should be.
    """
    tables: list[pd.DataFrame] = []
    ends: dict[int, np.ndarray] = {}
    for number, rows in enumerate(ensembles):
        trace = trained(rows, build, checkpoints / f"{number}.checkpoint", advanced, say)
        table = tabulate(rows, trace)
        if "experiment" not in table:
            table.insert(0, "experiment", experiment)
        check_finite(table, undefined)
        tables.append(table)
        if trace.iterates.shape[1]:  # else the problem keeps no ends, and who asks for them finds none
            ends |= dict(zip(rows["run"], trace.iterates, strict=True))
    return Found(pd.concat(tables, ignore_index=True).sort_values(["run", "step"], ignore_index=True), ends)


def trained(
    rows: pd.DataFrame, build: Build, kept: Path, advanced: Callable[[float], object], say: Callable[[str], object]
) -> Trace:
    """The trace of one ensemble: from the file where it is kept, or else of training it, and then it is kept there."""
    if trace := kept_trace(kept, say):
        advanced(len(rows))
        return trace
    objective, start, step_size, schedule, target, keeps_ends = build(rows)
    trace = descend(objective, METHODS[rows["method"].iloc[0]], start, step_size, schedule, advanced, target)
    if not keeps_ends:
        trace.iterates = trace.iterates[:, :0].copy()  # a view would hold them all
    write_trace(kept, trace)
    return trace


def tabulate(rows: pd.DataFrame, trace: Trace) -> pd.DataFrame:
    """Rows of the run table for one ensemble: a row for each run and recorded step up to the run's last."""
    recorded, run = np.nonzero(np.arange(len(trace.step))[:, None] <= trace.last_row)
    table = rows.iloc[run].reset_index(drop=True)
    table["step"] = trace.step[recorded]
    for name, values in trace.measured.items():
        table[name] = values[recorded, run]
    table["stopped_because"] = trace.stopped_because[run]
    return table


def kept_trace(path: Path, say: Callable[[str], object]) -> Trace | None:
    """The trace that is kept in a file; nothing where there is none, or where a torn one had to be thrown away."""
    try:
        return read_trace(path)
    except FileNotFoundError:
        return None
    except TornError as torn:
        path.unlink()
        say(f"{torn}; it is thrown away, and its runs are trained again")
        return None


def write_trace(path: Path, trace: Trace) -> None:
    """Keep a trace as arrays, of which those with a dot in front of their name are measured quantities."""
    measured = {f".{name}": values for name, values in trace.measured.items()}
    reasons = trace.stopped_because.astype(str)
    others = {"step": trace.step, "last_row": trace.last_row, "iterates": trace.iterates}
    archive = io.BytesIO()
    np.savez(archive, allow_pickle=False, **{**others, "stopped_because": reasons, **measured})
    write_sealed(path, archive.getvalue())


def read_trace(path: Path) -> Trace:
    """Read a trace as `write_trace` kept it.

    Raises:
        TornError: if the file is not as it was written.
    """
    with np.load(io.BytesIO(read_sealed(path)), allow_pickle=False) as archive:
        arrays = dict(archive)
    measured = {name.removeprefix("."): arrays.pop(name) for name in list(arrays) if name.startswith(".")}
    reasons = arrays["stopped_because"].astype(object)
    return Trace(arrays["step"], measured, reasons, arrays["last_row"], arrays["iterates"])
