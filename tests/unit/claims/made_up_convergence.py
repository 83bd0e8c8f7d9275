"""Run tables of the convex experiments on convergence, made up to obey the laws of their claims."""

import numpy as np
import pandas as pd
from claims_on_made_up_tables import STEPS, near_one, with_two_rows

from ndgm.experiments.grids import grid

DIAL, SMOOTHING, CURES = "convergence_kink_dial", "convergence_smoothing", "convergence_cures"
WORST, CERTIFIED = "convergence_worst_cases", "convergence_certificates"

SEEDS = 14
LIPSCHITZ = {"a": 4.0, "b": 0.5}
GAP = {  # at the end, of a sharp problem
    "subgradient": 0.05,
    "averaged": 0.02,
    "subgradient_inverse_sqrt": 0.01,
    "subgradient_geometric": 1e-7,
    "polyak": 1e-14,
}
ROUNDED = "width_over_critical > 0"
DECAYING = f"method == 'subgradient_geometric' and step > {STEPS // 2}"
RECORDED = pd.DataFrame({"step": [1, 5, 10, 20, 50, 100, 200, 400, 500, 1000, 1250, 1500, 1750, STEPS]})


def kink_dial_table(rng):
    """A floor of 0.3c²η where there is a kink; convergence at a rate ∝ η, also half way, where there is none."""
    runs = grid(
        experiment=[DIAL],
        design=["a", "b"],
        step_size_times_lipschitz=[0.02, 0.05, 0.1, 0.2],
        kink=[0.0, 0.3, 1.0],
        seed=range(SEEDS),
    )
    runs["step_size"] = runs["step_size_times_lipschitz"] / runs["design"].map(LIPSCHITZ)
    floor = 0.3 * runs["kink"] ** 2 * runs["step_size"]
    at_half, gap = (
        floor.where(runs["kink"] > 0, 0.1 * np.exp(-rate * runs["step_size_times_lipschitz"]))
        * near_one(rng, runs, 0.03)
        for rate in (30, 60)
    )
    return with_two_rows(runs, {"objective": at_half}, {"objective": gap, "mean_objective": gap})


def smoothing_table(rng):
    """Convergence above the critical width; below it gradients as large as the penalty, and E|x| = ηM/2."""
    factors = {"step_size_times_lipschitz": [0.05, 0.2], "width_over_critical": [0.5, 0.9, 1.1, 2.0], "seed": range(5)}
    absolute = grid(design=["absolute value"], penalty=[2.0], **factors)
    lasso = grid(design=["a", "b"], penalty=[0.1, 30.0], **factors)
    runs = pd.concat([absolute, lasso], ignore_index=True).assign(run=lambda table: table.index, experiment=SMOOTHING)
    runs["step_size"] = runs["step_size_times_lipschitz"] / runs["design"].map(LIPSCHITZ).fillna(1.0)
    runs["width"] = runs["width_over_critical"] * runs["step_size"] * runs["penalty"] / 2
    above = runs["width_over_critical"] > 1
    gradient = runs["penalty"] ** 2 * np.where(above, 1e-12, rng.uniform(0.3, 1, len(runs)))
    norm = (runs["step_size"] * runs["penalty"] / 2).where(~above, 1e-9) * near_one(rng, runs, 0.001)
    return with_two_rows(runs, {"objective": 7.0}, {"mean_squared_gradient_norm": gradient, "mean_l1_norm": norm})


