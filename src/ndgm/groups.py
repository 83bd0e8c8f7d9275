"""The manifest: each claim group once, with its experiments, the data that they read, and its figures.

The workflow, the deciding program, the tables of claims, the lists of names in the config's schema and the tests are
made from `GROUPS`. Nothing but the standard library is imported here, because Snakemake reads this at every start.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Experiment:
    """Maker of one table of results, or of one table for each part of its job.

    Attributes:
        table: Name of the table, and of the experiment in its `experiment` column.
        function: `module.function` in `ndgm.experiments`, which is given settings and inputs.
        settings: Dotted key of the block in the config whose keys are its settings; empty where it has none of its own.
        also: Dotted keys of single settings that it uses besides, each known to it by its last word; `device` is one,
            of what does its work in PyTorch and does not train.
        undefined: Columns that are NaN in runs for which they have no meaning, such as ‖w‖₁ of a function that is not
            separable; any other number of its table has to be finite.
    """

    table: str
    function: str
    settings: str = ""
    also: tuple[str, ...] = ()
    undefined: tuple[str, ...] = ()


OF_TRAINING = ("root_seed", "device", "ensemble_size")
"""Settings at the top of the config that every experiment uses whose runs are trained."""


@dataclass(frozen=True)
class Job:
    """Experiments that one process runs, one after the other: a start of PyTorch takes as long as a small experiment.

    Attributes:
        name: Of the rule.
        message: What is said while it runs; `{part}` stands for the part.
        experiments: In the order in which they run; a later one may use what an earlier one found.
        samples: Patterns of the entries `owner/name` of the config's `samples` that it reads, such as `l1_paradox/*`;
            `{part}` stands for the part.
        parts: Dotted key of the config whose names are the parts: each has a process and tables of its own; where the
            config lacks the key, the job has none. Empty where the job is not divided.
        folder: Where its tables go: `runs`, or `exact` for reference solutions.
        trains: Whether its experiments return runs to be trained, and not a finished table.
        weights: Whether the parameters that its runs end with are kept, in `weights`.
        reads: Other files that it reads, tables and weights of other jobs among them; `{part}` stands for the part.
        longest: Whether it trains so long that its ensembles are divided into the config's `shards`.
        if_installed: Optional distribution; installing or removing it reruns the job.
    """

    name: str
    message: str
    experiments: tuple[Experiment, ...]
    samples: tuple[str, ...] = ()
    parts: str = ""
    folder: str = "runs"
    trains: bool = True
    weights: bool = False
    reads: tuple[str, ...] = ()
    longest: bool = False
    if_installed: str = ""

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules of `ndgm.experiments` that it needs."""
        return tuple(dict.fromkeys(each.function.partition(".")[0] for each in self.experiments))


@dataclass(frozen=True)
class Figure:
    """A notebook `figures/<name>.py` with a caption `workflow/report/<name>.rst`.

    Attributes:
        name: Of the notebook, the caption and the drawing.
        tables: What it reads, by the names of experiments' tables; a run that lacks one of them lacks the figure.
    """

    name: str
    tables: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """A claim group: `claims/<name>.py`, and what its claims need.

    Attributes:
        name: Word by which every room knows the group.
        title: Of its tables.
        document: `paper` or `companions`.
        section: Of the document.
        jobs: What gives its tables.
        figures: In the order of the document.
        networks: Whether its experiments train networks, which take longest.
    """

    name: str
    title: str
    document: str
    section: str
    jobs: tuple[Job, ...]
    figures: tuple[Figure, ...]
    networks: bool = False

    @property
    def tag(self) -> str:
        """What the short names of its claims begin with, such as L1 or L1-networks."""
        return self.name.partition("_")[0].capitalize() + ("-networks" if self.name.endswith("_networks") else "")


def _experiments(section: str, **undefined: tuple[str, ...]) -> tuple[Experiment, ...]:
    """Experiments that have one name for their function, their block in the config and the end of their table's.

    Args:
        section: Of the config.
        **undefined: By this name, the columns that each leaves undefined.
    """
    return tuple(
        Experiment(f"{section}_{name}", f"{section}.{name}", f"{section}.{name}", undefined=columns)
        for name, columns in undefined.items()
    )


def _alone(table: str, function: str, settings: str = "", also: tuple[str, ...] = ()) -> tuple[Experiment, ...]:
    """One experiment with a module of its own, of its table's name."""
    return (Experiment(table, f"{table}.{function}", settings, also),)


