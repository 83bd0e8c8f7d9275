"""The config: the files in `config/` are valid, and what a run is that is not its scale's."""

import json
from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from ndgm.pipeline.settings import faults, load, missing_files, overrides
from ndgm.store.files import InputError

ROOT = Path(__file__).parents[3]
DEFAULT = "config/laptop.yaml"
MINE = "config/mine.yaml"

pytestmark = pytest.mark.usefixtures("in_a_folder_with_the_default")


@pytest.mark.parametrize("file", sorted((ROOT / "config").glob("*.yaml")), ids=lambda file: file.stem)
def test_the_configs_are_valid(file: Path) -> None:
    """Each file in `config/` is valid over the default and is named after its scale."""
    said = yaml.safe_load(file.read_text())
    settings = yaml.safe_load(Path(DEFAULT).read_text())
    update_config(settings, said)
    assert faults(settings, [DEFAULT, f"config/{file.name}"], {}) == []
    assert said["scale"] == file.stem


def test_a_scale_whose_file_does_not_say_so() -> None:
    """Its run would be called a run of other settings than the scale's."""
    Path(MINE).write_text("root_seed: 7")
    said = {"scale": "mine"}
    (line,) = faults(load("laptop") | {"root_seed": 7} | said, [DEFAULT, MINE], said)
    assert line == "command line: scale: in config/mine.yaml it is missing; write `scale: mine` there"
    # Laid over another scale, the same file is one of its changes.
    assert faults(load("laptop") | {"root_seed": 7}, [DEFAULT, MINE], {}) == []


def test_a_scale_is_its_file_over_the_default() -> None:
    """As Snakemake merges them: mappings key by key, anything else replaced."""
    files = sorted(Path("config").glob("*.yaml"))
    assert len(files) >= 3
    for file in files:
        expected = yaml.safe_load(Path(DEFAULT).read_text())
        update_config(expected, yaml.safe_load(file.read_text()))
        assert load(file.stem) == load(file.stem, ROOT / "config") == expected
        assert list(load(file.stem)) == list(expected)


@pytest.mark.parametrize(
    ("text", "fault"), [(None, "no such file"), ("[1]", "holds no settings"), ("", "holds no"), ("a: [", "not YAML")]
)
def test_a_scale_that_cannot_be_loaded(text: str | None, fault: str) -> None:
    """One line that names the file."""
    if text is not None:
        Path(MINE).write_text(text)
    with pytest.raises(InputError, match=rf"^config/mine\.yaml: {fault}.*$"):
        load("mine")


@pytest.mark.parametrize("scale", sorted(path.name for path in (ROOT / "reference").iterdir() if path.is_dir()))
def test_a_reference_was_made_with_the_settings_of_its_scale(scale: str) -> None:
    """Where there is no YAML, `settings.json` is read in the place of the config.

    Until a run with them is the reference, the config may have more of everything: methods, values, blocks.
    """
    assert_within(json.loads((ROOT / f"reference/{scale}/settings.json").read_text()), load(scale), scale)


def assert_within(recorded: object, now: object, key: str) -> None:
    """What was recorded is what is said now, but for what was added to mappings and lists."""
    if isinstance(recorded, dict) and isinstance(now, dict):
        for name, value in recorded.items():
            assert name in now, f"{key}.{name} is gone: a new reference is needed"
            assert_within(value, now[name], f"{key}.{name}")
    elif isinstance(recorded, list) and isinstance(now, list):
        assert [value for value in recorded if value not in now] == [], f"{key}: a new reference is needed"
    else:
        assert recorded == now, f"{key}: a new reference is needed"


def test_an_archive_that_is_not_there() -> None:
    """One line, though several entries name it; none where it is there."""
    files = [DEFAULT, "config/full.yaml"]
    key = "samples.edge_of_stability_networks.cifar10_squared.file"
    missing = f"config/full.yaml: {key}: data/cifar-10-binary.tar.gz: no such file; see config/README.md"
    assert missing_files(load("full"), files, {}) == [missing]
    Path("data").mkdir()
    Path("data/cifar-10-binary.tar.gz").touch()
    assert missing_files(load("full"), files, {}) == missing_files(load("laptop"), files, {}) == []


@pytest.mark.parametrize(
    ("said", "keys"),
    [
        ({}, ""),
        ({"scale": "smoke"}, ""),
        ({"scale": "smoke", "root_seed": 20240116, "device": "cpu", "l1_paradox": {"lasso": {"seeds": 4}}}, ""),
        ({"root_seed": 7}, "root_seed"),
        ({"device": "cuda"}, "device"),
        ({"scale": "smoke", "l1_paradox": {"lasso": {"seeds": 5}}}, "l1_paradox.lasso.seeds"),
        ({"convergence": {"cures": {"methods": ["polyak"]}}}, "convergence.cures.methods"),
        ({"samples": {"l1_paradox": {"new": {"source": "diabetes"}}}}, "samples.l1_paradox.new"),
        ({"root_seed": 7, "l1_paradox": {"lasso": {"seeds": 6}}}, "root_seed, l1_paradox.lasso.seeds"),
        (
            {"l1_paradox": {name: {"seeds": 7, "steps": 70, "recorded_steps": 3} for name in ("lasso", "noise")}},
            "l1_paradox.lasso.seeds, l1_paradox.lasso.steps, l1_paradox.lasso.recorded_steps, l1_paradox.noise.seeds, "
            "l1_paradox.noise.steps, 1 more",
        ),
    ],
)
def test_a_run_that_is_not_its_scales(said: dict, keys: str) -> None:
    """One line names what differs and how to get a folder; none where only the scale is given, or values equal its."""
    settings = load(said.get("scale", "laptop"))
    update_config(settings, said)
    line, scale = overrides(settings), settings["scale"]
    if keys:
        assert line.startswith(f"results/{scale} will hold a run with {keys} changed from config/{scale}.yaml;")
        assert "config/mine.yaml" in line and "`scale: mine`" in line and "\n" not in line
    else:
        assert line == ""


def test_a_folder_of_its_own() -> None:
    """What that line says to do, done: nothing is said any more."""
    Path(MINE).write_text(Path("config/smoke.yaml").read_text().replace("scale: smoke", "scale: mine\nroot_seed: 7"))
    settings = load("mine")
    assert settings["root_seed"] == 7 and settings["l1_paradox"]["lasso"]["seeds"] == 4
    assert faults(settings, [DEFAULT, MINE], {}) == [] and overrides(settings) == ""
