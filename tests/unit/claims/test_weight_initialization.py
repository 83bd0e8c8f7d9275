"""Each claim on first weights on tables that obey its law, that break it, or that say nothing."""

import numpy as np
import pandas as pd
import pytest
from claims_on_made_up_tables import (
    change,
    claims_of,
    copied_for_each_test,
    every_claim_is_in,
    law,
    near_one,
    only,
    random_among,
    refuted,
    row_of,
    verdict,
    why_inconclusive,
)

import ndgm.claims.weight_initialization  # noqa: F401  registers the claims
from ndgm.decide.entries import decide
from ndgm.experiments.grids import grid

GROUP = "weight_initialization"
CLAIMED = claims_of(GROUP)
HALVING, SPREAD, WIDE, TRAINED, CONVOLVED = (
    f"{GROUP}_{name}" for name in ("halving", "spread", "wide", "training", "convolutions")
)
SEEDS = 20
GROWTH = {"tanh": 0.8, "elu": 0.7, "softplus_1": 1.5, "gelu": 1.3, "silu": 1.6, "sigmoid": 2.5}
"""What layer 10 has of the variance of layer 0, if every claim holds."""
LOSSES = {
    "sigmoid": {"1.0": 2.3, "3.6": 1.9, "formula": 1.2, "40.0": 1.4, "critical": 1.6},
    "relu": {"1.0": 1.8, "formula": 1.1},
    "gelu": {"2.0": 0.1, "formula": 0.4},
    "silu": {"2.0": 0.2, "formula": 0.3},
}
SHARES = {"3.6": 0.7, "formula": 0.9, "glorot": 0.5}
"""Top-five accuracies."""


def of_layers(layers, **factors):
    """A row for each run and layer."""
    return grid(**factors).merge(pd.DataFrame({"layer": layers}), how="cross").assign(design="random")


def lawful():
    """Tables that obey every law, but for a little noise, by experiment."""
    rng = np.random.default_rng(0)
    halving = of_layers([1, 10, 20], law=["normal", "uniform"], gain=[1.0, 2.0], seed=range(SEEDS))
    halving["predicted_norm_ratio"] = (halving["gain"] / 2) ** halving["layer"]
    halving["norm_ratio"] = halving["predicted_norm_ratio"] * near_one(rng, halving, 0.2)
    spread = of_layers([1, 5], units=[32, 64], seed=range(SEEDS))
    spread["predicted_squared_norm_ratio"] = (1 + 5 / spread["units"]) ** spread["layer"]
    spread["squared_norm_ratio"] = spread["predicted_squared_norm_ratio"] * near_one(rng, spread, 0.09)
    wide = of_layers([0, 5, 10], activation=list(GROWTH), initialization=["1.0", "formula"], seed=range(SEEDS))
    wide["gain"] = np.where(wide["initialization"] == "1.0", 1.0, 12.8)
    grown = wide["activation"].map(GROWTH) ** (wide["layer"] / 10)
    wide = wide.assign(predicted_preactivation_variance=grown, predicted_activation_variance=1.0)
    wide["preactivation_variance"] = grown * near_one(rng, wide, 0.02)
    wide["activation_variance"] = 0.2 * near_one(rng, wide, 0.05)
    arms = [
        grid(activation=[name], hidden_layers=depths, initialization=list(LOSSES[name]), seed=range(SEEDS))
        for name, depths in (("sigmoid", [10]), ("relu", [10, 30]), ("gelu", [10]), ("silu", [10]))
    ]
    trained = pd.concat(arms, ignore_index=True).assign(run=lambda rows: rows.index, design="digits", step=200)
    loss = [LOSSES[name][gain] for name, gain in zip(trained["activation"], trained["initialization"], strict=True)]
    trained = trained.assign(objective=loss * near_one(rng, trained, 0.05), accuracy=0.5, gain=1.0)
    convolved = grid(design=["cifar10"], initialization=list(SHARES), seed=range(SEEDS)).assign(step=20)
    share = convolved["initialization"].map(SHARES) * near_one(rng, convolved, 0.02)
    convolved = convolved.assign(objective=2 - share, accuracy=0.4, top_five_accuracy=share)
    made = {HALVING: halving, SPREAD: spread, WIDE: wide}
    return made | {
        name: table.assign(stopped_because="finished") for name, table in [(TRAINED, trained), (CONVOLVED, convolved)]
    }


