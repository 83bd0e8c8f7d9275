"""Each claim on networks under L1 on tables that obey its law, break it, or drown it in noise: every one can fail."""

import numpy as np
import pandas as pd
import pytest
from claims_on_made_up_tables import diverge, every_claim_is_in

import ndgm.claims.l1_paradox_networks  # noqa: F401  (registers its claims)
from ndgm.decide.claim import CLAIMS
from ndgm.decide.entries import decide
from ndgm.experiments.grids import grid

READ = {"l1_paradox_networks", "l1_paradox_pruning"}
"""Tables of the claims that are tested here; the others of the group have a file of their own."""
NAMES = [n for n, one in CLAIMS.items() if one.group == "l1_paradox_networks" and set(one.experiments) <= READ]
RANDOM = [name for name in NAMES if CLAIMS[name].test.random]
SEEDS, STEPS, WEIGHTS = 20, 100, (2048, 320)
NETWORKS, PRUNING = "l1_paradox_networks", "l1_paradox_pruning"
AT_A_LEVEL = ["sign", "rmsprop_0.9", "rmsprop_0.99", "rmsprop_0.999", "adam"]
METHODS = ["subgradient", "subgradient_sqrt", "heavy_ball", *AT_A_LEVEL, "amsgrad", "adam_decoupled", "adagrad", "ista"]
SWEEPS = {
    "minibatch": (METHODS, np.geomspace(1e-6, 1, 13)),
    "gelu": (["subgradient", "rmsprop_0.99", "adam"], np.geomspace(1e-6, 1, 13)),
    "full_batch": (["subgradient", "ista"], np.geomspace(1e-6, 1, 13)),
    "minimum": (["subgradient"], np.geomspace(0.003, 0.3, 21)),
}
NOISE = 0.01


def network_table(rng):
    """Norms of (η/2)(λ + σ²/λ) for each weight, at most two; RMSProp's level off at η/2, Adam's at a quarter.

    Up to a penalty of 0.05 a subgradient network has besides what it has learnt, but in the sweep of the minimum.
    """
    parts = [
        grid(design=[name], method=methods, seed=range(SEEDS), penalty=[0.0, *penalties])
        for name, (methods, penalties) in SWEEPS.items()
    ]
    runs = pd.concat(parts, ignore_index=True).assign(experiment=NETWORKS, step_size=0.1)
    runs["penalty_by"] = np.where(runs["method"] == "ista", "shrink", "subgradient")
    adaptive = runs["method"].isin(AT_A_LEVEL)
    runs.loc[adaptive, "step_size"] = 0.003
    with np.errstate(divide="ignore"):
        floor = runs["step_size"] / 2 * (runs["penalty"] + NOISE**2 / runs["penalty"])
        one = np.minimum(floor, 2 - 0.1 * np.log1p(runs["penalty"] / 1e-6))
    one += 0.1 * (1 - 20 * runs["penalty"]).clip(lower=0) * (runs["design"] != "minimum")
    level = runs["step_size"] / 2 * runs["method"].map({"adam": 0.5}).fillna(1)
    one = one.where(~adaptive, np.maximum(level, 0.5 - runs["penalty"] * 10))
    one *= 1 + 0.0001 * rng.uniform(-1, 1, len(runs)) - 0.0002 * np.log1p(runs["penalty"] / 1e-7)
    for layer, count in enumerate(WEIGHTS, 1):
        runs[f"weights_{layer}"] = count
        runs[f"mean_l1_norm_{layer}"] = count * one
        runs[f"mean_gradient_variance_{layer}"] = NOISE**2
    runs["weights"], runs["mean_l1_norm"] = sum(WEIGHTS), sum(WEIGHTS) * one
    runs["test_accuracy"] = 0.9
    runs["held"] = runs["method"].map({"ista": 7.0}).fillna(0.0)
    return runs.assign(step=STEPS, stopped_because="finished")


