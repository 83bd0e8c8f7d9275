"""How soon runs reach a target and with which step size, against tables whose answers are counted by hand."""

import numpy as np
import pandas as pd
import pytest

from ndgm.decide.steps_to_target import best_steps, steps_to_share, steps_to_target

RECORDED = [0, 1, 10, 100]


def table(runs):
    """A run table with the objectives of each run at the recorded steps; a run with fewer of them has diverged.

    Args:
        runs: Factors and objectives of each run.
    """
    parts = []
    for run, (factors, objectives) in enumerate(runs):
        reason = "finished" if len(objectives) == len(RECORDED) else "diverged"
        rows = {"run": run, "step": RECORDED[: len(objectives)], "objective": objectives, "stopped_because": reason}
        parts.append(pd.DataFrame({**factors, **rows, "target": 0.5}))
    return pd.concat(parts, ignore_index=True)


def over_steps(curves, **factors):
    """A run for each objective curve of each step size; the seeds of a step size are its curves in turn."""
    return table(
        [
            ({"step_size": step_size, "seed": seed, **factors}, objectives)
            for step_size, seeds in curves.items()
            for seed, objectives in enumerate(seeds)
        ]
    )


@pytest.mark.parametrize(
    ("objectives", "expected"),
    [
        # From 0.5 · 10² at step 1 to 0.5 · 10⁻¹ at step 10 by a third of a decade a step.
        ([90, 50, 0.05, 0.05], 7),
        ([9, 0.9, 0.5, 0.5], 10),
        ([0.5, 9, 9, 9], 0),
        ([0.4, 9, 9, 0.3], 0),
        ([9, 50, 50, 0.05], 70),
        # It rises again: the first time counts.
        ([5, 0.05, 9, 0.3], 0.5),
        # A loss that is not finite for a while is as large as any.
        ([9, np.inf, 0.5, 0.4], 10),
        ([9, 9, 9, 0.500001], np.inf),
        ([9, 9, np.nan], np.inf),
        ([9, 0.1, np.inf], np.inf),
        ([9, 0.1, np.nan], np.inf),
    ],
)
def test_steps_to_target(objectives, expected):
    other = [9, 9, 0.5, 0.2]
    found = steps_to_target(table([({}, other), ({}, objectives), ({}, other)]))
    assert found.to_dict() == pytest.approx({0: 10, 1: expected, 2: 10})


def test_each_run_has_its_own_target_and_the_column_is_the_callers():
    runs = table([({}, [8, 4, 2, 1])] * 2)
    runs["target"] = runs["run"].map({0: 4, 1: 1.5})
    runs["stricter"] = runs["target"] / 2
    assert steps_to_target(runs).to_dict() == pytest.approx({0: 1, 1: 10 + 90 * np.log2(2 / 1.5)})
    assert steps_to_target(runs, "stricter").to_dict() == pytest.approx({0: 10, 1: np.inf})


def test_rows_in_any_order_and_runs_of_any_number():
    runs = table([({}, [9, 0.5, 0.3, 0.2]), ({}, [9, 9, 9, 0.5])])
    runs["run"] = runs["run"].map({0: 7, 1: 3})
    shuffled = runs.sample(frac=1, random_state=np.random.default_rng(0))
    assert steps_to_target(shuffled).to_dict() == {7: 1, 3: 100}


SLOW, MIDDLE, FAST = [9, 9, 9, 0.4], [9, 9, 0.4, 0.4], [9, 0.4, 0.4, 0.4]


def never(objective):
    return [9, 9, 9, objective]


@pytest.mark.parametrize(
    ("curves", "expected"),
    [
        ({0.1: [SLOW], 0.2: [MIDDLE], 0.4: [FAST], 0.8: [MIDDLE]}, 0.4),
        # The smaller of two that are as good, though the other ends lower.
        ({0.1: [SLOW], 0.2: [MIDDLE], 0.4: [[9, 9, 0.4, 0.0]], 0.8: [SLOW]}, 0.2),
        ({0.8: [SLOW], 0.4: [MIDDLE], 0.2: [MIDDLE], 0.1: [SLOW]}, 0.2),
        # The last of the seeds counts: 100 of (1, 1, 100), 10 of (10, 10, 10).
        ({0.1: [SLOW] * 3, 0.2: [FAST, FAST, SLOW], 0.4: [MIDDLE] * 3, 0.8: [SLOW] * 3}, 0.4),
        # Of those whose last one is as soon, the median, not the smaller step size.
        ({0.1: [SLOW] * 3, 0.2: [FAST, SLOW, SLOW], 0.4: [FAST, FAST, SLOW], 0.8: [SLOW] * 3}, 0.4),
        # One seed that misses the target, or that diverges, also after it was there: such a step size does not count.
        (
            {0.1: [SLOW] * 3, 0.2: [FAST, FAST, never(9)], 0.4: [FAST, FAST, [9, 0.1, np.nan]], 0.8: [[9, np.inf]] * 3},
            0.1,
        ),
        ({0.1: [SLOW] * 3, 0.2: [MIDDLE] * 3, 0.4: [[9, 0.1, np.nan]] * 3, 0.8: [[9, np.inf]] * 3}, 0.2),
        # A target that is reached late beats any objective that misses it.
        ({0.1: [never(0.6)], 0.2: [SLOW], 0.4: [never(0.51)]}, 0.2),
    ],
)
def test_best_step(curves, expected):
    best = best_steps(over_steps(curves, problem="one"), ["problem"])
    assert best.to_dict("index") == {
        "one": {"step_size": expected, "at_edge": expected == min(curves), "all_reach": True}
    }


