"""Each claim on the convergence of networks, on run tables that obey its law, break it, or drown it in noise."""

import numpy as np
import pytest
from claims_on_made_up_tables import (
    change,
    claims_of,
    copied_for_each_test,
    diverge,
    law,
    only,
    random_among,
    refuted,
    row_of,
    verdict,
    why_inconclusive,
)
from made_up_networks import FLOORS, HELD, KINK_VALUE, KINKED, NETS, SEEDS, SMOOTH, SOFTPLUS, lawful

import ndgm.claims.convergence_networks  # noqa: F401  (registers its claims)
from ndgm.decide.claim import decide

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


WINDOW = f"problem == 'absolute' and {HELD * 3 // 4} < step <= {HELD}"
ONE_PAIR = "design == 'teacher' and batch_size == '32' and activation"
ENDED = f"step == {HELD} and design == 'teacher' and problem == 'noisy'"

# All claims that the change refutes, table, column, rows, and what is done to them.
BREAKS = [
    # In one cell the smooth network is slow, or diverges, or the kinked one is fast; or it is so in all cells.
    ("networks_interpolated", NETS, "objective", f"problem == 'interpolated' and {ONE_PAIR} == 'tanh'", at_last),
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
        "networks_not_interpolated",
        NETS,
        "stopped_because",
        f"problem == 'absolute' and {ONE_PAIR} == 'tanh'",
        lambda rows: "diverged",
    ),
    ("networks_not_interpolated", NETS, "objective", f"problem == 'absolute' and {ONE_PAIR} == 'hardtanh'", at_once),
    ("networks_interpolated networks_not_interpolated", NETS, "objective", f"activation in {KINKED}", at_once),
    # A gap that does not depend on the step size, or ∝ η² or √η; and all of it but that of one activation.
    ("networks_floor", FLOORS, "objective", f"{WINDOW} and activation == 'gelu'", law("7 + 0.001 * seed")),
    (
        "networks_floor",
        FLOORS,
        "objective",
        f"{WINDOW} and activation == 'relu' and design == 'digits'",
        law("7 * part_of_best_step ** 2 * (1 + 0.001 * seed)"),
    ),
    ("networks_floor", FLOORS, "objective", WINDOW, law("7 * part_of_best_step ** 0.5 * (1 + 0.001 * seed)")),
    # A sharper softplus is further away in one cell; β = 100 is no smaller than β = 3; all are as near.
    ("networks_softplus", KINK_VALUE, "objective", f"{ENDED} and activation == 'softplus_10'", lambda rows: 9.0),
    ("networks_softplus", KINK_VALUE, "objective", "activation == 'softplus_100'", lambda rows: -9.0),
    ("networks_softplus", KINK_VALUE, "objective", f"{ENDED} and activation == 'softplus_3'", law("3 + seed")),
    # One run of one value differs in its last digit.
    (
        "networks_value_double",
        KINK_VALUE,
        "objective",
        f"{ENDED} and dtype == 'float64' and at_kink == '0.5' and seed == 3",
        law("(1 + 1e-15) * objective"),
    ),
    ("networks_value_double", KINK_VALUE, "objective", "dtype == 'float64' and at_kink == '1.0'", lambda rows: 0.5),
    (
        "networks_value_single",
        KINK_VALUE,
        "objective",
        f"{ENDED} and dtype == 'float32' and at_kink == '1.0' and seed == 0",
        law("(1 + 1e-7) * objective"),
    ),
    ("networks_value_single", KINK_VALUE, "objective", "dtype == 'float32' and at_kink == '0.0'", lambda rows: 0.5),
]


@pytest.mark.parametrize(("names", "table", "column", "where", "value"), BREAKS)
def test_tables_that_break_the_law_refute_the_claim_and_no_other(names, table, column, where, value, tables):
    change(tables[table], column, where, value)
    assert refuted(CLAIMS, tables, table) == {f"convergence_{name}" for name in names.split()}


def test_every_claim_alone_was_refuted_above():
    assert {f"convergence_{names}" for names, *_ in BREAKS if " " not in names} == set(CLAIMS)


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
    "networks_floor": (
        FLOORS,
        "objective",
        lambda rng: (
            lambda rows: (
                rows["objective"] + (rows["step"] == HELD) * rows["part_of_best_step"] * rng.lognormal(0, 2, len(rows))
            )
        ),
    ),
    "networks_softplus": (KINK_VALUE, "activation", lambda rng: of_activations(rng, SOFTPLUS)),
}


