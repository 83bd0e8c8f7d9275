"""Each claim on the convergence of networks, on run tables that obey its law, break it, or drown it in noise."""

import numpy as np
import pytest
from claims_on_made_up_tables import (
    change,
    claims_of,
    copied_for_each_test,
    every_claim_is_in,
    law,
    random_among,
    refuted,
    row_of,
    verdict,
)
from made_up_networks import FLOORS, HELD, KINK_VALUE, KINKED, NETS, SEEDS, SMOOTH, SOFTPLUS, lawful, of_run

import ndgm.claims.convergence_networks  # noqa: F401  (registers its claims)
from ndgm.decide.entries import decide

CLAIMS = claims_of("convergence_networks")
tables = copied_for_each_test(lawful)


@pytest.mark.parametrize("name", CLAIMS)
def test_tables_that_obey_the_law_support_the_claim(name, tables):
    assert verdict(name, tables) == "supported"


def test_supported_also_after_holms_correction(tables):
    assert {row["verdict"] for row in decide(CLAIMS, tables)} == {"supported"}


def at_once(rows):
    """Losses that are at the target at the second recorded step, and never again."""
    return rows["target"] * np.where(rows["step"] == 2, 1.0, 3.0)


def at_last(rows):
    """Losses that are at the target at the end only."""
    return rows["target"] * np.where(rows["step"] == 100, 1.0, 3.0)


ABSOLUTE = "problem == 'absolute'"
LATER = f"{ABSOLUTE} and step > {HELD / 2} / part_of_best_step"
ONE_PAIR = "design == 'teacher' and batch_size == '32' and activation"
ENDED = f"step == {HELD} and design == 'teacher' and problem == 'noisy'"

# All claims that the change refutes, table, column, rows, and what is done to them.
BREAKS = [
    # In one cell the smooth network is slow, or diverges, or the kinked one is fast; or it is so in all cells.
    (
        "networks_interpolated networks_tanh",
        NETS,
        "objective",
        f"problem == 'interpolated' and {ONE_PAIR} == 'tanh'",
        at_last,
    ),
    ("networks_interpolated", NETS, "objective", f"problem == 'interpolated' and {ONE_PAIR} == 'silu'", at_last),
    ("networks_interpolated", NETS, "objective", f"problem == 'interpolated' and {ONE_PAIR} == 'leaky_relu'", at_once),
    (
        "networks_interpolated",
        NETS,
        "stopped_because",
        f"problem == 'interpolated' and {ONE_PAIR} == 'elu'",
        lambda rows: "diverged",
    ),
    ("networks_not_interpolated", NETS, "objective", f"problem == 'noisy' and {ONE_PAIR} == 'gelu'", at_last),
    (
        "networks_not_interpolated networks_tanh",
        NETS,
        "stopped_because",
        f"problem == 'absolute' and {ONE_PAIR} == 'tanh'",
        lambda rows: "diverged",
    ),
    ("networks_not_interpolated", NETS, "objective", f"problem == 'absolute' and {ONE_PAIR} == 'hardtanh'", at_once),
    (
        "networks_interpolated networks_not_interpolated networks_tanh",
        NETS,
        "objective",
        f"activation in {KINKED}",
        at_once,
    ),
    # The paper's pair is no other one's: in one cell ReLU is fast, or tanh slow; or no step size counts for tanh.
    (
        "networks_interpolated networks_tanh",
        NETS,
        "objective",
        f"problem == 'interpolated' and {ONE_PAIR} == 'relu'",
        at_once,
    ),
    (
        "networks_tanh networks_interpolated networks_not_interpolated",
        NETS,
        "all_reach",
        "activation == 'tanh'",
        lambda rows: False,
    ),
    # A level that does not depend on the step size, or falls with it; one that rises ∝ η², or ∝ √η.
    (
        "networks_floor networks_floor_rises",
        FLOORS,
        "objective",
        f"{LATER} and activation == 'gelu'",
        law("7 - 1e-3 * part_of_best_step"),
    ),
    (
        "networks_floor networks_floor_rises",
        FLOORS,
        "objective",
        LATER,
        law("7 + seed - part_of_best_step * (1 + 0.001 * seed)"),
    ),
    (
        "networks_floor",
        FLOORS,
        "objective",
        f"{LATER} and activation == 'relu' and design == 'digits'",
        law("7 * part_of_best_step ** 2 * (1 + 0.001 * seed)"),
    ),
    ("networks_floor", FLOORS, "objective", LATER, law("7 * part_of_best_step ** 0.5 * (1 + 0.001 * seed)")),
    # It rises, but by less than a hundredth.
    ("networks_floor_rises", FLOORS, "objective", LATER, law("7 + 0.05 * part_of_best_step * (1 + 0.001 * seed)")),
    # A sharper softplus is further away in one cell; β = 100 is no smaller than β = 3; all are as near.
    ("networks_softplus", KINK_VALUE, "objective", f"{ENDED} and activation == 'softplus_10'", lambda rows: 9.0),
    ("networks_softplus", KINK_VALUE, "objective", "activation == 'softplus_100'", lambda rows: -9.0),
    ("networks_softplus", KINK_VALUE, "objective", f"{ENDED} and activation == 'softplus_3'", law("3 + seed")),
    # One run of one value differs in its last digit, though it does not start on a kink.
    (
        "networks_value_double networks_value_cause",
        KINK_VALUE,
        "objective",
        f"{ENDED} and dtype == 'float64' and at_kink == '0.5' and seed == 3 and bias_scale == 0",
        law("(1 + 1e-15) * objective"),
    ),
    (
        "networks_value_single",
        KINK_VALUE,
        "objective",
        f"{ENDED} and dtype == 'float32' and at_kink == '1.0' and seed == 0 and bias_scale == 0",
        law("(1 + 1e-7) * objective"),
    ),
    (
        "networks_value_biases_double",
        KINK_VALUE,
        "objective",
        f"{ENDED} and dtype == 'float64' and at_kink == '0.5' and seed == 3 and bias_scale > 0",
        law("(1 + 1e-15) * objective"),
    ),
    (
        "networks_value_biases_single",
        KINK_VALUE,
        "objective",
        f"{ENDED} and dtype == 'float32' and at_kink == '0.0' and seed == 0 and bias_scale > 0",
        law("(1 + 1e-7) * objective"),
    ),
    # One run starts on a kink, and is not changed.
    (
        "networks_value_cause",
        KINK_VALUE,
        "near_kink",
        "step == 0 and seed == 3 and at_kink == '0.5'",
        lambda rows: 0.01,
    ),
]


