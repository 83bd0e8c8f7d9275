"""Each claim on networks at the edge of stability on run tables that obey its law, break it, or have a gap."""

import numpy as np
import pandas as pd
import pytest
from claims_on_made_up_tables import measured, with_unit

from ndgm.claims.edge_of_stability_networks import plateaus
from ndgm.decide.claim import CLAIMS
from ndgm.decide.entries import decide
from ndgm.experiments.grids import grid

GROUP = "edge_of_stability_networks"
CLAIMED = {name: one for name, one in CLAIMS.items() if one.group == GROUP}
STEPS = np.arange(0, 101, 10)
SEEDS = 14
FACTORS = ["problem", "activation", "step_size"]


def rising(level, come=30):
    """Sharpness over 2/η: thrown back at first, at the edge from step `come` on."""
    return np.where(STEPS == 0, 1.7, np.where(come > STEPS, 0.4, np.where(STEPS < 60, 1.5, level)))


def table(over_edge=lambda run: rising(1.0 + 0.02 * (run["step_size"].item() > 0.1)), noise=0.003, curvature=1.0):
    """Runs with this sharpness and loss, and with weighted curvature and gradients that telescope.

    Args:
        over_edge: Sharpness over 2/η along a run, from its factors.
        noise: Of the sharpness, between runs.
        curvature: Mean weighted curvature over 2/η of every interval but the first.
    """
    rng = np.random.default_rng(0)
    runs = grid(
        experiment=[GROUP],
        design=["digits"],
        problem=["squared", "cross_entropy"],
        activation=["relu", "leaky_relu", "hardtanh", "tanh", "elu", "softplus_1"],
        seed=range(SEEDS),
        step_size=[0.1, 0.2],
    )
    curves = {key: over_edge(run) for key, run in runs.drop_duplicates(FACTORS).groupby(FACTORS)}
    sharpness = np.stack([curves[key] for key in runs[FACTORS].itertuples(index=False, name=None)])
    sharpness = sharpness * (1 + noise * rng.standard_normal((len(runs), 1)))
    table = runs.loc[runs.index.repeat(len(STEPS))].reset_index(drop=True)
    eta, gradients = table["step_size"], np.tile(5.0 * STEPS, len(runs))
    share = np.where(STEPS[1:] == 10, 0.2, curvature)
    weighted = np.concatenate([[0], np.cumsum(share * np.diff(5.0 * STEPS))])
    table["step"] = np.tile(STEPS, len(runs))
    table["sharpness"] = sharpness.ravel() * 2 / eta
    table["squared_gradients"] = gradients
    table["weighted_curvature"] = np.tile(weighted, len(runs)) * 2 / eta
    # f₀ − f_t = ηΣ‖g‖² − (η²/2)Σκ‖g‖²
    table["objective"] = 3 - eta * gradients + eta**2 / 2 * table["weighted_curvature"]
    return table.assign(stopped_because="finished")


def verdicts(runs):
    return {row["id"].removeprefix(f"{GROUP}_"): row["verdict"] for row in decide(CLAIMED, {GROUP: runs})}


def level_of(**levels):
    """Runs whose factor has one of these values are at that level; others at the edge, a little above at long steps."""

    def over_edge(run):
        usual = 1.0 + 0.02 * (run["step_size"].item() > 0.1)
        return rising(next((level for key, level in levels.items() if key in run.to_numpy()), usual))

    return over_edge


def test_all_hold_where_the_laws_hold():
    assert set(verdicts(table()).values()) == {"supported"}


@pytest.mark.parametrize(
    ("levels", "refuted"),
    [
        ({"squared": 1.15}, {"squared", "excess"}),
        ({"cross_entropy": 0.8}, {"cross_entropy", "lower", "excess"}),
        ({"softplus_1": 1.1}, {"squared", "cross_entropy", "excess"}),
        ({"relu": 1.2}, {"squared", "cross_entropy", "kinked", "excess"}),
        ({"elu": 0.88}, {"squared", "cross_entropy", "kinked", "lower", "excess"}),
    ],
)
def test_a_level_off_the_edge_refutes_what_it_breaks(levels, refuted):
    found = verdicts(table(level_of(**levels)))
    assert {name for name, verdict in found.items() if verdict != "supported"} == refuted
    assert all(found[name] == "refuted" for name in refuted - {"excess"})


def test_a_short_step_that_is_further_above_refutes_the_excess():
    found = verdicts(table(lambda run: rising(1.03 - 0.02 * (run["step_size"].item() > 0.1))))
    assert found["excess"] == "refuted" and found["squared"] == "supported"


def test_data_with_one_step_size_say_nothing_of_the_excess():
    runs = table()
    one_step = runs[runs["step_size"] == 0.1].assign(design="mnist")
    assert verdicts(pd.concat([runs, one_step], ignore_index=True))["excess"] == "supported"
    (row,) = [row for row in decide(CLAIMED, {GROUP: one_step}) if "excess" in row["id"]]
    assert row["verdict"] == "inconclusive" and "one step size" in row["gap"]


def test_curvature_along_the_step_off_the_edge_breaks_no_identity():
    found = verdicts(table(curvature=0.8))
    assert found["directional"] == "refuted" and found["telescoped"] == "supported"


@pytest.mark.parametrize("column", ["weighted_curvature", "squared_gradients", "objective"])
def test_a_sum_that_is_wrong_in_one_row_breaks_the_identity(column):
    runs = table()
    runs.loc[57, column] *= 1 + 1e-6
    assert verdicts(runs)["telescoped"] == "refuted"


def test_noise_decides_nothing():
    found = verdicts(table(noise=0.3))
    assert found["squared"] == found["cross_entropy"] == found["kinked"] == "inconclusive"


@pytest.mark.parametrize("gap", ["not found", "never there"])
def test_a_gap_is_no_value(gap):
    runs = table()
    here = runs["run"] == 3
    runs.loc[here & (runs["step"] == 80) if gap == "not found" else here, "sharpness"] = (
        np.nan if gap == "not found" else 0.9 * 2 / runs.loc[here, "step_size"]
    )
    found = verdicts(runs)
    assert found["squared"] == "inconclusive" and found["cross_entropy"] == "supported"


def test_a_missing_partner_is_named():
    runs = table()
    (row,) = [row for row in decide(CLAIMED, {GROUP: runs[runs["activation"] != "tanh"]}) if "kinked" in row["id"]]
    assert row["verdict"] == "inconclusive" and "no runs of tanh" in row["gap"]


@pytest.mark.parametrize(("come", "first"), [(10, 60), (30, 70), (50, 80), (100, 100)])
def test_the_plateau_is_the_later_half_from_where_the_edge_is_reached(come, first):
    runs = table(lambda run: np.where((STEPS > 0) & (come > STEPS), 0.9, 1.2), noise=0)
    found = plateaus(runs)
    assert found.groupby("run")["step"].min().eq(first).all() and found["run"].nunique() == runs["run"].nunique()
    np.testing.assert_allclose(found["over_edge"], 1.2, rtol=1e-12)


@pytest.mark.parametrize("name", with_unit(CLAIMED, "times $2/"))
def test_one_more_edge_of_curvature_is_printed_as_one_more(name):
    found = []
    for edges in (1, 2):
        runs = table(noise=0.0)
        runs["sharpness"] = edges * 2 / runs["step_size"]
        runs["weighted_curvature"] = runs["sharpness"] * runs["squared_gradients"]
        found.append(measured(name, {GROUP: runs}))
    np.testing.assert_allclose(found[1] - found[0], 1.0, rtol=1e-9)
