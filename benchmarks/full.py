"""Experiments of a config in the order of their worth, ensemble by ensemble: as much as a time limit lets in.

First each of them in its share of the time, which is the same for all that are still to come: one ensemble, and then
the others, if there is time until their end to judge by those so far. Then, in what time is left, more ensembles of
those that have not ended. A first ensemble that takes longer than its share is stopped at the next recorded step, and
it is said how long it would have taken. Each ensemble is trained as the pipeline trains it.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from ndgm.experiments.determinism import deterministic_torch
from ndgm.experiments.ensembles import sweep
from ndgm.experiments.inputs import read_inputs
from ndgm.experiments.training import FoundSoFar, NotYet
from ndgm.groups import GROUPS
from ndgm.pipeline.commands import Part, all_parts
from ndgm.pipeline.jobs import settings
from ndgm.pipeline.programs import argument_parser, function_of, program
from ndgm.pipeline.steps import Deadline, one_line
from ndgm.store.files import InputError, read_json, write_json


class TimeIsUp(Exception):
    """A first ensemble takes longer than there is time for."""


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
        stopped: How long the first ensemble would have taken, where it was stopped; 0 where none was.
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
    stopped: float = 0.0

    @property
    def finished(self) -> bool:
        """Whether all ensembles are trained."""
        return 0 < self.ensembles == self.finished_ensembles

    def predicted(self, ensembles: int) -> float:
        """Seconds that so many ensembles take if they are like those that have ended, or the one that was stopped."""
        one = self.seconds / self.finished_ensembles if self.finished_ensembles else self.stopped
        return one * ensembles


def in_time(
    ensembles: list[pd.DataFrame], progress: Progress, until_end: bool, deadline: Deadline, keep: Callable[[], None]
) -> Iterator[pd.DataFrame]:
    """Ensembles, as long as there is time for all that are left, or for one more; the first, if nothing is known."""
    for number, ensemble in enumerate(ensembles):
        begun = time.monotonic()
        new = number == progress.finished_ensembles  # the others are kept from an earlier round
        wanted = len(ensembles) - number if until_end else 1
        if new and progress.predicted(wanted) > deadline.left:
            return
        yield ensemble
        if new:
            progress.finished_ensembles += 1
            progress.finished_runs += len(ensemble)
            progress.seconds += time.monotonic() - begun
            keep()


def in_its_share(progress: Progress, ensembles: list[pd.DataFrame], deadline: Deadline) -> Callable[[float], None]:
    """What training tells of its advance: it stops the first ensemble of an experiment at the deadline."""
    begun, done = time.monotonic(), 0.0

    def advanced(runs: float) -> None:
        nonlocal done
        done += runs / len(ensembles[0])
        if not progress.finished_ensembles and 0 < done < 1 and not deadline.left:
            progress.stopped = (time.monotonic() - begun) / done
            raise TimeIsUp

    return advanced


def go_on(
    part: Part,
    rows: dict[str, Progress],
    folder: Path,
    until_end: bool,
    deadline: Deadline,
    keep: Callable[[], None],
    to_come: int,
) -> None:
    """Train ensembles of each experiment of a job, as long as there is time.

    Args:
        part: The job.
        rows: How far its experiments have come, by table.
        folder: With the data, and for ensembles.
        until_end: Whether to go on only where there is time until the end, and in a share of it; or else for one more.
        deadline: When all ends.
        keep: Writes the rows.
        to_come: Experiments among which the time is shared, those of this job first.
    """
    try:
        inputs = read_inputs([folder / "data" / f"{entry}.npz" for entry in part.samples], [])
    except InputError:
        for row in rows.values():
            row.reason = "its data are not there"
        return
    found = FoundSoFar()
    for place, (each, given) in enumerate(
        zip(part.job.experiments, settings(part.job, part.config, part.part), strict=True)
    ):
        row, checkpoints = rows[each.table], folder / "ensembles" / f"{part.job.name}-{part.part}-{each.table}"
        limit = deadline.within(deadline.left / (to_come - place)) if until_end else deadline
        if row.failed or not limit.left or row.predicted(1) > limit.left:
            continue
        try:
            experiment = function_of("experiments", each.function)(given, replace(inputs, found=found))
            ensembles = list(experiment.ensembles(given["ensemble_size"]))
            row.runs, row.ensembles, row.reason = len(experiment.runs), len(ensembles), ""
            keep()
            in_turn = in_time(ensembles, row, until_end, limit, keep)
            advanced = in_its_share(row, ensembles, limit)
            named = {"experiment": each.table, "undefined": each.undefined}
            trained = sweep(in_turn, experiment.build, checkpoints, advanced, **named)
        except NotYet as waits:
            row.reason = one_line(str(waits))
        except TimeIsUp:
            keep()
        except Exception as fault:  # whatever it is, the other experiments are worth trying
            row.reason, row.failed = one_line(f"{type(fault).__name__}: {fault}"), True
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
    with program(arguments, goes_on=True):
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
            to_come = sum(map(len, rows.values()))
            for part in trained:
                go_on(part, rows[part.name], arguments.folder, until_end, deadline, keep, to_come)
                to_come -= len(rows[part.name])


if __name__ == "__main__":
    main()
