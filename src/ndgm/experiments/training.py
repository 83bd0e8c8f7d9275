"""The frame of training: one thread, sweeps with progress, their run tables, and the records beside them."""

import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ndgm.data.kinds import Weights
from ndgm.experiments.ensembles import Plan, sweep, trained
from ndgm.experiments.inputs import Found, Inputs, Settings
from ndgm.store.arrays import write_data
from ndgm.store.files import write_json
from ndgm.store.provenance import record, value_hash
from ndgm.store.run_tables import write_table

Function = Callable[[Settings, Inputs], Plan]


class NotYet(Exception):
    """An experiment asks for what an earlier one of its job found, and that one has not run."""


class FoundSoFar(dict[str, Found]):
    """What the experiments of a job found, by the name of their table, as far as they have run."""

    def __missing__(self, table: str) -> Found:
        """Say what has not run yet, so that a missing key of another mapping is not taken for it."""
        raise NotYet(f"{table} has not run, or is no earlier experiment of the same job")


@dataclass(frozen=True)
class Task:
    """One experiment of a job, and where its results go.

    Attributes:
        function: Makes the experiment from its settings and inputs.
        settings: Its block of the config, with `experiment`, `undefined`, `root_seed`, `device`, `ensemble_size` and,
            where its job is divided, `part`.
        table: File of the run table; its record goes beside it.
        weights: File of the parameters that its runs end with; None where they are not kept.
    """

    function: Function
    settings: Settings
    table: Path
    weights: Path | None = None


@dataclass(frozen=True)
class Shard:
    """A share of a job: every `of`-th ensemble of its experiments, beginning with that of this `number`, from 1 on.

    Each run has random numbers of its own, so it matters to none which process trains it.
    """

    number: int
    of: int


def train_job(
    tasks: Sequence[Task],
    inputs: Inputs,
    files: Mapping[str, Path],
    say: Callable[[str], None],
    shards: Sequence[Path] = (),
) -> None:
    """Train the experiments of a job, one after the other, and write their results.

    Snakemake deletes all outputs of a killed job, so checkpoints stay until every table is written.

    Args:
        tasks: Experiments; a later one may use what an earlier one found.
        inputs: What all of them may read.
        files: Files that the inputs were read from, by a name for the record.
        say: Says one line to the user.
        shards: Folders with what `train_shard` has trained; the rest is trained here.
    """
    found = FoundSoFar()
    for task, experiment in zip(tasks, made(tasks, replace(inputs, found=found)), strict=True):
        found[task.settings["experiment"]] = train(task, experiment, files, say, shards)
    for task in tasks:
        for folder in task.table.parent.glob(f".{task.table.stem}.*.checkpoints"):
            shutil.rmtree(folder)


def made(tasks: Sequence[Task], inputs: Inputs) -> Iterator[Plan]:
    """Experiments of a job, in order.

    Experiments are built before any is trained, so faults show at once; one that needs an earlier result is built in
    its turn.
    """
    early: dict[Path, Plan] = {}
    for task in tasks:
        with suppress(NotYet):
            early[task.table] = task.function(task.settings, inputs)
    for task in tasks:
        yield early[task.table] if task.table in early else task.function(task.settings, inputs)


def train_shard(
    tasks: Sequence[Task],
    inputs: Inputs,
    files: Mapping[str, Path],
    say: Callable[[str], None],
    shard: Shard,
    folder: Path,
) -> None:
    """Train the ensembles of a shard, and leave them in a folder, for the job that writes the tables.

    Experiments that wait for what an earlier one finds are left to that job. A shard that was killed goes on where it
    was: until its last ensemble is trained, all are kept where the job keeps its own.

    Args:
        tasks: Experiments of the job.
        inputs: What all of them may read.
        files: Files that the inputs were read from, by a name for the record.
        say: Says one line to the user.
        shard: Which ensembles.
        folder: Where they are left, in a folder of each experiment.
    """
    finished: list[tuple[Path, Path]] = []
    for task in tasks:
        with suppress(NotYet):
            experiment = task.function(task.settings, replace(inputs, found=FoundSoFar()))
            checkpoints = _checkpoints(task, _origin(task, experiment, files))
            ensembles = enumerate(experiment.ensembles(task.settings["ensemble_size"]))
            for number, rows in islice(ensembles, shard.number - 1, None, shard.of):
                kept = checkpoints / f"{number}.checkpoint"
                trained(rows, experiment.build, kept, float, say)
                finished.append((kept, folder / task.table.stem / kept.name))
    folder.mkdir(parents=True, exist_ok=True)
    for kept, left in finished:
        left.parent.mkdir(exist_ok=True)
        shutil.move(kept, left)
    say(f"{folder.name}: {len(finished):,} ensembles")


def train(
    task: Task, experiment: Plan, files: Mapping[str, Path], say: Callable[[str], None], shards: Sequence[Path] = ()
) -> Found:
    """Train one experiment, write its run table, what that came from and, where they are kept, weights.

    Finished ensembles are kept in a folder beside the table. Its name is a hash of everything that decides the numbers,
    so that a killed program goes on to the same bytes, and a changed one starts afresh.

    Args:
        task: Its settings, of which `ensemble_size` is used here, and where results go.
        experiment: What is run.
        files: Files that it depends on, by a name for the record.
        say: Says one line to the user.
        shards: Folders with what `train_shard` has trained.
    """
    runs, out = experiment.runs, task.table
    origin = _origin(task, experiment, files)
    checkpoints = _checkpoints(task, origin)
    for kept in [file for shard in shards for file in (shard / out.stem).glob("*.checkpoint")]:
        checkpoints.mkdir(parents=True, exist_ok=True)
        shutil.copy(kept, checkpoints)
    silent = not sys.stderr.isatty()
    with tqdm(desc=out.stem, total=len(runs), unit="runs", unit_scale=True, disable=silent, leave=False) as bar:
        ensembles = experiment.ensembles(task.settings["ensemble_size"])
        named = task.settings["experiment"], task.settings["undefined"]
        found = sweep(ensembles, experiment.build, checkpoints, bar.update, say, *named)
    write_table(out, found.table)
    write_json(out.with_suffix(".json"), origin)
    if task.weights:
        if len(found.ends) < len(runs):
            raise ValueError(f"{task.settings['experiment']}: weights are kept, but its problems keep no ends")
        ends = [experiment.parameters(end) for _, end in sorted(found.ends.items())]
        write_data(task.weights, Weights(np.stack(ends)))
    reasons = found.table.groupby("run")["stopped_because"].last().value_counts().sort_index()
    ends_said = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())
    say(f"{out.stem}: {len(runs):,} runs of up to {found.table['step'].max():,} steps: {ends_said}")
    return found


def _origin(task: Task, experiment: Plan, files: Mapping[str, Path]) -> dict[str, Any]:
    """Record of a table: everything that decides its numbers."""
    origin = record(task.settings, files)
    if "dtype" in experiment.runs:
        origin["dtype"] = ", ".join(sorted(experiment.runs["dtype"].unique()))
    return origin


def _checkpoints(task: Task, origin: Mapping[str, Any]) -> Path:
    """Folder of the finished ensembles of a table, by what decides its numbers."""
    return task.table.with_name(f".{task.table.stem}.{value_hash(origin)[:16]}.checkpoints")