def test_every_random_claim_is_drowned_in_noise_below():
    assert {f"convergence_{name}" for name in NOISE} == set(random_among(CLAIMS))


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
        ("networks_floor", FLOORS, "objective", "problem == 'interpolated'", lambda rows: 9.0),
        ("networks_floor", FLOORS, "objective", f"step <= {HELD * 3 // 4} or step == {HELD + 1}", lambda rows: 9.0),
        ("networks_floor", FLOORS, "objective", "step == 0", lambda rows: 9.0),
        ("networks_softplus", KINK_VALUE, "objective", "dtype == 'float32' or at_kink == '0.5'", lambda rows: 9.0),
        ("networks_softplus", KINK_VALUE, "objective", "step == 0", lambda rows: 9.0),
        ("networks_value_double", KINK_VALUE, "objective", "dtype == 'float32'", law("run")),
        ("networks_value_double", KINK_VALUE, "objective", "activation != 'relu' or step == 0", law("run")),
        ("networks_value_single", KINK_VALUE, "objective", "dtype == 'float64'", law("run")),
    ],
)
def test_what_a_claim_does_not_speak_of_does_not_matter(name, table, column, where, value, tables):
    change(tables[table], column, where, value)
    assert verdict(f"convergence_{name}", tables) == "supported"


@pytest.mark.parametrize("name", ["floor", "softplus", "value_double", "value_single"])
def test_networks_that_diverge_leave_no_loss_to_compare(name, tables):
    tables[FLOORS] = diverge(tables[FLOORS], "problem == 'absolute' and seed == 2 and part_of_best_step == 1")
    tables[KINK_VALUE] = diverge(tables[KINK_VALUE], "seed == 2")
    assert why_inconclusive(f"convergence_networks_{name}", tables).endswith("runs have no value")


@pytest.mark.parametrize("name", ["interpolated", "not_interpolated"])
def test_networks_that_diverge_do_not_reach_their_target(name, tables):
    # The seeds without a step to the target must not be left out of their pairs.
    tables[NETS] = diverge(tables[NETS], "activation == 'tanh' and seed < 8 and design == 'digits'")
    row = row_of(f"convergence_networks_{name}", tables)
    assert row["verdict"] != "supported" and row["n"] == SEEDS
    assert row["where"]["pair"] == "hardtanh and tanh" and row["where"]["design"] == "digits"
    # More than half of them count with twice the last step, and so does their median.
    assert row["reference"] == 200


@pytest.mark.parametrize("seeds", ["seed < 7", "seed == seed"])
def test_a_target_that_neither_of_a_pair_reaches_is_said(seeds, tables):
    where = f"activation in ('tanh', 'hardtanh') and {seeds} and design == 'digits'"
    missed = {
        "never reached": tables | {NETS: tables[NETS].copy()},
        "diverged": tables | {NETS: diverge(tables[NETS], where)},
    }
    change(missed["never reached"][NETS], "objective", where, lambda rows: 9.0)
    for changed in missed.values():
        for name, cells in {"interpolated": 2, "not_interpolated": 4}.items():
            reason = f"neither of a pair reaches its target in half of the seeds, in {cells} cells"
            assert why_inconclusive(f"convergence_networks_{name}", changed).endswith(reason)


@pytest.mark.parametrize("name", ["interpolated", "not_interpolated"])
@pytest.mark.parametrize(("activation", "verdict"), [("hardtanh", "supported"), ("tanh", "refuted")])
def test_the_one_of_a_pair_that_never_reaches_the_target_is_the_slower_one(name, activation, verdict, tables):
    change(tables[NETS], "objective", f"activation == '{activation}' and design == 'digits'", lambda rows: 9.0)
    assert row_of(f"convergence_networks_{name}", tables)["verdict"] == verdict


