"""Experiments of a config in the order of their worth, ensemble by ensemble: as much as a time limit lets in.

First those for which there is time until their end, to judge by their ensembles so far, of which there is always one;
then, in what time is left, more ensembles of the others. Each ensemble is trained as the pipeline trains it.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from ndgm.experiments.ensembles import sweep
from ndgm.experiments.inputs import Found, read_inputs
from ndgm.experiments.training import deterministic_torch
from ndgm.groups import GROUPS
from ndgm.pipeline.commands import Part, all_parts
from ndgm.pipeline.jobs import settings
from ndgm.pipeline.programs import argument_parser, function_of, program
from ndgm.pipeline.steps import Deadline, one_line
from ndgm.store.files import InputError, read_json, write_json


@dataclass
class Progress:
    """How far an experiment has come.

    Attributes:
        name: Of the job, its part, and the table.
        reason: Why it has not begun or not ended, but for lack of time.
        failed: Whether that was a fault.
        runs: Number of all runs.
        ensembles: Number of all ensembles.
        finished_runs: Runs in the ensembles that were trained to their end.
        finished_ensembles: Number of these ensembles.
        steps: The most steps of a run.
        seconds: How long they took.
    """

    name: str
    reason: str = ""
    failed: bool = False
    runs: int = 0
    ensembles: int = 0
    finished_runs: int = 0
    finished_ensembles: int = 0
    steps: int = 0
    seconds: float = 0.0

    @property
    def finished(self) -> bool:
        """Whether all ensembles are trained."""
        return 0 < self.ensembles == self.finished_ensembles

    def predicted(self, ensembles: int) -> float:
        """Seconds that so many ensembles take if they are like those that have ended."""
        return self.seconds / max(self.finished_ensembles, 1) * ensembles


def in_time(
    ensembles: list[pd.DataFrame], progress: Progress, until_end: bool, deadline: Deadline, keep: Callable[[], None]
) -> Iterator[pd.DataFrame]:
    """Ensembles, as long as there is time for all that are left, or for one more."""
    for number, ensemble in enumerate(ensembles):
        begun = time.monotonic()
        new = number == progress.finished_ensembles  # the others are kept from an earlier round
        wanted = len(ensembles) - number if until_end else 1
        if new and number and progress.predicted(wanted) > deadline.left:
            return
        yield ensemble
        if new:
            progress.finished_ensembles += 1
            progress.finished_runs += len(ensemble)
            progress.seconds += time.monotonic() - begun
            keep()


def go_on(
    part: Part, rows: dict[str, Progress], folder: Path, until_end: bool, deadline: Deadline, keep: Callable[[], None]
) -> None:
    """Train ensembles of each experiment of a job, as long as there is time."""
    try:
        inputs = read_inputs([folder / "data" / f"{entry}.npz" for entry in part.samples], [])
    except InputError:
        for row in rows.values():
            row.reason = "its data are not there"
        return
    found: dict[str, Found] = {}
    for each, given in zip(part.job.experiments, settings(part.job, part.config, part.part), strict=True):
        row, checkpoints = rows[each.table], folder / "ensembles" / f"{part.job.name}-{part.part}-{each.table}"
        if not deadline.left or row.failed:
            continue
        try:
            experiment = function_of("experiments", each.function)(given, replace(inputs, found=found))
            ensembles = list(experiment.ensembles(given["ensemble_size"]))
            row.runs, row.ensembles, row.reason = len(experiment.runs), len(ensembles), ""
            keep()
            in_turn = in_time(ensembles, row, until_end, deadline, keep)
            trained = sweep(in_turn, experiment.build, checkpoints, experiment=each.table)
        except Exception as fault:  # whatever it is, the other experiments are worth trying
            waits = isinstance(fault, KeyError) and fault.args[0] in rows
            row.reason = f"{fault.args[0]} has not ended" if waits else one_line(f"{type(fault).__name__}: {fault}")
            row.failed = not waits
        else:
            row.steps = int(trained.table["step"].max())
            if row.finished:
                found[each.table] = trained
    keep()


def as_json(row: Progress) -> dict[str, Any]:
    """A row of the file."""
    return {**asdict(row), "predicted_seconds": row.predicted(row.ensembles), "finished": row.finished}


def main() -> None:
    """Run the program."""
    parser = argument_parser(__doc__, "config", "folder", "out")
    parser.add_argument("--seconds", type=float, required=True, help="the time limit")
    parser.add_argument("--groups", nargs="+", choices=[group.name for group in GROUPS], help="whose experiments")
    arguments = parser.parse_args()
    deadline = Deadline(arguments.seconds)
    with program(arguments):
        config = read_json(arguments.config)
        deterministic_torch(config["device"])
        groups = [group for group in GROUPS if group.name in (arguments.groups or [group.name])]
        trained = [part for part in all_parts(config, groups) if part.job.trains]
        rows = {
            part.name: {each.table: Progress(f"{part.name}/{each.table}") for each in part.job.experiments}
            for part in trained
        }

        def keep() -> None:
            write_json(arguments.out, [as_json(row) for of_part in rows.values() for row in of_part.values()])

        keep()
        for until_end in (True, False):
            for part in trained:
                go_on(part, rows[part.name], arguments.folder, until_end, deadline, keep)


if __name__ == "__main__":
    main()
