"""Mini-batch noise: its size is measured by drawing batches, and runs of one seed see the same ones."""

import numpy as np
import pytest
import torch

from ndgm.data.kinds import Regression
from ndgm.data.regression import without_signal
from ndgm.experiments.l1_paradox_noise import noise
from ndgm.store.files import InputError


def test_noise_is_the_deviation_of_mini_batch_gradients(smoke):
    experiment = smoke.experiment("l1_paradox_noise", "gaussian")
    data = without_signal(smoke.inputs("l1_paradox_noise", "gaussian").samples["l1_paradox"]["gaussian"])
    rng = np.random.default_rng(0)
    for size, part in experiment.runs.groupby("batch_size"):
        rows = rng.integers(len(data.target), size=(40_000, size))
        # At w = 0 a batch's gradient is −mean(y·z); its mean over all batches is zero, because nothing correlates.
        gradients = -(data.target[rows][..., None] * data.design[rows]).mean(1)
        deviations = np.sqrt(gradients.var(0))
        # As far as 40,000 batches tell each weight's deviation: five standard errors, with room for heavy tails.
        spread = 1 + 10 / np.sqrt(40_000)
        assert deviations.min() / spread <= part["noise"].iloc[0] <= deviations.max() * spread
        np.testing.assert_allclose(part["penalty"], part["penalty_over_noise"] * part["noise"], rtol=1e-15)


def test_runs_of_one_seed_see_the_same_batches_and_start_within_the_floor(smoke):
    experiment = smoke.experiment("l1_paradox_noise", "gaussian")
    part = next(experiment.ensembles(10**6))
    problem = experiment.build(part)
    problem.objective.draw()
    gradients = problem.objective.subgradient(torch.zeros_like(problem.start))  # sign(0) = 0: no penalty in it
    for _, rows in part.reset_index(drop=True).groupby("seed"):
        assert (gradients[rows.index] == gradients[rows.index[0]]).all()
    first = part.reset_index(drop=True).groupby("seed").head(1).index
    assert len(torch.unique(gradients[first], dim=0)) == part["seed"].nunique()
    # Means are over nine tenths of the steps, and the row at which they begin is recorded.
    schedule = problem.schedule
    assert schedule.recorded == (schedule.steps // 10, schedule.steps) and schedule.average_from == schedule.steps // 10
    lengths = problem.start.norm(dim=1).numpy() / (part["step_size"] * part["noise"]).to_numpy()
    assert ((lengths > 0.5) & (lengths < 2)).all()  # Gaussian of about unit length, in steps


def test_a_design_that_leaves_no_noise_is_named(smoke):
    inputs, settings = smoke.inputs("l1_paradox_noise", "gaussian"), smoke.settings("l1_paradox_noise", "gaussian")
    inputs.samples["l1_paradox"]["gaussian"] = Regression(np.eye(5, 40), np.arange(5.0))
    with pytest.raises(InputError, match="^samples.l1_paradox.gaussian: 40 features fit 5 samples exactly"):
        noise(settings, inputs)