def pruning_table(rng):
    """Proximal networks with 80 % zeros at any threshold; others with weights spread evenly over one step."""
    methods = ["subgradient", "ista", "truncated_gradient", "adam", "proximal_adam"]
    partner = {"ista": "subgradient", "truncated_gradient": "subgradient", "proximal_adam": "adam"}
    runs = grid(experiment=[PRUNING], design=["digits"], method=methods, seed=range(SEEDS))
    proximal = runs["method"].isin(partner)
    tables = []
    for at in np.logspace(-3, 1, 9):
        share = np.where(proximal, 0.8 + 0.001 * np.log10(at * 10), 0.8 * min(at, 1))
        tables.append(runs.assign(rule="threshold", at=at, sparsity=share, accuracy=0.9))
    for name, plain in partner.items():
        pair = runs[runs["method"].isin([name, plain])]
        accuracy = np.where(pair["method"] == name, 0.905, 0.90)
        tables.append(pair.assign(rule=f"as_{name}", at=0.2, sparsity=0.8, accuracy=accuracy))
    table = pd.concat(tables, ignore_index=True)
    for column in ("sparsity", "accuracy"):
        table[column] *= 1 + 0.0005 * rng.uniform(-1, 1, len(table))
    return table


@pytest.fixture(scope="module")
def lawful():
    rng = np.random.default_rng(0)
    return {NETWORKS: network_table(rng), PRUNING: pruning_table(rng)}


@pytest.fixture
def tables(lawful):
    """Run tables that obey every law but for a little noise, to be changed."""
    return {experiment: table.copy() for experiment, table in lawful.items()}


def row_of(name, tables):
    return decide({name: CLAIMS[name]}, tables)[0]


def change(table, column, where, value):
    """Apply `value` to a column where a query holds; there must be such rows."""
    rows = table.query(where).index
    assert len(rows)
    table.loc[rows, column] = value(table.loc[rows])


def scaled(column, factor):
    return lambda rows: rows[column] * factor


def test_tables_that_obey_the_laws_support_all_claims(tables):
    rows = decide({name: CLAIMS[name] for name in NAMES}, tables)
    verdicts = dict.fromkeys(NAMES, "supported")
    # What is as accurate within 1 % is not less accurate by 1 %.
    assert {row["id"]: row["verdict"] for row in rows} == verdicts | {"l1_paradox_networks_pruning": "refuted"}


def test_networks_that_are_less_accurate_when_pruned_support_that_claim(tables):
    plain = tables[PRUNING]["rule"].str.startswith("as_") & tables[PRUNING]["method"].isin(["subgradient", "adam"])
    tables[PRUNING].loc[plain, "accuracy"] -= 0.05
    assert row_of("l1_paradox_networks_pruning", tables)["verdict"] == "supported"
    assert row_of("l1_paradox_networks_pruning_alike", tables)["verdict"] == "refuted"