tables = copied_for_each_test(lawful)

BREAKS = [
    ("relu_halves", HALVING, "norm_ratio", "law == 'uniform' and layer == 20", law("norm_ratio * 1.07**20")),
    ("relu_halves", HALVING, "norm_ratio", "gain == 2 and layer == 20", law("norm_ratio * 0.93**20")),
    ("relu_spread", SPREAD, "squared_norm_ratio", "units == 32 and layer == 5", law("1.3 * squared_norm_ratio")),
    ("relu_spread", SPREAD, "squared_norm_ratio", "layer == 5", law("0.8 * squared_norm_ratio")),
    (
        "mean_field",
        WIDE,
        "preactivation_variance",
        "activation == 'gelu' and initialization == '1.0' and layer == 10",
        law("1.1 * preactivation_variance"),
    ),
    (
        "sigmoid_variance",
        WIDE,
        "activation_variance",
        "activation == 'sigmoid' and initialization == 'formula' and layer == 10 and seed == 3",
        lambda rows: 0.26,
    ),
    ("stays", WIDE, "preactivation_variance", "activation == 'silu' and layer == 10", lambda rows: 3.0),
    ("stays", WIDE, "preactivation_variance", "activation == 'tanh' and layer == 10", lambda rows: 0.3),
    ("sigmoid_reading", TRAINED, "objective", "initialization == '3.6'", law("objective * 1.5")),
    ("sigmoid_reading", TRAINED, "objective", "initialization == '3.6'", law("objective * 0.5")),
    ("sigmoid_best", TRAINED, "objective", "initialization == '40.0'", law("objective * 0.5")),
    ("sigmoid_best", TRAINED, "objective", "initialization == 'critical'", law("objective * 0.5")),
    ("xavier_relu", TRAINED, "objective", "initialization == '1.0' and hidden_layers == 30", law("objective * 0.5")),
    ("smooth_relus", TRAINED, "objective", "activation == 'silu' and initialization == 'formula'", lambda rows: 0.1),
    ("convolutions_loss", CONVOLVED, "objective", "initialization == '3.6'", law("objective * 0.5")),
    ("convolutions_loss", CONVOLVED, "objective", "initialization == 'glorot'", law("objective * 0.5")),
    ("convolutions_top_five", CONVOLVED, "top_five_accuracy", "initialization == '3.6'", lambda rows: 0.99),
    ("convolutions_top_five", CONVOLVED, "top_five_accuracy", "initialization == 'glorot'", lambda rows: 0.99),
    ("convolutions_top_five", CONVOLVED, "top_five_accuracy", "initialization == 'formula'", lambda rows: 0.5),
    ("convolutions_script", CONVOLVED, "top_five_accuracy", "initialization == '3.6'", lambda rows: 0.45),
    ("convolutions_script", CONVOLVED, "top_five_accuracy", "initialization == 'glorot'", lambda rows: 0.8),
]  # fmt: skip


def full(name):
    return f"{GROUP}_{name}"


def test_all_hold_where_the_laws_hold(tables):
    assert {name: verdict(name, tables) for name in CLAIMED} == dict.fromkeys(CLAIMED, "supported")


@pytest.mark.parametrize(("name", "table", "column", "where", "value"), BREAKS)
def test_what_breaks_a_law_refutes_its_claim(tables, name, table, column, where, value):
    change(tables[table], column, where, value)
    assert full(name) in refuted(CLAIMED, tables, table)


def test_every_claim_can_be_refuted():
    every_claim_is_in("BREAKS", [name for name, *_ in BREAKS], CLAIMED, f"{GROUP}_")


MEASURED = {
    HALVING: "norm_ratio",
    SPREAD: "squared_norm_ratio",
    WIDE: ["preactivation_variance", "activation_variance"],
}


