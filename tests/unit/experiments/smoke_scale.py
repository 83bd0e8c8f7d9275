"""Experiments of the manifest on the settings of the smoke scale, with their data."""

from functools import cache
from pathlib import Path

from ndgm.data.sources import SOURCES
from ndgm.experiments.inputs import Inputs
from ndgm.groups import Experiment, Job
from ndgm.pipeline.jobs import JOBS, samples, settings
from ndgm.pipeline.programs import function_of
from ndgm.pipeline.settings import load
from ndgm.store.files import read_json
from ndgm.store.provenance import generator

ROOT = Path(__file__).parents[3]


class Smoke:
    """Settings and inputs by the name of a table."""

    config = load("smoke", ROOT / "config")

    def job(self, table: str) -> tuple[Job, Experiment]:
        """The job that makes a table, and the experiment."""
        return next((job, each) for job in JOBS.values() for each in job.experiments if each.table == table)

    def settings(self, table: str, part: str = "") -> dict:
        """What the experiment is told."""
        job, each = self.job(table)
        return settings(job, self.config, part)[job.experiments.index(each)]

    def inputs(self, table: str, part: str = "") -> Inputs:
        """Data that the experiment reads, and JSON, but no results of others."""
        data: dict = {}
        job, _ = self.job(table)
        for entry in samples(job, self.config, part):
            owner, name = entry.split("/")
            data.setdefault(owner, {})[name] = made(owner, name)
        reads = {Path(path).name: read_json(ROOT / path) for path in job.reads if path.endswith(".json")}
        return Inputs(data, reads)

    def experiment(self, table: str, part: str = "", **changed):
        """The experiment, with some settings changed."""
        _, each = self.job(table)
        told = self.settings(table, part) | changed
        return function_of("experiments", each.function)(told, self.inputs(table, part))


@cache
def made(owner: str, name: str):
    """Data of an entry of the table of samples."""
    options = dict(Smoke.config["samples"][owner][name])
    source = options.pop("source")
    draws = generator(Smoke.config["root_seed"], owner, name)
    return function_of("data", f"{SOURCES[source]}.{source}")(draws, **options)