@pytest.mark.parametrize(
    ("curves", "expected"),
    [
        # The fewest seeds that miss it, however soon the others are there.
        ({0.1: [SLOW, never(9), never(9)], 0.2: [SLOW, SLOW, never(99)], 0.4: [FAST, never(0.6), never(0.6)]}, 0.2),
        # Of as few, the smallest median objective at the end, not the smallest mean or the smallest before.
        ({0.1: [never(5)] * 3, 0.2: [never(4)] * 3, 0.4: [never(6)] * 3}, 0.2),
        ({0.1: [never(5)] * 3, 0.2: [never(4), never(4), never(99)], 0.4: [never(0.6), never(6), never(6)]}, 0.2),
        ({0.1: [never(4)], 0.2: [never(3)], 0.4: [[0.7, 0.7, 0.7, 5]]}, 0.2),
        ({0.1: [never(4)], 0.2: [never(3)], 0.4: [never(3)], 0.8: [never(5)]}, 0.2),
        # What a diverged run had before does not count.
        ({0.1: [never(4)] * 3, 0.2: [never(3)] * 3, 0.4: [[0.6, 0.6, np.nan]] * 3}, 0.2),
    ],
)
def test_where_no_step_size_takes_all_seeds_to_the_target_none_counts(curves, expected):
    best = best_steps(over_steps(curves, problem="one"), ["problem"]).loc["one"]
    assert best["step_size"] == expected and not best["all_reach"]


@pytest.mark.parametrize(("fastest", "at_edge"), [(0, True), (1, False), (2, False), (3, True)])
def test_a_best_step_at_an_end_of_the_grid_is_said(fastest, at_edge):
    steps = [0.8, 0.1, 0.4, 0.2]
    order = sorted(steps)
    curves = {step: [FAST if step == order[fastest] else SLOW] for step in steps}
    best = best_steps(over_steps(curves, problem="one"), ["problem"])
    assert best.loc["one", "step_size"] == order[fastest] and best.loc["one", "at_edge"] == at_edge


def test_every_combination_has_a_best_step_of_its_own():
    curves = {
        ("a", "relu"): {0.1: [FAST], 0.2: [SLOW], 0.4: [SLOW]},
        ("a", "tanh"): {0.1: [SLOW], 0.2: [FAST], 0.4: [SLOW]},
        ("b", "relu"): {0.1: [SLOW], 0.2: [SLOW], 0.4: [FAST]},
        ("b", "tanh"): {0.1: [never(3)], 0.2: [never(2)], 0.4: [never(4)]},
    }
    parts = [over_steps(one, problem=problem, activation=name) for (problem, name), one in curves.items()]
    runs = pd.concat(parts, keys=range(4), names=["part"]).reset_index("part")
    runs["run"] += 3 * runs["part"]
    best = best_steps(runs, ["problem", "activation"])
    assert best.index.names == ["problem", "activation"]
    assert best["step_size"].to_dict() == dict(zip(curves, [0.1, 0.2, 0.4, 0.2], strict=True))
    assert best["at_edge"].to_dict() == dict(zip(curves, [True, False, True, False], strict=True))
    assert best["all_reach"].to_dict() == dict(zip(curves, [True, True, True, False], strict=True))


def test_the_table_is_not_changed():
    runs = over_steps({0.1: [SLOW], 0.2: [[9, np.nan]]}, problem="one")
    before = runs.copy()
    best_steps(runs, ["problem"])
    pd.testing.assert_frame_equal(runs, before)


@pytest.mark.parametrize(
    ("objectives", "expected"),
    [
        # From 1 at step 1 to 10⁻⁹ at step 10 by one decade a step: 10⁻² of the first 10 lies at step 2.
        ([10, 1, 1e-9, 1e-9], 2),
        ([10, 0.1, 1e-9, 1e-9], 1),
        ([10, 1, 1, 1], np.nan),
        ([10, 1, 0, 0], np.nan),
        ([10, 1], np.nan),
    ],
)
def test_steps_to_a_share_are_interpolated_on_a_log_scale(objectives, expected):
    found = steps_to_share(table([({}, objectives), ({}, [1, 1e-3, 1e-3, 1e-3])]), 1e-2)
    if objectives[-1] == 0:  # as if it were the smallest number that there is
        assert 1 < found[0] < 1.1
    else:
        np.testing.assert_allclose(found[0], expected)
    np.testing.assert_allclose(found[1], 2 / 3)
