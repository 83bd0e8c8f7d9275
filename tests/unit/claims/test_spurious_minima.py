"""Each claim on spurious minima on made-up tables that obey its law, break it, or say nothing."""

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
    measured,
    only,
    random_among,
    row_of,
    verdict,
    why_inconclusive,
)

from ndgm.claims.spurious_minima import COORDINATES, FALL, TEACHER_LIMIT
from ndgm.experiments.grids import grid
from ndgm.theory.spurious_minima import LIMITS
from ndgm.theory.spurious_minima_families import PUBLISHED

OURS = claims_of("spurious_minima")
MINIMA, SPLITS, LARGE, DIMENSIONS, ONE, TWO, STARTS = (
    f"spurious_minima{name}" for name in ("", "_splits", "_large", "_dimensions", "_one", "_two", "_starts")
)
SEEDS, KS = 40, [7, 8, 10]
CHAINS = [("A", "regular"), ("II", "regular"), ("II", "odd")]


def minima():
    """Three eigenvalues at each minimum, and the published point at k = 7 but for what its rounding hides."""
    table = grid(family=["A", "I", "II", "II_split", "global"], teacher_neurons=KS, number=range(3))
    table[COORDINATES] = PUBLISHED.coordinates + 4e-11
    return table.assign(
        loss=np.where(table["family"] == "II_split", 1e-7, 0.02),
        gradient_norm=1e-15,
        eigenvalue=0.01 + table["number"],
        multiplicity=table["number"] + 1,
        dense_multiplicity=table["number"] + 1,
        dense_deviation=1e-15,
    )


def splits():
    table = grid(family=["A", "I", "II"], split_neuron=["regular"], share=[0.5, 0.3], teacher_neurons=KS, number=[0, 1])
    return table.assign(negative=table["teacher_neurons"] - 1, curvature_error=1e-15)


def large():
    table = grid(family=["A", "I", "II"], teacher_neurons=[1e3, 1e4, 1e6])
    k, limit, fall = table["teacher_neurons"], table["family"].map(LIMITS), table["family"].map(FALL)
    loss = (limit - 0.4 / np.sqrt(k)) / np.where(table["family"] == "II", k, 1)
    return table.assign(loss=loss, exterior_eigenvalue=TEACHER_LIMIT - k**fall / np.pi, largest_gradient=1e-15 * k)


def descents(loss):
    """Runs that end at the same loss, as if the family of type II lay at the global minimum."""
    runs = pd.concat(
        grid(design=[family], split_neuron=[neuron], teacher_neurons=KS, seed=range(3)) for family, neuron in CHAINS
    ).assign(run=np.arange(3 * 3 * len(KS)), objective=loss, gradient_norm=1e-12, smallest_eigenvalue=np.nan)
    return ended(runs)


def starts():
    """Spurious are the first twenty starts with k neurons, the first eight of them with k + 1, and none with k + 2."""
    runs = grid(teacher_neurons=[8, 10], added=[0, 1, 2], seed=range(SEEDS))
    runs = runs.assign(neurons=runs["teacher_neurons"] + runs["added"], design="starts")
    spurious = runs["seed"] < runs["added"].map({0: 20, 1: 8, 2: 0})
    return ended(runs.assign(objective=np.where(spurious, 0.02, 1e-10)).drop(columns="added"))


def ended(runs):
    """A row on the way, and the last one."""
    both = pd.concat([runs.assign(step=100, objective=1.0), runs.assign(step=2000)])
    return both.sort_values(["run", "step"], ignore_index=True).assign(stopped_because="finished")


def made():
    found = {
        MINIMA: minima(),
        SPLITS: splits(),
        LARGE: large(),
        DIMENSIONS: pd.DataFrame(
            {"family": ["A", "I"], "fractional_dimension": [5.7638129, 6.7], "joint_dimension": [9.0, 6.7 + 5e-7]}
        ),
        ONE: descents(1e-7),
        TWO: descents(1e-8),
        STARTS: starts(),
    }
    return {name: table.assign(experiment=name) for name, table in found.items()}


tables = copied_for_each_test(made)


