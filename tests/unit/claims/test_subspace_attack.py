"""Each claim on subspace attacks on tables that obey its law, break it, or drown it in noise: every one can fail."""

import numpy as np
import pandas as pd
import pytest
from claims_on_made_up_tables import (
    change,
    claims_of,
    copied_for_each_test,
    diverge,
    every_claim_is_in,
    law,
    near_one,
    random_among,
    row_of,
    verdict,
    why_inconclusive,
)

import ndgm.claims.subspace_attack  # noqa: F401  (registers its claims)
from ndgm.decide.entries import decide
from ndgm.experiments.grids import grid
from ndgm.theory.subspace_attack import adam_weight, decay_factor, heavy_ball_factor

CLAIMS = claims_of("subspace_attack")
FROZEN, FLIPS, SCALES, POINTS = (
    f"subspace_attack_{name}" for name in ("frozen_weights", "flips", "scales", "seven_points")
)
STEPS, EARLY, SEEDS, DIMENSION = 200, 4, 12, 64
NEVER = np.nan


def frozen_table(rng):
    """Weights that shrink as they should; under Adam to a thousandth, whatever the penalty, and by its recursion."""
    runs = grid(
        trained=["first layer", "both layers"],
        method=["subgradient", "heavy_ball", "adam", "adam_decoupled"],
        penalty=[0.0, 0.01, 0.1],
        seed=range(SEEDS),
    ).assign(experiment=FROZEN, design="digits", step=STEPS, step_size=0.05, largest_at_start=0.5)
    factor = decay_factor(0.05, runs["penalty"], STEPS)
    ball = runs["penalty"].map({penalty: heavy_ball_factor(0.05, penalty, STEPS) for penalty in (0.0, 0.01, 0.1)})
    factor = np.where(runs["method"] == "heavy_ball", ball, factor)
    adam = (runs["method"] == "adam") & (runs["penalty"] > 0)
    runs["smallest_factor"] = np.where(adam, -1e-3, factor)
    runs["largest_factor"] = np.where(adam, 1e-3, factor)
    runs["largest_weight"] = np.abs(runs["largest_factor"]) * 0.5 * near_one(rng, runs, 0.001)
    early = runs.assign(step=EARLY, largest_weight=float(adam_weight(0.5, 0.05, EARLY)))
    runs = pd.concat([early, runs]).sort_values(["run", "step"], ignore_index=True)
    return runs.assign(moved=(runs["penalty"] > 0) * 100.0, objective=0.1, stopped_because="finished")


def attack_table(rng, runs, components, scale):
    """Squared gradients of the law, and distances of 1.07 times the estimate, as predicted but for some noise."""
    off = DIMENSION - components
    squared = rng.chisquare(off)
    runs = runs.assign(design="digits", method="subgradient", step=50, step_size=0.2, features=DIMENSION, active=0.5)
    runs["off_subspace_gradient"] = scale * np.sqrt(squared * 0.5 / DIMENSION)
    runs["predicted_flip_over_output"] = 1.07 * np.sqrt(2 * DIMENSION / off) / scale
    runs["flip_over_predicted"] = rng.lognormal(0, 0.03, len(runs))
    runs["flip_over_output"] = runs["predicted_flip_over_output"] * runs["flip_over_predicted"]
    return runs.assign(objective=0.1, output=1.0, stopped_because="finished")


def flips_table(rng):
    runs = grid(experiment=[FLIPS], components=[8, 16, 32, 48], seed=range(150)).assign(scale=1.0)
    return attack_table(rng, runs, runs["components"], runs["scale"])


def scales_table(rng):
    runs = grid(experiment=[SCALES], scale=[0.1, 0.3, 1.0], seed=range(20)).assign(components=16)
    return attack_table(rng, runs, runs["components"], runs["scale"])


def seven_points_table(rng):
    """The margin is reached at step 100 of 200; a larger factor gives longer flips, a random direction too."""
    runs = grid(experiment=[POINTS], factor=[1.0, 2.0], seed=range(SEEDS)).assign(design="seven points")
    table = runs.merge(pd.DataFrame({"step": [0, 100, 200]}), how="cross")
    table["flip_distance"] = 0.3 * table["factor"] * near_one(rng, table, 0.05)
    table["random_flip_distance"] = table["flip_distance"] * 2 * near_one(rng, table, 0.05)
    table.loc[table["seed"] == 1, "random_flip_distance"] = NEVER
    table["smallest_margin"] = table["step"] / 100 * 0.35
    # Before and after the margin is reached anything may be.
    table.loc[table["step"] != 100, ["flip_distance", "random_flip_distance"]] = [9.0, 1.0]
    return table.assign(method="subgradient", step_size=0.02, wanted_margin=0.3, stopped_because="finished")


def lawful():
    rng = np.random.default_rng(0)
    return {
        FROZEN: frozen_table(rng),
        FLIPS: flips_table(rng),
        SCALES: scales_table(rng),
        POINTS: seven_points_table(rng),
    }