@pytest.mark.parametrize("name", random_among(CLAIMED))
def test_noise_without_a_signal_decides_nothing(tables, name):
    """Half of the seeds far above what is predicted and half far below, or losses whose order is chance."""
    rng = np.random.default_rng(3)
    (experiment,) = CLAIMED[name].experiments
    table = tables[experiment]
    if experiment == TRAINED:
        table["objective"] = rng.uniform(0.1, 10, len(table))
    elif experiment == CONVOLVED:
        high = (table["seed"] % 2 == 0) == (table["initialization"] == "formula")
        level = np.where(table["initialization"] == "3.6", 0.5, np.where(high, 0.9, 0.3))
        table["objective"] = table["top_five_accuracy"] = level * near_one(rng, table, 0.01)
    else:
        last, high = table["layer"] == table["layer"].max(), table["seed"] % 2 == 0
        for column in np.atleast_1d(MEASURED[experiment]):
            level = 1.0 if name == full("stays") else table[f"predicted_{column}"]
            far = np.where(high, 2.5 if name == full("stays") else 40.0, 1.0 if name == full("stays") else 1 / 40)
            table.loc[last, column] = (level * far * near_one(rng, table, 0.01))[last]
    assert verdict(name, tables) == "inconclusive"


@pytest.mark.parametrize(
    ("name", "experiment", "where", "gap"),
    [
        ("sigmoid_variance", WIDE, "activation != 'sigmoid'", "no runs of sigmoid"),
        ("stays", WIDE, "activation != 'elu'", "no runs of elu"),
        ("sigmoid_best", TRAINED, "initialization != 'critical'", "no runs of critical"),
        ("sigmoid_reading", TRAINED, "initialization != '3.6'", "no runs of 3.6"),
        ("xavier_relu", TRAINED, "hidden_layers != 30", "no runs with 30 hidden layers"),
        ("smooth_relus", TRAINED, "activation != 'silu'", "no runs of silu"),
        ("convolutions_loss", CONVOLVED, "initialization != 'glorot'", "no runs of glorot"),
        ("convolutions_top_five", CONVOLVED, "initialization != 'formula'", "no runs of formula"),
        ("convolutions_script", CONVOLVED, "initialization != '3.6'", "no runs of 3.6"),
    ],
)
def test_what_is_missing_is_named(tables, name, experiment, where, gap):
    tables[experiment] = only(tables[experiment], where)
    assert why_inconclusive(full(name), tables) == gap


def test_a_run_that_diverged_is_a_gap(tables):
    change(tables[TRAINED], "stopped_because", "activation == 'gelu' and seed == 3", lambda rows: "diverged")
    assert "diverged" in why_inconclusive(full("smooth_relus"), tables)


def test_numbers_that_the_text_prints_stand_in_the_tables(tables):
    best = row_of(full("sigmoid_best"), tables)["table"]
    assert set(best) == {f"gain_{name}" for name in LOSSES["sigmoid"]}
    assert best["gain_formula"]["objective"] == pytest.approx(1.2, rel=0.05) and best["gain_3.6"]["deviation"] == 1
    relu = row_of(full("xavier_relu"), tables)["table"]
    assert set(relu) == {f"layers_{depth}_{gain}" for depth in (10, 30) for gain in LOSSES["relu"]}
    assert row_of(full("stays"), tables)["table"]["silu"]["growth"] == pytest.approx(1.6, rel=0.05)
    assert row_of(full("mean_field"), tables)["table"]["sigmoid_formula"]["gain"] == pytest.approx(12.8)
    loss = row_of(full("convolutions_loss"), tables)["table"]
    assert {name: row["top_five_accuracy"] for name, row in loss.items()} == pytest.approx(
        {f"gain_{name}": share for name, share in SHARES.items()}, rel=0.01
    )


def test_what_the_last_steps_give_counts(tables):
    earlier = tables[CONVOLVED].assign(step=10, objective=99.0, top_five_accuracy=0.1)
    tables[CONVOLVED] = pd.concat([earlier, tables[CONVOLVED]]).sort_values(["run", "step"], ignore_index=True)
    assert row_of(full("convolutions_loss"), tables)["table"]["gain_3.6"]["objective"] < 2


def test_claims_on_cifar10_are_absent_where_the_config_names_none(tables):
    there = [name for name in CLAIMED if name.startswith(full("convolutions"))]
    assert len(there) == 3
    del tables[CONVOLVED]
    found = {row["id"]: row["verdict"] for row in decide(CLAIMED, tables)}
    assert found == {name: "supported" for name in CLAIMED if name not in there}
