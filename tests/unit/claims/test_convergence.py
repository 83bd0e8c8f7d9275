"""Each claim on convergence on convex problems, on run tables that obey its law, break it, or drown it in noise."""

import numpy as np
import pandas as pd
import pytest
from claims_on_made_up_tables import (
    STEPS,
    change,
    claims_of,
    copied_for_each_test,
    diverge,
    every_claim_is_in,
    law,
    measured,
    only,
    random_among,
    refuted,
    row_of,
    verdict,
    why_inconclusive,
)
from made_up_convergence import CERTIFIED, CURES, DECAYING, DIAL, ROUNDED, SEEDS, SMOOTHING, WORST, lawful

import ndgm.claims.convergence  # noqa: F401  (registers its claims)
from ndgm.decide.entries import decide
from ndgm.decide.missing_columns import MissingColumn

CLAIMS = claims_of("convergence")
tables = copied_for_each_test(lawful)


@pytest.mark.parametrize("name", CLAIMS)
def test_tables_that_obey_the_law_support_the_claim(name, tables):
    assert verdict(name, tables) == "supported"


def test_supported_also_after_holms_correction(tables):
    assert {row["verdict"] for row in decide(CLAIMS, tables)} == {"supported"}


LAST = f"step == {STEPS}"
NO_KINK = "kink == 0"
DIALLED = f"{LAST} and design == 'b' and kink"
LINEAR = "design == 'largest of linear functions' and step == steps"
RESISTING = "design == 'resisting oracle' and step == steps"
PLAIN = f"{LINEAR} and method == 'subgradient' and seed == 3"
SQUARED_GRADIENT = "mean_squared_gradient_norm"
ON_CYCLE = "design == 'absolute value' and width_over_critical"

