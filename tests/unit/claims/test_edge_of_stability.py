"""Each claim on the Edge of Stability on run tables that obey its law, and on such as break it: every one can fail."""

import numpy as np
import pandas as pd
import pytest
from claims_on_made_up_tables import (
    change,
    claims_of,
    copied_for_each_test,
    every_claim_is_in,
    law,
    measured,
    reading,
    with_unit,
)

import ndgm.claims.edge_of_stability  # noqa: F401  (registers its claims)
from ndgm.decide.entries import decide
from ndgm.experiments.grids import grid
from ndgm.theory.edge_of_stability import FLAT, cycle_amplitude, cycle_sharpness, mean_curvature, scalar

CLAIMS = claims_of("edge_of_stability")
PREFIX = "edge_of_stability_"
LENGTH = "amplitude"
CYCLES, ASYMMETRIC, NEAR = (f"{PREFIX}{name}" for name in ("cycles", "asymmetric", "near_threshold"))
MAX_AFFINE, LOGISTIC, SEPARABLE = (f"{PREFIX}{name}" for name in ("max_affine", "logistic", "separable"))
EVEN = ["absolute", "huber", "pseudo_huber", "log_cosh", "softplus_pair", "power_1.5"]
STEPS = 1000
LATE = 7 * STEPS // 10
TAU = 256  # of a step of 16 on the separable data


def finished(runs, experiment):
    return runs.assign(experiment=experiment, step=STEPS, stopped_because="finished", start_objective=2.0)


def with_curvature(runs, steps=STEPS):
    """κ as it telescopes over a number of steps."""
    runs["mean_squared_gradient_norm"] = 0.3 + 0.01 * runs["seed"]
    runs["step"] = np.where(runs["step"] == STEPS, steps, runs["step"])
    ends = (runs["step_size"], runs["start_objective"], runs["objective"], runs["mean_squared_gradient_norm"], steps)
    return runs.assign(mean_curvature=mean_curvature(*ends) * runs["mean_squared_gradient_norm"])


def cycles_table():
    """Every function on its cycle above the threshold, and at its minimum below."""
    runs = grid(design=[*EVEN, "kink_aside"], method=["subgradient"], ratio=[0.6, 1.3, 2.5], seed=range(3))
    runs["threshold"] = runs["design"].map(lambda name: scalar(name).threshold)
    runs["step_size"] = runs["ratio"] * runs["threshold"].replace(0, 2)
    runs = finished(runs, CYCLES)
    above = runs["step_size"] > runs["threshold"]
    runs["amplitude"] = runs["objective"] = 0.0
    runs["sharpness"] = runs["design"].map(lambda name: scalar(name).lipschitz).replace(np.inf, 0.0)
    runs["smoothness"] = np.where(above, 2 / runs["step_size"], np.nan)
    for name, part in runs[above & (runs["design"] != "kink_aside")].groupby("design"):
        runs.loc[part.index, "amplitude"] = cycle_amplitude(name, part["step_size"])
        runs.loc[part.index, "sharpness"] = cycle_sharpness(name, part["step_size"]) * 2 / part["step_size"]
        runs.loc[part.index, "objective"] = 0.7
    runs.loc[above & (runs["design"] == "kink_aside"), "amplitude"] = 0.5
    # The two points of a cycle need not be alike: here one is above the mean and one below, within what a claim allows.
    skew = 0.01 * runs["sharpness"] * (runs["seed"] - 1)
    return with_curvature(runs.assign(sharpness=runs["sharpness"] + skew, sharpness_before=runs["sharpness"] - skew))


def asymmetric_table():
    runs = finished(grid(design=["linex"], method=["subgradient"], step_size=[1.5, 3.0], seed=range(2)), ASYMMETRIC)
    return with_curvature(runs.assign(objective=0.4))


def near_threshold_table():
    """p² = ν/c: c is 1 on √(1+x²), and 1 − 1/3 on eˣ − x; both with L = 1. The sharpness is at the edge."""
    designs = {"pseudo_huber": 1.0, "linex": 2 / 3}
    runs = grid(design=list(designs), method=["subgradient"], excess=[0.005, 0.02], seed=range(2))
    runs["step_size"] = 2 + runs["excess"]
    runs["amplitude"] = np.sqrt(runs["excess"] / runs["design"].map(designs) * (1 + 0.3 * runs["excess"]))
    runs["sharpness"] = runs["sharpness_before"] = (1 - runs["excess"]) * 2 / runs["step_size"]
    # Ten times as long as the others, so close to the threshold is the cycle.
    return with_curvature(finished(runs, NEAR).assign(objective=0.01), steps=10 * STEPS)