tables = copied_for_each_test(lawful)


def test_tables_that_obey_the_laws_support_all_claims(tables):
    decided = {row["id"]: row["verdict"] for row in decide(CLAIMS, tables)}
    assert decided == dict.fromkeys(CLAIMS, "supported")


FLIP, RATIO = "flip_over_output", "flip_over_predicted"
NARROW = law("0.5 * off_subspace_gradient + 0.5 * ((features - components) * active / features) ** 0.5")
# Claim, table, column, rows, and what is done to them.
BREAKS = [
    ("frozen", FROZEN, "moved", "method == 'adam' and penalty == 0 and seed == 3 and run > 50", law("1.0")),
    ("decay", FROZEN, "largest_factor", "method == 'heavy_ball' and penalty > 0", law("(1 - .05 * penalty) ** step")),
    ("decay", FROZEN, "smallest_factor", "method == 'adam_decoupled'", law("smallest_factor * (1 + 1e-11)")),
    ("decay", FROZEN, "smallest_factor", "method == 'subgradient' and seed == 4", law("0.5 * smallest_factor")),
    ("adam_alike", FROZEN, "largest_weight", "method == 'adam' and penalty > .05", law("1.2 * largest_weight")),
    ("adam_speed", FROZEN, "largest_weight", "penalty > .05 and step == 4", law("1.01 * largest_weight")),
    ("adam_faster", FROZEN, "largest_weight", "method == 'adam' and penalty > .05", law("30 * largest_weight")),
    # Another law: of twice the variance, of one dimension more for each active unit, or too narrow.
    ("chi2", FLIPS, "off_subspace_gradient", "components == 16", law("1.2 * off_subspace_gradient")),
    ("chi2", FLIPS, "off_subspace_gradient", "components == 48", law("(16 * active / features) ** 0.5")),
    ("chi2_median", FLIPS, "active", "active > 0", law("0.85 * active")),
    ("chi2_spread", FLIPS, "off_subspace_gradient", "active > 0", NARROW),
    ("flip_curve", FLIPS, RATIO, "components == 48", law("1.1 * flip_over_predicted")),
    ("flip_curve", FLIPS, RATIO, "components == 8", law("flip_over_predicted * 0 + 0.9")),
    ("flip_curve", FLIPS, RATIO, "components == 32", lambda rows: NEVER),
    ("flip_curve", FLIPS, "predicted_flip_over_output", "components == 32", lambda rows: NEVER),
    ("size", FLIPS, FLIP, "components == 32", law("1.2 * flip_over_output")),
    ("size", FLIPS, FLIP, "components == 8", law("0.85 * flip_over_output")),
    ("size", FLIPS, FLIP, "components == 16", lambda rows: NEVER),
    ("size_exponent", FLIPS, FLIP, "components > 0", law("flip_over_output ** 1.6")),
    ("size_exponent", FLIPS, FLIP, "components > 0", law("0.01 * seed + 1")),
    ("init_scale", SCALES, FLIP, "scale > 0", law("flip_over_output / scale ** 0.5")),
    ("init_scale", SCALES, FLIP, "scale < .2", law("0.4 * flip_over_output")),
    ("direction", POINTS, "random_flip_distance", "factor == 2", law("0.8 * flip_distance")),
    ("smaller_start", POINTS, "flip_distance", "factor == 2", law("0.25 * flip_distance")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "table", "column", "where", "value"), BREAKS)
def test_tables_that_break_the_law_refute_the_claim(name, table, column, where, value, tables):
    change(tables[table], column, where, value)
    assert verdict(f"subspace_attack_{name}", tables) == "refuted"


def test_every_claim_was_refuted_above():
    every_claim_is_in("BREAKS", [name for name, *_ in BREAKS], CLAIMS, "subspace_attack_")


NOISY = ["largest_weight", FLIP, RATIO, "flip_distance", "random_flip_distance"]


@pytest.mark.parametrize("name", [name for name in random_among(CLAIMS) if "chi2" not in name])
def test_noise_makes_a_random_claim_inconclusive(name, tables):
    rng = np.random.default_rng(3)
    for table in tables.values():
        for column in table.filter(NOISY):
            table[column] = rng.lognormal(0, 3, len(table))
    # Noise about what is claimed: a bound, and powers.
    tables[FROZEN]["largest_weight"] *= 0.5 / 100 * 0.6  # between what the two penalties would leave
    tables[FLIPS]["flip_over_output"] *= 1.1 * (2 * DIMENSION / (DIMENSION - tables[FLIPS]["components"])) ** 0.5
    tables[SCALES]["flip_over_output"] /= tables[SCALES]["scale"]
    assert verdict(name, tables) == "inconclusive"


@pytest.mark.parametrize("name", ["chi2", "chi2_median", "chi2_spread"])
def test_a_few_networks_say_nothing_of_a_law(name, tables):
    tables[FLIPS] = tables[FLIPS].query("seed < 12 and components == 16")
    assert verdict(f"subspace_attack_{name}", tables) == "inconclusive"


