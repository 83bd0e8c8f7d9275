# What all rules share: the environment, the checked config, and helpers that say what a job depends on.
import json
import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path

from snakemake.logging import logger

# The one place that sets the environment of every job (see "Determinism" in README.md).
SOURCES = str(Path(workflow.basedir, "src"))
os.environ |= {
    "SOURCE_DATE_EPOCH": "1705363200",  # 16 January 2024: the day of the paper whose claims are tested
    "PYTHONHASHSEED": "0",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
    "MPLBACKEND": "Agg",
    "TZ": "UTC",
    "LC_ALL": "C.UTF-8",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    # A copy of the repository runs its own modules, also where another checkout is installed.
    "PYTHONPATH": os.pathsep.join(filter(None, [SOURCES, os.environ.get("PYTHONPATH")])),
    # `.venv/bin/snakemake` finds its own Python, also where nobody activated the environment.
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
}
sys.path.insert(0, SOURCES)

from ndgm.pipeline.imports import imports_of
from ndgm.pipeline.settings import faults, missing_files, overrides

SCALE = config.get("scale")
FILES = [file for file in ["config/laptop.yaml", f"config/{SCALE}.yaml"] if os.path.exists(file)]


configfile: FILES[-1]  # what the command line says is merged over it


WRITTEN = {"files": [*FILES, *workflow.overwrite_configfiles], "command_line": workflow.config_settings.config}
if found := faults(config, **WRITTEN) or missing_files(config, **WRITTEN):
    sys.exit("\n".join(found))
if line := overrides(config):
    logger.warning(line)

DESIGNS = list(config["samples"]["l1_paradox"])
NETWORK_DATA = config["convergence"]["networks"]["data"]
EDGE_DATA = config["edge_of_stability"]["networks"]["data"]
TEMPLATES = sorted(map(str, Path("paper/templates").iterdir()))
GPU = int(config["device"] == "cuda")

folder = next(filter(os.path.exists, [f"results/{SCALE}", "results", "."]))
if not (os.path.isdir(folder) and os.access(folder, os.W_OK)):
    sys.exit(f"{folder}: not a folder that can be written to, and the results go there")


wildcard_constraints:
    scale=re.escape(SCALE),
    design="|".join(map(re.escape, DESIGNS)),
    data="|".join(NETWORK_DATA),
    edge_data="|".join(EDGE_DATA),


def json_of(settings):
    """What a job is told, as one parameter: JSON with sorted keys, so that swapped values are noticed."""
    return json.dumps(settings, sort_keys=True, allow_nan=False)


def training_settings(group, experiment):
    """What a training job is told: seed, device, ensemble size and its experiment's block of the config."""
    everywhere = {key: config[key] for key in ["root_seed", "device", "ensemble_size"]}
    return {**everywhere, "experiment": f"{group}_{experiment}", **config[group][experiment]}


def samples_settings(data, problem):
    """What the job that makes the data of one problem is told: nothing of how networks are trained on it."""
    told = {
        key: value for key, value in NETWORK_DATA[data]["problems"][problem].items() if key not in ("loss", "target")
    }
    everywhere = {"root_seed": config["root_seed"], "experiment": "convergence_networks"}
    return {**everywhere, "data": data, "name": f"{data} {problem}", "samples": told}


def networks_settings(data):
    """What the job that trains networks on one kind of data is told."""
    return {**training_settings("convergence", "networks"), **NETWORK_DATA[data], "data": data}


def edge_samples_settings(data, problem):
    """What the job that makes the data of one problem at the edge of stability is told."""
    block = EDGE_DATA[data]
    told = {key: value for key, value in block["problems"][problem].items() if key not in ("loss", "step_sizes")}
    told |= {key: value for key, value in block.items() if key == "archive"}
    everywhere = {"root_seed": config["root_seed"], "experiment": "edge_of_stability_networks"}
    return {**everywhere, "data": data, "name": f"{data} {problem}", "samples": told}


def edge_settings(data):
    """What the job that follows the sharpness of networks on one kind of data is told."""
    return {**training_settings("edge_of_stability", "networks"), **EDGE_DATA[data], "data": data}


def every(*patterns, **wildcards):
    """Files of this run, under results/<scale>/: each pattern for every design and every other wildcard given."""
    return expand([f"results/{SCALE}/{pattern}" for pattern in patterns], design=DESIGNS, **wildcards)