@pytest.mark.parametrize("name", ["interpolated", "not_interpolated"])
def test_a_best_step_at_the_edge_of_the_grid_is_no_best_step(name, tables):
    where = "seed == 0 and activation == 'gelu' and design == 'teacher'"
    change(tables[NETS], "at_edge", where, lambda rows: True)
    cells = {"interpolated": 2, "not_interpolated": 4}[name]  # both batch sizes, of one problem or of two
    reason = f"best step at the edge of the grid, in {cells} cells"
    assert why_inconclusive(f"convergence_networks_{name}", tables).endswith(reason)


@pytest.mark.parametrize("where", ["seed == 3", "part_of_best_step == 0.25 and seed == 3"])
def test_networks_that_end_above_where_they_hovered_have_no_exponent(where, tables):
    # Two negative gaps, one a multiple of the other, were taken for a floor.
    change(tables[FLOORS], "objective", f"step == {2 * HELD} and {where}", lambda rows: 5.0)
    assert why_inconclusive("convergence_networks_floor", tables).endswith("runs have no value")


@pytest.mark.parametrize("name", ["interpolated", "not_interpolated"])
def test_a_cell_in_which_both_are_as_fast_supports_nothing(name, tables):
    change(tables[NETS], "objective", f"{ONE_PAIR} in ['hardtanh', 'tanh']", at_once)
    assert verdict(f"convergence_networks_{name}", tables) == "inconclusive"


ELSEWHERE = {
    "networks_interpolated": "problem != 'interpolated'",
    "networks_not_interpolated": "problem == 'interpolated'",
    "networks_softplus": "dtype == 'float32'",
    "networks_value_double": "dtype == 'float32' or activation != 'relu'",
    "networks_value_single": "dtype == 'float64'",
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_claims_without_their_runs_are_inconclusive(name, tables):
    experiment = CLAIMS[f"convergence_{name}"].experiments[0]
    tables[experiment] = only(tables[experiment], ELSEWHERE[name])
    assert why_inconclusive(f"convergence_{name}", tables).startswith("no runs")


@pytest.mark.parametrize("name", CLAIMS)
def test_claims_on_empty_tables_are_inconclusive(name, tables):
    empty = {experiment: table.iloc[:0] for experiment, table in tables.items()}
    reason = "floors at fewer than two step sizes" if name.endswith("floor") else "no runs"
    assert why_inconclusive(name, empty).startswith(reason)


@pytest.mark.parametrize(
    ("name", "table", "where", "reason"),
    [
        # Without one activation of a pair an exception was raised.
        ("networks_interpolated", NETS, "activation not in ['elu', 'silu']", "no runs of elu, silu"),
        ("networks_not_interpolated", NETS, "activation != 'relu'", "no runs of relu"),
        ("networks_interpolated", NETS, "activation != 'relu' or seed != 3", "runs have no value"),
        ("networks_floor", FLOORS, "part_of_best_step == 1", "floors at fewer than two step sizes"),
        ("networks_floor", FLOORS, "part_of_best_step < 1 or seed != 3", "runs have no value"),
        ("networks_floor", FLOORS, f"step <= {HELD * 3 // 4} or step > {HELD}", "runs have no value"),
        (
            "networks_softplus",
            KINK_VALUE,
            "activation in ['relu', 'softplus_1']",
            "fewer than two softplus activations",
        ),
        ("networks_softplus", KINK_VALUE, "activation != 'relu'", "no runs of relu"),
        ("networks_value_double", KINK_VALUE, "at_kink == '0.0'", "no runs"),
        ("networks_value_double", KINK_VALUE, "at_kink != '0.0' or seed != 3", "runs have no value"),
    ],
)
def test_a_gap_in_the_evidence_is_said(name, table, where, reason, tables):
    tables[table] = only(tables[table], where)
    assert why_inconclusive(f"convergence_{name}", tables).endswith(reason)


def test_runs_that_diverged_count_as_late_and_are_said(tables):
    name = "convergence_networks_interpolated"
    assert row_of(name, tables)["diverged"] == 0
    one = "design == 'digits' and problem == 'interpolated' and activation == 'elu' and batch_size == 'full'"
    change(tables[NETS], "stopped_because", f"{one} and seed < {SEEDS // 2}", lambda rows: "diverged")
    row = row_of(name, tables)
    assert row["where"]["pair"] == "leaky_relu and elu" and row["diverged"] == SEEDS // 2
    assert row["horizon"] == tables[NETS]["step"].max()
