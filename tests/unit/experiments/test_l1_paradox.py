"""The LASSO: penalties in units of the smallest one whose solution is zero, steps in units of 1/L."""

import numpy as np
import pytest
import torch

from ndgm.pipeline.jobs import JOBS


@pytest.mark.parametrize("part", ["gaussian", "diabetes_quadratic"])
@pytest.mark.parametrize("table", [each.table for each in JOBS["train_l1_paradox"].experiments])
def test_units(smoke, table, part):
    experiment = smoke.experiment(table, part)
    data, runs = smoke.inputs(table, part).samples["l1_paradox"][part], experiment.runs
    correlation = np.abs(data.design.T @ data.target).max() / len(data.target)
    np.testing.assert_allclose(runs["penalty"] / runs["penalty_over_max"], correlation, rtol=1e-12)
    curvature = np.linalg.norm(data.design, 2) ** 2 / len(data.target)
    # The heavy-ball method with a momentum of 0.9 moves ten times as far as its step in the long run.
    moves = runs["step_size"] * np.where(runs["method"] == "heavy_ball", 10, 1)
    np.testing.assert_allclose(runs["step_size_times_lipschitz"] / moves, curvature, rtol=1e-12)


def test_what_is_minimised_is_the_lasso_of_the_data(smoke):
    experiment = smoke.experiment("l1_paradox_lasso", "gaussian")
    data = smoke.inputs("l1_paradox_lasso", "gaussian").samples["l1_paradox"]["gaussian"]
    part = experiment.runs[experiment.runs["method"] == "ista"].head(8)
    problem = experiment.build(part)
    w = problem.start
    residual = torch.tensor(data.target) - w @ torch.tensor(data.design).T
    penalty = torch.tensor(part["penalty"].to_numpy())
    # But for ½yᵀy/n, which does not depend on w.
    expected = residual.square().mean(1) / 2 + penalty * w.abs().sum(1)
    zero = problem.objective.measure(0 * w, w)["objective"] - (data.target**2).mean() / 2
    found = problem.objective.measure(w, w)["objective"] - zero
    np.testing.assert_allclose(found, expected, rtol=1e-12)
