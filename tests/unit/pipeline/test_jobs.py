"""Jobs of the manifest on a config: parts, settings, data and files."""

from pathlib import Path

import pytest

from ndgm.groups import Experiment, Job
from ndgm.pipeline.jobs import (
    DOCUMENTS,
    FIGURES,
    JOBS,
    figures,
    on_a_device,
    parts,
    result,
    rule_that_makes,
    samples,
    settings,
    table_files,
    value,
)
from ndgm.pipeline.settings import load
from ndgm.store.files import read_json

ROOT = Path(__file__).parents[3]

CONFIG = {
    "root_seed": 7,
    "device": "cpu",
    "ensemble_size": 50,
    "samples": {"second": {"red_one": {}, "blue_one": {}, "blue_two": {}}, "first": {"a": {}, "blue_one": {}}},
    "group": {
        "inner": {"kinds": {"red": {"hidden": [1]}, "blue": {"hidden": [2]}}, "steps": 3, "ensemble_size": 9},
        "other": {"steps": 4, "hidden": [5]},
    },
}
DIVIDED = Job(
    "divided",
    "Training {part}",
    (
        Experiment("one", "module.one", "group.inner", undefined=("norm",)),
        Experiment("two", "module.two", "group.other"),
    ),
    samples=("second/{part}_*", "first/a"),
    parts="group.inner.kinds",
)
WHOLE = Job("whole", "Solving", (Experiment("three", "other.three", also=("group.other.hidden",)),), trains=False)


def test_parts_are_the_names_at_a_key_of_the_config():
    assert parts(DIVIDED, CONFIG) == ["red", "blue"] and parts(WHOLE, CONFIG) == [""]


def test_a_job_has_no_parts_where_the_config_lacks_what_they_are_parts_of():
    assert parts(DIVIDED, {"group": {"inner": {}}}) == parts(DIVIDED, {}) == []


def test_settings_are_just_what_a_job_uses():
    everywhere = {"root_seed": 7, "device": "cpu", "part": "blue"}
    assert settings(DIVIDED, CONFIG, "blue") == [
        # Of the kinds only its own; and what the block says of the size of ensembles goes over what all are told.
        {
            **everywhere,
            "experiment": "one",
            "function": "module.one",
            "undefined": ["norm"],
            "kinds": {"blue": {"hidden": [2]}},
            "steps": 3,
            "ensemble_size": 9,
        },
        {
            **everywhere,
            "experiment": "two",
            "function": "module.two",
            "undefined": [],
            "steps": 4,
            "hidden": [5],
            "ensemble_size": 50,
        },
    ]
    three = {"experiment": "three", "function": "other.three", "undefined": []}
    assert settings(WHOLE, CONFIG) == [{**three, "hidden": [5]}]
    assert set(CONFIG["group"]["inner"]["kinds"]) == {"red", "blue"}  # the config itself stays


def test_what_trains_is_on_a_device_and_what_is_given_one():
    given = Job("given", "Sending", (Experiment("four", "other.four", also=("root_seed", "device")),), trains=False)
    assert [on_a_device(job) for job in (DIVIDED, WHOLE, given)] == [True, False, True]
    four = {"experiment": "four", "function": "other.four", "undefined": []}
    assert settings(given, CONFIG) == [{**four, "root_seed": 7, "device": "cpu"}]


def test_samples_are_matched_in_the_order_of_the_config():
    assert samples(DIVIDED, CONFIG, "blue") == ["second/blue_one", "second/blue_two", "first/a"]
    assert samples(DIVIDED, CONFIG, "red") == ["second/red_one", "first/a"]
    assert samples(WHOLE, CONFIG) == []


def test_files_have_the_part_in_their_name():
    one, two = DIVIDED.experiments
    assert result(DIVIDED, one) == "runs/one_{part}.parquet"
    assert result(DIVIDED, two, "weights", ".npz") == "weights/two_{part}.npz"
    assert result(WHOLE, WHOLE.experiments[0], suffix=".json") == "runs/three.json"