def max_affine_table():
    runs = grid(design=["max_affine_2", "max_affine_5"], method=["subgradient"], step_size=[0.01, 1.0], seed=range(3))
    return with_curvature(finished(runs, MAX_AFFINE).assign(amplitude=runs["step_size"] / 2, objective=0.1))


def logistic_table():
    """A cycle that attracts up to 1.6 times the threshold, and then anything."""
    ratios = [0.8, 0.99, 1.05, 1.3, 2.0]
    runs = grid(design=["a", "b"], method=["subgradient"], step_size_over_threshold=ratios, seed=range(3))
    ratio = runs["step_size_over_threshold"]
    runs["step_size"] = 30 * ratio
    runs["predicted_amplitude"] = np.sqrt(2 * (ratio - 1).clip(lower=0)).where(ratio > 1)
    runs["multiplier"] = (ratio / 1.6).where(ratio > 1)
    amplitude = runs["predicted_amplitude"].where(ratio < 1.6, 0.1 * runs["seed"]).fillna(1e-15)
    return with_curvature(finished(runs, LOGISTIC).assign(amplitude=amplitude, objective=0.2))


def separable_table():
    """The loss rises at first, and never once it is small: below 2/(ηR²) from a tenth of the steps on.

    With n = 20, R = 2 and a margin of 1 the bound τ is max{4η, 20}/(1/4): 80 of 1000 steps for the short step; for η =
    64, which leaves 1024, a run is too short for it to say anything.
    """
    runs = grid(design=["a", "b"], method=["subgradient"], step_size_over_threshold=[1.0, 16.0, 64.0], seed=range(2))
    runs["step_size"] = runs["step_size_over_threshold"]
    runs = runs.assign(samples=20.0, longest_row=2.0, margin=1.0)
    shares = {1: 0.5, 2: 3.0, 10: 70.0, STEPS // 10: 0.9, TAU: 0.8, STEPS // 2: 0.3, LATE: 0.2, STEPS: 0.1}
    rows = [
        finished(runs, SEPARABLE).assign(
            step=step, objective=share / (2 * runs["step_size"]) + (step == 1), start_objective=2.0
        )
        for step, share in shares.items()
    ]
    return with_curvature(pd.concat(rows).sort_values(["run", "step"], ignore_index=True))


def every_table():
    return {
        CYCLES: cycles_table(),
        ASYMMETRIC: asymmetric_table(),
        NEAR: near_threshold_table(),
        MAX_AFFINE: max_affine_table(),
        LOGISTIC: logistic_table(),
        SEPARABLE: separable_table(),
    }


tables = copied_for_each_test(every_table)


def verdicts(tables, claims=CLAIMS):
    return {row["id"]: row["verdict"] for row in decide(claims, tables)}


BY_THE_LAW = dict.fromkeys(CLAIMS, "supported")
"""What the law decides."""


def test_tables_that_obey_the_law_support_every_claim(tables):
    assert verdicts(tables) == BY_THE_LAW


def test_where_no_step_is_close_to_the_threshold_the_edge_is_not_reached(tables):
    change(tables[NEAR], ["sharpness", "sharpness_before"], "design != 'linex'", lambda rows: 0.9 / 1.01)
    assert verdicts(tables) == BY_THE_LAW | {f"{PREFIX}window": "refuted"}


def at_edge(rows):
    """The sharpness at two points, as far apart as takes one of them to the edge."""
    edge, total = 2 / rows["step_size"], rows["sharpness"] + rows["sharpness_before"]
    return np.column_stack([edge, total - edge])


ABOVE = "step_size > threshold"
# All claims that change to refuted, table, column, rows, and the factor on their values or the values themselves.
BREAKS = [
    # One run on a cycle of another length; one that does not settle below the threshold.
    ("amplitude", CYCLES, LENGTH, f"design == 'log_cosh' and {ABOVE} and seed == 1", law("1.00001 * amplitude")),
    (
        "amplitude",
        CYCLES,
        "amplitude",
        "design == 'pseudo_huber' and ratio == 0.6 and seed == 2",
        law("amplitude + 1e-5"),
    ),
    ("amplitude", CYCLES, LENGTH, "design == 'power_1.5' and ratio == 0.6", law("0 * amplitude")),
    # The mean sharpness is off, and nowhere near the edge.
    ("sharpness", CYCLES, "sharpness", f"design == 'power_1.5' and {ABOVE} and seed == 0", law("1.001 * sharpness")),
    ("sharpness", CYCLES, "sharpness_before", f"design == 'softplus_pair' and {ABOVE}", law("sharpness_before + 1e-4")),
    ("secant", CYCLES, "smoothness", "design == 'absolute' and ratio == 2.5", law("1.00001 * smoothness")),
    ("secant occurs", CYCLES, "smoothness", f"design == 'huber' and {ABOVE} and seed == 0", law("0.9 * smoothness")),
    # A sum that does not telescope, in each of the experiments.
    *(
        ("identity", table, "mean_curvature", "seed == 1", law("mean_curvature * (1 + 1e-8)"))
        for table in (CYCLES, ASYMMETRIC, NEAR, MAX_AFFINE, LOGISTIC, SEPARABLE)
    ),
    ("identity", CYCLES, "start_objective", "design == 'kink_aside'", law("start_objective + 1e-3")),
    # A little curvature at one of two iterates beyond the kink; steps that get shorter.
    ("kinks sharpness", CYCLES, "sharpness", "design == 'absolute' and ratio == 0.6", law("sharpness + 1e-4")),
    ("kinks amplitude", CYCLES, LENGTH, f"design == 'huber' and {ABOVE} and seed == 0", law("0.99 * amplitude")),
    # It settles, although its last step still has the curvature 2/η.
    (
        "occurs amplitude",
        CYCLES,
        "amplitude",
        f"design == 'log_cosh' and {ABOVE} and seed == 0",
        law("1e-4 * amplitude"),
    ),
    # The edge is reached at one of two points, whose mean is as predicted.
    ("window", CYCLES, ["sharpness", "sharpness_before"], "design == 'pseudo_huber' and ratio == 1.3", at_edge),
    # It is not reached close to the threshold, by one run; or passed.
    ("window", NEAR, ["sharpness", "sharpness_before"], "excess == 0.02 and seed == 0", lambda rows: 0.94 / 1.01),
    ("window", NEAR, ["sharpness", "sharpness_before"], "excess == 0.005 and seed == 1", lambda rows: 1.06),
    # The mean over both points is at the edge; descent hovers below the threshold of a function whose kink is aside.
    (
        "subquadratic sharpness window",
        CYCLES,
        ["sharpness", "sharpness_before"],
        "design == 'power_1.5' and ratio == 2.5 and seed == 1",
        lambda rows: np.outer(2 / rows["step_size"], [0.97, 1.04]),
    ),
    ("nonsmooth", CYCLES, "amplitude", "design == 'kink_aside' and ratio == 0.6 and seed == 1", law("amplitude + 0.3")),
    # One function with a corner at the minimum settles, at one step; |x| does.
    ("kink_at_solution", MAX_AFFINE, "amplitude", "step_size == 0.01 and seed == 1", law("0.001 * amplitude")),
    (
        "kink_at_solution kinks amplitude",
        CYCLES,
        "amplitude",
        "design == 'absolute' and seed == 1",
        law("0 * amplitude"),
    ),
    # Another constant; another power of ν.
    ("amplitude_near_threshold", NEAR, "amplitude", "design == 'linex'", law("amplitude * 1.5 ** 0.5")),
    ("amplitude_near_threshold", NEAR, "amplitude", "excess == 0.02 and seed == 0", law("1.02 * amplitude")),
    # It does not settle close below, or is not on the cycle close above; or further above.
    (
        "logistic_doubling logistic_basin",
        LOGISTIC,
        "amplitude",
        "step_size_over_threshold == 0.99 and seed == 0",
        law("amplitude + 0.1"),
    ),
    (
        "logistic_doubling logistic_basin",
        LOGISTIC,
        "amplitude",
        "step_size_over_threshold == 1.05 and design == 'b'",
        law("0.9 * amplitude"),
    ),
    ("logistic_basin", LOGISTIC, "amplitude", "step_size_over_threshold == 1.3 and seed == 2", law("0.1 * amplitude")),
    # One late rise, of a loss that stays small; one that is a little too large at τ, or takes long to become small.
    ("logistic_stable", SEPARABLE, "objective", f"step == {LATE} and seed == 1", law("1.6 * objective")),
    (
        "logistic_stable",
        SEPARABLE,
        "objective",
        f"step == {LATE} and step_size == 64 and seed == 1",
        law("objective * 9"),
    ),
    (
        "logistic_transition",
        SEPARABLE,
        "objective",
        f"10 < step <= {TAU} and step_size == 16 and seed == 1",
        law("1 / step_size"),
    ),
    (
        "logistic_transition",
        SEPARABLE,
        "objective",
        "design == 'b' and step_size == 1 and 10 < step < 500",
        lambda rows: 0.51,
    ),
    # Samples that are longer; a margin that was overestimated.
    ("logistic_transition", SEPARABLE, "longest_row", "design == 'a' and step_size == 1", lambda rows: 2.2),
    ("logistic_transition", SEPARABLE, "margin", "design == 'b' and step_size == 16", lambda rows: 10.0),
]


@pytest.mark.parametrize(("names", "table", "column", "where", "value"), BREAKS)
def test_tables_that_break_the_law_refute_the_claim_and_no_other(names, table, column, where, value, tables):
    change(tables[table], column, where, value)
    found = verdicts(tables, reading(CLAIMS, table))
    changed = {name: verdict for name, verdict in found.items() if verdict != BY_THE_LAW[name]}
    assert changed == {f"{PREFIX}{name}": "refuted" for name in names.split()}


def test_numbers_of_every_function_at_two_thresholds(tables):
    rows = {row["id"]: row["table"] for row in decide(CLAIMS, tables)}
    amplitudes, sharpness = rows[f"{PREFIX}amplitude"], rows[f"{PREFIX}sharpness"]
    assert set(amplitudes) == set(sharpness) == set(EVEN)
    # Of 1.3 and 2.5 thresholds the latter is nearer to two; thresholds are 2, 4 for the pair, 2 for want of one.
    assert amplitudes["softplus_pair"]["step"] == 10 and amplitudes["absolute"]["step"] == 5
    assert amplitudes["pseudo_huber"]["predicted"] == pytest.approx(np.sqrt(5**2 / 4 - 1))
    assert sharpness["pseudo_huber"]["predicted"] == pytest.approx(4 / 5**2)
    change(tables[CYCLES], "amplitude", "design == 'huber' and ratio == 2.5", law("amplitude + seed"))
    changed = decide({f"{PREFIX}amplitude": CLAIMS[f"{PREFIX}amplitude"]}, tables)[0]["table"]
    assert changed["huber"]["measured"] == pytest.approx(2.5 + 1) and changed["huber"]["predicted"] == 2.5


def test_every_claim_was_refuted():
    every_claim_is_in("BREAKS", [names for names, *_ in BREAKS], set(CLAIMS), PREFIX)


def test_runs_that_cannot_have_arrived_do_not_count(tables):
    """Just beyond the threshold, and just below, where neither the cycle nor the minimum attracts within the run."""
    cycles = tables[CYCLES]
    close = cycles[cycles["design"].isin(["huber", "pseudo_huber", "kink_aside"])].drop_duplicates("design")
    on_the_way = [
        close.assign(step_size=ratio * close["threshold"], run=10_000 + number, amplitude=0.3, sharpness=2.0)
        for number, ratio in enumerate((0.9999, 1.0, 1.0001))
    ]
    claims = ["amplitude", "sharpness", "secant", "kinks", "occurs", "window", "subquadratic", "nonsmooth"]
    decided = [
        verdicts(tables | {CYCLES: table}) for table in (cycles, pd.concat([cycles, *on_the_way], ignore_index=True))
    ]
    for name in claims:
        assert [found[f"{PREFIX}{name}"] for found in decided] == ["supported", "supported"]


def test_where_no_run_can_have_arrived_nothing_is_decided(tables):
    tables[CYCLES]["step"] = 2
    found = verdicts(tables)
    for name in ("amplitude", "nonsmooth"):
        assert found[f"{PREFIX}{name}"] == ("supported" if name == "amplitude" else "inconclusive")


@pytest.mark.parametrize("table", [CYCLES, ASYMMETRIC, NEAR, MAX_AFFINE, LOGISTIC, SEPARABLE])
def test_a_run_that_diverged_or_no_runs_leave_what_reads_them_open(table, tables):
    whole = tables[table]
    diverged = whole.assign(stopped_because="diverged", amplitude=np.nan, mean_curvature=np.nan)
    for changed in (diverged, whole.iloc[:0]):
        found = verdicts(tables | {table: changed}, reading(CLAIMS, table))
        assert set(found.values()) == {"inconclusive"}


@pytest.mark.parametrize("name", with_unit(CLAIMS, "times $2/"))
def test_one_more_edge_of_curvature_is_printed_as_one_more(name, tables):
    found = []
    for edges in (1, 2):
        for table in tables.values():
            curvature = edges * 2 / table["step_size"]
            table["sharpness"] = table["sharpness_before"] = table["smoothness"] = curvature
            table["mean_curvature"] = curvature * table["mean_squared_gradient_norm"]
        found.append(measured(name, tables))
    np.testing.assert_allclose(found[1] - found[0], 1.0, rtol=1e-9)


@pytest.mark.parametrize(("name", "whose"), [("subquadratic", "after Ma et al. (2022)"), ("nonsmooth", "of v1")])
def test_an_identity_that_contradicts_an_authors_wording_says_so(name, whose):
    last = CLAIMS[f"{PREFIX}{name}"].statement.rpartition(". The wording ")[2]
    assert last.startswith(f"{whose}, that ") and last.endswith(" is refuted by this.")


@pytest.mark.parametrize("function", FLAT)
def test_a_curvature_that_is_zero_by_construction_is_no_evidence(function, tables):
    # |x| and Huber's function once stood among the functions whose sharpness is below the edge.
    tables[CYCLES] = tables[CYCLES].query("design == @function")
    for name in ("subquadratic", "window"):
        row = decide({f"{PREFIX}{name}": CLAIMS[f"{PREFIX}{name}"]}, tables)[0]
        assert row["verdict"] == "inconclusive" and row["gap"] == "no runs beyond the threshold"


def test_the_end_of_the_window_is_printed_of_every_function_that_has_one(tables):
    name = f"{PREFIX}window"
    table = decide({name: CLAIMS[name]}, tables)[0]["table"]
    assert set(table) == {"pseudo_huber", "log_cosh", "softplus_pair"}
    assert table["pseudo_huber"]["end"] == pytest.approx(0.95**-0.5)


def test_runs_that_end_before_the_bound_say_nothing(tables):
    tables[SEPARABLE] = tables[SEPARABLE].query("step_size == 64")
    name = f"{PREFIX}logistic_transition"
    row = decide({name: CLAIMS[name]}, tables)[0]
    assert row["verdict"] == "inconclusive" and row["gap"] == "no runs as long as that"


def test_where_the_loss_is_never_small_it_is_not_said_whether_it_rises(tables):
    change(tables[SEPARABLE], "objective", "step == step", lambda rows: 1.0 + 0.1 * (rows["step"] % 7))
    found = verdicts(tables)
    assert found[f"{PREFIX}logistic_stable"] == "inconclusive"
    assert found[f"{PREFIX}logistic_transition"] == "refuted"


def test_a_loss_that_underflows_to_zero_does_not_rise(tables):
    change(tables[SEPARABLE], "objective", f"step >= {LATE}", lambda rows: 0.0)
    assert verdicts(tables)[f"{PREFIX}logistic_stable"] == "supported"


def test_a_loss_that_never_rises_says_nothing_of_the_time_of_its_oscillations(tables):
    change(tables[SEPARABLE], "objective", f"step < {STEPS // 10}", lambda rows: rows["start_objective"])
    name = f"{PREFIX}logistic_transition"
    assert decide({name: CLAIMS[name]}, tables)[0]["gap"] == "no runs whose loss rises"
