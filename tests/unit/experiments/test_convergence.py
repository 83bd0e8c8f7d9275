"""Convex problems with a kink: what their runs are predicted to do, and where they start."""

import numpy as np
import pytest
import torch

from ndgm.engine.descent import Schedule
from ndgm.experiments.convergence import QUADRATIC, RANDOM, RESISTING, ROUNDED, evenly_and_geometric, worst_case
from ndgm.pipeline.jobs import JOBS


def test_steps_are_in_units_of_the_largest_eigenvalue_of_the_design(smoke):
    for table in (each.table for each in JOBS["train_convergence"].experiments):
        runs = smoke.experiment(table).runs
        if "step_size_times_lipschitz" not in runs:
            continue
        for name, part in runs[runs["design"] != "absolute value"].groupby("design"):
            design = smoke.inputs(table).samples["l1_paradox"][name].design
            # The largest singular value of Z, squared, over n.
            lipschitz = np.linalg.norm(design, 2) ** 2 / len(design)
            np.testing.assert_allclose(part["step_size"] * lipschitz, part["step_size_times_lipschitz"], rtol=1e-12)


def test_the_dial_scales_the_start_with_the_kink(smoke):
    experiment = smoke.experiment("convergence_kink_dial", kinks=[0.0, 0.1, 2.0])
    part = experiment.runs[experiment.runs["step_size"] == experiment.runs["step_size"].iloc[0]]
    starts = experiment.build(part).start
    of_kink = {kink: starts[np.flatnonzero(part["kink"] == kink)] for kink in (0.0, 0.1, 2.0)}
    np.testing.assert_allclose(of_kink[2.0], 2 * of_kink[0.0], rtol=1e-15)
    np.testing.assert_allclose(of_kink[0.1], 0.1 * of_kink[0.0], rtol=1e-15)


def test_descent_on_a_rounded_kink_settles_just_above_the_critical_width(smoke):
    # On |x| rounded off over δ the curvature within is 1/δ: x ← (1 − η/δ)x contracts if and only if η < 2δ.
    runs = smoke.experiment("convergence_smoothing").runs
    rounded = runs[runs["design"] == "absolute value"]
    settles = np.abs(1 - rounded["step_size"] / rounded["width"]) < 1
    np.testing.assert_array_equal(settles, rounded["width_over_critical"] > 1)
    assert settles.any() and not settles.all()


def test_cures_start_from_a_problem_that_can_be_fitted(smoke):
    experiment = smoke.experiment("convergence_cures")
    part = next(experiment.ensembles(300))
    problem = experiment.build(part)
    design = torch.tensor(smoke.inputs("convergence_cures").samples["l1_paradox"]["gaussian"].design)
    truth = torch.linalg.lstsq(design, problem.objective.target.reshape(-1, 1)).solution.T
    at_truth = problem.objective.measure(truth.expand(len(part), -1), problem.start)["objective"]
    assert at_truth.max() < 1e-12 < problem.objective.measure(problem.start, problem.start)["objective"].min()


@pytest.mark.parametrize(("steps", "count"), [(2000, 10), (20000, 40)])
def test_what_is_recorded_evenly_and_on_a_log_scale(steps, count):
    schedule = evenly_and_geometric(steps, count)
    assert set(range(steps // count, steps + 1, steps // count)) <= set(schedule.recorded)
    assert set(Schedule.geometric(steps, count).recorded) <= set(schedule.recorded)
    assert list(schedule.recorded) == sorted(set(schedule.recorded)) and schedule.recorded[-1] == steps
    assert schedule.average_from == steps - steps // count


def test_worst_cases_start_at_a_distance_1_of_a_minimiser_and_have_slopes_of_1(smoke):
    experiment = smoke.experiment("convergence_worst_cases")
    settings = smoke.settings("convergence_worst_cases")
    seen = set()
    for part in experiment.ensembles(300):
        name, steps = part["design"].iloc[0], int(part["steps"].iloc[0])
        objective, start = worst_case(part, settings)
        slopes = objective.subgradient(start).norm(dim=1)
        if name == RESISTING:
            # Its minimiser is −(1, …, 1)/√(N+1) of length 1, where each coordinate, and so the largest, is the lowest.
            lowest = objective.measure(torch.full_like(start, -1 / np.sqrt(steps + 1)), start)["objective"]
            np.testing.assert_allclose(lowest, part["lowest"], rtol=1e-14)
            np.testing.assert_allclose(part["lowest"], -1 / np.sqrt(steps + 1), rtol=1e-14)
        else:
            np.testing.assert_allclose(start.norm(dim=1), 1, rtol=1e-14)
            assert (part["lowest"] == 0).all()
            assert objective.measure(0 * start, start)["objective"].abs().max() == 0
        assert (slopes <= 1 + 1e-14).all()
        seen.add(name)
    assert seen == {RESISTING, RANDOM, ROUNDED, QUADRATIC}