@pytest.mark.parametrize(("names", "table", "column", "where", "value"), BREAKS)
def test_tables_that_break_the_law_refute_the_claim_and_no_other(names, table, column, where, value, tables):
    change(tables[table], column, where, value)
    assert refuted(CLAIMS, tables, table) == {f"convergence_{name}" for name in names.split()}


def test_every_claim_was_refuted_above_where_not_all_were():
    every_claim_is_in("BREAKS", [names for names, *_ in BREAKS], CLAIMS, "convergence_")


def test_a_run_that_starts_on_a_kink_may_change_and_is_counted(tables):
    here = "seed == 3 and dtype == 'float64' and activation == 'relu' and at_kink != '0.0' and bias_scale == 0"
    change(tables[KINK_VALUE], "near_kink", f"step == 0 and {here}", lambda rows: 0.01)
    change(tables[KINK_VALUE], "objective", f"step > 0 and {here}", law("objective + 0.01"))
    row = row_of("convergence_networks_value_double", tables)
    assert row["verdict"] == "refuted"
    cells = 2 * 3  # designs and problems
    counts = {"changed": cells, "on_kink": cells, "changed_elsewhere": 0, "all": cells * SEEDS}
    assert row["table"] == {"seeds": counts}
    assert verdict("convergence_networks_value_cause", tables) == "supported"


def of_activations(rng, names):
    """Activations dealt out anew among the runs of the same design, problem, batch, type and seed."""

    def dealt(rows):
        some = rows[rows["activation"].isin(names)]
        cell = [name for name in ["design", "problem", "batch_size", "dtype", "seed", "step"] if name in rows]
        deal = {key: rng.permutation(len(names)) for key in some.groupby(cell[:-1]).groups}
        new = some.groupby(cell, sort=False)["activation"].transform(
            lambda group: group.to_numpy()[deal[tuple(some.loc[group.index[0], cell[:-1]])]]
        )
        return rows["activation"].where(~rows["activation"].isin(names), new.reindex(rows.index))

    return dealt