# All claims that the change refutes, table, column, rows, and what is done to them.
BREAKS = [
    # The floor is ∝ √η or η², or grows a little faster than η, or is there at every step, or not at all.
    ("floor", DIAL, "mean_objective", f"{DIALLED} == 1", law("step_size ** 0.5")),
    ("floor", DIAL, "mean_objective", f"{DIALLED} == 0.3", law("step_size ** 2")),
    ("floor", DIAL, "mean_objective", f"{DIALLED} > 0", law("mean_objective * step_size ** 0.1")),
    ("floor", DIAL, "mean_objective", f"{DIALLED} == 1", law("mean_objective + 0.1")),
    ("floor", DIAL, "mean_objective", f"{DIALLED} > 0", law("exp(-60 * step_size_times_lipschitz)")),
    # A low floor without a kink, also with one step size alone, or come down to late; and a gap that falls by less.
    ("no_floor", DIAL, "objective", "kink == 0", law("9e-4 * step_size * (1 + seed)")),
    ("no_floor", DIAL, "objective", "kink == 0", law("9e-4 * step_size * (1 + exp(-step / 100))")),
    ("no_floor", DIAL, "objective", f"{NO_KINK} and design == 'b' and step_size == 0.4", law("9e-4 * step_size")),
    ("no_floor", DIAL, "objective", f"{NO_KINK} and step_size_times_lipschitz == 0.02", law("step ** -0.3")),
    # One run hovers above the critical width, one converges below it, and all as if that were twice as large.
    (
        "critical_width",
        SMOOTHING,
        SQUARED_GRADIENT,
        f"{LAST} and design == 'a' and penalty == 30 and width_over_critical == 2 and seed == 3",
        law("0.011 * penalty ** 2"),
    ),
    (
        "critical_width",
        SMOOTHING,
        SQUARED_GRADIENT,
        f"{LAST} and design == 'absolute value' and width_over_critical == 0.5 and seed == 0",
        law("0.009 * penalty ** 2"),
    ),
    (
        "critical_width",
        SMOOTHING,
        SQUARED_GRADIENT,
        f"{LAST} and width_over_critical == 1.1",
        law("penalty ** 2"),
    ),
    # The mean is a little off, falls with the width as the gap does, or is that of another slope or start.
    ("hovering", SMOOTHING, "mean_l1_norm", f"{ON_CYCLE} == 0.9", law("1.02 * mean_l1_norm")),
    ("hovering", SMOOTHING, "mean_l1_norm", f"{ON_CYCLE} < 1", law("step_size * penalty / 2 - width / 2")),
    ("hovering", SMOOTHING, "mean_l1_norm", f"{ON_CYCLE} < 1 and step_size == 0.05", law("step_size / 2")),
    ("hovering", SMOOTHING, "mean_l1_norm", f"{ON_CYCLE} < 1", law("step_size * penalty / 4 * (1 + seed / 9)")),
    # Below the lower bound, which no certificate forbids; above it, where the oracle is not the worst function.
    ("lower_bound", WORST, "objective", f"{RESISTING} and steps == 8", lambda rows: -1e-9),
    ("lower_bound", WORST, "objective", f"{RESISTING} and method == 'averaged_linear'", lambda rows: -0.1),
    ("lower_bound", WORST, "objective", f"{RESISTING} and method == 'subgradient' and steps == 1", lambda rows: 1e-9),
    # Neither function attains the bound, or one is above it, or descends as on a kink.
    ("smooth_bound", WORST, "objective", "rule == 'smooth' and step_size == 1.5", law("0.99 * objective")),
    (
        "smooth_bound",
        WORST,
        "objective",
        "design == 'rounded absolute value' and step_size == 0.5 and step == steps == 8",
        law("(1 + 1e-9) * objective"),
    ),
    ("smooth_bound", WORST, "objective", "design == 'quadratic' and step == steps == 3", law("(steps + 1) ** -0.5")),
    # The last iterate is above its worst case; the average; and the best, of which all others are at most as good.
    ("certified", WORST, "objective", f"{PLAIN} and steps == 3", law("1.31 / (steps + 1) ** 0.5")),
    (
        "certified",
        WORST,
        "objective",
        f"{LINEAR} and method == 'averaged' and seed == 3 and steps == 8",
        law("1.21 / (steps + 1) ** 0.5"),
    ),
    (
        "certified",
        WORST,
        "objective",
        "design == 'largest of linear functions' and method == 'subgradient_linear' and seed == 1 and steps == 3",
        law("1.001 / (steps + 1) ** 0.5"),
    ),
    # Certificates of less than what the resisting oracle attains are wrong.
    ("certified", CERTIFIED, "worst_case", "steps == 8 and criterion == 'best'", law("0.99 * worst_case")),
    # The gap falls a little more slowly than the step, or faster on one design, or as the root of the step, or not.
    ("geometric_rate", CURES, "objective", f"{DECAYING} and design == 'b'", law("objective * 10 ** (step * 5e-4)")),
    ("geometric_rate", CURES, "objective", DECAYING, law("objective / 10 ** (step * 5e-4)")),
    ("geometric_rate", CURES, "objective", DECAYING, law("objective ** 0.5")),
    ("geometric_rate", CURES, "objective", DECAYING, lambda rows: 0.01 / 100),
    # Polyak's step slows down as 1/k^p does, also where only one design does, or where it stalls on the way.
    ("polyak_rate", CURES, "objective", "method == 'polyak' and step < 500", law("step ** -4.0")),
    ("polyak_rate", CURES, "objective", "method == 'polyak' and design == 'b'", law("step ** -6.0 + 1e-14")),
    ("polyak_rate", CURES, "objective", "method == 'polyak' and 100 <= step < 500", lambda rows: 1e-8),
    # Descent on the rounded kink does so.
    ("rounding_rate", CURES, "objective", f"{ROUNDED} and step < 500", law("step ** -4.0")),
    ("rounding_rate", CURES, "objective", f"{ROUNDED} and design == 'a'", law("step ** -6.0")),
    ("rounding_rate", CURES, "objective", f"{ROUNDED} and 100 <= step < 500", lambda rows: 1e-8),
]


@pytest.mark.parametrize(("names", "table", "column", "where", "value"), BREAKS)
def test_tables_that_break_the_law_refute_the_claim_and_no_other(names, table, column, where, value, tables):
    change(tables[table], column, where, value)
    assert refuted(CLAIMS, tables, table) == {f"convergence_{name}" for name in names.split()}


def test_every_claim_alone_was_refuted_above():
    every_claim_is_in("BREAKS", [names for names, *_ in BREAKS if " " not in names], CLAIMS, "convergence_")