@pytest.mark.parametrize(
    ("name", "table", "column", "where", "value"),
    [
        ("frozen", FROZEN, "moved", "penalty > 0", law("9.0")),
        ("decay", FROZEN, "smallest_factor", "method == 'adam' or penalty == 0", law("9.0")),
        ("adam_alike", FROZEN, "largest_weight", "method != 'adam' or penalty == 0", law("9.0")),
        ("adam_faster", FROZEN, "largest_weight", "method != 'adam' or penalty == 0", law("9.0")),
        ("size", FLIPS, FLIP, "components == 48", law("9 * flip_over_output")),
        ("direction", POINTS, "flip_distance", "step == 200", law("9 * flip_distance")),
        ("direction", POINTS, "random_flip_distance", "factor == 2", lambda rows: NEVER),
        ("smaller_start", POINTS, "random_flip_distance", "factor == 2", law("0.1 * flip_distance")),
    ],
)
def test_what_a_claim_does_not_speak_of_does_not_matter(name, table, column, where, value, tables):
    change(tables[table], column, where, value)
    assert verdict(f"subspace_attack_{name}", tables) == "supported"


@pytest.mark.parametrize("name", ["direction", "smaller_start"])
def test_a_run_that_has_not_reached_the_margin_is_a_gap_that_speaks_for_neither(name, tables):
    late = "factor == 2 and seed > 1"
    change(tables[POINTS], "smallest_margin", late + " and seed < 4", law("0.29"))
    row = row_of(f"subspace_attack_{name}", tables)
    assert row["verdict"] == "supported" and row["n"] == SEEDS
    assert row["table"]["factor 2"] == {"without_margin": 2, "runs": SEEDS}
    # Whatever such runs measured, and however many there are, they neither support nor refute.
    change(tables[POINTS], "smallest_margin", late + " and seed < 9", law("0.29"))
    for distance in (1e-9, 1e9):
        change(tables[POINTS], "flip_distance", late + " and seed < 9", lambda rows, distance=distance: distance)
        row = row_of(f"subspace_attack_{name}", tables)
        # What is printed is a distance of those that have the margin.
        others = tables[POINTS].query("step == 100 and factor == 2 and (seed < 2 or seed > 8)")
        measured = others["random_flip_distance" if name == "direction" else "flip_distance"]
        assert row["verdict"] == "inconclusive" and measured.min() <= row["measured"] <= measured.max()
    change(tables[POINTS], "smallest_margin", "factor == 2", law("0.29"))
    assert why_inconclusive(f"subspace_attack_{name}", tables) == "no run with the factor 2 has reached the margin"


@pytest.mark.parametrize("name", ["direction", "smaller_start"])
@pytest.mark.parametrize(("distance", "verdict"), [(np.nan, "inconclusive"), (1.0, "refuted")])
def test_equal_distances_refute_an_order_and_two_networks_that_nothing_flips_do_not(name, distance, verdict, tables):
    for column in ("flip_distance", "random_flip_distance"):
        change(tables[POINTS], column, "seed >= 0", lambda rows: distance)
    assert row_of(f"subspace_attack_{name}", tables)["verdict"] == verdict


@pytest.mark.parametrize(
    ("name", "table", "where", "gap"),
    [
        ("frozen", FROZEN, "penalty > 0", "no runs without a penalty"),
        ("decay", FROZEN, "penalty == 0", "no runs with a penalty"),
        ("decay", FROZEN, "method != 'heavy_ball'", "no runs of heavy_ball"),
        ("adam_alike", FROZEN, "penalty < .05", "no runs with two penalties"),
        ("adam_faster", FROZEN, "method != 'adam'", "no runs of adam"),
        ("flip_curve", FLIPS, "components > 48", "no runs"),
        ("size", FLIPS, "components == 48", "no runs with d/ℓ of 2 at most"),
        ("size_exponent", FLIPS, "components == 48", "no runs to compare with"),
        ("init_scale", SCALES, "scale == 1", "no runs to compare with"),
        ("smaller_start", POINTS, "factor == 1", "no runs with two factors"),
    ],
)
def test_what_is_missing_is_said(name, table, where, gap, tables):
    tables[table] = tables[table].query(where)
    assert why_inconclusive(f"subspace_attack_{name}", tables) == gap


@pytest.mark.parametrize("name", CLAIMS)
def test_a_diverged_run_is_said_and_not_judged(name, tables):
    for table in tables:
        if table != POINTS:
            tables[table] = tables[table].assign(stopped_because="diverged")
    tables[POINTS] = diverge(tables[POINTS], "seed == 2")
    assert "diverged" in why_inconclusive(name, tables)


def test_the_law_is_told_with_its_distance(tables):
    row = row_of("subspace_attack_chi2", tables)
    assert 0 < row["measured"] < 0.2 and row["reference"] == 0 and row["n"] == 150 and row["cells"] == 4
    low, high = row["margins"]
    assert row["measured"] < low < 0.2 and high is None
