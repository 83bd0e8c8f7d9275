"""A check of one device: what all of its steps share."""

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ndgm.groups import GROUPS, Group
from ndgm.pipeline.commands import Part, all_parts, samples_command
from ndgm.pipeline.environment import environment
from ndgm.pipeline.jobs import Config
from ndgm.pipeline.steps import Deadline, Ended, Outcome, Record, run_program

MOST_PROGRAMS = 6
"""Programs that share a device at a time; each of them waits for Python more than for the device."""

MAY_LACK = ("eagerpy", "foolbox", "mlxtend")
"""Packages that a machine with a device may lack: what needs them is not reached there, as what needs an archive."""


@dataclass(frozen=True)
class Check:
    """A check of one device.

    Attributes:
        device: `cuda`; `cpu` where the logic of the check is tested.
        configs: Config by scale, with this device.
        sources: Module of `ndgm.data` with the function of each source's name.
        root: The repository.
        folder: Scratch folder for results.
        deadline: When it ends, whatever it has by then.
        groups: Claim groups whose experiments are run and whose claims are decided.
    """

    device: str
    configs: Mapping[str, Config]
    sources: Mapping[str, str]
    root: Path
    folder: Path
    deadline: Deadline
    groups: Sequence[Group] = GROUPS

    def parts(self, scale: str) -> list[Part]:
        """Every process that makes tables of a scale."""
        return all_parts(self.configs[scale], self.groups)

    def data(self, scale: str) -> Path:
        """Folder of the data of a scale."""
        return self.folder / scale / "data"

    def results(self, scale: str, time: int = 1) -> Path:
        """Folder of the tables of a scale from the first time, or the second, that they were made."""
        return self.folder / scale / str(time)

    def run(self, command: Sequence[str], deadline: Deadline, variables: Mapping[str, str] | None = None) -> Ended:
        """Run a program in the environment of the pipeline, changed by these variables."""
        ended = run_program(command, environment(self.root / "src") | dict(variables or {}), deadline)
        for name in MAY_LACK:
            if ended.outcome == Outcome.FAILED and f"No module named '{name}" in ended.fault:
                return Ended(Outcome.NOT_REACHED, f"there is no {name}", ended.seconds, lacking=True)
        return ended

    def make_tables(self, part: Part, scale: str, time: int, deadline: Deadline) -> Ended:
        """Make the tables of a part, if all that it reads is there."""
        data, results = self.data(scale), self.results(scale, time)
        if missing := [file for file in part.inputs(self.root, data, results) if not file.exists()]:
            named = missing[0].relative_to(missing[0].parents[1])
            return Ended(Outcome.NOT_REACHED, f"there is no {named}", 0.0, lacking=True)
        return self.run(part.command(self.root, data, results), deadline)

    def make_samples(self, scale: str, deadline: Deadline, pool: Executor) -> Iterator[Record]:
        """Make the data of a scale: a record for each entry that could not be made, and one of how many were."""
        entries = list(dict.fromkeys(entry for part in self.parts(scale) for entry in part.samples))
        made = 0
        for entry, ended in zip(
            entries, pool.map(lambda entry: self._make(entry, scale, deadline), entries), strict=True
        ):
            if ended.outcome == Outcome.PASSED:
                made += 1
            else:
                yield Record(f"{scale}/data/{entry}", ended.outcome, ended.fault, lacking=ended.lacking)
        yield Record(f"{scale}/data", Outcome.PASSED if made else Outcome.NOT_REACHED, numbers={"made": made})

    def _make(self, entry: str, scale: str, deadline: Deadline) -> Ended:
        """Make the data of one entry, unless it is taken from a file that is not here."""
        config = self.configs[scale]
        owner, name = entry.split("/")
        file = config["samples"][owner][name].get("file")
        if file and not Path(file).exists():
            return Ended(Outcome.NOT_REACHED, f"there is no {file}", 0.0, lacking=True)
        return self.run(samples_command(entry, config, self.sources, self.root, self.data(scale)), deadline)


def workers() -> ThreadPoolExecutor:
    """Pool of one program per core, at most MOST_PROGRAMS."""
    return ThreadPoolExecutor(min(MOST_PROGRAMS, os.cpu_count() or 1))
