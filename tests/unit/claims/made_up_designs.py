"""Made-up tables of runs on random designs that obey the law of the rounded LASSO, and ones without a signal."""

import numpy as np
import pandas as pd

from ndgm.experiments.grids import grid

CASES = ["real", "and another"]
FAMILIES, STEPS_TIMES_LIPSCHITZ, DESIGNS = ["a", "b"], [0.02, 0.1, 0.3], 10
LOCKED = 0.9
"""Penalty over λ_max at which phases lock."""
ERROR = {0.02: 0.00004, 0.1: 0.001, 0.3: 0.009}
"""What is left of the law to second order, which grows as the square of the step."""
FLOOR_STEPS = 800
"""Steps of runs above λ_max: a step that decays as 1/√k for the last half of them is a twentieth at the end."""
WRONG = {"wrong_by_strip": 0, "wrong_below_1e-2": 4, "wrong_below_1e-3": 6, "wrong_below_1e-4": 9}


def designs_table(rng):
    """Two families and two single cases at two steps, at one penalty below λ_max, one with locked phases, one above."""
    runs = pd.concat([_runs("l1_paradox_designs", [0.3, LOCKED, 2.0]), _cases([0.3, LOCKED, 2.0])], ignore_index=True)
    runs["run"] = runs.index
    step, locked = runs["step_size_times_lipschitz"], runs["penalty_over_max"] == LOCKED
    law = rng.uniform(1, 2, len(runs))
    off = np.where(locked, -0.1, step.map(ERROR)) * rng.uniform(0.9, 1.1, len(runs))
    return runs.assign(
        dimension=30,
        strip=5,
        means_relax=True,
        law_l1_norm=law / (1 + 0.2 * step),
        law_second_order_l1_norm=law,
        law_strip_l1_norm=0.5 * law,
        floor_formula_l1_norm=1.05 * law,
        exact_l1_norm=0.6 * law,
        phase_discrepancy=np.where(locked, 0.4, 0.01),
        net_phase_discrepancy=np.where(locked, 0.3, 0.005),
        mean_l1_norm=law * (1 + off),
        strip_l1_norm=0.5 * law * (1 + off),
        strip_mean_error=rng.uniform(0.01, 0.1, len(runs)),
        largest_mean_error=rng.uniform(0.1, 0.4, len(runs)),
        exact_zeros=np.where(runs["penalty_over_max"] > 1, 30, 15),
        **{name: count + rng.integers(0, 2, len(runs)) for name, count in WRONG.items()},
    )


def floors_table(experiment, methods, penalties_over_max, norm):
    """Norms above λ_max that a function gives of runs, and as much at the end; each design has its own noise."""
    grids = [_runs(experiment, penalties_over_max).assign(method=method) for method in methods]
    runs = pd.concat(grids, ignore_index=True)
    runs = runs[runs["step_size_times_lipschitz"] == STEPS_TIMES_LIPSCHITZ[0]].reset_index(drop=True)
    runs = runs.assign(run=runs.index, dimension=30, step=FLOOR_STEPS)
    kept = norm(runs)
    return runs.assign(l1_norm=kept, mean_l1_norm=kept)


def turns_table(rng, penalties, turn):
    """A norm that falls up to a penalty that was predicted, and rises from there."""
    runs = _runs("l1_paradox_turns", penalties).assign(law_turning_point_over_max=turn)
    norm = 1 + np.abs(np.log(runs["penalty_over_max"] / turn)) + 0.01 * rng.uniform(-1, 1, len(runs))
    return runs.assign(mean_l1_norm=norm)


def _cases(penalties_over_max):
    runs = _runs("l1_paradox_designs", penalties_over_max, CASES).assign(single_case=True)
    return runs[runs["seed"] == 0]


def _runs(experiment, penalties_over_max, designs=FAMILIES):
    runs = grid(
        experiment=[experiment],
        design=designs,
        method=["subgradient"],
        step_size_times_lipschitz=STEPS_TIMES_LIPSCHITZ,
        seed=range(DESIGNS),
        penalty_over_max=penalties_over_max,
    )
    runs["step_size"] = runs["step_size_times_lipschitz"] / 4
    runs = runs.assign(penalty=runs["penalty_over_max"], step=2_048, single_case=False)
    return runs.assign(stationary=True, stopped_because="finished")


def _with_errors(table, error, rng):
    """Norms off the law to second order by errors of random sign."""
    law = table["law_second_order_l1_norm"]
    table["mean_l1_norm"] = law * (1 + rng.choice([-1, 1], len(table)) * error)


def errors_of_the_margin(table, rng):
    """The law is off by about its margin, one way or the other."""
    _with_errors(table, 0.03 * rng.lognormal(0, 0.5, len(table)), rng)


def errors_of_the_power(table, rng):
    """What is left grows as the step to the power 1.5, more or less."""
    _with_errors(table, 0.1 * table["step_size_times_lipschitz"] ** 1.5 * rng.lognormal(0, 1, len(table)), rng)


def errors_of_any_power(table, rng):
    """What is left to first order grows with the step, by chance little or much."""
    error = 0.1 * table["step_size_times_lipschitz"] * rng.lognormal(0, 1, len(table))
    table["mean_l1_norm"] = table["law_l1_norm"] * (1 + error)


def errors_alike(table, rng):
    """Both predictions that are compared are off by as much."""
    for name in ("law_l1_norm", "law_second_order_l1_norm", "floor_formula_l1_norm"):
        table[name] = table["mean_l1_norm"] * (1 + 0.02 * rng.standard_normal(len(table)))


def strips_at_random(table, rng):
    """Norms of the strip of any size."""
    table["strip_l1_norm"] *= rng.uniform(0.6, 1.4, len(table))


def counts_at_random(table, rng):
    """Supports that are as wrong by every rule."""
    for name in WRONG:
        table[name] = rng.integers(0, 10, len(table))


def strips_that_tell_or_do_not(table, rng):
    """Supports that the strip tells without a mistake, or with several."""
    table["wrong_by_strip"] = 3 * rng.integers(0, 2, len(table))


NO_SIGNAL = {
    "l1_paradox_law_fails": errors_of_the_margin,
    "l1_paradox_law_square": errors_of_the_power,
    "l1_paradox_law_linear": errors_of_any_power,
    "l1_paradox_law_second_order": errors_alike,
    "l1_paradox_law_and_floor": errors_alike,
    "l1_paradox_law_strip": strips_at_random,
    "l1_paradox_support": counts_at_random,
    "l1_paradox_strip_zeros": strips_that_tell_or_do_not,
}
"""By claim, what takes the signal out of a table; for the others it is a random norm."""


def off_by(predicted, error):
    """A value for `change`: norms that are off a prediction by this share."""
    return lambda rows: rows[predicted] * (1 + error)


def without_some(table: pd.DataFrame, design: str) -> pd.DataFrame:
    """A table in which the means of two runs on a design had not settled."""
    return table.assign(stationary=~table["run"].isin(table.loc[table["design"] == design, "run"].head(2)))