def short(name):
    return name.removeprefix("spurious_minima_")


@pytest.mark.parametrize("name", OURS, ids=short)
def test_tables_that_obey_the_law_support_the_claim(name, tables):
    assert verdict(name, tables) == "supported"


# Claim, table, column, rows, and what is done to them.
BREAKS = [
    ("published_point", MINIMA, "odd_other", "family == 'II' and teacher_neurons == 7", law("odd_other + 2e-10")),
    (
        "global_spectrum",
        MINIMA,
        "dense_deviation",
        "family == 'global' and teacher_neurons == 8",
        law("1e-11 * number"),
    ),
    ("multiplicities", MINIMA, "dense_multiplicity", "family == 'I' and number == 1", law("3 * number")),
    ("reduction", MINIMA, "dense_deviation", "family == 'II_split' and number == 2", law("1e-11 * number")),
    ("saddle_to_minimum", DIMENSIONS, "fractional_dimension", "family == 'A'", law("5.763815")),
    ("saddle_to_minimum", DIMENSIONS, "fractional_dimension", "family == 'I'", law("6.70001")),
    ("limits", LARGE, "loss", "family == 'A' and teacher_neurons == 1e6", law("loss + 0.0015")),
    ("limits", LARGE, "loss", "family == 'II' and teacher_neurons == 1e6", law("1.01 * loss")),
    ("spectra_coincide", LARGE, "exterior_eigenvalue", "family == 'I'", law("0.0908 - teacher_neurons ** -0.45")),
    ("spectra_coincide", LARGE, "exterior_eigenvalue", "family == 'II'", law("0.0908 - teacher_neurons ** -0.5")),
    ("one_neuron", SPLITS, "negative", "family == 'II' and teacher_neurons == 8", law("negative - 1")),
    ("splitting", SPLITS, "curvature_error", "share == 0.3 and teacher_neurons == 8", law("3e-10 * number")),
    ("no_new_minimum", ONE, "objective", "design == 'II' and teacher_neurons == 8 and seed == 1", law("0.02")),
    ("after_two", TWO, "objective", "design == 'A' and seed == 0", law("0.05")),
    ("split_family", ONE, "objective", "split_neuron == 'odd' and seed == 0", law("objective + 2e-9")),
    ("split_family", MINIMA, "loss", "family == 'II_split' and teacher_neurons == 8", law("loss + 2e-9")),
    ("starts_one", STARTS, "objective", "neurons == teacher_neurons", law("1e-10")),
    ("starts_two", STARTS, "objective", "neurons == teacher_neurons + 2 and seed > 8", law("0.02")),
]


@pytest.mark.parametrize(("name", "table", "column", "where", "value"), BREAKS)
def test_tables_that_break_the_law_refute_the_claim(name, table, column, where, value, tables):
    change(tables[table], column, where, value)
    assert verdict(f"spurious_minima_{name}", tables) == "refuted"


def test_every_claim_was_refuted_above():
    every_claim_is_in("BREAKS", [name for name, *_ in BREAKS], OURS, "spurious_minima_")


@pytest.mark.parametrize(
    ("name", "table", "column", "where", "value"),
    [
        ("published_point", MINIMA, "odd_other", "family == 'II' and teacher_neurons > 7", law("odd_other + 1")),
        ("multiplicities", MINIMA, "dense_multiplicity", "family == 'II_split'", law("0 * number")),
        ("reduction", MINIMA, "dense_deviation", "family == 'global'", law("1.0 + number")),
        ("saddle_to_minimum", DIMENSIONS, "joint_dimension", "family == 'A'", law("7.0")),
        ("limits", LARGE, "loss", "teacher_neurons == 1e3", law("1.0")),
        ("split_family", ONE, "objective", "split_neuron == 'regular'", law("0.05")),
        ("starts_one", STARTS, "objective", "neurons == teacher_neurons + 2", law("0.02")),
        ("starts_two", STARTS, "objective", "neurons == teacher_neurons", law("0.02")),
        ("no_new_minimum", ONE, "objective", "step == 100", law("7.0")),
    ],
)
def test_what_a_claim_does_not_speak_of_does_not_matter(name, table, column, where, value, tables):
    change(tables[table], column, where, value)
    assert verdict(f"spurious_minima_{name}", tables) == "supported"


