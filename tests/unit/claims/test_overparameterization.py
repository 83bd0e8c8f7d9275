"""Each claim on over-parameterization on made-up tables that obey its law, break it, or say nothing."""

import numpy as np
import pytest
from claims_on_made_up_tables import (
    change,
    claims_of,
    copied_for_each_test,
    diverge,
    every_claim_is_in,
    law,
    measured,
    only,
    random_among,
    verdict,
    why_inconclusive,
    with_unit,
)
from made_up_overparameterization import (
    DIGITS,
    ITERATIONS,
    NARROW,
    PAIRS,
    SEEDS,
    SPHERES,
    START,
    made,
)

import ndgm.claims.overparameterization  # noqa: F401  (registers its claims)

OURS = claims_of("overparameterization")
tables = copied_for_each_test(made)


def short(name):
    return name.removeprefix("overparameterization_")


def slower(power):
    """A loss that falls more slowly, by a power of itself."""
    return law(f"objective ** {power}")


@pytest.mark.parametrize("name", OURS, ids=short)
def test_tables_that_obey_the_law_support_the_claim(name, tables):
    assert verdict(name, tables) == "supported"


# Claim, table, column, rows, and what is done to them.
BREAKS = [
    ("gradient_bound", SPHERES, "least_gradient_ratio", "units == 1024", law("0.9 * least_gradient_ratio")),
    ("gradient_kinked", START, "least_gradient_ratio", "activation == 'relu'", law("separation ** 1.3")),
    ("gradient_smooth", START, "least_gradient_ratio", "activation == 'tanh'", law("separation ** 1.7")),
    # The power of the others is that of ReLU.
    ("gradient_smooth", START, "least_gradient_ratio", "activation == 'softplus_1'", law("0.2 * separation")),
    ("gradient_closed_form", START, "least_gradient_ratio", "activation == 'relu'", law("1.1 * least_gradient_ratio")),
    ("trajectory", SPHERES, "path", "units == 16384", law("1.03 * path")),
    ("trajectory", SPHERES, "distance", "units == 4096", law("0.97 * distance")),
    ("trajectory_digits", DIGITS, "distance", "units == 2048", law("1.1 * distance")),
    ("lazy", SPHERES, "flips", "units > 0", law("flips * units ** 0.1")),
    ("lazy", SPHERES, "largest_row_move", "units > 0", law("largest_row_move * units ** -0.1")),
    # Without any flip, as of a network that does not learn by its units.
    ("lazy", SPHERES, "flips", "units > 0", law("0.01 + 0 * units")),
    ("crossing_costs", PAIRS, "objective", "separation == 0.2 and units == 409600", slower(0.9)),
    ("crossing_law", PAIRS, "objective", "separation == 0.2 and units == 409600", slower(0.97)),
    ("narrow_exponent", NARROW, "objective", "activation == 'relu' and separation == 0.05", slower(0.5)),
    ("narrow_exponent", NARROW, "objective", "activation == 'tanh' and separation == 0.4", slower(0.3)),
    ("narrow_law", NARROW, "objective", "activation == 'relu' and separation == 0.1", slower(0.85)),
    ("width_separation", PAIRS, "objective", "separation == 0.2 and units == 25600", slower(1.4)),
    ("iterations_rate", ITERATIONS, "objective", "units > 0", slower(0.9)),
]


@pytest.mark.parametrize(("name", "table", "column", "where", "value"), BREAKS)
def test_tables_that_break_the_law_refute_the_claim(name, table, column, where, value, tables):
    change(tables[table], column, where, value)
    assert verdict(f"overparameterization_{name}", tables) == "refuted"


def test_every_claim_was_refuted_above():
    every_claim_is_in("BREAKS", [name for name, *_ in BREAKS], OURS, "overparameterization_")


