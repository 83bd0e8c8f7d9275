"""The loop: every method against a NumPy loop, how runs end, what is recorded of them, and at which steps."""

import numpy as np
import pytest
import torch
from numpy_methods import Function, numpy_loop

from ndgm.engine.descent import Schedule, Target, descend
from ndgm.engine.methods import METHODS
from ndgm.engine.objectives.lasso import Lasso
from ndgm.engine.objectives.objective import Objective
from ndgm.theory.l1_paradox import stationarity_residual
from ndgm.theory.lasso import Quadratic, solve_lasso

MEANS = ["mean_l1_norm", "mean_squared_gradient_norm", "mean_inner_product"]


def random_problem(seed=0, samples=60, features=8):
    rng = np.random.default_rng(seed)
    Z = rng.standard_normal((samples, features))
    return Quadratic.from_data(Z, Z @ rng.standard_normal(features) + rng.standard_normal(samples))


def starts(runs, features, seed=1):
    return np.random.default_rng(seed).standard_normal((runs, features))


def run(problem, method, start, step_size, penalty, schedule, advanced=float, lowest=0.0, target=None):
    """`descend` on the LASSO, from arrays; `penalty` and `step_size` have shape (runs,)."""
    objective = Lasso(torch.tensor(problem.A), torch.tensor(problem.b), torch.tensor(penalty).unsqueeze(1))
    objective.lowest = lowest
    step_size = torch.tensor(step_size).unsqueeze(1)
    return descend(objective, METHODS[method], torch.tensor(start), step_size, schedule, advanced, target)


STEPS = 30
"""Few enough that the gap which Polyak's step divides is far above its rounding."""


@pytest.mark.parametrize("method", METHODS)
def test_recorded_rows_and_means_are_those_of_a_numpy_loop(method):
    problem, schedule = random_problem(), Schedule(STEPS, (0, 1, 7, 20, STEPS), 18)
    penalty, start = np.array([0.2, 0.7]) * problem.penalty_max, starts(2, problem.dimension)
    step_size = np.array([0.1, 0.05]) / problem.lipschitz
    fs = [Function(problem.A, problem.b, each) for each in penalty]
    for f, weights in zip(fs, solve_lasso(problem, penalty).weights, strict=True):
        f.lowest = f.value(weights)
    trace = run(problem, method, start, step_size, penalty, schedule, lowest=torch.tensor([f.lowest for f in fs]))
    assert trace.step.tolist() == [0, 1, 7, 20, STEPS]
    assert trace.stopped_because.tolist() == ["finished"] * 2 and trace.last_row.tolist() == [4, 4]
    for r, f in enumerate(fs):
        points, iterates = numpy_loop(method, f, start[r], step_size[r], STEPS)
        recorded = [[start[r], *iterates][step] for step in trace.step]
        expected = {
            "objective": [f.value(w) for w in recorded],
            "l1_norm": [np.abs(w).sum() for w in recorded],
            "squared_norm": [w @ w for w in recorded],
            "zeros": [(w == 0).sum() for w in recorded],
        }
        averaged = [(w, f.whole(w)) for w in points[18:]]
        means = np.mean([(np.abs(w).sum(), g @ g, w @ g) for w, g in averaged], 0)
        if METHODS[method].rests:
            means = np.full(3, np.nan)
        expected |= {name: [np.nan] * 4 + [mean] for name, mean in zip(MEANS, means, strict=True)}
        assert list(trace.measured) == list(expected)
        for name, values in expected.items():
            # Rounding: thirty steps, of which those of Polyak are no contraction.
            np.testing.assert_allclose(trace.measured[name][:, r], values, rtol=1e-9, atol=1e-11, err_msg=name)
        np.testing.assert_allclose(trace.iterates[r], iterates[-1], rtol=1e-9, atol=1e-10)


class Penalty(Objective):
    """‖w‖₁ with nothing but what every objective has."""

    def value(self, w):
        return w.abs().sum(1)

    def subgradient(self, w, averages=None):
        return w.sign()


@pytest.mark.parametrize("name", METHODS)
def test_a_method_that_asks_for_more_than_there_is_is_refused_before_the_first_step(name):
    objective, one = Penalty(), torch.ones(1, 1, dtype=torch.float64)
    missing = [asked for asked in METHODS[name].asks if asked not in ("value", "subgradient")]
    arguments = METHODS[name], one, 0.1 * one, Schedule.halving(4, 1)
    if not missing:
        assert descend(objective, *arguments).measured.keys() == {"objective"}
        return
    with pytest.raises(ValueError) as error:
        descend(objective, *arguments)
    assert str(error.value) == (
        f"{type(METHODS[name]).__name__} asks for {' and '.join(missing)}, which Penalty does not have"
    )


