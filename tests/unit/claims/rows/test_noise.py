"""Which rows of noisy runs are taken, on tables by hand."""

import numpy as np
import pandas as pd
import pytest

from ndgm.claims.rows.noise import of_one_weight, with_batches
from ndgm.decide.statistics import MissingValue


@pytest.fixture
def weights():
    """One weight without curvature, and with so much that its gradient is less than its tilt, at two sizes of noise."""
    rows = [(tilt, curvature, noise) for tilt in (0.6, 0.7) for curvature in (0.0, 0.01) for noise in (0.5, 2.0)]
    table = pd.DataFrame(rows, columns=["tilt", "step_size_times_lipschitz", "noise"]) * [1, 1, 3]
    table = table.assign(run=table.index, seed=0, step=9, step_size=2.0, penalty=3.0, mean_weight=10.0)
    return table.assign(method="subgradient", design="one weight", stopped_because="finished")


def test_the_gradient_is_that_at_the_mean(weights):
    taken = of_one_weight(weights, most_noise=0.5)
    # −b·λ without curvature, and a curvature of 0.005 lifts it by 0.05.
    np.testing.assert_allclose(taken["gradient"], [-1.8, -1.75])
    assert taken.index.names == ["tilt", "step_size_times_lipschitz", "noise", "seed"]


def test_steep_gradients_and_strong_curvature_are_left_out(weights):
    # ηLσ²/λ² = 0.04 at twice the penalty, and 0.0025 at half.
    assert list(of_one_weight(weights)["run"]) == [0, 1, 2]
    assert list(of_one_weight(weights, least_noise=2.0)["run"]) == [1]
    with pytest.raises(MissingValue, match="no runs with such noise"):
        of_one_weight(weights, least_noise=3.0)
    with pytest.raises(MissingValue, match="no runs with so weak a curvature"):
        of_one_weight(weights[weights["run"] == 3])


def test_ends_of_mini_batches_with_so_much_noise_are_left_out():
    table = pd.DataFrame({"penalty_over_noise": [0.4, 0.5, 0.5, 0.4], "step": [5, 5, 9, 9], "run": [0, 1, 1, 0]})
    table = table.assign(noise=1.0, penalty=table["penalty_over_noise"], step_size_times_lipschitz=0.001, seed=0)
    table = table.assign(design="a", batch_size=1, stopped_because="finished")
    taken = with_batches(table)
    assert list(taken["run"]) == [1] and list(taken["step"]) == [9]
