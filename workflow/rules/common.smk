# What all rules share: the environment, the checked config, and helpers that say what a job depends on.
import atexit
import json
import os
import shlex
import sys
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

from snakemake.logging import logger

sys.path.insert(0, str(Path(workflow.basedir, "src")))

from ndgm.pipeline.environment import environment

os.environ |= environment(Path(workflow.basedir, "src"))  # of every job, for the bytes that README.md promises

from ndgm.data.sources import SOURCES
from ndgm.pipeline.buckets import unreachable
from ndgm.pipeline.failures import last_lines
from ndgm.pipeline.imports import imports_of
from ndgm.pipeline.jobs import (
    DOCUMENTS,
    FIGURES,
    JOBS,
    figures,
    on_a_device,
    parts,
    result,
    samples,
    settings,
    settings_of_group,
    settings_of_samples,
    table_files,
)
from ndgm.pipeline.config_files import read_config, unreadable
from ndgm.pipeline.settings import DEFAULT, faults, merged, missing_files, overrides
from ndgm.pipeline.start import twice, unwritable
from ndgm.pipeline.targets import no_result, results, said_of_no_result, unknown_tables
from ndgm.store.files import write_atomically

PYTHON = shlex.quote(sys.executable)  # the interpreter of the environment that Snakemake runs in
# Not by the directive `configfile`: Snakemake would import NumPy to read YAML, for a tenth of a start with nothing to do.
SCALE = config.get("scale", DEFAULT)
OWN = f"config/{SCALE}.yaml"
FILES = [f"config/{DEFAULT}.yaml", *([OWN] if SCALE != DEFAULT and os.path.lexists(OWN) else [])]
WRITTEN = {"files": [*FILES, *workflow.overwrite_configfiles], "command_line": workflow.config_settings.config}
if option := twice(sys.argv):
    sys.exit(f"command line: {option} stands twice, and Snakemake takes the last alone: put all after one")
if found := unreadable(WRITTEN["files"]):
    sys.exit(found)
if not (workflow.config_settings.replace_workflow_config and config):
    config.update(merged(*map(read_config, map(Path, FILES)), config))  # what the command line says is merged over them
workflow.configfiles += FILES  # what is sent to machines that share no files, though git may not track it
if found := faults(config, **WRITTEN) or missing_files(config, **WRITTEN):
    sys.exit("\n".join(found))
if line := overrides(config):
    logger.warning(line)
for figure in figures(config):
    if not os.path.exists(f"workflow/report/{figure}.rst"):
        logger.warning(f"figure {figure} has no caption yet: its document asks for workflow/report/{figure}.rst")

TEMPLATES = local(sorted(map(str, Path("paper/templates").iterdir())))
GPU = int(config["device"] == "cuda")

for place in [Path("results", SCALE), *Path("results", SCALE).glob("**/")]:
    if found := unwritable(place, "the results go there"):
        sys.exit(found)
if workflow.storage_settings.default_storage_provider == "s3":
    store = workflow.storage_registry.default_storage_provider.s3c.meta.client
    if found := unreachable(store, workflow.storage_settings.default_storage_prefix or ""):
        sys.exit(found)


def file_of(settings):
    """File that holds settings of a job as JSON, for its program; an input of the job, whatever its time is.

    Its name is made of its content, so that Snakemake, which compares the names of inputs, notices each change. As a
    parameter, settings would cost a start that has nothing to do a sixth of its time: Snakemake imports pandas to
    compare parameters. On the command line they would be 20 kB of every message of a failed job. Whatever else stands
    in the file is damaged. Runs that begin at once all write it: Snakemake has locked nothing yet. It has to be there
    before Snakemake looks for files, so that no function of wildcards may write it.
    """
    text = json.dumps(settings, sort_keys=True, allow_nan=False)
    file = Path(".snakemake", "settings", f"{sha256(text.encode()).hexdigest()[:16]}.json")
    if not file.exists() or file.read_bytes() != text.encode():
        with write_atomically(file, by_many=True) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return local(ancient(str(file)))


def code_of(program, *modules):
    """What a program depends on that calls functions of modules such as `experiments.adaptive`."""
    files = [f"src/ndgm/{module.replace('.', '/')}.py" for module in modules]
    return local(sorted({*files, *imports_of(program, *files)}))


def settings_files_of(job):
    """Files with the settings of the experiments of a job, by the part that it is run for."""
    files = {part: file_of(settings(job, config, part)) for part in parts(job, config)}
    return lambda wildcards: files[wildcards.get("part", "")]


def installed_of(job):
    """Whether what a job can use where it is installed is there: as a file of which the name tells it."""
    return file_of({job.if_installed: find_spec(job.if_installed) is not None}) if job.if_installed else []


def samples_of(job):
    """Files of the data that a job reads, by the part that it is run for."""
    return lambda wildcards: every("data/{samples}.npz", samples=samples(job, config, wildcards.get("part", "")))


def reads_of(job):
    """Other files that a job reads; those of the repository are local also where results are in a store of objects."""
    of_scale = [file.replace("{scale}", SCALE) for file in job.reads]
    return [file if file.startswith("results/") else local(file) for file in of_scale]


def results_of(job, folder="", suffix=".parquet"):
    """Files that a job makes, one for each of its experiments."""
    return [f"results/{SCALE}/{result(job, each, folder, suffix)}" for each in job.experiments]


def shards_of(job, of_part):
    """Folders with the ensembles of a job, one for each process that trains a share of them; none where it is alone."""
    shards = config["shards"]
    numbers = range(1, shards + 1) if job.longest and shards > 1 else []
    return [f"results/{SCALE}/shards/{of_part}.{number}_of_{shards}" for number in numbers]


def tables_of_shard(job):
    """Files of the tables that a job makes of its shards, by the folder of one of them.

    A shard's program is told them though another job makes them; with a store of objects, both lie in its folder.
    """
    tables = [result(job, each) for each in job.experiments]
    return lambda wildcards, output: [
        str(Path(output.shard).parents[1] / table.format(part=wildcards.get("part", ""))) for table in tables
    ]


def tables(*names):
    """Files of this run with tables, by their names in the manifest; all where none is named."""
    return every("{file}", file=table_files(config, *names))


def every(*patterns, **wildcards):
    """Files of this run, under results/<scale>/: each pattern for every value of its wildcards."""
    return expand([f"results/{SCALE}/{pattern}" for pattern in patterns], **wildcards)


def group_of(wildcards):
    """The group of a claim."""
    return GROUP_OF[wildcards.claim]


def tables_of(wildcards):
    """Files of the tables that a figure reads."""
    return tables(*FIGURES[wildcards.figure].tables)