class Position(Penalty):
    """‖w‖₁ that records a view of the iterates."""

    def measure(self, w, before):
        return {"objective": self.value(w), "position": w[:, 0]}


def test_what_is_recorded_is_not_overwritten_by_later_steps():
    # A position that was a view of the iterates was that of the last step in every row.
    start = torch.full((2, 1), 5.0, dtype=torch.float64)
    step_size = torch.tensor([[1.0], [0.5]], dtype=torch.float64)
    trace = descend(Position(), METHODS["subgradient"], start, step_size, Schedule.even(3, 3))
    assert trace.measured["position"].T.tolist() == [[5, 4, 3, 2], [5, 4.5, 4, 3.5]]


def test_a_run_of_an_ensemble_is_the_run_alone():
    problem, schedule = random_problem(), Schedule.halving(64, 4)
    penalty = np.geomspace(0.1, 3, 6) * problem.penalty_max
    step_size = np.linspace(0.1, 1, 6) / problem.lipschitz
    start = starts(6, problem.dimension)
    together = run(problem, "ista", start, step_size, penalty, schedule)
    for r in range(6):
        alone = run(problem, "ista", start[[r]], step_size[[r]], penalty[[r]], schedule)
        for name, values in alone.measured.items():
            # A batched product is not bitwise its slices.
            np.testing.assert_allclose(together.measured[name][: len(values), r], values[:, 0], rtol=1e-12, atol=1e-14)


def test_the_start_is_left_alone():
    problem, start = random_problem(), torch.tensor(starts(1, 8))
    before, one = start.clone(), torch.ones(1, 1, dtype=torch.float64)
    for method in METHODS.values():
        objective = Lasso(torch.tensor(problem.A), torch.tensor(problem.b), one)
        objective.lowest = 0.0
        descend(objective, method, start, 0.01 * one, Schedule.halving(4, 1))
        assert torch.equal(start, before)


@pytest.mark.parametrize("method", ["subgradient", "ista"])
def test_a_step_beyond_two_over_the_lipschitz_constant_diverges_and_disturbs_no_other_run(method):
    problem, schedule = random_problem(), Schedule.halving(2_000, 5)
    penalty = np.full(3, 0.2 * problem.penalty_max)
    step_size = np.array([0.1, 3.0, 1.9]) / problem.lipschitz
    start = starts(3, problem.dimension)
    trace = run(problem, method, start, step_size, penalty, schedule)
    # The iterate doubles at every step, so its square overflows at step 512 or so: first seen at step 1,000.
    assert trace.stopped_because[1] == "diverged"
    assert trace.step[trace.last_row[1]] == 1_000
    assert not np.isfinite(trace.measured["objective"][trace.last_row[1], 1])
    assert np.isfinite(trace.measured["objective"][: trace.last_row[1], 1]).all()
    for values in trace.measured.values():
        assert np.isnan(values[trace.last_row[1] + 1 :, 1]).all()
    others = run(problem, method, start[[0, 2]], step_size[[0, 2]], penalty[:2], schedule)
    assert (trace.stopped_because[[0, 2]] == others.stopped_because).all()
    assert "diverged" not in others.stopped_because
    rows = len(others.step)
    for name, values in others.measured.items():
        np.testing.assert_allclose(trace.measured[name][:rows, [0, 2]], values, rtol=1e-9, atol=1e-12)


def test_a_run_that_diverges_at_the_last_step_has_no_means():
    # Sums of |w| were still finite where the objective no longer was, and a claim took them for a measurement.
    problem = random_problem()
    arguments = starts(1, 8), np.array([3 / problem.lipschitz]), np.array([0.2 * problem.penalty_max])
    trace = run(problem, "subgradient", *arguments, Schedule(600, (600,), 300))
    assert trace.stopped_because.tolist() == ["diverged"]
    assert np.isfinite(trace.measured["l1_norm"]).all()  # though not its square
    assert all(np.isnan(trace.measured[name]).all() for name in MEANS)


