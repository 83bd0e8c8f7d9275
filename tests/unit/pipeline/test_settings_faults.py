"""What is wrong with a config: every fault is one line that names the file and the key."""

from pathlib import Path

import pytest
import yaml
from snakemake.utils import update_config

from ndgm.pipeline.settings import faults, load

ROOT = Path(__file__).parents[3]
DEFAULT = "config/laptop.yaml"
MINE = "config/mine.yaml"
ZEROS = "0" * 60
CONVOLUTIONS = (
    "{data: {cifar10: {epochs: 1}}, channels: [2], initializations: [3.6, glorot], method: rmsprop_keras, "
    "step_size: 0.1, batch_size: 2, seeds: 2, ensemble_size: 2, samples_at_once: 2}"
)
NO_PICTURES = "weight_initialization.convolutions.data.cifar10: there is no cifar10 in samples.weight_initialization"
SCALES = ", ".join(sorted({"mine", *(path.stem for path in (ROOT / "config").glob("*.yaml"))}))

pytestmark = pytest.mark.usefixtures("in_a_folder_with_the_default")


def faults_of(text: str) -> list[str]:
    """What is wrong when `config/mine.yaml`, with this text, is merged over the default."""
    Path(MINE).write_text(text)
    settings = load("laptop")  # parsed once for all cases
    update_config(settings, yaml.safe_load(text))  # as Snakemake merges
    return faults(settings, [DEFAULT, MINE], {})


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("rootseed: 1", "rootseed: unknown key; did you mean root_seed?"),
        ("l1_paradox: {lasso: {sedes: 1}}", "l1_paradox.lasso.sedes: unknown key; did you mean seeds or steps?"),
        ("12: 1", "[12]: unknown key"),
        ("samples: {l1_paradox: {9: {source: diabetes}}}", "samples.l1_paradox: 9 is not text"),
        ("samples: {l1_paradox: {gaussian: {samples: 1}}}", "samples.l1_paradox.gaussian.samples: 1 is less than 2"),
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
            "convergence.networks.data.teacher.problems.absolute.loss: 'squared' is not absolute",
        ),
        (
            "edge_of_stability: {networks: {data: {digits: {problems: {squared: {loss: cross_entropy}}}}}}",
            "edge_of_stability.networks.data.digits.problems.squared.loss: 'cross_entropy' is not squared",
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
            "l1_paradox.networks.sweeps.gelu.methods[0]: 'subgradient_geometric' is not in "
            "l1_paradox.networks.step_sizes; there are subgradient",
        ),
        (
            "l1_paradox: {networks: {sweeps: {full_batch: {samples: 1500}}}}",
            "l1_paradox.networks.sweeps.full_batch.samples: 1500 is more than the 1437 pictures that are not kept",
        ),
        (
            "l1_paradox: {weights: {data: {mnist: {full_batch: 4001}}}}",
            "l1_paradox.weights.data.mnist.full_batch: 4001 is more than the 4000 pictures that are not kept",
        ),
        (
            "l1_paradox: {weights: {data: {digits: {split: other}}}}",
            "l1_paradox.weights.data.digits.split: 'other' is not in samples.l1_paradox_networks; there are split",
        ),
        ("l1_paradox: {pruning: {kept: [0.5, 1.5]}}", "l1_paradox.pruning.kept[1]: 1.5 is greater than 1"),
        (
            "l1_paradox: {pruning: {partners: {adam: subgradient}}}",
            "l1_paradox.pruning.partners: 'adam' does not ask the objective for shrink",
        ),
        (
            "l1_paradox: {pruning: {partners: {ista: proximal_adam}}}",
            "l1_paradox.pruning.partners.ista: 'proximal_adam' asks the objective for shrink",
        ),
        (
            "l1_paradox: {pruning: {partners: {ista: subgradent}}}",
            "l1_paradox.pruning.partners.ista: 'subgradent' is not one of subgradient",
        ),
        ("weight_initialization: {halving: {width: 0}}", "weight_initialization.halving.width: 0 is less than 2"),
        ("weight_initialization: {spread: {widths: [1]}}", "weight_initialization.spread.widths[0]: 1 is less than 2"),
        ("weight_initialization: {wide: {layers: 0}}", "weight_initialization.wide.layers: 0 is less than 1"),
        (
            "weight_initialization: {training: {activations: {relu: {hidden_layers: [0]}}}}",
            "weight_initialization.training.activations.relu.hidden_layers[0]: 0 is less than 1",
        ),
        (
            "weight_initialization: {wide: {activations: {relu: {gains: [critical]}}}}",
            "weight_initialization.wide.activations.relu.gains[0]: 'critical' is not a positive number or formula",
        ),
        (
            "weight_initialization: {training: {activations: {sigmoid: {gains: [best]}}}}",
            "weight_initialization.training.activations.sigmoid.gains[0]: 'best' is not a positive number, formula or",
        ),
        (
            "weight_initialization: {wide: {activations: {tanh: {gains: [0.0]}}}}",
            "weight_initialization.wide.activations.tanh.gains[0]: 0.0 is not greater than 0",
        ),
        (
            "weight_initialization: {wide: {activations: {sin: {gains: [1.0], signals: 1}}}}",
            "weight_initialization.wide.activations: 'sin' is not one of relu",
        ),
        (
            "weight_initialization: {halving: {laws: [cauchy]}}",
            "weight_initialization.halving.laws[0]: 'cauchy' is not one of normal, uniform, rademacher",
        ),
        (
            "weight_initialization: {training: {method: ista}}",
            "weight_initialization.training.method: 'ista' asks for shrink and smooth_gradient",
        ),
        ("l1_paradox: {pruning: {kept: [-0.5]}}", "l1_paradox.pruning.kept[0]: -0.5 is less than 0"),
        (
            "convergence: {smoothing: {designs: [gaussian, gausian]}}",
            "convergence.smoothing.designs[1]: 'gausian' is not in samples.l1_paradox; there are gaussian, correlated",
        ),
        (
            "convergence: {networks: {activations: [relu, swish], floors: {activations: [relu]}}}",
            "convergence.networks.activations[1]: 'swish' is not one of relu, leaky_relu, hardtanh, gelu, silu",
        ),
        (
            "convergence: {networks: {activations: [softplus_0, relu], floors: {activations: [relu]}}}",
            "convergence.networks.activations[0]: 'softplus_0' is not one of relu",
        ),
        (
            "convergence: {networks: {data: {mnist: {}}}}",
            "convergence.networks.data.mnist: unknown key; there are digits, teacher",
        ),
        (
            "convergence: {networks: {data: {digits: {problems: {noisy: {loss: hinge, target: 1}}}}}}",
            "convergence.networks.data.digits.problems.noisy.loss: 'hinge' is not squared",
        ),
        (
            "convergence: {networks: {batch_sizes: [full, all]}}",
            "convergence.networks.batch_sizes[1]: 'all' is not full, or",
        ),
        ("convergence: {networks: {batch_sizes: [full, 0]}}", "convergence.networks.batch_sizes[1]: 0 is less than 1"),
        (
            "convergence: {networks: {derivatives_at_kink: {values: [0.5, 1.0]}}}",
            "convergence.networks.derivatives_at_kink.values: lacks 0.0",
        ),
        (
            "adaptive: {lasso: {methods: [adam, proximal_rmsprop]}}",
            "adaptive.lasso.methods[1]: 'proximal_rmsprop' is not one of subgradient",
        ),
        (
            "adaptive: {lasso: {designs: [gausian]}}",
            "adaptive.lasso.designs[0]: 'gausian' is not in samples.l1_paradox",
        ),
        (
            "adaptive: {lasso: {penalties_over_max: {low: 0.9}}}",
            "adaptive.lasso.penalties_over_max.low: 0.9 is not greater than 1",
        ),
        ("adaptive: {one_weight: {tilts: [0.0, 1.0]}}", "adaptive.one_weight.tilts[1]: 1.0 is not less than 1"),
        ("adaptive: {one_weight: {tilts: [0.5]}}", "adaptive.one_weight.tilts: lacks 0.0"),
        ("adaptive: {one_weight: {step_size: 1.0e+400}}", "adaptive.one_weight.step_size: inf is not a finite number"),
        (
            "overparameterization: {spheres: {units: [64, 65]}}",
            "overparameterization.spheres.units[1]: 65 is not an even number, and units come in pairs",
        ),
        (
            "overparameterization: {narrow: {units: 1001}}",
            "overparameterization.narrow.units: 1001 is not an even number, and units come in pairs",
        ),
        (
            "overparameterization: {pairs: {separations: [0.4, 2.1]}}",
            "overparameterization.pairs.separations[1]: 2.1 is greater than 2",
        ),
        (
            "overparameterization: {start: {separations: [0.0]}}",
            "overparameterization.start.separations[0]: 0.0 is less than 0.001",
        ),
        ("overparameterization: {spheres: {samples: 1}}", "overparameterization.spheres.samples: 1 is less than 2"),
        ("overparameterization: {capacity: {features: 1}}", "overparameterization.capacity.features: 1 is less than 2"),
        (
            "overparameterization: {narrow: {separations: [1.0e-9]}}",
            "overparameterization.narrow.separations[0]: 1e-09 is less than 0.001",
        ),
        (
            "overparameterization: {pairs: {step_size: 1.0e-300}}",
            "overparameterization.pairs.step_size: 1e-300 is less than 0.001",
        ),
        (
            "overparameterization: {iterations: {target: 1.0e-300}}",
            "overparameterization.iterations.target: 1e-300 is less than 1e-28",
        ),
        (
            "weight_initialization: {wide: {activations: {relu: {gains: [1.0e+300]}}}}",
            "weight_initialization.wide.activations.relu.gains[0]: 1e+300 is greater than 1000000",
        ),
        (
            "weight_initialization: {halving: {layers: 5000}}",
            "weight_initialization.halving.layers: 5000 is greater than 1000",
        ),
        (
            "overparameterization: {pairs: {step_size: 2.0}}",
            "overparameterization.pairs.step_size: 2.0 is not less than 2",
        ),
        (
            "overparameterization: {start: {activations: [relu, hardtanh]}}",
            "overparameterization.start.activations[1]: 'hardtanh' is not one of relu, gelu",
        ),
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
            "samples: {edge_of_stability_logistic: {digits: {features: 3}}}",
            "samples.edge_of_stability_logistic.digits.features: unknown key; there are source, components",
        ),
        (
            "samples: {edge_of_stability_separable: {noise: {source: two_classes, samples: 9, features: 2}}}",
            "samples.edge_of_stability_separable.noise.wrong: is missing",
        ),
        (
            "edge_of_stability: {max_affine: {features: [1]}}",
            "edge_of_stability.max_affine.features[0]: 1 is less than 2",
        ),
        (
            "spurious_minima: {minima: {families: {A: [6, 4]}}}",
            "spurious_minima.minima.families.A[1]: 4 is less than 6",
        ),
        (
            "spurious_minima: {minima: {families: {I: [6]}}}",
            "spurious_minima.minima.families.I[0]: 6 is less than 7",
        ),
        (
            "spurious_minima: {minima: {families: {I_split: [11]}}}",
            "spurious_minima.minima.families.I_split[0]: 11 is less than 12",
        ),
        (
            "spurious_minima: {minima: {families: {III: [7]}}}",
            "spurious_minima.minima.families.III: unknown key; did you mean II?",
        ),
        (
            "spurious_minima: {minima: {families: {II: [7.5]}}}",
            "spurious_minima.minima.families.II[0]: 7.5 is not a whole number",
        ),
        ("spurious_minima: {starts: {teachers: [4]}}", "spurious_minima.starts.teachers[0]: 4 is less than 5"),
        ("spurious_minima: {chains: {teachers: [6]}}", "spurious_minima.chains.teachers[0]: 6 is less than 7"),
        ("spurious_minima: {splits: {shares: [1.0]}}", "spurious_minima.splits.shares[0]: 1.0 is not less than 1"),
        (
            "subspace_attack: {flips: {components: [16, 64]}}",
            "subspace_attack.flips.components[1]: 64 is more than samples.subspace_attack.digits.components, 48",
        ),
        (
            "subspace_attack: {scales: {points: 201}}",
            "subspace_attack.scales.points: 201 is more than samples.subspace_attack.digits.samples, 200",
        ),
        (
            "adversarial_spectrum: {attacks: {data: {digits: {pictures: 598}}}}",
            "adversarial_spectrum.attacks.data.digits.pictures: 598 is more than "
            "samples.adversarial_spectrum.digits.test, 597",
        ),
        (
            "adversarial_spectrum: {identities: {pictures: 598}}",
            "adversarial_spectrum.identities.pictures: 598 is more than samples.adversarial_spectrum.digits.test, 597",
        ),
        (
            "convergence: {networks: {floors: {parts_of_best_step: [1.5]}}}",
            "convergence.networks.floors.parts_of_best_step[0]: 1.5 is greater than 1",
        ),
        (
            "subspace_attack: {flips: {dimension: 32, components: [8, 40, 32]}}",
            [
                "subspace_attack.flips.components[1]: 40 is not less than subspace_attack.flips.dimension, 32",
                "subspace_attack.flips.components[2]: 32 is not less than subspace_attack.flips.dimension, 32",
            ],
        ),
        (
            "subspace_attack: {frozen_weights: {dimension: 9, components: 9}}",
            "subspace_attack.frozen_weights.components: 9 is not less than subspace_attack.frozen_weights.dimension, 9",
        ),
        (
            "subspace_attack: {scales: {components: 0}}",
            "subspace_attack.scales.components: 0 is less than 1",
        ),
        (
            "subspace_attack: {flips: {dimension: 20, components: [8]}, curves: {components: 24}}",
            "subspace_attack.curves.components: 24 is not less than subspace_attack.flips.dimension, 20",
        ),
        (
            "samples: {subspace_attack: {digits: {components: 62}}}",
            "samples.subspace_attack.digits.components: 62 is greater than 61",
        ),
        (
            "samples: {subspace_attack: {digits: {samples: 30, components: 48}}}",
            "samples.subspace_attack.digits.components: 48 is above samples, which is 30",
        ),
        ("subspace_attack: {flips: {width: 0}}", "subspace_attack.flips.width: 0 is less than 1"),
        ("subspace_attack: {curves: {widths: []}}", "subspace_attack.curves.widths: is empty"),
        (
            "subspace_attack: {frozen_weights: {step_sizes: {ista: 0.1}}}",
            "subspace_attack.frozen_weights.step_sizes: 'ista' asks for shrink, which there is not here",
        ),
        (
            "convergence: {networks: {data: {digits: {problems: {noisy: {loss: logistic}}}}}}",
            "convergence.networks.data.digits.problems.noisy.loss: 'logistic' is not squared",
        ),
        ("root_seed: abc", "root_seed: 'abc' is not a whole number"),
        ("root_seed: 1.0", "root_seed: 1.0 is not a whole number"),
        ("root_seed: true", "root_seed: True is not a whole number"),
        ("root_seed: -1", "root_seed: -1 is less than 0"),
        ("device: gpu", "device: 'gpu' is not one of cpu, cuda"),
        ("scale: huge", f"scale: there is no config/huge.yaml, only {SCALES}"),
        ("scale: 3", "scale: 3 is not text"),
        ("scale: my run", "scale: 'my run' is not a name of small letters, digits and _"),
        ('scale: "mine\\n"', "scale: 'mine\\n' is not a name of small letters, digits and _"),
        (
            'samples: {l1_paradox: {"own\\n": {source: diabetes}}}',
            r"samples.l1_paradox['own\n']: a name has small letters, digits and _",
        ),
        (
            f"samples: {{l1_paradox: {{{'a' * 61}: {{source: diabetes}}}}}}",
            f"samples.l1_paradox.{'a' * 61}: a name has 60 characters at most",
        ),
        ("scale: a;b", "scale: 'a;b' is not a name of"),
        ("scale: ../smoke", "scale: '../smoke' is not a name of"),
        ("scale: smoke", "scale: in config/mine.yaml it is 'smoke'; write `scale: mine` there"),
        ("l1_paradox: {samples: [1]}", "l1_paradox.samples: unknown key; there are lasso"),
        ("samples: {l1_paradox: {1: {source: diabetes}}}", "samples.l1_paradox: 1 is not text"),
        (f"root_seed: {10**400}", f"root_seed: {10**79}… is more than a number can be"),
        (
            f"l1_paradox: {{lasso: {{seeds: {10**400}}}}}",
            f"l1_paradox.lasso.seeds: {10**79}… is more than a number",
        ),
        (
            f"l1_paradox: {{lasso: {{penalties_over_max: {{high: {10**400}}}}}}}",
            f"l1_paradox.lasso.penalties_over_max.high: {10**79}… is more than a number can be",
        ),
        (f"root_seed: {2**64}", "root_seed: 18446744073709551616 is greater than 18446744073709551615"),
        ("l1_paradox: {lasso: {seeds: 1000000001}}", "l1_paradox.lasso.seeds: 1000000001 is greater than 1000000000"),
        ("l1_paradox: {lasso: {seeds: 1}}", "l1_paradox.lasso.seeds: 1 is less than 2"),
        (
            "edge_of_stability: {cycles: {functions: [power_1.9999999999999999999]}}",
            "edge_of_stability.cycles.functions[0]: 'power_1.9999999999999999999' is not one of absolute",
        ),
        (
            f"convergence: {{networks: {{activations: [relu, softplus_.{ZEROS}1], floors: {{activations: [relu]}}}}}}",
            f"convergence.networks.activations[1]: 'softplus_.{ZEROS}1' is not one of relu",
        ),
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
            "l1_paradox: {lasso: {penalties_over_max: {low: 1e-05}}}",
            "l1_paradox.lasso.penalties_over_max.low: '1e-05' is not a finite number (write 0.00001)",
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
            "l1_paradox: {designs: {first_steps: 65536}}",
            "l1_paradox.designs.first_steps: 8 times 65536 is above most_steps, which is 262144",
        ),
        (
            "samples: {l1_paradox: {New: {source: diabetes}}}",
            "samples.l1_paradox.New: a name has small",
        ),
        ("samples: {l1_paradox: {new: {}}}", "samples.l1_paradox.new.source: is missing"),
        (
            "samples: {l1_paradox: {new: {source: web}}}",
            "samples.l1_paradox.new.source: 'web' is not one of gaussian, autoregressive, diabetes",
        ),
        (
            "samples: {l1_paradox: {new: {source: diabetes, noise: 1.0}}}",
            "samples.l1_paradox.new.noise: unknown key",
        ),
        (
            "samples: {l1_paradox: {gaussian: {nonzeros: 51}}}",
            "samples.l1_paradox.gaussian.nonzeros: 51 is above features, which is 50",
        ),
        (
            "samples: {l1_paradox: {correlated: {correlation: 1.0}}}",
            "samples.l1_paradox.correlated.correlation: 1.0 is not less than 1",
        ),
        ("samples: {l1_paradox_networks: {split: {test: 1797}}}", "samples.l1_paradox_networks.split.test: 1797 is gr"),
        (
            "samples: {convergence_networks: {digits_noisy: {samples: 1798}}}",
            "samples.convergence_networks.digits_noisy.samples: 1798 is greater than 1797",
        ),
        (
            "samples: {convergence_networks: {digits_noisy: {smoothing: 0.1}}}",
            "samples.convergence_networks.digits_noisy.smoothing: unknown key",
        ),
        (
            "samples: {convergence_networks: {teacher_noisy: {noise: -1}}}",
            "samples.convergence_networks.teacher_noisy.noise: -1 is less than 0",
        ),
        (
            "samples: {convergence_networks: {digits_noisy: {source: cifar10}}}",
            "samples.convergence_networks.digits_noisy.source: 'cifar10' is not one of digits, mnist, teacher",
        ),
        (
            "samples: {convergence_networks: {digits_nosy: {source: digits, samples: 9, wrong: 0}}}",
            "samples.convergence_networks.digits_nosy: nothing reads it; there are digits_interpolated, digits_noisy",
        ),
        (
            "samples: {edge_of_stability_networks: {cifar10_squared: {source: cifar10, samples: 9, smoothing: 0}}}",
            [
                "samples.edge_of_stability_networks.cifar10_squared: nothing reads it; there are digits_squared",
                "samples.edge_of_stability_networks.cifar10_squared.file: is missing",
            ],
        ),
        (
            "adversarial_spectrum: {attacks: {attacks: [fgsm, jsma]}}",
            "adversarial_spectrum.attacks.attacks[1]: 'jsma' is not one of fgsm, pgd, ",
        ),
        (
            "adversarial_spectrum: {networks: {data: {cifar10: {hidden: [9], step_size: 0.1, steps: 9}}}}",
            "adversarial_spectrum.networks.data.cifar10: there is no cifar10 in samples.adversarial_spectrum",
        ),
        (
            "samples: {adversarial_spectrum: {mnist: {source: mnist}}}",
            "samples.adversarial_spectrum.mnist.source: 'mnist' is not one of digit_pictures, ",
        ),
        (
            "samples: {adversarial_spectrum: {digits: {source: cifar10_pictures, file: a, train: 9, test: 200}}}",
            [],
        ),
        (
            "samples: {weight_initialization: {digits: {source: cifar10, file: a, smoothing: 0, wrong: 0}}}",
            [
                "samples.weight_initialization.digits.source: 'cifar10' is not digits",
                "samples.weight_initialization.digits.wrong: unknown key; ",
            ],
        ),
        (
            "samples: {weight_initialization: {cifar10: {source: cifar10, file: a, samples: 9, smoothing: 0}}}",
            "samples.weight_initialization.cifar10: nothing reads it; there are digits",
        ),
        (f"weight_initialization: {{convolutions: {CONVOLUTIONS}}}", NO_PICTURES),
        (
            f"{{weight_initialization: {{convolutions: {CONVOLUTIONS}}}, "
            "samples: {weight_initialization: {cifar10: {source: digits, samples: 9, wrong: 0}}}}",
            "samples.weight_initialization.cifar10.source: 'digits' is not cifar10",
        ),
        (
            f"weight_initialization: {{convolutions: {CONVOLUTIONS.replace('glorot', 'xavier')}}}",
            [
                NO_PICTURES,
                "weight_initialization.convolutions.initializations[1]: 'xavier' is not a positive number, formula or ",
            ],
        ),
        (
            f"weight_initialization: {{convolutions: {CONVOLUTIONS.replace('[2]', '[2, 2, 2, 2, 2, 2]')}}}",
            ["weight_initialization.convolutions.channels: ", NO_PICTURES],
        ),
        (
            f"weight_initialization: {{convolutions: {CONVOLUTIONS.replace('rmsprop_keras', 'ista')}}}",
            [
                NO_PICTURES,
                "weight_initialization.convolutions.method: 'ista' asks for shrink and smooth_gradient",
            ],
        ),
        ("samples: {other: {}}", "samples.other: unknown key; there are l1_paradox"),
        ("samples: {l1_paradox: {}}", []),
        ("samples: {l1_paradox: null}", "samples.l1_paradox: None is not a mapping"),
        ("samples: 3", "samples: 3 is not a mapping"),
        (
            "convergence: {networks: {data: {digits: {problems: {other: {loss: squared, target: 1}}}}}}",
            "convergence.networks.data.digits.problems.other: there is no digits_other in samples.convergence_networks",
        ),
        (
            "edge_of_stability: {networks: {data: {cifar10: {hidden: [9], start_scale: 1, seeds: 2, steps: 9, "
            "recorded_steps: 3, problems: {squared: {loss: squared, step_sizes: [1, 2]}, "
            "cross_entropy: {loss: cross_entropy, step_sizes: []}}}}}}",
            [
                f"edge_of_stability.networks.data.cifar10.problems.{key}"
                for key in (
                    "cross_entropy: there is no cifar10_cross_entropy in samples.edge_of_stability_networks",
                    "cross_entropy.step_sizes: is empty",
                    "squared: there is no cifar10_squared in samples.edge_of_stability_networks",
                )
            ],
        ),
        (
            "convergence: {networks: {floors: {activations: [relu, swish], problems: [noisy, other]}}}",
            [
                "convergence.networks.floors.activations[1]: 'swish' is not in convergence.networks.activations; there",
                "convergence.networks.floors.problems[1]: 'other' is not in convergence.networks.data.digits.problems",
            ],
        ),
        (
            "convergence: {cures: {methods: [subgradient, ista, adam_decoupled]}}",
            [
                "convergence.cures.methods[1]: 'ista' asks for shrink and smooth_gradient, which there is not here",
                "convergence.cures.methods[2]: 'adam_decoupled' asks for penalty_subgradient and smooth_gradient",
            ],
        ),
        ("convergence: {cures: {methods: [spred]}}", "convergence.cures.methods[0]: 'spred' is not one of subgradient"),
        ("l1_paradox: {lasso: {methods: [polyak]}}", "l1_paradox.lasso.methods[0]: 'polyak' asks for lowest"),
        ("convergence: {worst_cases: {rules: [none]}}", "convergence.worst_cases.rules[0]: 'none' is not one of const"),
        ("rootseed: 1\nsead: 2", ["rootseed: unknown key; did you mean root_seed?", "sead: unknown key"]),
    ],
)
def test_a_fault_is_one_line(text: str, fault: str | list[str]) -> None:
    """One fault, one line: the file, the key, what is wrong."""
    found, expected = faults_of(text), [fault] if isinstance(fault, str) else fault
    assert len(found) == len(expected), found
    assert all(line.startswith(f"config/mine.yaml: {start}") for line, start in zip(found, expected, strict=True)), (
        found
    )