NORM = "mean_l1_norm"
LAYER_2 = "mean_l1_norm_2"
# Claim, table, column, rows, and what is done to them.
BREAKS = [
    # A norm that only falls; that only rises; that is level; that falls or rises, but by too little.
    ("turn", NETWORKS, NORM, "design == 'full_batch'", lambda r: 1 / (r.penalty + 1e-4) * (1 + r.seed)),
    ("turn", NETWORKS, NORM, "method == 'subgradient'", lambda r: (r.penalty + 1e-4) * (1 + r.seed)),
    ("turn", NETWORKS, NORM, "design == 'minibatch'", lambda r: 1.0 + r.seed),
    ("turn", NETWORKS, NORM, "design == 'minibatch' and penalty > .9", lambda r: 1.9 * 0.005 * sum(WEIGHTS)),
    ("turn", NETWORKS, NORM, "design == 'full_batch' and .9e-3 < penalty < 1.1e-3", lambda r: 9.0),
    ("rise", NETWORKS, NORM, "design == 'full_batch' and penalty > .9", scaled(NORM, 1.05)),
    ("rise", NETWORKS, NORM, "design == 'minibatch' and .09 < penalty < .11", scaled(NORM, 0.95)),
    ("minimum", NETWORKS, LAYER_2, "design == 'minimum' and .05 < penalty < .06", scaled(LAYER_2, 0.1)),
    ("minimum", NETWORKS, "mean_gradient_variance_1", "design == 'minimum'", lambda r: 4 * NOISE**2),
    ("no_exact_zeros", NETWORKS, "held", "method == 'adam' and penalty > .9 and seed == 3", lambda r: 1.0),
    ("no_exact_zeros", NETWORKS, "held", "design == 'gelu' and method == 'subgradient'", lambda r: 2.0),
    # Fewer zeros than weights below every threshold, or below the longest alone.
    ("zeros", PRUNING, "sparsity", "rule == 'as_ista' and method == 'ista'", lambda r: 0.0005 + 0 * r.seed),
    ("zeros", PRUNING, "sparsity", "rule == 'as_ista' and method == 'ista'", lambda r: 0.2 + 0 * r.seed),
    ("zeros", PRUNING, "sparsity", "method == 'adam' and .3 < at < .4", lambda r: 0.81 + 0 * r.seed),
    ("pruning", PRUNING, "accuracy", "rule == 'as_proximal_adam' and method == 'adam'", lambda r: 0.97 + 0 * r.seed),
    ("pruning_alike", PRUNING, "accuracy", "rule == 'as_ista' and method == 'ista'", lambda r: 0.92 + 0 * r.seed),
    # Level over the last decade, the first one, or one between two others; a proximal network that changes as much.
    ("threshold", PRUNING, "sparsity", "method == 'subgradient' and at == .1", lambda r: 0.85 + 0 * r.seed),
    (
        "threshold",
        PRUNING,
        "sparsity",
        "method == 'adam' and at == .01 and rule == 'threshold'",
        lambda r: 0.0 * r.seed,
    ),
    ("threshold", PRUNING, "sparsity", "method == 'subgradient' and .3 < at < .4", lambda r: 0.025 + 0 * r.seed),
    (
        "threshold",
        PRUNING,
        "sparsity",
        "method == 'ista' and rule == 'threshold'",
        lambda r: 0.9 * r["at"].clip(upper=1),
    ),
    ("rmsprop", NETWORKS, NORM, "design == 'gelu' and penalty > .9", scaled(NORM, 1.05)),
    ("rmsprop", NETWORKS, NORM, "method == 'rmsprop_0.9' and penalty > .9", scaled(NORM, 1.05)),
    ("rmsprop", NETWORKS, NORM, "method == 'sign' and penalty > .9", scaled(NORM, 0.95)),
    ("rmsprop", NETWORKS, NORM, "method == 'rmsprop_0.99'", lambda r: r.penalty * r.weights * r.step_size / 2),
    ("adam", NETWORKS, NORM, "method == 'adam' and penalty > .9", scaled(NORM, 3)),
    ("activation", NETWORKS, NORM, "design == 'gelu' and penalty < 1e-5", scaled(NORM, 1.2)),
]


@pytest.mark.parametrize(("name", "table", "column", "where", "value"), BREAKS)
def test_tables_that_break_the_law_refute_the_claim(name, table, column, where, value, tables):
    change(tables[table], column, where, value)
    assert row_of(f"l1_paradox_networks_{name}", tables)["verdict"] == "refuted"


def test_every_claim_was_refuted_above():
    every_claim_is_in("BREAKS", [name for name, *_ in BREAKS], NAMES, "l1_paradox_networks_")


@pytest.mark.parametrize("name", RANDOM)
def test_noise_makes_a_random_claim_inconclusive(name, tables):
    rng = np.random.default_rng(2)
    for table in tables.values():
        for column in table.filter(regex="mean_l1_norm|sparsity|accuracy"):
            table[column] *= rng.lognormal(0, 3, len(table))
    assert row_of(name, tables)["verdict"] == "inconclusive"