@pytest.mark.parametrize(
    ("name", "table", "column", "where", "value"),
    [
        ("gradient_bound", SPHERES, "least_gradient_ratio", "units < 1024", law("0.0 * units")),
        ("trajectory", SPHERES, "path", "units < 4096", law("2 * path")),
        ("trajectory", DIGITS, "path", "units > 0", law("2 * path")),
        ("trajectory_digits", DIGITS, "path", "units < 2048", law("2 * path")),
        ("gradient_kinked", START, "least_gradient_ratio", "activation != 'relu'", law("1.0 + 0 * units")),
        ("gradient_smooth", START, "least_gradient_ratio", "activation == 'relu'", law("1.0 + 0 * units")),
        ("gradient_kinked", START, "least_gradient_ratio", "step == 1", law("1.0 + 0 * units")),
        ("crossing_law", PAIRS, "objective", "separation == 0.2 and units == 1600", slower(0.9)),
        ("narrow_law", NARROW, "objective", "activation == 'tanh' or separation > 0.1", slower(0.5)),
        ("iterations_rate", ITERATIONS, "objective", "step > 0 and objective > 1e-10", slower(0.9)),
    ],
)
def test_what_a_claim_does_not_speak_of_does_not_matter(name, table, column, where, value, tables):
    change(tables[table], column, where, value)
    assert verdict(f"overparameterization_{name}", tables) == "supported"


@pytest.mark.parametrize("name", random_among(OURS), ids=short)
def test_tables_without_a_signal_support_nothing(name, tables):
    rng = np.random.default_rng(1)
    for table in tables.values():
        for column in set(table) & {"distance", "path", "flips", "largest_row_move", "least_gradient_ratio"}:
            table[column] *= rng.lognormal(0, 2, len(table))
        # By run, so that a loss still falls.
        table["objective"] **= rng.lognormal(0, 2, table["run"].max() + 1)[table["run"]]
    assert verdict(name, tables) != "supported"


@pytest.mark.parametrize("name", OURS, ids=short)
def test_a_diverged_run_is_said_and_not_judged(name, tables):
    for experiment in tables:
        tables[experiment] = diverge(tables[experiment], "seed == 2")
    assert why_inconclusive(name, tables).endswith("runs diverged")


@pytest.mark.parametrize("name", OURS, ids=short)
def test_claims_without_their_runs_are_inconclusive(name, tables):
    empty = {experiment: table[table["seed"] == SEEDS] for experiment, table in tables.items()}
    assert "no runs" in why_inconclusive(name, empty)


@pytest.mark.parametrize(
    ("name", "table", "where", "gap"),
    [
        ("lazy", SPHERES, "units == 4096", "1 value of units"),
        ("gradient_kinked", START, "separation == 0.1", "1 value of separation"),
        ("narrow_exponent", NARROW, "separation == 0.1", "1 value of separation"),
        ("width_separation", PAIRS, "separation == 0.2", "1 value of separation"),
        ("crossing_costs", PAIRS, "units == 25600", "1 value of units"),
        ("crossing_law", PAIRS, "predicted_deficit > 0.4", "no runs with so small a predicted deficit"),
        ("crossing_costs", PAIRS, "step < 2", "40 of 40 runs have no value"),
    ],
)
def test_what_is_missing_is_said(name, table, where, gap, tables):
    tables[table] = only(tables[table], where)
    assert why_inconclusive(f"overparameterization_{name}", tables) == gap


@pytest.mark.parametrize("name", with_unit(OURS, "(exponent)"), ids=short)
def test_an_exponent_has_no_unit(name, tables):
    before = measured(name, tables)
    for table in tables.values():
        for column in {"flips", "largest_row_move"} & set(table):
            table[column] *= 3
    np.testing.assert_allclose(measured(name, tables), before)


def test_a_width_is_interpolated_where_deficits_cross(tables):
    # 0.32·√(1600/m) at the larger distance: 0.4 at m = 1,024. At half of it 16 times as many, but that a deficit above
    # 1 cannot be, so that the point before counts as 0.95: m = 14,500.
    found = measured("overparameterization_width_separation", tables)
    np.testing.assert_allclose(found.median(), -np.log2(14_500 / 1_024), rtol=0.01)