def _two_layer(module: str, *names: str) -> tuple[Experiment, ...]:
    """Experiments of a module on two-layer networks, of one group."""
    group, also = "overparameterization", ("overparameterization.preactivations_at_once",)
    return tuple(Experiment(f"{group}_{name}", f"{module}.{name}", f"{group}.{name}", also) for name in names)


GROUPS = (
    Group(
        name="convergence",
        title="Convergence on convex problems",
        document="paper",
        section="3",
        jobs=(
            Job(
                "certify_worst_cases",
                "Certifying worst cases",
                _alone(
                    "convergence_certificates",
                    "certificates",
                    also=("convergence.worst_cases.rules", "convergence.worst_cases.most_steps"),
                ),
                folder="exact",
                trains=False,
                reads=("reference/certificates.json",),
                if_installed="PEPit",
            ),
            Job(
                "train_convergence",
                "Running gradient methods on convex problems with a kink",
                _experiments(
                    "convergence",
                    kink_dial=(),
                    smoothing=("penalty_over_max",),
                    cures=(),
                    worst_cases=("l1_norm",),
                ),
                samples=("l1_paradox/*",),
            ),
        ),
        figures=(
            Figure("convergence_floor", ("convergence_kink_dial", "convergence_cures")),
            Figure("convergence_smoothing", ("convergence_smoothing",)),
            Figure("convergence_worst_cases", ("convergence_worst_cases", "convergence_certificates")),
        ),
    ),
    Group(
        name="convergence_networks",
        title="Convergence of networks",
        document="paper",
        section="3",
        jobs=(
            Job(
                "train_convergence_networks",
                "Training networks: {part}",
                tuple(
                    Experiment(f"convergence_{name}", f"convergence_networks.{name}", "convergence.networks")
                    for name in ("tuning", "networks", "decay", "floors", "kink_value")
                ),
                samples=("convergence_networks/{part}_*",),
                parts="convergence.networks.data",
            ),
        ),
        figures=(
            Figure("convergence_networks", ("convergence_networks",)),
            Figure("convergence_networks_kinks", ("convergence_decay", "convergence_floors", "convergence_kink_value")),
        ),
        networks=True,
    ),
    Group(
        name="l1_paradox",
        title="The L1 norm paradox on the LASSO",
        document="paper",
        section="4",
        jobs=(
            Job(
                "solve_l1_paradox",
                "Solving the LASSO exactly, design {part}",
                _alone("l1_paradox_exact", "exact", also=("l1_paradox.lasso",)),
                samples=("l1_paradox/{part}",),
                parts="samples.l1_paradox",
                folder="exact",
                trains=False,
            ),
            Job(
                "train_l1_paradox",
                "Running gradient methods on the LASSO, design {part}",
                _experiments("l1_paradox", lasso=()),
                samples=("l1_paradox/{part}",),
                parts="samples.l1_paradox",
            ),
            Job(
                "run_l1_paradox_designs",
                "Running gradient methods on random designs and on real ones",
                (
                    Experiment(
                        "l1_paradox_designs",
                        "l1_paradox_designs.designs",
                        "l1_paradox.designs",
                        also=("root_seed", "device"),
                    ),
                    Experiment(
                        "l1_paradox_turns",
                        "l1_paradox_designs.turns",
                        "l1_paradox.turns",
                        also=("root_seed", "device", "l1_paradox.designs.families"),
                    ),
                    Experiment(
                        "l1_paradox_floors",
                        "l1_paradox_floors.floors",
                        "l1_paradox.floors",
                        also=("root_seed", "device", "l1_paradox.designs.families"),
                        undefined=("first_order_l1_norm",),
                    ),
                ),
                samples=("l1_paradox/*",),
                trains=False,
            ),
            Job(
                "run_l1_paradox_seen_kink",
                "Recording the kink that weights see on average",
                _alone("l1_paradox_seen_kink", "seen_kink", "l1_paradox.seen_kink", also=("root_seed", "device")),
                samples=("l1_paradox/*",),
                trains=False,
            ),
            Job(
                "train_l1_paradox_noise",
                "Running the subgradient method with mini-batch noise, design {part}",
                _alone("l1_paradox_noise", "noise", "l1_paradox.noise"),
                samples=("l1_paradox/{part}",),
                parts="samples.l1_paradox",
            ),
            Job(
                "run_l1_paradox_noisy_weight",
                "Running the subgradient method on one weight with a noisy gradient",
                _alone("l1_paradox_noisy_weight", "noisy_weight", "l1_paradox.noisy_weight", also=("root_seed",)),
                trains=False,
            ),
        ),
        figures=(
            Figure("l1_paradox_seen_kink", ("l1_paradox_seen_kink", "l1_paradox_weights")),
            Figure("l1_paradox_norm", ("l1_paradox_lasso", "l1_paradox_exact")),
            Figure("l1_paradox_law", ("l1_paradox_designs",)),
            Figure(
                "l1_paradox_turning_point",
                ("l1_paradox_turns", "l1_paradox_noise", "l1_paradox_networks"),
            ),
            Figure("l1_paradox_noise_limits", ("l1_paradox_noisy_weight",)),
            Figure("l1_paradox_cures", ("l1_paradox_lasso", "l1_paradox_exact")),
        ),
    ),
    Group(
        name="adaptive",
        title="Adaptive methods on convex problems",
        document="paper",
        section="4",
        jobs=(
            Job(
                "train_adaptive",
                "Running adaptive methods on convex problems",
                _experiments("adaptive", lasso=("predicted_l1_norm",), one_weight=(), cycles=()),
                samples=("l1_paradox/*",),
            ),
            Job(
                "run_adaptive_designs",
                "Running adaptive methods on random designs",
                (
                    Experiment(
                        "adaptive_designs",
                        "adaptive_designs.designs",
                        "adaptive.designs",
                        also=("root_seed", "device", "l1_paradox.designs.families"),
                    ),
                    Experiment(
                        "adaptive_floors",
                        "l1_paradox_floors.floors",
                        "adaptive.floors",
                        also=("root_seed", "device", "l1_paradox.designs.families"),
                        undefined=("first_order_l1_norm",),
                    ),
                ),
                trains=False,
            ),
        ),
        figures=(
            Figure("adaptive_methods", ("adaptive_lasso", "adaptive_one_weight", "adaptive_cycles")),
            Figure("adaptive_width", ("adaptive_designs",)),
        ),
    ),
    Group(
        name="l1_paradox_networks",
        title="Networks under an L1 penalty, and pruning",
        document="paper",
        section="4",
        jobs=(
            Job(
                "train_l1_paradox_networks",
                "Training networks under an L1 penalty: {part}",
                _alone("l1_paradox_networks", "networks", "l1_paradox.networks"),
                samples=("l1_paradox_networks/split",),
                parts="l1_paradox.networks.sweeps",
                weights=True,
                longest=True,
            ),
            Job(
                "prune_l1_paradox_networks",
                "Pruning networks",
                _alone(
                    "l1_paradox_pruning",
                    "pruning",
                    "l1_paradox.pruning",
                    also=("device", "l1_paradox.networks.hidden"),
                ),
                samples=("l1_paradox_networks/split",),
                trains=False,
                reads=(
                    "results/{scale}/runs/l1_paradox_networks_minibatch.parquet",
                    "results/{scale}/weights/l1_paradox_networks_minibatch.npz",
                ),
            ),
            Job(
                "run_l1_paradox_networks_weights",
                "Training networks under an L1 penalty, weight by weight: {part}",
                (
                    Experiment(
                        "l1_paradox_weights",
                        "l1_paradox_weights.weights",
                        "l1_paradox.weights",
                        also=("root_seed", "device"),
                    ),
                    Experiment(
                        "l1_paradox_strip",
                        "l1_paradox_strip.by_means",
                        "l1_paradox.weights",
                        also=("root_seed", "device"),
                        undefined=("overlap",),
                    ),
                ),
                samples=("l1_paradox_networks/split", "l1_paradox_networks/split_mnist"),
                parts="l1_paradox.weights.data",
                trains=False,
            ),
            Job(
                "run_l1_paradox_networks_rounding",
                "Running RMSProp with fused and with unfused products",
                _alone("l1_paradox_rounding", "rounding", "l1_paradox.rounding", also=("root_seed",)),
                trains=False,
            ),
        ),
        figures=(
            Figure("l1_paradox_networks", ("l1_paradox_networks", "l1_paradox_pruning")),
            Figure("l1_paradox_strip", ("l1_paradox_strip", "l1_paradox_designs")),
            Figure("l1_paradox_rounding", ("l1_paradox_rounding",)),
        ),
        networks=True,
    ),
    Group(
        name="edge_of_stability",
        title="The Edge of Stability of convex functions",
        document="paper",
        section="5",
        jobs=(
            Job(
                "train_edge_of_stability",
                "Running gradient descent beyond the edge of stability",
                _experiments(
                    "edge_of_stability",
                    cycles=("smoothness",),
                    asymmetric=("smoothness",),
                    near_threshold=("smoothness",),
                    max_affine=("smoothness",),
                    logistic=("smoothness", "predicted_amplitude", "multiplier"),
                    separable=("smoothness",),
                ),
                samples=("edge_of_stability_logistic/*", "edge_of_stability_separable/*"),
            ),
        ),
        figures=(
            Figure("edge_of_stability_bifurcations", ("edge_of_stability_cycles", "edge_of_stability_asymmetric")),
            Figure("edge_of_stability_sharpness", ("edge_of_stability_cycles",)),
            Figure("edge_of_stability_logistic", ("edge_of_stability_logistic", "edge_of_stability_separable")),
        ),
    ),
    Group(
        name="edge_of_stability_networks",
        title="The Edge of Stability of networks",
        document="paper",
        section="5",
        jobs=(
            Job(
                "train_edge_of_stability_networks",
                "Following the sharpness of networks: {part}",
                _alone("edge_of_stability_networks", "networks", "edge_of_stability.networks"),
                samples=("edge_of_stability_networks/{part}_*",),
                parts="edge_of_stability.networks.data",
                longest=True,
            ),
        ),
        figures=(
            Figure("edge_of_stability_networks", ("edge_of_stability_networks",)),
            Figure("edge_of_stability_side_by_side", ("edge_of_stability_cycles", "edge_of_stability_networks")),
        ),
        networks=True,
    ),
    Group(
        name="weight_initialization",
        title="Weight initialization",
        document="companions",
        section="2",
        jobs=(
            Job(
                "run_random_networks",
                "Sending signals through random deep networks",
                tuple(
                    Experiment(
                        f"weight_initialization_{name}",
                        f"weight_initialization.{name}",
                        f"weight_initialization.{name}",
                        also=("root_seed", "device"),
                    )
                    for name in ("halving", "spread", "wide")
                ),
                trains=False,
            ),
            Job(
                "train_weight_initialization",
                "Training deep networks from first weights of several variances",
                _alone("weight_initialization_training", "training", "weight_initialization.training"),
                samples=("weight_initialization/digits",),
            ),
            Job(
                "train_weight_initialization_convolutions",
                "Training convolutional networks from first weights of several variances: {part}",
                _alone("weight_initialization_convolutions", "convolutions", "weight_initialization.convolutions"),
                samples=("weight_initialization/{part}",),
                parts="weight_initialization.convolutions.data",
            ),
        ),
        figures=(
            Figure("weight_initialization", ("weight_initialization_wide", "weight_initialization_training")),
            Figure("weight_initialization_convolutions", ("weight_initialization_convolutions",)),
        ),
        networks=True,
    ),
    Group(
        name="overparameterization",
        title="Over-parameterization of two-layer networks",
        document="companions",
        section="3",
        jobs=(
            Job(
                "train_overparameterization",
                "Training wide two-layer networks beside their kernel",
                _two_layer("overparameterization", "spheres", "digits", "iterations", "capacity"),
                samples=("overparameterization/*",),
            ),
            Job(
                "train_overparameterization_pairs",
                "Training two-layer networks on two points that disagree",
                _two_layer("overparameterization_pairs", "start", "pairs", "narrow"),
            ),
        ),
        figures=(
            Figure(
                "overparameterization",
                ("overparameterization_start", "overparameterization_pairs"),
            ),
            Figure(
                "overparameterization_kernel",
                ("overparameterization_spheres", "overparameterization_digits", "overparameterization_capacity"),
            ),
        ),
    ),
    Group(
        name="subspace_attack",
        title="Subspace attacks",
        document="companions",
        section="4",
        jobs=(
            Job(
                "train_attacked_networks",
                "Training networks on data in a subspace and attacking them off it",
                _experiments(
                    "subspace_attack",
                    frozen_weights=(),
                    flips=("flip_over_output", "predicted_flip_over_output", "flip_over_predicted"),
                    scales=("flip_over_output", "predicted_flip_over_output", "flip_over_predicted"),
                ),
                samples=("subspace_attack/digits",),
            ),
            Job(
                "train_networks_on_seven_points",
                "Training networks on seven points of a line",
                _experiments("subspace_attack", seven_points=("flip_distance", "random_flip_distance")),
            ),
            Job(
                "follow_attacked_networks",
                "Following networks along the attack",
                (
                    Experiment(
                        "subspace_attack_curves",
                        "subspace_attack_pictures.curves",
                        "subspace_attack.curves",
                        also=("root_seed", "device", "subspace_attack.flips"),
                    ),
                    Experiment(
                        "subspace_attack_regions",
                        "subspace_attack_pictures.regions",
                        "subspace_attack.regions",
                        also=("root_seed", "device", "subspace_attack.seven_points"),
                    ),
                ),
                samples=("subspace_attack/digits",),
                trains=False,
            ),
        ),
        figures=(
            Figure(
                "subspace_attack_flips",
                ("subspace_attack_flips", "subspace_attack_scales", "subspace_attack_curves"),
            ),
            Figure("subspace_attack_regions", ("subspace_attack_regions", "subspace_attack_seven_points")),
        ),
        networks=True,
    ),
    Group(
        name="spurious_minima",
        title="Spurious minima",
        document="companions",
        section="5",
        jobs=(
            Job(
                "solve_spurious_minima",
                "Finding symmetric minima of students and teachers",
                (
                    Experiment(
                        "spurious_minima",
                        "spurious_minima.minima",
                        "spurious_minima.minima",
                        undefined=("second_other", "second_own"),
                    ),
                    Experiment(
                        "spurious_minima_splits",
                        "spurious_minima.splits",
                        "spurious_minima.splits",
                        also=("spurious_minima.minima.families",),
                    ),
                    Experiment("spurious_minima_large", "spurious_minima.large", "spurious_minima.large"),
                    Experiment("spurious_minima_dimensions", "spurious_minima.dimensions"),
                ),
                folder="exact",
                trains=False,
            ),
            Job(
                "train_spurious_minima",
                "Training students of a teacher",
                (
                    Experiment(
                        "spurious_minima_one",
                        "spurious_minima_descent.after_one",
                        "spurious_minima.chains",
                        undefined=("smallest_eigenvalue",),
                    ),
                    Experiment(
                        "spurious_minima_two",
                        "spurious_minima_descent.after_two",
                        "spurious_minima.chains",
                        undefined=("smallest_eigenvalue",),
                    ),
                    Experiment(
                        "spurious_minima_starts", "spurious_minima_descent.random_starts", "spurious_minima.starts"
                    ),
                ),
            ),
        ),
        figures=(
            Figure(
                "spurious_minima_losses",
                ("spurious_minima", "spurious_minima_large", "spurious_minima_one", "spurious_minima_two"),
            ),
            Figure("spurious_minima_spectra", ("spurious_minima", "spurious_minima_splits")),
        ),
    ),
    Group(
        name="adversarial_spectrum",
        title="Adversarial spectra, by statistics of ours",
        document="companions",
        section="6",
        jobs=(
            Job(
                "train_adversarial_spectrum",
                "Training networks to be attacked: {part}",
                _alone("adversarial_spectrum_networks", "networks", "adversarial_spectrum.networks"),
                samples=("adversarial_spectrum/{part}",),
                parts="adversarial_spectrum.networks.data",
                weights=True,
            ),
            Job(
                "tabulate_adversarial_spectrum",
                "Computing spectra of pictures: {part}",
                (
                    Experiment("adversarial_spectrum_clean", "adversarial_spectrum_pictures.clean"),
                    Experiment(
                        "adversarial_spectrum_identities",
                        "adversarial_spectrum_pictures.identities",
                        "adversarial_spectrum.identities",
                        also=("root_seed",),
                    ),
                ),
                samples=("adversarial_spectrum/{part}",),
                parts="adversarial_spectrum.networks.data",
                trains=False,
            ),
            Job(
                "attack_adversarial_spectrum",
                "Attacking networks: {part}",
                (
                    Experiment(
                        "adversarial_spectrum_attacks",
                        "adversarial_spectrum.attacks",
                        "adversarial_spectrum.attacks",
                        also=("root_seed", "device", "adversarial_spectrum.networks"),
                    ),
                    Experiment(
                        "adversarial_spectrum_curves", "adversarial_spectrum.curves", "adversarial_spectrum.attacks"
                    ),
                ),
                samples=("adversarial_spectrum/{part}",),
                parts="adversarial_spectrum.attacks.data",
                trains=False,
                reads=("results/{scale}/weights/adversarial_spectrum_networks_{part}.npz",),
            ),
        ),
        figures=(
            Figure("adversarial_spectrum_values", ("adversarial_spectrum_curves",)),
            Figure("adversarial_spectrum_detected", ("adversarial_spectrum_attacks", "adversarial_spectrum_clean")),
        ),
        networks=True,
    ),
)