def test_numbers_in_braces_on_the_command_line() -> None:
    """Snakemake makes text of them; the line says what to do instead."""
    said = {"l1_paradox": {"lasso": {"seeds": "5"}}}
    settings = load("laptop")
    update_config(settings, said)
    (line,) = faults(settings, [DEFAULT], said)
    assert line.startswith("command line: l1_paradox.lasso.seeds: '5' is not a whole number")
    assert line.endswith("inside of { } --config gives text; put it into a file, after --configfile")


def test_an_entry_from_another_source_than_its_name_says() -> None:
    """Networks on digits would be trained on the teacher's samples."""
    other = "{source: teacher, samples: 9, features: 2, units: 2, noise: 0}"
    settings = load("laptop")
    settings["samples"]["convergence_networks"]["digits_noisy"] = mine = yaml.safe_load(other)
    line = "command line: samples.convergence_networks.digits_noisy.source: 'teacher' is not digits"
    assert faults(settings, [DEFAULT], {"samples": {"convergence_networks": {"digits_noisy": mine}}}) == [line]


def test_every_missing_key_is_named() -> None:
    """A design without its settings: one line for each."""
    found = faults_of("samples: {l1_paradox: {new: {source: gaussian, samples: 9}}}")
    assert found == [
        f"config/mine.yaml: samples.l1_paradox.new.{name}: is missing" for name in ("features", "noise", "nonzeros")
    ]


