"""Jobs as command lines; that they are those of the workflow is tested with the workflow."""

import json
import sys
from pathlib import Path

from ndgm.groups import GROUPS
from ndgm.pipeline.commands import all_parts, samples_command
from ndgm.pipeline.jobs import JOBS, table_files

CONFIG = json.loads((Path(__file__).parents[3] / "reference/smoke/settings.json").read_text())
PARTS = {part.name: part for part in all_parts(CONFIG, GROUPS)}


def test_every_table_of_the_config_is_made_once():
    tables = [table for part in PARTS.values() for table in part.tables]
    assert sorted(tables) == sorted(table_files(CONFIG))


def test_every_job_of_the_manifest_has_a_part_but_for_that_on_an_archive():
    assert set(JOBS) - {name.partition("/")[0] for name in PARTS} == {"train_weight_initialization_convolutions"}
    full = json.loads((Path(__file__).parents[3] / "reference/full/settings.json").read_text())
    assert {part.job.name for part in all_parts(full, GROUPS)} == set(JOBS)


def test_networks_come_first():
    of_networks = {job.name for group in GROUPS if group.networks for job in group.jobs}
    places = [part.job.name in of_networks for part in PARTS.values()]
    assert places == sorted(places, reverse=True) and any(places) and not all(places)
    assert of_networks >= {name for name in JOBS if "networks" in name}


def test_what_reads_the_results_of_others_waits_for_them():
    waiting = {name for name, part in PARTS.items() if part.waits}
    attacking = {name for name in waiting if name.startswith("attack_adversarial_spectrum/")}
    assert attacking and waiting - attacking == {"prune_l1_paradox_networks"}
    made = {output for part in PARTS.values() for output in part.outputs}
    reads = [path.replace("{part}", PARTS[name].part) for name in waiting for path in PARTS[name].job.reads]
    assert {path.removeprefix("results/{scale}/") for path in reads} <= made
    command = PARTS["attack_adversarial_spectrum/mnist"].command(Path("/code"), Path("/data"), Path("/results"))
    weights = "/results/weights/adversarial_spectrum_networks_mnist.npz"
    assert command[command.index("--reads") + 1] == weights


def test_paths_are_under_the_folders_that_are_asked_for():
    part = PARTS["prune_l1_paradox_networks"]
    command = part.command(Path("/a folder"), Path("/data"), Path("/results"))
    assert command[:3] == [sys.executable, "/a folder/scripts/tabulate.py", "--settings"]
    (settings,) = json.loads(command[3])
    assert settings["function"] == "l1_paradox_pruning.pruning"
    assert command[command.index("--samples") + 1] == "/data/l1_paradox_networks/split.npz"
    assert command[command.index("--reads") + 1] == "/results/runs/l1_paradox_networks_minibatch.parquet"
    assert command[command.index("--out") + 1] == "/results/runs/l1_paradox_pruning.parquet"
    certify = PARTS["certify_worst_cases"].command(Path("/code"), Path("/data"), Path("/results"))
    assert certify[certify.index("--reads") + 1] == "/code/reference/certificates.json"


def test_data_are_made_as_their_entry_says():
    command = samples_command("l1_paradox/gaussian", CONFIG, {"gaussian": "regression"}, Path("/code"), Path("/data"))
    assert command[1] == "/code/scripts/make_samples.py"
    told = json.loads(command[command.index("--settings") + 1])
    entry = CONFIG["samples"]["l1_paradox"]["gaussian"]
    assert told == {
        "function": "regression.gaussian",
        "root_seed": CONFIG["root_seed"],
        "options": {name: option for name, option in entry.items() if name != "source"},
    }
    assert command[-2:] == ["--out", "/data/l1_paradox/gaussian.npz"]