def some_slow_down(rng):
    """Of nine decades in 450 steps, two thirds in the first half of them, more or less by seed."""

    def gap(rows):
        early, place = rng.uniform(0.5, 0.83, SEEDS)[rows["seed"]], (rows["step"] - 1) / 450
        return 10 ** (-9 * (2 * early * place.clip(upper=0.5) + 2 * (1 - early) * (place - 0.5).clip(lower=0)))

    return gap


NOISE = {
    "floor": (
        DIAL,
        "mean_objective",
        lambda rng: lambda rows: rows["step_size"] ** rng.uniform(0, 2, SEEDS)[rows["seed"]],
    ),
    "no_floor": (DIAL, "objective", lambda rng: lambda rows: rng.lognormal(0, 2, len(rows))),
    "polyak_rate": (CURES, "objective", some_slow_down),
    "geometric_rate": (CURES, "objective", lambda rng: lambda rows: rows["objective"] * rng.lognormal(0, 2, len(rows))),
    "rounding_rate": (CURES, "objective", some_slow_down),
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
        ("floor", DIAL, "mean_objective", "kink == 0", lambda rows: 1.0),
        ("floor", DIAL, "objective", "step == step", lambda rows: 1.0),
        ("floor", DIAL, "mean_objective", "design == 'a'", law("50.0 * mean_objective")),
        ("no_floor", DIAL, "objective", "kink > 0", law("step_size")),
        ("no_floor", DIAL, "objective", NO_KINK, law("9e-4 / step")),
        ("no_floor", DIAL, "mean_objective", f"{LAST} and {NO_KINK}", lambda rows: 5.0),
        (
            "critical_width",
            SMOOTHING,
            SQUARED_GRADIENT,
            "width_over_critical > 1",
            law("0.009 * penalty ** 2"),
        ),
        (
            "critical_width",
            SMOOTHING,
            SQUARED_GRADIENT,
            "width_over_critical < 1",
            law("0.011 * penalty ** 2"),
        ),
        ("hovering", SMOOTHING, "mean_l1_norm", "design != 'absolute value'", lambda rows: 5.0),
        ("hovering", SMOOTHING, "mean_l1_norm", "width_over_critical > 1", lambda rows: 5.0),
        ("hovering", SMOOTHING, "mean_l1_norm", f"{ON_CYCLE} < 1", law("step_size * penalty / 2")),
        ("lower_bound", WORST, "objective", LINEAR, lambda rows: 5.0),
        ("lower_bound", WORST, "objective", "design == 'resisting oracle' and step < steps", lambda rows: -5.0),
        ("smooth_bound", WORST, "objective", "step < steps", lambda rows: 5.0),
        ("smooth_bound", WORST, "objective", "design == 'quadratic' and step_size < 1", lambda rows: 1e-6),
        # Of three criteria each is held against its own certificate, which rounding may exceed a little.
        ("certified", WORST, "objective", "rule == 'smooth'", lambda rows: 5.0),
        ("certified", WORST, "objective", PLAIN, law("1.2999 / (steps + 1) ** 0.5")),
        ("certified", WORST, "objective", PLAIN, law("1.300005 / (steps + 1) ** 0.5")),
        ("certified", WORST, "objective", f"{LINEAR} and method == 'averaged'", law("1.1999 / (steps + 1) ** 0.5")),
        ("certified", WORST, "objective", "method == 'averaged' and step < steps", lambda rows: 5.0),
        ("certified", CERTIFIED, "worst_case", "steps > 0", law("2.0 * worst_case")),
        ("polyak_rate", CURES, "objective", "method != 'polyak' or step > 500", lambda rows: 1.0),
        ("polyak_rate", CURES, "objective", "method == 'polyak'", law("1e9 * objective ** 2")),
        ("geometric_rate", CURES, "objective", f"not ({DECAYING})", lambda rows: 5.0),
        ("geometric_rate", CURES, "objective", DECAYING, law("1e9 * objective")),
        ("geometric_rate", CURES, "objective", f"{DECAYING} and step > 1750", lambda rows: 1e-17),
        ("rounding_rate", CURES, "objective", "width_over_critical == 0", lambda rows: 1.0),
        ("rounding_rate", CURES, "objective", f"{ROUNDED} and step >= 500", lambda rows: 1e-16),
    ],
)
def test_what_a_claim_does_not_speak_of_does_not_matter(name, table, column, where, value, tables):
    change(tables[table], column, where, value)
    assert verdict(f"convergence_{name}", tables) == "supported"