def test_a_key_missing_everywhere() -> None:
    """The file named is the last one with the mapping around the key."""
    settings = yaml.safe_load(Path(DEFAULT).read_text())
    del settings["l1_paradox"]["lasso"]["seeds"], settings["device"]
    del (
        settings["samples"]["l1_paradox_networks"]["split"],
        settings["samples"]["subspace_attack"]["digits"],
        settings["samples"]["convergence_networks"]["teacher_noisy"],
    )
    assert faults(settings, [DEFAULT], {}) == [
        f"{DEFAULT}: convergence.networks.data.teacher.problems.noisy: there is no teacher_noisy in "
        "samples.convergence_networks",
        f"{DEFAULT}: device: is missing",
        f"{DEFAULT}: l1_paradox.lasso.seeds: is missing",
        f"{DEFAULT}: l1_paradox.weights.data.digits.split: 'split' is not in samples.l1_paradox_networks; "
        "there are split_mnist",
        f"{DEFAULT}: samples.l1_paradox_networks.split: there is no split in samples.l1_paradox_networks",
        f"{DEFAULT}: samples.subspace_attack: is empty",
        f"{DEFAULT}: samples.subspace_attack.digits: there is no digits in samples.subspace_attack",
    ]


def test_the_source_of_a_key() -> None:
    """A fault is laid at the door of the source that won: the command line, then the last file."""
    settings = yaml.safe_load(Path(DEFAULT).read_text()) | {"root_seed": -1}
    Path("config/mine.yaml").write_text("{root_seed: -1}")
    assert faults(settings, [DEFAULT], {"root_seed": -1})[0].startswith("command line: root_seed")
    assert faults(settings, [DEFAULT, MINE], {})[0].startswith("config/mine.yaml: root_seed")