NOISE = {
    "networks_interpolated": (NETS, "activation", lambda rng: of_activations(rng, KINKED + SMOOTH)),
    "networks_not_interpolated": (NETS, "activation", lambda rng: of_activations(rng, KINKED + SMOOTH)),
    "networks_tanh": (NETS, "activation", lambda rng: of_activations(rng, KINKED + SMOOTH)),
    **dict.fromkeys(
        ["networks_floor", "networks_floor_rises"],
        (
            FLOORS,
            "objective",
            lambda rng: lambda rows: 5 * of_run(rows, rng, lambda rng, count: rng.lognormal(0, 2, count)),
        ),
    ),
    "networks_softplus": (KINK_VALUE, "activation", lambda rng: of_activations(rng, SOFTPLUS)),
}


def test_every_random_claim_is_drowned_in_noise_below():
    every_claim_is_in("NOISE", NOISE, random_among(CLAIMS), "convergence_")


@pytest.mark.parametrize("name", NOISE)
def test_noise_makes_a_random_claim_inconclusive(name, tables):
    table, column, noise = NOISE[name]
    change(tables[table], column, "step == step", noise(np.random.default_rng(1)))
    row = row_of(f"convergence_{name}", tables)
    assert row["verdict"] == "inconclusive" and row["p_value"] is not None


@pytest.mark.parametrize(
    ("name", "table", "column", "where", "value"),
    [
        ("networks_interpolated", NETS, "objective", "problem != 'interpolated'", lambda rows: 0.0),
        ("networks_interpolated", NETS, "objective", "activation == 'softplus_1'", lambda rows: 9.0),
        ("networks_interpolated", NETS, "at_edge", "activation == 'softplus_1'", lambda rows: True),
        ("networks_interpolated", NETS, "at_edge", "problem != 'interpolated'", lambda rows: True),
        ("networks_interpolated", NETS, "objective", "step == 100", lambda rows: 0.0),
        ("networks_not_interpolated", NETS, "objective", "problem == 'interpolated'", lambda rows: 9.0),
        # Kinked networks that diverge or never get there are slower than any.
        ("networks_not_interpolated", NETS, "stopped_because", f"activation in {KINKED}", lambda rows: "diverged"),
        ("networks_not_interpolated", NETS, "objective", f"activation in {KINKED}", lambda rows: 9.0),
        ("networks_tanh", NETS, "at_edge", "activation not in ['relu', 'tanh']", lambda rows: True),
        ("networks_tanh", NETS, "all_reach", "activation not in ['relu', 'tanh']", lambda rows: False),
        ("networks_floor", FLOORS, "objective", "problem == 'interpolated'", lambda rows: 9.0),
        ("networks_floor", FLOORS, "objective", f"step <= {HELD / 2} / part_of_best_step", lambda rows: 9.0),
        ("networks_floor", FLOORS, "objective", ABSOLUTE, law("objective + 3 * (step * part_of_best_step - seed)")),
        ("networks_floor_rises", FLOORS, "objective", "problem == 'interpolated'", lambda rows: 9.0),
        ("networks_softplus", KINK_VALUE, "objective", "dtype == 'float32' or at_kink == '0.5'", lambda rows: 9.0),
        ("networks_softplus", KINK_VALUE, "objective", "step == 0 or bias_scale > 0", lambda rows: 9.0),
        ("networks_value_double", KINK_VALUE, "objective", "dtype == 'float32'", law("run")),
        ("networks_value_double", KINK_VALUE, "objective", "activation != 'relu' or step == 0", law("run")),
        ("networks_value_single", KINK_VALUE, "objective", "dtype == 'float64' or bias_scale > 0", law("run")),
        ("networks_value_biases_single", KINK_VALUE, "objective", "dtype == 'float64' or bias_scale == 0", law("run")),
        ("networks_value_biases_double", KINK_VALUE, "objective", "dtype == 'float32' or bias_scale == 0", law("run")),
        ("networks_value_cause", KINK_VALUE, "near_kink", "step > 0 or bias_scale > 0", lambda rows: 0.5),
    ],
)
def test_what_a_claim_does_not_speak_of_does_not_matter(name, table, column, where, value, tables):
    change(tables[table], column, where, value)
    assert verdict(f"convergence_{name}", tables) == "supported"
