"""The pipeline's jobs as command lines, for a machine without Snakemake."""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ndgm.groups import Group, Job
from ndgm.pipeline.jobs import Config, parts, result, samples, settings, settings_of_group, settings_of_samples

RESULTS = "results/{scale}/"
"""Prefix that marks a file in `Job.reads` as made by another job."""


@dataclass(frozen=True)
class Part:
    """One process of the pipeline: a job, or one part of it.

    Attributes:
        job: The job.
        config: The config that it is run on.
        part: Name of the part; empty where the job is not divided.
    """

    job: Job
    config: Config
    part: str

    @property
    def name(self) -> str:
        """Name of the process as messages print it: that of the job, and of its part where it is divided."""
        return f"{self.job.name}/{self.part}" if self.part else self.job.name

    @property
    def waits(self) -> bool:
        """Whether the process reads what other jobs make."""
        return any(path.startswith(RESULTS) for path in self.job.reads)

    @property
    def samples(self) -> list[str]:
        """Entries `owner/name` of the config's table of samples that the process reads."""
        return samples(self.job, self.config, self.part)

    @property
    def tables(self) -> list[str]:
        """Paths of the tables that the process makes, below the folder of results of the scale."""
        return self._results()

    @property
    def outputs(self) -> list[str]:
        """Paths of all files that the process makes, below the folder of results of the scale."""
        weights = self._results("weights", ".npz") if self.job.weights else []
        return [*self.tables, *self._results(suffix=".json"), *weights]

    def command(self, root: Path, data: Path, results: Path) -> list[str]:
        """The command line of the process: interpreter, program and arguments.

        Args:
            root: The repository.
            data: Folder of the data.
            results: Folder of the results of the scale.
        """
        options: dict[str, list[Any]] = {
            "settings": [_json(settings(self.job, self.config, self.part))],
            "samples": self._samples(data),
            "reads": self._reads(root, results),
            "out": [results / table for table in self.tables],
        }
        if self.job.weights:
            options["weights"] = [results / path for path in self._results("weights", ".npz")]
        program = root / "scripts" / ("train.py" if self.job.trains else "tabulate.py")
        arguments = [str(word) for name, values in options.items() for word in (f"--{name}", *values)]
        return [sys.executable, str(program), *arguments]

    def inputs(self, root: Path, data: Path, results: Path) -> list[Path]:
        """All files that the process reads; the arguments are those of `command`."""
        return [*self._samples(data), *self._reads(root, results)]

    def _samples(self, data: Path) -> list[Path]:
        return [data / f"{entry}.npz" for entry in self.samples]

    def _reads(self, root: Path, results: Path) -> list[Path]:
        named = [path.replace("{part}", self.part) for path in self.job.reads]
        return [results / path.removeprefix(RESULTS) if path.startswith(RESULTS) else root / path for path in named]

    def _results(self, folder: str = "", suffix: str = ".parquet") -> list[str]:
        return [result(self.job, each, folder, suffix).format(part=self.part) for each in self.job.experiments]


def all_parts(config: Config, groups: Iterable[Group]) -> list[Part]:
    """Every process that makes tables of groups: first those of networks, which take longest and are worth most."""
    in_order = sorted(groups, key=lambda group: not group.networks)
    return [Part(job, config, part) for group in in_order for job in group.jobs for part in parts(job, config)]


def samples_command(entry: str, config: Config, sources: Mapping[str, str], root: Path, data: Path) -> list[str]:
    """Program and arguments that make the data of an entry `owner/name` of the config's table of samples.

    Args:
        entry: The entry.
        config: The config.
        sources: Module of `ndgm.data` with the function of each source's name.
        root: The repository.
        data: Folder of the data.
    """
    given = _json(settings_of_samples(entry, config, sources))
    program = [sys.executable, str(root / "scripts/make_samples.py")]
    return [*program, "--settings", given, "--out", str(data / f"{entry}.npz")]


def deciding_command(group: Group, tables: Iterable[Path], root: Path, out: Path) -> list[str]:
    """Program and arguments that decide the claims of a group.

    Args:
        group: The group.
        tables: The tables that its claims read.
        root: The repository.
        out: File of the decided claims.
    """
    given = _json(settings_of_group(group))
    program = [sys.executable, str(root / "scripts/decide_claims.py")]
    return [*program, "--settings", given, "--tables", *map(str, tables), "--out", str(out)]


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, allow_nan=False)