def test_means_have_a_column_even_if_every_run_stops_before_averaging_begins():
    # Without it the run table had no such column, and the claims that read it ended in a KeyError.
    problem = random_problem()
    arguments = starts(1, 8), np.array([3 / problem.lipschitz]), np.array([0.2 * problem.penalty_max])
    trace = run(problem, "subgradient", *arguments, Schedule(4_000, (1_000, 4_000), 2_000))
    assert trace.step.tolist() == [1_000] and trace.last_row.tolist() == [0]
    assert all(trace.measured[name].shape == (1, 1) and np.isnan(trace.measured[name]).all() for name in MEANS)


@pytest.mark.parametrize("method", ["ista", "fista"])
def test_a_proximal_method_converges_to_the_certified_solution(method):
    problem, schedule = random_problem(), Schedule.halving(100_000, 10)
    penalty = np.array([0.1, 0.5, 2.0]) * problem.penalty_max
    step_size = np.full(3, 1 / problem.lipschitz)
    told = []
    trace = run(problem, method, starts(3, problem.dimension), step_size, penalty, schedule, told.append)
    exact = solve_lasso(problem, penalty)
    assert (trace.stopped_because == "converged").all()
    assert trace.step[-1] < 100_000 and sum(told) == pytest.approx(3)
    ends = {name: values[trace.last_row, range(3)] for name, values in trace.measured.items()}
    np.testing.assert_allclose(ends["l1_norm"], exact.l1_norm, rtol=1e-12)
    np.testing.assert_array_equal(ends["zeros"], problem.dimension - exact.support.sum(1))
    assert all(np.isnan(ends[name]).all() for name in MEANS)


def test_a_proximal_run_that_still_moves_has_not_converged():
    problem = random_problem()
    step_size, penalty = np.array([1e-9 / problem.lipschitz]), np.array([0.1 * problem.penalty_max])
    trace = run(problem, "ista", starts(1, 8), step_size, penalty, Schedule.halving(100, 3))
    assert trace.stopped_because.tolist() == ["finished"]


def quadratics(step_sizes, steps, target):
    """Descent on w²/2 from 1, where w = (1 − η)ᵏ after k steps; every step is recorded."""
    told = []
    one = np.ones(len(step_sizes))
    schedule = Schedule(steps, tuple(range(steps + 1)), steps)
    arguments = np.ones((len(one), 1)), np.array(step_sizes), 0 * one, schedule
    trace = run(Quadratic(np.eye(1), np.zeros(1), 1.0), "subgradient", *arguments, told.append, target=target)
    assert sum(told) == pytest.approx(len(one))
    return trace


def test_runs_stop_at_the_first_recorded_step_at_which_they_reach_their_target():
    # w²/2 is below 1e-3 from the step at which (1 − η)ᵏ < .0447 on: 5 steps at η = .5, 2 at .8, and at .5 for 1e-2: 3.
    trace = quadratics([0.5, 0.8, 0.5, 2.5, 1e-3], 8, Target(np.array([1e-3, 1e-3, 1e-2, 1e-3, 1e-3])))
    assert trace.stopped_because.tolist() == ["reached"] * 3 + ["finished"] * 2
    assert trace.step[trace.last_row].tolist() == [5, 2, 3, 8, 8] and len(trace.step) == 9
    assert np.isnan(trace.measured["objective"][4:, 2]).all()
    # The loop ends with the last of them.
    trace = quadratics([0.5, 0.8], 1_000, Target(np.full(2, 1e-3)))
    assert trace.step.tolist() == [0, 1, 2, 3, 4, 5]


def test_a_race_is_over_when_all_runs_of_one_entry_have_reached_their_targets():
    entry = np.array([0, 1, 2, 0, 1, 2])
    trace = quadratics([0.8, 0.5, 3.1, 1e-3, 0.6, 3.1], 900, Target(np.full(6, 1e-3), entry))
    # Of entry 0 one run is there first and one is nowhere near; entry 1 is there at step 5; entry 2 escapes.
    expected = ["reached", "reached", "overtaken", "overtaken", "reached", "overtaken"]
    assert trace.stopped_because.tolist() == expected and trace.step[-1] == 5
    assert trace.step[trace.last_row].tolist() == [2, 5, 5, 5, 4, 5]


def test_a_run_that_diverges_loses_the_race_for_its_entry():
    trace = quadratics([0.8, 1e200, 0.5, 0.5], 9, Target(np.full(4, 1e-3), np.array([0, 0, 1, 1])))
    assert trace.stopped_because.tolist() == ["reached", "diverged", "reached", "reached"]