def cures_table(rng):
    """Gaps of each method.

    Polyak's step loses a decade in 50 steps until rounding stops it, descent on the rounded kink one in 40 until it is
    at the solution itself; the geometric step holds its gap for the first half, and loses six decades in the second, as
    its step does.
    """
    factors = {"design": ["a", "b"], "step_size": [0.1], "seed": range(SEEDS)}
    sharp = grid(method=list(GAP), width_over_critical=[0.0], **factors)
    rounded = grid(method=["subgradient"], width_over_critical=[2.0], **factors)
    runs = pd.concat([sharp, rounded], ignore_index=True).assign(run=lambda table: table.index, experiment=CURES)
    end = runs["method"].map(GAP) * rng.lognormal(0, 0.3, len(runs))
    table = runs.assign(end=end).merge(RECORDED, how="cross")
    decaying = 6 * (1 - (table["step"] - STEPS // 2).clip(lower=0) / (STEPS // 2))
    gaps = {
        "polyak": np.maximum(10 ** (-0.02 * table["step"]), table["end"]) * near_one(rng, table, 0.1),
        "subgradient_geometric": table["end"] * 10**decaying * near_one(rng, table, 0.1),
    }
    table["objective"] = table["end"].where(table["step"] == STEPS, 7.0)
    for method, gap in gaps.items():
        table["objective"] = gap.where(table["method"] == method, table["objective"])
    linear = (10 ** (-table["step"] / 40) * near_one(rng, table, 0.1)).where(table["step"] < STEPS // 2, 0.0)
    table["objective"] = linear.where(table["width_over_critical"] > 0, table["objective"])
    return table.drop(columns="end").assign(stopped_because="finished")


def worst_case_tables(rng):
    """Runs below their certified worst cases, which the resisting oracle attains; and the two smooth worst functions.

    The best iterate is the last but one, and the last is a little above the bound of the best.
    """
    counts, rules = [1, 3, 8], ["constant", "linearly_decaying"]
    certificates = grid(rule=rules, criterion=["best", "last", "average"], steps=counts)
    bound = certificates["criterion"].map({"best": 1.0, "last": 1.3, "average": 1.2})
    certificates["worst_case"] = bound / np.sqrt(certificates["steps"] + 1)
    certificates = certificates.drop(columns="run").assign(experiment=CERTIFIED)

    methods = {"constant": ["subgradient", "averaged"], "linearly_decaying": ["subgradient_linear", "averaged_linear"]}
    both = [
        grid(rule=[rule], steps=counts, method=methods[rule], design=[design], seed=range(seeds))
        for rule in rules
        for design, seeds in {"largest of linear functions": 5, "resisting oracle": 1}.items()
    ]
    smooth = ["rounded absolute value", "quadratic"]
    both.append(
        grid(rule=["smooth"], steps=counts, method=["subgradient"], design=smooth, seed=[0], step_size=[0.5, 1.0, 1.5])
    )
    runs = pd.concat(both, ignore_index=True).assign(run=lambda table: table.index, experiment=WORST, lowest=0.0)
    resisting = runs["design"] == "resisting oracle"
    runs.loc[resisting, "lowest"] = -1 / np.sqrt(runs["steps"] + 1)
    gap = rng.uniform(0.1, 0.9, len(runs)) / np.sqrt(runs["steps"] + 1)

    before = runs.assign(step=runs["steps"] - 1, objective=gap.where(~resisting, 0.0))
    last = before.assign(step=runs["steps"])
    plain = (last["design"] == "largest of linear functions") & ~last["method"].str.startswith("averaged")
    last.loc[plain, "objective"] = 1.1 / np.sqrt(last["steps"] + 1)
    count, step = runs["steps"], runs["step_size"]
    worst = {"rounded absolute value": 1 / (4 * count * step + 2), "quadratic": (1 - step) ** (2 * count) / 2}
    for design, value in worst.items():
        last.loc[runs["design"] == design, "objective"] = value
    start = before[before["step"] > 0].assign(step=0, objective=9.0)
    table = pd.concat([start, before, last]).sort_values(["run", "step"], ignore_index=True)
    return {WORST: table.assign(stopped_because="finished"), CERTIFIED: certificates}


def lawful():
    """Run tables that obey every law, but for a little noise, by experiment."""
    rng = np.random.default_rng(0)
    return {
        DIAL: kink_dial_table(rng),
        SMOOTHING: smoothing_table(rng),
        CURES: cures_table(rng),
        **worst_case_tables(rng),
    }