@pytest.mark.parametrize("name", CLAIMS)
def test_a_diverged_run_is_said_and_not_judged(name, tables):
    tables = {name: diverge(table, "seed == 0") if "seed" in table else table for name, table in tables.items()}
    assert why_inconclusive(name, tables).endswith("runs diverged")


ELSEWHERE = {
    "floor": "kink == 0",
    "no_floor": "kink > 0",
    "hovering": "design != 'absolute value'",
    "lower_bound": "design != 'resisting oracle'",
    "smooth_bound": "rule != 'smooth'",
    "certified": "rule == 'smooth'",
    "polyak_rate": "method == 'averaged'",
    "geometric_rate": "method == 'averaged'",
    "rounding_rate": "width_over_critical == 0",
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_claims_without_their_runs_are_inconclusive(name, tables):
    experiment = CLAIMS[f"convergence_{name}"].experiments[0]
    tables[experiment] = only(tables[experiment], ELSEWHERE[name])
    assert why_inconclusive(f"convergence_{name}", tables).startswith("no runs")


@pytest.mark.parametrize("name", CLAIMS)
def test_claims_on_empty_tables_are_inconclusive(name, tables):
    empty = {experiment: table.iloc[:0] for experiment, table in tables.items()}
    assert why_inconclusive(name, empty).startswith("no runs")


@pytest.mark.parametrize(
    ("name", "table", "where", "reason"),
    [
        ("no_floor", DIAL, f"step == {STEPS} or kink > 0", "runs have no value"),
        ("polyak_rate", CURES, "method != 'polyak' or step < 400", "runs have no value"),
        ("polyak_rate", CURES, "method != 'polyak' or seed != 3 or step < 400", "2 of 28 runs have no value"),
        ("geometric_rate", CURES, f"step <= {STEPS // 2} or step == {STEPS}", "runs have no value"),
        ("rounding_rate", CURES, f"not {ROUNDED} or step < 300", "runs have no value"),
        ("certified", CERTIFIED, "rule == 'constant'", "runs have no certified worst case"),
        ("certified", CERTIFIED, "criterion != 'average' or steps < 8", "runs have no certified worst case"),
    ],
)
def test_a_gap_in_the_evidence_is_said(name, table, where, reason, tables):
    tables[table] = only(tables[table], where)
    assert why_inconclusive(f"convergence_{name}", tables).endswith(reason)


def test_numbers_are_those_that_were_measured(tables):
    # They were once clipped to what the rule takes for as good as none, or as good as the bound.
    change(tables[DIAL], "objective", NO_KINK, law("1e-25 / step"))
    row = row_of("convergence_no_floor", tables)
    assert row["verdict"] == "supported" and row["reference"] == pytest.approx(1e-25 / STEPS)
    assert row["measured"] == pytest.approx(1.5 * row["reference"])
    lowest = measured("convergence_lower_bound", tables).xs("any", level="method")
    assert (lowest <= 1).all()
    change(tables[WORST], "objective", RESISTING, law("objective - 1e-3"))
    assert (measured("convergence_lower_bound", tables) < 0.999).all()


def test_a_column_that_was_dropped_is_missed_in_its_table(tables):
    for experiment, table in tables.items():
        missed = set()
        for column in table:
            try:
                decide(CLAIMS, tables | {experiment: table.drop(columns=column)})
            except MissingColumn as lacking:
                assert (lacking.experiment, lacking.column) == (experiment, column)
                missed.add(column)
        assert len(missed) > 2, experiment


def test_the_exponent_of_a_floor_counts_a_problem_once(tables):
    # The kinks of a design are one problem in different units: with each as a cell, n grew with the number of kinks.
    row = row_of("convergence_floor", tables)
    assert (row["cells"], row["n"], list(row["where"])) == (2, SEEDS, ["design"])
    again = tables[DIAL].query("kink == 1")
    again = again.assign(kink=2.0, run=again["run"] + 10_000)
    more = row_of("convergence_floor", tables | {DIAL: pd.concat([tables[DIAL], again], ignore_index=True)})
    assert (more["cells"], more["n"]) == (row["cells"], row["n"])