@pytest.fixture(scope="module", params=["smoke", "laptop", "full"])
def config(request):
    return load(request.param, Path(__file__).parents[3] / "config")


def test_the_jobs_of_the_manifest_fit_every_scale(config):
    read = set()
    for job in JOBS.values():
        for part in parts(job, config):
            assert len(settings(job, config, part)) == len(job.experiments)
            entries = samples(job, config, part)
            assert bool(entries) == bool(job.samples)
            read |= set(entries)
    assert read == {f"{owner}/{name}" for owner, names in config["samples"].items() for name in names}


def test_every_job_of_the_manifest_has_parts_at_the_largest_scale():
    """A key of the manifest that the config never has is a slip."""
    full = load("full", Path(__file__).parents[3] / "config")
    assert all(parts(job, full) for job in JOBS.values())


def test_each_table_has_a_file_of_its_own(config):
    files = table_files(config)
    assert len(set(files)) == len(files)
    named = [file for job in JOBS.values() for each in job.experiments for file in table_files(config, each.table)]
    assert sorted(named) == sorted(files)
    for figure in FIGURES.values():
        assert set(table_files(config, *figure.tables)) <= set(files)


def test_a_run_has_the_figures_of_which_it_has_every_table(config):
    """At the largest scale that is all of them, and a document has its own."""
    made = [job for job in JOBS.values() if parts(job, config)]
    tables = {each.table for job in made for each in job.experiments}
    assert set(figures(config)) == {name for name, figure in FIGURES.items() if tables >= set(figure.tables)}
    assert [name for document in DOCUMENTS for name in figures(config, document)] == figures(config)
    lacking = set() if config["scale"] == "full" else {"weight_initialization_convolutions"}
    assert FIGURES.keys() - figures(config) == lacking


def test_a_file_that_a_job_reads_is_in_the_repository_or_made_by_another(config):
    root = Path(__file__).parents[3]
    made = {file for job in JOBS.values() for part in parts(job, config) for file in _made(job, part)}
    for job in JOBS.values():
        named = [file.replace("{part}", part) for part in parts(job, config) for file in job.reads]
        for file in named:
            name = file.removeprefix("results/{scale}/")
            assert name in made if name != file else (root / file).is_file()


def _made(job, part):
    folders = {"": ".parquet"} | ({"weights": ".npz"} if job.weights else {})
    for each in job.experiments:
        for folder, suffix in folders.items():
            yield result(job, each, folder, suffix).format(part=part)


def test_a_value_of_the_config():
    assert value(CONFIG, "group.inner.kinds.red") == {"hidden": [1]}
    with pytest.raises(KeyError, match="green"):
        value(CONFIG, "group.green")


def test_the_rule_that_makes_a_result():
    config = load("smoke")
    for job in JOBS.values():
        for experiment in job.experiments:
            for part in parts(job, config):
                assert rule_that_makes(result(job, experiment).format(part=part)) == job.name
    others = {
        "data/l1_paradox/gaussian.npz": "make_samples",
        "claims/adaptive.json": "decide_group",
        "claims/adaptive_cycles.json": "decide_one_claim",
        "claims.json": "gather_claims",
        "figures/adaptive_methods.svg": "draw_figure",
        "paper.pdf": "write_paper",
        "companions.html": "write_companions",
        "values.json": "",
    }
    assert {name: rule_that_makes(name) for name in others} == others
    for document, shown in DOCUMENTS.items():
        assert {rule_that_makes(f"captions/{figure}.rst") for figure in shown} == {f"write_{document}"}


@pytest.mark.parametrize("scale", ["smoke", "laptop"])
def test_of_every_result_there_is_a_rule(scale):
    """Which is one of the workflow's, as the manifest and the rules name them."""
    rules = {rule_that_makes(file) for file in read_json(ROOT / f"reference/{scale}/hashes.json")}
    others = {"make_samples", "draw_figure", "gather_claims", *(f"write_{each}" for each in DOCUMENTS)}
    assert rules <= {*JOBS, *others} and others <= rules
