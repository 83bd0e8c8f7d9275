"""Jobs of the manifest on a config: their parts, their settings, the data that they read, and their tables."""

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from ndgm.groups import GROUPS, OF_TRAINING, Experiment, Group, Job

Config = Mapping[str, Any]
JOBS = {job.name: job for group in GROUPS for job in group.jobs}
TABLES = tuple(each.table for job in JOBS.values() for each in job.experiments)
FIGURES = {figure.name: figure for group in GROUPS for figure in group.figures}
DOCUMENTS = {
    document: tuple(figure.name for group in GROUPS if group.document == document for figure in group.figures)
    for document in dict.fromkeys(group.document for group in GROUPS)
}
"""Names of the figures of each document, also of those that not every config has."""


def value(config: Config, key: str) -> Any:
    """What stands at a dotted key of the config."""
    for name in key.split("."):
        config = config[name]
    return config


def parts(job: Job, config: Config) -> list[str]:
    """Names of the parts of a job, each of which is a process; one without name where the job is not divided.

    There are none where the config lacks what they are parts of.
    """
    try:
        return list(value(config, job.parts)) if job.parts else [""]
    except KeyError:
        return []


def settings(job: Job, config: Config, part: str = "") -> list[dict[str, Any]]:
    """The experiments of a job, each with its function and just what that uses, so that no other edit reruns it."""
    in_common = {"part": part} if part else {}
    if job.trains:
        in_common |= {key: config[key] for key in OF_TRAINING}
    return [in_common | _of_manifest(each) | _block(each, job, config, part) for each in job.experiments]


def settings_of_samples(entry: str, config: Config, sources: Mapping[str, str]) -> dict[str, Any]:
    """What makes the data of an entry `owner/name` of the config's table of samples.

    Args:
        entry: The entry.
        config: The config.
        sources: Module of `ndgm.data` with the function of each source's name.
    """
    owner, name = entry.split("/")
    options = dict(config["samples"][owner][name])
    source = options.pop("source")
    return {"function": f"{sources[source]}.{source}", "root_seed": config["root_seed"], "options": options}


def settings_of_group(group: Group) -> dict[str, str]:
    """What decides the claims of a group, beside its tables."""
    return {"group": group.name, "section": group.section}


def on_a_device(job: Job) -> bool:
    """Whether a job computes on the config's device, as all do that train; the others use NumPy alone."""
    return job.trains or any("device" in each.also for each in job.experiments)


def samples(job: Job, config: Config, part: str = "") -> list[str]:
    """Entries `owner/name` of the config's table of samples that a job reads, in the order of the table."""
    entries = [f"{owner}/{name}" for owner, names in config["samples"].items() for name in names]
    patterns = [pattern.format(part=part) for pattern in job.samples]
    return [entry for entry in entries if any(fnmatchcase(entry, pattern) for pattern in patterns)]


def result(job: Job, experiment: Experiment, folder: str = "", suffix: str = ".parquet") -> str:
    """File of an experiment under the results of the scale, with `{part}` in its name where the job is divided.

    Args:
        job: The job.
        experiment: One of its experiments.
        folder: That of the job's tables, where it is empty.
        suffix: Of the file.
    """
    return f"{folder or job.folder}/{experiment.table}{'_{part}' if job.parts else ''}{suffix}"


def table_files(config: Config, *names: str) -> list[str]:
    """Files of tables under the results of the scale, one for each part; of all tables where none is named."""
    return [
        result(job, experiment).format(part=part)
        for job in JOBS.values()
        for experiment in job.experiments
        if experiment.table in names or not names
        for part in parts(job, config)
    ]


def settings_of_tables(config: Config) -> dict[str, dict[str, Any]]:
    """Settings with which each table of a run is made, by its file under the results of the scale."""
    return {
        result(job, experiment).format(part=part): of_experiment
        for job in JOBS.values()
        for part in parts(job, config)
        for experiment, of_experiment in zip(job.experiments, settings(job, config, part), strict=True)
    }


def figures(config: Config, document: str = "") -> list[str]:
    """Names of the figures of a run, in the order of the manifest: those of which the run has every table.

    Args:
        config: That of the run.
        document: Only the figures of this one; of all documents where it is empty.
    """
    shown = DOCUMENTS[document] if document else FIGURES
    return [name for name in shown if all(table_files(config, table) for table in FIGURES[name].tables)]


def rule_that_makes(result: str) -> str:
    """Name of the rule that makes a file under the results of a scale, such as `claims.json`; empty where none does."""
    folder, _, name = result.rpartition("/")
    stem = name.partition(".")[0]
    if folder.partition("/")[0] == "data":
        return "make_samples"
    if folder in ("figures", "notebooks"):
        return "draw_figure" * (stem in FIGURES)
    if folder == "claims":
        return "decide_group" if stem in {group.name for group in GROUPS} else "decide_one_claim"
    if result == "claims.json":
        return "gather_claims"
    if not folder and stem in DOCUMENTS:
        return f"write_{stem}"
    if folder == "captions":
        return next((f"write_{document}" for document, shown in DOCUMENTS.items() if stem in shown), "")
    makers = {each.table: job.name for job in JOBS.values() for each in job.experiments}
    tables = [table for table in makers if f"{stem}_".startswith(f"{table}_")]
    return makers[max(tables, key=len)] if tables else ""


def _of_manifest(experiment: Experiment) -> dict[str, Any]:
    """What an experiment and the programs that run it know of the manifest."""
    return {
        "experiment": experiment.table,
        "function": experiment.function,
        "undefined": list(experiment.undefined),
    }


def _block(experiment: Experiment, job: Job, config: Config, part: str) -> dict[str, Any]:
    """Settings of an experiment from the config; where parts are named in its block, only what is said of this one."""
    block = dict(value(config, experiment.settings)) if experiment.settings else {}
    outer, _, inner = job.parts.rpartition(".")
    if part and outer == experiment.settings:
        block[inner] = {part: block[inner][part]}
    return block | {key.rpartition(".")[2]: value(config, key) for key in experiment.also}