def test_progress_adds_up_to_the_runs():
    told = []
    problem = random_problem()
    schedule = Schedule.halving(100, 4)
    run(problem, "subgradient", starts(1, 8), np.array([0.01]), np.array([1.0]), schedule, told.append)
    assert told == [0.12, 0.13, 0.25, 0.25, 0.25]


def test_the_start_is_recorded_where_asked_for():
    problem, penalty, start = random_problem(), np.array([1.0]), starts(1, 8)
    trace = run(problem, "subgradient", start, np.array([0.01]), penalty, Schedule(5, (0, 2, 5), 4))
    assert trace.step.tolist() == [0, 2, 5]
    w = start[0]
    assert trace.measured["objective"][0, 0] == pytest.approx(
        w @ problem.A @ w / 2 - problem.b @ w + np.abs(w).sum(), rel=1e-12
    )


@pytest.mark.parametrize("steps", [200, 5_001])
def test_stationarity_identity_of_a_trace(steps):
    problem = random_problem()
    penalty = np.array([0.1, 0.9, 1.0, 5.0]) * problem.penalty_max
    step_size = np.array([0.02, 0.1, 0.5, 1.0]) / problem.lipschitz
    trace = run(problem, "subgradient", starts(4, 8), step_size, penalty, Schedule.halving(steps, 2))
    l1_norm, squared_subgradient, inner_product = (trace.measured[name][-1] for name in MEANS)
    terms = {
        "penalty": penalty,
        "step_size": step_size,
        "l1_norm": l1_norm,
        "squared_subgradient": squared_subgradient,
        "squared_norm_decrease": -np.diff(trace.measured["squared_norm"], axis=0)[-1] / np.diff(trace.step)[-1],
    }
    residual = stationarity_residual(**terms, inner_product=inner_product - penalty * l1_norm)
    assert (residual < 1e-10).all()


def test_floor_of_the_absolute_value():
    # On λ|w| the iterate alternates between w and w − ηλ, whatever its phase: over a period the mean is ηλ/2.
    step_size, penalty = np.array([0.1, 0.003]), np.array([1.0, 7.0])
    problem = Quadratic(np.zeros((3, 3)), np.zeros(3), 1.0)
    start = starts(2, 3) / 10
    trace = run(problem, "subgradient", start, step_size, penalty, Schedule(4_000, (4_000,), 2_000))
    np.testing.assert_allclose(trace.measured["mean_l1_norm"][-1], 3 * step_size * penalty / 2, rtol=1e-9)


def test_floor_of_a_tilted_absolute_value():
    # On λ|w| − bw each step turns the circle (−η(λ − b), η(λ + b)) by an irrational angle, so that the mean is
    # (ηλ/2)(1 + b²/λ²), up to O(log T/T) for quadratic irrationals.
    b, penalty, step_size = np.sqrt(2) / 3, np.array([1.0]), np.array([0.05])
    problem = Quadratic(np.zeros((1, 1)), np.array([b]), 1.0)
    trace = run(problem, "subgradient", np.array([[0.3]]), step_size, penalty, Schedule(20_000, (20_000,), 10_000))
    assert trace.measured["mean_l1_norm"][-1] == pytest.approx(0.025 * (1 + b**2), rel=1e-3)


@pytest.mark.parametrize(
    ("steps", "count", "recorded"),
    [(20_000, 4, (2_500, 5_000, 10_000, 15_000, 20_000)), (5, 12, (1, 2, 4, 5)), (1, 3, (1,)), (8, 1, (6, 8))],
)
def test_halving(steps, count, recorded):
    schedule = Schedule.halving(steps, count)
    average_from = recorded[-2] if steps > 1 else 0
    assert (schedule.steps, schedule.recorded, schedule.average_from) == (steps, recorded, average_from)


def test_geometric_recording():
    assert Schedule.geometric(1_000, 4) == Schedule(1_000, (1, 10, 100, 1_000), 750)
    assert Schedule.geometric(4, 30).recorded == (1, 2, 3, 4)
    assert Schedule.geometric(7, 1) == Schedule(7, (1, 7), 6)


@pytest.mark.parametrize(
    ("steps", "count", "recorded"), [(10, 5, (0, 2, 4, 6, 8, 10)), (10, 1, (0, 10)), (9, 4, (0, 2, 4, 7, 9))]
)
def test_even(steps, count, recorded):
    assert Schedule.even(steps, count) == Schedule(steps, recorded, 0)