@pytest.mark.parametrize(
    ("name", "table", "column", "where", "value"),
    [
        ("no_exact_zeros", NETWORKS, "held", "method == 'ista'", lambda r: 9.0),
        ("rise", NETWORKS, NORM, "penalty < .09", scaled(NORM, 3)),
        # Where between the three penalties the norm turns, and by which way.
        ("turn", NETWORKS, NORM, "1.1e-3 < penalty < .09 or .11 < penalty < .9 or penalty < .9e-3", scaled(NORM, 30)),
        ("turn", NETWORKS, NORM, "method != 'subgradient' or design in ['gelu', 'minimum']", scaled(NORM, 30)),
        ("zeros", PRUNING, "sparsity", "rule == 'threshold' and at >= 1", lambda r: 1.0),
        ("zeros", PRUNING, "sparsity", "rule == 'threshold' and method == 'ista'", lambda r: 1.0),
        (
            "threshold",
            PRUNING,
            "sparsity",
            "rule == 'threshold' and at > 1",
            lambda r: 1.0 - 0.5 * (r.method == "ista"),
        ),
        ("rise", NETWORKS, NORM, "method != 'subgradient' or design == 'minimum'", scaled(NORM, 3)),
        ("activation", NETWORKS, NORM, "method == 'subgradient'", scaled(NORM, 3)),
        ("pruning_alike", PRUNING, "accuracy", "rule == 'threshold'", lambda r: 0.1),
    ],
)
def test_what_a_claim_does_not_speak_of_does_not_matter(name, table, column, where, value, tables):
    change(tables[table], column, where, value)
    assert row_of(f"l1_paradox_networks_{name}", tables)["verdict"] == "supported"


@pytest.mark.parametrize("name", ["turn", "rise", "minimum", "rmsprop", "adam", "activation"])
def test_a_diverged_run_is_said_and_not_judged(name, tables):
    tables[NETWORKS] = diverge(tables[NETWORKS], "seed == 2 and penalty > 0.2")
    row = row_of(f"l1_paradox_networks_{name}", tables)
    assert row["verdict"] == "inconclusive" and "runs diverged" in row["gap"]


@pytest.mark.parametrize("name", NAMES)
def test_claims_without_their_runs_are_inconclusive(name, tables):
    for experiment, table in tables.items():
        tables[experiment] = table[(table["method"] == "ista") & (table.get("rule", "") != "as_ista")]
    assert row_of(name, tables)["verdict"] == "inconclusive"


def test_a_minimum_at_the_end_of_the_grid_is_no_minimum(tables):
    tables[NETWORKS] = tables[NETWORKS].query("penalty > .05")
    row = row_of("l1_paradox_networks_minimum", tables)
    assert row["verdict"] == "inconclusive" and "end of the grid" in row["gap"]


@pytest.mark.parametrize(
    ("name", "tried", "gap"),
    [
        ("zeros", "at >= 1", "no threshold below one step"),
        ("threshold", "at >= 1", "no threshold below one step"),
        ("threshold", "at == .1 or at > 1 or rule != 'threshold'", "no decade of thresholds up to one step"),
    ],
)
def test_thresholds_that_were_not_tried_are_said(name, tried, gap, tables):
    tables[PRUNING] = tables[PRUNING].query(f"{tried} or rule.str.startswith('as_')")
    row = row_of(f"l1_paradox_networks_{name}", tables)
    assert row["verdict"] == "inconclusive" and row["gap"] == gap


@pytest.mark.parametrize("penalty", [1e-3, 0.1, 1.0])
def test_a_turn_needs_its_three_penalties_in_every_sweep(penalty, tables):
    runs = tables[NETWORKS]
    there = ~np.isclose(runs["penalty"], penalty) | (runs["design"] != "full_batch")
    row = row_of("l1_paradox_networks_turn", tables | {NETWORKS: runs[there]})
    assert row["verdict"] == "inconclusive" and row["gap"] == f"no runs at the penalty {penalty:g}"


@pytest.mark.parametrize("name", ["zeros", "threshold"])
def test_every_threshold_is_a_cell(name, tables):
    # One ratio followed from the threshold that was chosen.
    thresholds = {"zeros": 6, "threshold": 5}  # below one step; decades up to one step
    assert row_of(f"l1_paradox_networks_{name}", tables)["cells"] == 3 * thresholds[name]


def test_a_new_subgradient_method_joins_the_claim_on_all_of_them(tables):
    runs = tables[NETWORKS]
    new = runs[runs["method"] == "sign"].assign(method="new", run=lambda rows: rows["run"] + 100_000, held=1.0)
    name = "l1_paradox_networks_no_exact_zeros"
    decided = decide({name: CLAIMS[name]}, tables | {NETWORKS: pd.concat([runs, new])})[0]
    assert decided["verdict"] == "refuted" and decided["where"]["method"] == "new"
