"""Methods above the largest penalty on random designs: units, and what they keep against plain loops."""

import numpy as np
import pytest

from ndgm.experiments.l1_paradox_designs import drawn
from ndgm.pipeline.jobs import JOBS

TABLES = [
    each.table for job in JOBS.values() for each in job.experiments if each.function == "l1_paradox_floors.floors"
]


@pytest.fixture(scope="module")
def tables(smoke):
    return {name: smoke.experiment(name) for name in TABLES}


@pytest.mark.parametrize("name", TABLES)
def test_a_row_for_every_family_method_design_step_and_penalty(name, smoke, tables):
    settings, table = smoke.settings(name), tables[name]
    cells = [settings[key] for key in ("chosen", "methods", "step_sizes_times_lipschitz")]
    count = settings["seeds"] * settings["penalties_over_max"]["count"] * np.prod([len(values) for values in cells])
    assert len(table) == count and list(table["run"]) == list(range(count)) and not table["single_case"].any()
    assert table["stationary"].all() and (table["stopped_because"] == "finished").all()
    assert (table["penalty_over_max"] > 1).all()


@pytest.mark.parametrize("name", TABLES)
def test_every_method_moves_as_far_as_the_subgradient_method_at_the_largest_penalty(name, smoke, tables):
    settings, table = smoke.settings(name), tables[name]
    for family in settings["chosen"]:
        problems = [each for part in drawn(settings, family, [2.0]) for each in part.problems]
        rows = table[table["design"] == family]
        curvature = np.array([each.lipschitz for each in problems])
        largest = np.array([each.penalty_max for each in problems])
        np.testing.assert_allclose(rows["penalty"], rows["penalty_over_max"] * largest[rows["seed"]], rtol=1e-12)
        # One that divides by the gradient moves by its step, whatever the penalty is; momentum of 0.9 adds up to ten.
        normalises = rows["method"].str.startswith(("rmsprop", "adam"))
        moves = rows["step_size"] * np.where(normalises, 1 / largest[rows["seed"]], 1)
        moves *= np.where(rows["method"] == "heavy_ball", 10, 1)
        np.testing.assert_allclose(moves * curvature[rows["seed"]], rows["step_size_times_lipschitz"], rtol=1e-12)


def loop(problem, row, move, steps, start):
    """‖w‖₁ of a plain loop: mean over the second half of the steps, and at the end."""
    w, total = start, 0.0
    for k in range(steps):
        if k >= steps // 2:
            total += np.abs(w).sum()
        w = w + move(problem.A @ w - problem.b + row["penalty"] * np.sign(w), k)
    return total / (steps - steps // 2), np.abs(w).sum()


def moves_of(method, step_size, steps):
    """How a method moves, written from its source; with what it remembers."""
    memory = {"v": 0.0, "m": 0.0}

    def heavy_ball(g, k):
        memory["v"] = 0.9 * memory["v"] + g
        return -step_size * memory["v"]

    def rmsprop(g, k):
        memory["v"] = 0.99 * memory["v"] + 0.01 * g**2
        return -step_size * g / (np.sqrt(memory["v"]) + 1e-8)

    def adam(g, k):
        memory["m"] = 0.9 * memory["m"] + 0.1 * g
        memory["v"] = 0.999 * memory["v"] + 0.001 * g**2
        corrected = memory["v"] / (1 - 0.999 ** (k + 1))
        return -step_size * memory["m"] / (1 - 0.9 ** (k + 1)) / (np.sqrt(corrected) + 1e-8)

    return {
        "subgradient": lambda g, k: -step_size * g,
        "subgradient_sqrt": lambda g, k: -step_size * g / np.sqrt(max(k - steps // 2 + 1, 1)),
        "heavy_ball": heavy_ball,
        "rmsprop_0.99": rmsprop,
        "adam": adam,
    }[method]


@pytest.mark.parametrize(
    ("method", "value", "tolerance"),
    [
        ("subgradient", "mean_l1_norm", 0.02),
        # Starts lead to other cycles, and the last iterate of a step that decays has a phase of its own.
        ("heavy_ball", "mean_l1_norm", 0.5),
        ("subgradient_sqrt", "l1_norm", 0.6),
        ("rmsprop_0.99", "mean_l1_norm", 0.02),
        ("adam", "mean_l1_norm", 0.5),
    ],
)
def test_norms_are_those_of_a_plain_loop(method, value, tolerance, smoke, tables):
    name = next(name for name in TABLES if method in smoke.settings(name)["methods"])
    settings, table = smoke.settings(name), tables[name]
    rows = table[(table["design"] == "sparse") & (table["method"] == method)]
    rows = rows[rows["penalty_over_max"] == rows["penalty_over_max"].max()].set_index("seed")
    (part,) = drawn(settings, "sparse", [2.0])
    steps = settings["steps"] if method == "subgradient_sqrt" else 16_000
    found = []
    for seed, row in rows.iterrows():
        problem = part.problems[seed]
        length = row["step_size_times_lipschitz"] / problem.lipschitz * row["penalty"]
        start = length * np.sin(1.0 + np.arange(problem.dimension))
        found.append(loop(problem, row, moves_of(method, row["step_size"], steps), steps, start)[value == "l1_norm"])
    assert rows[value].mean() == pytest.approx(np.mean(found), rel=tolerance)


def test_means_with_momentum_may_differ_by_more(smoke):
    # Else they would be looked for until the steps are used up, for they wander between cycles.
    told = {"chosen": ["sparse"], "methods": ["heavy_ball"], "first_steps": 512, "most_steps": 16_384}
    loose, strict = (
        smoke.experiment("l1_paradox_floors", norm_tolerance_with_momentum=share, **told)["step"].max()
        for share in (0.5, 0.001)
    )
    assert loose < strict


def test_the_first_order_of_rmsprop_is_half_a_step_for_each_weight_far_above(smoke):
    far = {"low": 1e4, "high": 1e5, "count": 2}
    table = smoke.experiment("adaptive_floors", methods=["rmsprop_0.99", "subgradient"], penalties_over_max=far)
    assert table.loc[table["method"] == "subgradient", "first_order_l1_norm"].isna().all()
    table = table[table["method"] == "rmsprop_0.99"]
    np.testing.assert_allclose(table["first_order_l1_norm"], table["step_size"] / 2 * table["dimension"], rtol=1e-7)
    np.testing.assert_allclose(table["mean_l1_norm"], table["first_order_l1_norm"], rtol=0.02)
