# What all rules share: the environment, the checked config, and helpers that say what a job depends on.
import json
import os
import re
import shlex
import sys
from importlib.util import find_spec
from pathlib import Path

from snakemake.logging import logger

sys.path.insert(0, str(Path(workflow.basedir, "src")))

from ndgm.pipeline.environment import environment

os.environ |= environment(Path(workflow.basedir, "src"))  # of every job: see "Determinism" in README.md

# Snakemake would load pandas, a quarter of its start, only to ask whether a parameter is a table; ours are text.
sys.modules.setdefault("pandas", None)

# Each job says its sentence, and a failed one its fault: what the scheduler says between is no news.
NO_NEWS = re.compile(
    "Config file|Select jobs|Execute |Using shell|Assuming unrestricted|RuleException:\nCalledProcessError"
)
logger.addFilter(lambda record: not NO_NEWS.match(str(record.msg)))

from ndgm.data.sources import SOURCES
from ndgm.pipeline.imports import imports_of
from ndgm.pipeline.jobs import FIGURES, JOBS, parts, result, samples, settings, table_files, value
from ndgm.pipeline.settings import faults, where_set

PYTHON = shlex.quote(sys.executable)  # the interpreter of the environment that Snakemake runs in
SCALE = config.get("scale")
FILES = [file for file in ["config/laptop.yaml", f"config/{SCALE}.yaml"] if os.path.exists(file)]


configfile: FILES[-1]  # what the command line says is merged over it


WRITTEN = {"files": [*FILES, *workflow.overwrite_configfiles], "command_line": workflow.config_settings.config}
if found := faults(config, **WRITTEN):
    sys.exit("\n".join(found))

TEMPLATES = sorted(map(str, Path("paper/templates").iterdir()))
GPU = int(config["device"] == "cuda")

folder = next(filter(os.path.exists, [f"results/{SCALE}", "results", "."]))
if not (os.path.isdir(folder) and os.access(folder, os.W_OK)):
    sys.exit(f"{folder}: not a folder that can be written to, and the results go there")


for owner, names in config["samples"].items():
    for name, entry in names.items():
        if "archive" in entry and not os.path.isfile(entry["archive"]):
            key = where_set(("samples", owner, name, "archive"), **WRITTEN)
            sys.exit(f"{key}: {entry['archive']}: no such file; see config/README.md")


wildcard_constraints:
    scale=re.escape(SCALE),


def json_of(settings):
    """What a job is told, as one parameter: JSON with sorted keys, so that swapped values are noticed."""
    return json.dumps(settings, sort_keys=True, allow_nan=False)


def code_of(program, *modules):
    """What a program depends on that calls functions of modules such as `experiments.adaptive`."""
    files = [f"src/ndgm/{module.replace('.', '/')}.py" for module in modules]
    return sorted({*files, *imports_of(program, *files)})


def tables(*names):
    """Files of this run with tables, by their names in the manifest; all where none is named."""
    return [f"results/{SCALE}/{file}" for file in table_files(config, *names)]


def every(*patterns, **wildcards):
    """Files of this run, under results/<scale>/: each pattern for every value of its wildcards."""
    return expand([f"results/{SCALE}/{pattern}" for pattern in patterns], **wildcards)
