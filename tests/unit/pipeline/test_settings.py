"""The config: the files in `config/` are valid; every fault is one line that names the file and the key."""

import re
from pathlib import Path

import pytest
import yaml

from ndgm.pipeline.settings import SCHEMA, faults

ROOT = Path(__file__).parents[3]
DEFAULT = "config/laptop.yaml"


def merge(settings: dict, other: dict) -> dict:
    """The way Snakemake merges config files: mappings key by key, everything else replaced."""
    both = {
        key: merge(settings[key], other[key])
        for key in settings.keys() & other.keys()
        if isinstance(settings[key], dict) and isinstance(other[key], dict)
    }
    return {**settings, **other, **both}


@pytest.fixture(autouse=True)
def in_a_folder_with_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has its own `config/`."""
    (tmp_path / "config").mkdir()
    for file in (ROOT / "config").glob("*.yaml"):
        (tmp_path / "config" / file.name).write_bytes(file.read_bytes())
    monkeypatch.chdir(tmp_path)


def faults_of(text: str) -> list[str]:
    """What is wrong when `config/mine.yaml`, with this text, is merged over the default."""
    Path("config/mine.yaml").write_text(text)
    settings = merge(yaml.safe_load(Path(DEFAULT).read_text()), yaml.safe_load(text))
    return faults(settings, [DEFAULT, "config/mine.yaml"], {})


@pytest.mark.parametrize("file", sorted((ROOT / "config").glob("*.yaml")), ids=lambda file: file.stem)
def test_the_configs_are_valid(file: Path) -> None:
    """Each file in `config/` is valid over the default and is named after its scale."""
    text = file.read_text()
    assert faults_of(text) == []
    assert yaml.safe_load(text)["scale"] == file.stem


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("rootseed: 1", "rootseed: unknown key; did you mean root_seed?"),
        ("l1_paradox: {lasso: {sedes: 1}}", "l1_paradox.lasso.sedes: unknown key; did you mean seeds?"),
        ("12: 1", "[12]: unknown key"),
        ("l1_paradox: {designs: {9: {source: diabetes}}}", "l1_paradox.designs: 9 is not text"),
        ("l1_paradox: {designs: {gaussian: {samples: 1}}}", "l1_paradox.designs.gaussian.samples: 1 is less than 2"),
        (
            "l1_paradox: {networks: {sweeps: {gelu: {methods: [[1]]}}}}",
            "l1_paradox.networks.sweeps.gelu.methods[0]: [1] is not one of subgradient",
        ),
        ("adaptive: 3", "adaptive: 3 is not a mapping"),
        ("adaptive: null", "adaptive: None is not a mapping"),
        ("convergence: [1]", "convergence: [1] is not a mapping"),
        (
            "convergence: {smoothing: {step_sizes_times_lipschitz: [2.5]}}",
            "convergence.smoothing.step_sizes_times_lipschitz[0]: 2.5 is not less than 2",
        ),
        (
            "convergence: {networks: {data: {teacher: {problems: {absolute: {loss: squared}}}}}}",
            "convergence.networks.data.teacher.problems.absolute.loss: 'squared' is not one of absolute",
        ),
        (
            "edge_of_stability: {networks: {data: {digits: {problems: {squared: {loss: cross_entropy}}}}}}",
            "edge_of_stability.networks.data.digits.problems.squared.loss: 'cross_entropy' is not one of squared",
        ),
        (
            "l1_paradox: {networks: {sweeps: {minimum: {penalties: {low: 1.0e-50}}}}}",
            "l1_paradox.networks.sweeps.minimum.penalties.low: 1e-50 is less than 1.2e-38",
        ),
        (
            "l1_paradox: {networks: {step_sizes: {adam: 1.0e+40}}}",
            "l1_paradox.networks.step_sizes.adam: 1e+40 is greater than 3.4e+38",
        ),
        (
            "l1_paradox: {networks: {sweeps: {gelu: {methods: [subgradient, proximal_rmsprop]}}}}",
            "l1_paradox.networks.sweeps.gelu.methods[1]: 'proximal_rmsprop' is not one of subgradient",
        ),
        (
            "l1_paradox: {networks: {sweeps: {gelu: {methods: [subgradient_geometric]}}}}",
            "l1_paradox.networks.sweeps.gelu.methods[0]: 'subgradient_geometric' has no step size in "
            "l1_paradox.networks.step_sizes",
        ),
        (
            "l1_paradox: {networks: {sweeps: {full_batch: {samples: 1500}}}}",
            "l1_paradox.networks.sweeps.full_batch.samples: 1500 is more than the 1437 pictures that are not kept",
        ),
        ("l1_paradox: {pruning: {kept: [0.5, 1.5]}}", "l1_paradox.pruning.kept[1]: 1.5 is greater than 1"),
        ("l1_paradox: {pruning: {kept: [-0.5]}}", "l1_paradox.pruning.kept[0]: -0.5 is less than 0"),
        (
            "convergence: {smoothing: {designs: [gaussian, gausian]}}",
            "convergence.smoothing.designs[1]: 'gausian' is not",
        ),
        (
            "convergence: {networks: {activations: [relu, swish]}}",
            "convergence.networks.activations[1]: 'swish' is not one of relu, leaky_relu, hardtanh, gelu, silu",
        ),
        (
            "convergence: {networks: {activations: [softplus_0]}}",
            "convergence.networks.activations[0]: 'softplus_0' is",
        ),
        (
            "convergence: {networks: {data: {mnist: {}}}}",
            "convergence.networks.data.mnist: unknown key; there are digits, teacher",
        ),
        (
            "convergence: {networks: {data: {digits: {problems: "
            "{other: {samples: 9, wrong: 0, loss: hinge, target: 1}}}}}}",
            "convergence.networks.data.digits.problems.other.loss: 'hinge' is not one of squared, absolute",
        ),
        (
            "convergence: {networks: {batch_sizes: [full, all]}}",
            "convergence.networks.batch_sizes[1]: 'all' is not one of full, or",
        ),
        ("convergence: {networks: {batch_sizes: [full, 0]}}", "convergence.networks.batch_sizes[1]: 0 is less than 1"),
        (
            "convergence: {networks: {derivatives_at_kink: {values: [0.5, 1.0]}}}",
            "convergence.networks.derivatives_at_kink.values: lacks 0.0",
        ),
        (
            "adaptive: {lasso: {methods: [adam, proximal_rmsprop]}}",
            "adaptive.lasso.methods[1]: 'proximal_rmsprop' is not one of subgradient, sign, rmsprop_0.9",
        ),
        (
            "adaptive: {lasso: {designs: [gausian]}}",
            "adaptive.lasso.designs[0]: 'gausian' is not one of gaussian",
        ),
        (
            "adaptive: {lasso: {penalties_over_max: {low: 0.9}}}",
            "adaptive.lasso.penalties_over_max.low: 0.9 is not greater than 1",
        ),
        ("adaptive: {one_weight: {tilts: [0.0, 1.0]}}", "adaptive.one_weight.tilts[1]: 1.0 is not less than 1"),
        ("adaptive: {one_weight: {tilts: [0.5]}}", "adaptive.one_weight.tilts: lacks 0.0"),
        ("adaptive: {one_weight: {step_size: 1.0e+400}}", "adaptive.one_weight.step_size: inf is not a finite number"),
        (
            "edge_of_stability: {cycles: {functions: [absolute, power_2]}}",
            "edge_of_stability.cycles.functions[1]: 'power_2' is not one of absolute, huber",
        ),
        (
            "edge_of_stability: {near_threshold: {functions: [huber]}}",
            "edge_of_stability.near_threshold.functions[0]: 'huber' is not one of pseudo_huber",
        ),
        (
            "edge_of_stability: {near_threshold: {excesses: [0.1, 0]}}",
            "edge_of_stability.near_threshold.excesses[1]: 0 is not greater than 0",
        ),
        (
            "edge_of_stability: {logistic: {tables: {digits: {source: digits, features: 3}}}}",
            "edge_of_stability.logistic.tables.digits.features: unknown key; there are source, components",
        ),
        (
            "edge_of_stability: {separable: {tables: {noise: {source: gaussian, samples: 9, features: 2}}}}",
            "edge_of_stability.separable.tables.noise.wrong: is missing",
        ),
        (
            "edge_of_stability: {max_affine: {features: [1]}}",
            "edge_of_stability.max_affine.features[0]: 1 is less than 2",
        ),
        ("root_seed: abc", "root_seed: 'abc' is not a whole number"),
        ("root_seed: 1.0", "root_seed: 1.0 is not a whole number"),
        ("root_seed: true", "root_seed: True is not a whole number"),
        ("root_seed: -1", "root_seed: -1 is less than 0"),
        ("device: gpu", "device: 'gpu' is not one of cpu, cuda"),
        ("scale: huge", "scale: there is no config/huge.yaml, only full, laptop, mine, smoke"),
        ("scale: 3", "scale: 3 is not text"),
        ("ensemble_size: 0", "ensemble_size: 0 is less than 1"),
        ("l1_paradox: null", "l1_paradox: None is not a mapping"),
        ("l1_paradox: {lasso: 3}", "l1_paradox.lasso: 3 is not a mapping"),
        ("l1_paradox: {lasso: {methods: []}}", "l1_paradox.lasso.methods: is empty"),
        ("l1_paradox: {lasso: {methods: ista}}", "l1_paradox.lasso.methods: 'ista' is not a list"),
        (
            "l1_paradox: {lasso: {step_sizes_times_lipschitz: [0.1, -0.1]}}",
            "l1_paradox.lasso.step_sizes_times_lipschitz[1]: -0.1 is not greater than 0",
        ),
        (
            "l1_paradox: {lasso: {step_sizes_times_lipschitz: [0.1, 0.1]}}",
            "l1_paradox.lasso.step_sizes_times_lipschitz: names a value twice: [0.1, 0.1]",
        ),
        (
            "l1_paradox: {lasso: {penalties_over_max: {low: -1}}}",
            "l1_paradox.lasso.penalties_over_max.low: -1 is not greater than 0",
        ),
        (
            "l1_paradox: {lasso: {penalties_over_max: {low: 9}}}",
            "l1_paradox.lasso.penalties_over_max.low: 9 is above high, which is 5.0",
        ),
        (
            "l1_paradox: {lasso: {penalties_over_max: {low: 1e-3}}}",
            "l1_paradox.lasso.penalties_over_max.low: '1e-3' is not a finite number (write 0.001)",
        ),
        (
            "l1_paradox: {lasso: {penalties_over_max: {high: .nan}}}",
            "l1_paradox.lasso.penalties_over_max.high: nan is not a finite number",
        ),
        (
            "l1_paradox: {lasso: {penalties_over_max: {high: .inf}}}",
            "l1_paradox.lasso.penalties_over_max.high: inf is not a finite number",
        ),
        (
            "l1_paradox: {lasso: {recorded_steps: 90000}}",
            "l1_paradox.lasso.recorded_steps: 90000 is above",
        ),
        (
            "l1_paradox: {designs: {New: {source: diabetes}}}",
            "l1_paradox.designs.New: a name has small",
        ),
        ("l1_paradox: {designs: {new: {}}}", "l1_paradox.designs.new.source: is missing"),
        (
            "l1_paradox: {designs: {new: {source: web}}}",
            "l1_paradox.designs.new.source: 'web' is not one of",
        ),
        (
            "l1_paradox: {designs: {new: {source: diabetes, noise: 1.0}}}",
            "l1_paradox.designs.new.noise: unknown key",
        ),
        (
            "l1_paradox: {designs: {gaussian: {nonzeros: 51}}}",
            "l1_paradox.designs.gaussian.nonzeros: 51 is above features, which is 50",
        ),
        (
            "l1_paradox: {designs: {correlated: {correlation: 1.0}}}",
            "l1_paradox.designs.correlated.correlation: 1.0 is not less than 1",
        ),
    ],
)
def test_a_fault_is_one_line(text: str, fault: str) -> None:
    """One fault, one line: the file, the key, what is wrong."""
    found = faults_of(text)
    assert len(found) == 1, found
    assert found[0].startswith(f"config/mine.yaml: {fault}")


def test_every_missing_key_is_named() -> None:
    """A design without its settings: one line for each."""
    found = faults_of("l1_paradox: {designs: {new: {source: gaussian, samples: 9}}}")
    assert found == [
        f"config/mine.yaml: l1_paradox.designs.new.{name}: is missing" for name in ("features", "noise", "nonzeros")
    ]


def test_a_key_missing_everywhere() -> None:
    """The file named is the last one with the mapping around the key."""
    settings = yaml.safe_load(Path(DEFAULT).read_text())
    del settings["l1_paradox"]["lasso"]["seeds"], settings["device"]
    assert faults(settings, [DEFAULT], {}) == [
        f"{DEFAULT}: device: is missing",
        f"{DEFAULT}: l1_paradox.lasso.seeds: is missing",
    ]


def test_the_source_of_a_key() -> None:
    """A fault is laid at the door of the source that won: the command line, then the last file."""
    settings = yaml.safe_load(Path(DEFAULT).read_text()) | {"root_seed": -1}
    Path("config/mine.yaml").write_text("{root_seed: -1}")
    assert faults(settings, [DEFAULT], {"root_seed": -1})[0].startswith("command line: root_seed")
    assert faults(settings, [DEFAULT, "config/mine.yaml"], {})[0].startswith("config/mine.yaml: root_seed")


def keys_of(schema: dict, root: dict) -> dict[str, dict]:
    """Every key that a schema knows, with its own schema, wherever it stands."""
    found: dict[str, dict] = {}
    for name, below in schema.get("properties", {}).items():
        if isinstance(below, dict):
            found[name] = below | (root["$defs"][below["$ref"].rpartition("/")[2]] if "$ref" in below else {})
            found |= keys_of(below, root)
    return found


def test_the_readme_and_the_schema_know_every_key() -> None:
    """Every key has a description in the schema and a line in config/README.md, which names no other key."""
    schema = yaml.safe_load(SCHEMA.read_text())
    keys = keys_of(schema, schema)
    for definition in schema["$defs"].values():
        keys |= keys_of(definition, schema)
    rows = re.findall(r"^(?:\||##) (`.*?)(?: \||$)", (ROOT / "config/README.md").read_text(), re.MULTILINE)
    explained = {name.rpartition(".")[2] for row in rows for name in re.findall(r"`([\w.<>]+)`", row)}
    explained -= {"yaml"}  # the table of files
    assert keys.keys() == explained
    assert [name for name, key in keys.items() if "description" not in key] == []