@pytest.mark.parametrize("name", random_among(OURS), ids=short)
def test_tables_without_a_signal_support_nothing(name, tables):
    table = tables[STARTS]
    table["objective"] = np.random.default_rng(1).choice([1e-10, 0.02], len(table))
    assert verdict(name, tables) != "supported"


@pytest.mark.parametrize("table", [ONE, TWO, STARTS])
def test_a_diverged_run_is_said_and_not_judged(table, tables):
    tables[table] = diverge(tables[table], "seed == 2")
    for name in (name for name, one in OURS.items() if table in one.experiments):
        assert why_inconclusive(name, tables).endswith("runs diverged")


@pytest.mark.parametrize("name", OURS, ids=short)
def test_claims_without_their_rows_are_inconclusive(name, tables):
    empty = {experiment: table[:0] for experiment, table in tables.items()}
    assert "no runs" in why_inconclusive(name, empty)


@pytest.mark.parametrize(
    ("name", "table", "where", "gap"),
    [
        ("published_point", MINIMA, "teacher_neurons > 7", "no runs of type II at k = 7"),
        ("limits", LARGE, "teacher_neurons == 1e6", "no families at k = 10,000 and 1,000,000"),
        ("spectra_coincide", LARGE, "teacher_neurons < 1e5", "no families at k = 10,000 and 1,000,000"),
        ("split_family", MINIMA, "teacher_neurons < 8", "6 of 9 runs have no value"),
        ("starts_one", STARTS, "neurons != teacher_neurons", "no runs with 0 neurons more than the teacher"),
        ("starts_two", STARTS, "seed >= 8", "no start ends differently at k = 8, 10"),
    ],
)
def test_what_is_missing_is_said(name, table, where, gap, tables):
    tables[table] = only(tables[table], where)
    assert why_inconclusive(f"spurious_minima_{name}", tables) == gap


@pytest.mark.parametrize(
    ("name", "table", "column", "value", "gap"),
    [
        ("multiplicities", MINIMA, "gradient_norm", 1e-12, "a gradient of 1e-12 at what should be a minimum"),
        ("limits", LARGE, "largest_gradient", 1e-8, "a gradient of 1e-08 at what should be a critical point"),
        ("no_new_minimum", ONE, "gradient_norm", 1e-3, "27 of 27 runs had not come to rest"),
    ],
)
def test_what_is_not_critical_is_not_judged(name, table, column, value, gap, tables):
    tables[table][column] = value
    if table == ONE:
        tables[table]["objective"] = 0.02
    assert why_inconclusive(f"spurious_minima_{name}", tables) == gap


def test_a_saddle_is_no_family_of_minima(tables):
    change(tables[MINIMA], "eigenvalue", "family == 'II_split' and number == 0", law("-eigenvalue"))
    assert why_inconclusive("spurious_minima_split_family", tables) == "no runs of strict minima"


def test_limits_are_where_the_line_meets_0(tables):
    # 0.4/√k falls on a line, so that nothing is left of it.
    found = measured("spurious_minima_limits", tables).droplevel("at")
    np.testing.assert_allclose(found, pd.Series(LIMITS), atol=1e-12)


def test_only_starts_that_end_differently_are_counted(tables):
    row = row_of("spurious_minima_starts_one", tables)
    assert (row["n"], row["cells"]) == (12, 2)
    assert row["table"]["k_08"] == {"added_0": 0.5, "added_1": 0.2, "added_2": 0.0}
    np.testing.assert_allclose(row["p_support"], 0.5**12)


def test_the_ends_of_each_chain_are_counted(tables):
    change(tables[ONE], "objective", "split_neuron == 'odd' and teacher_neurons == 8 and seed < 2", law("0.02"))
    table = row_of("spurious_minima_no_new_minimum", tables)["table"]
    assert table["II odd 08"] == {"spurious": 2, "runs": 3, "loss": 0.02, "smallest_eigenvalue": 0.0}
    assert table["A regular 08"]["spurious"] == 0
