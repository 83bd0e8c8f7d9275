"""Networks that start from several gains: what the runs of a seed share."""

import numpy as np
import torch

from ndgm.experiments.weight_initialization_training import start

TABLE = "weight_initialization_training"


def test_gains_scale_the_hidden_layers_of_one_draw(smoke):
    settings, widths = smoke.settings(TABLE), (64, 8, 8, 10)
    small, large = (start(settings, widths, 3, gain) for gain in (1.0, 9.0))
    hidden = 65 * 8 + 9 * 8
    np.testing.assert_allclose(large[:hidden], 3 * small[:hidden], rtol=1e-15)
    np.testing.assert_array_equal(large[hidden:], small[hidden:])
    weights = small[hidden:].reshape(9, 10)[:-1]
    # A variance of 1/8 in the last layer, within five standard errors of 80 of them.
    assert abs(8 * np.square(weights).mean() - 1) < 5 * np.sqrt(2 / 80)


def test_runs_of_a_seed_start_and_learn_alike(smoke):
    plan = smoke.experiment(TABLE)
    assert {"sigmoid", "relu", "gelu", "silu"} == set(plan.runs["activation"])
    for part in plan.ensembles(500):
        problem = plan.build(part)
        problem.objective.draw()
        rows = problem.objective.batches.rows
        for _, alike in part.reset_index(drop=True).groupby("seed"):
            first = problem.start[alike.index[0]]
            gain = torch.tensor(np.sqrt(alike["gain"] / alike["gain"].iloc[0]).to_numpy())
            # The first weight of the first layer.
            torch.testing.assert_close(problem.start[alike.index, 0], (gain * first[0]).float(), rtol=1e-6, atol=0)
            assert (rows[alike.index] == rows[alike.index[0]]).all()
        assert len({tuple(row.tolist()) for row in rows}) == part["seed"].nunique()
        assert problem.schedule.recorded == (problem.schedule.steps,)


def test_every_activation_has_its_gains_depths_and_steps(smoke):
    plan, settings = smoke.experiment(TABLE), smoke.settings(TABLE)
    for name, arm in settings["activations"].items():
        runs = plan.runs[plan.runs["activation"] == name]
        assert list(runs["initialization"].unique()) == [str(gain) for gain in arm["gains"]]
        assert list(runs["hidden_layers"].unique()) == arm["hidden_layers"]
        assert set(runs["step_size"]) == {arm["step_size"]}
    sigmoid = plan.runs[plan.runs["activation"] == "sigmoid"].groupby("initialization")["gain"].first()
    np.testing.assert_allclose(sigmoid["formula"], 12.8, rtol=1e-12)
    assert sigmoid["critical"] > sigmoid["40.0"]


def test_what_is_recorded_is_loss_and_accuracy(smoke):
    plan = smoke.experiment(TABLE)
    part = next(plan.ensembles(4))
    problem = plan.build(part)
    assert set(problem.objective.measure(problem.start, problem.start)) == {"objective", "accuracy"}
