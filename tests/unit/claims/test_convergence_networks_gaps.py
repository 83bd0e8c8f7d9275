"""Gaps in the evidence of each claim on the convergence of networks: runs that diverge, or are not there."""

import pytest
from claims_on_made_up_tables import (
    change,
    claims_of,
    copied_for_each_test,
    diverge,
    only,
    row_of,
    verdict,
    why_inconclusive,
)
from made_up_networks import FLOORS, KINK_VALUE, NETS, SEEDS, lawful

import ndgm.claims.convergence_networks  # noqa: F401  (registers its claims)

CLAIMS = claims_of("convergence_networks")
tables = copied_for_each_test(lawful)

VALUES = ["value_double", "value_single", "value_biases_double", "value_biases_single", "value_cause"]


@pytest.mark.parametrize("name", ["floor", "floor_rises", "softplus", *VALUES])
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


@pytest.mark.parametrize("name", ["interpolated", "not_interpolated"])
def test_a_cell_in_which_both_are_as_fast_refutes_and_pairs_that_never_arrive_speak_for_neither(name, tables):
    here = "design == 'teacher' and batch_size == '32' and activation in ['hardtanh', 'tanh']"
    change(tables[NETS], "objective", f"{here} and step == 2", lambda rows: 0.0)
    assert verdict(f"convergence_networks_{name}", tables) == "refuted"
    change(tables[NETS], "stopped_because", f"{here} and seed < {SEEDS // 3}", lambda rows: "diverged")
    assert verdict(f"convergence_networks_{name}", tables) == "inconclusive"


ELSEWHERE = {
    "networks_interpolated": "problem != 'interpolated'",
    "networks_not_interpolated": "problem == 'interpolated'",
    "networks_softplus": "dtype == 'float32'",
    "networks_value_double": "dtype == 'float32' or activation != 'relu'",
    "networks_value_single": "dtype == 'float64'",
    "networks_value_biases_single": "bias_scale == 0",
    "networks_tanh": "activation != 'tanh'",
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_claims_without_their_runs_are_inconclusive(name, tables):
    experiment = CLAIMS[f"convergence_{name}"].experiments[0]
    tables[experiment] = only(tables[experiment], ELSEWHERE[name])
    assert why_inconclusive(f"convergence_{name}", tables).startswith("no runs")


@pytest.mark.parametrize("name", CLAIMS)
def test_claims_on_empty_tables_are_inconclusive(name, tables):
    empty = {experiment: table.iloc[:0] for experiment, table in tables.items()}
    reason = "levels at fewer than" if "floor" in name else "no runs"
    assert why_inconclusive(name, empty).startswith(reason)


@pytest.mark.parametrize(
    ("name", "table", "where", "reason"),
    [
        # Without one activation of a pair an exception was raised.
        ("networks_interpolated", NETS, "activation not in ['elu', 'silu']", "no runs of elu, silu"),
        ("networks_not_interpolated", NETS, "activation != 'relu'", "no runs of relu"),
        ("networks_interpolated", NETS, "activation != 'relu' or seed != 3", "runs have no value"),
        ("networks_floor", FLOORS, "part_of_best_step < 1", "levels at fewer than 3 step sizes"),
        ("networks_floor_rises", FLOORS, "part_of_best_step == 1", "levels at fewer than 2 step sizes"),
        ("networks_floor", FLOORS, "part_of_best_step < 1 or seed != 3", "runs have no value"),
        ("networks_floor_rises", FLOORS, "part_of_best_step < 1 or seed != 3", "runs have no value"),
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
