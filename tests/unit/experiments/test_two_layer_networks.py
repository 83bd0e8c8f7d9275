"""Starts of two-layer networks, and points on a sphere."""

import numpy as np
import pandas as pd
import pytest
import torch

from ndgm.experiments.two_layer_networks import mirrored_start, points_on_a_sphere, two_layer

SETTINGS = {"root_seed": 1, "device": "cpu", "preactivations_at_once": 320}


def test_a_start_is_standard_normal_and_comes_in_halves():
    start = mirrored_start(1, range(5), 3, 2_000).reshape(5, 3, 2_000)
    np.testing.assert_array_equal(start[..., :1_000], start[..., 1_000:])
    assert start.std() == pytest.approx(1, rel=5 * np.sqrt(0.5 / (start.size / 2)))
    assert len(np.unique(start[:, 0, 0])) == 5


def test_a_start_is_that_of_its_seed_alone_and_of_its_size():
    both = mirrored_start(1, [3, 4], 2, 8)
    np.testing.assert_array_equal(mirrored_start(1, [4], 2, 8)[0], both[1])
    assert mirrored_start(2, [4], 2, 8)[0, 0] != both[1, 0]
    assert not np.isin(mirrored_start(1, [4], 2, 6), both).any()


def test_points_have_length_one_and_labels_of_one():
    x, y = points_on_a_sphere(SETTINGS, 30, 7, seed=0)
    np.testing.assert_allclose(np.linalg.norm(x, axis=1), 1, rtol=1e-14)
    assert set(y) == {-1.0, 1.0}
    assert (points_on_a_sphere(SETTINGS, 30, 7, seed=1)[0] != x).all()


def test_a_network_starts_as_zero():
    rows = pd.DataFrame({"units": 10, "activation": "relu", "seed": [0, 1, 2]})
    x, y = points_on_a_sphere(SETTINGS, 6, 4, seed=0)
    loss, start = two_layer(SETTINGS, rows, x, y)
    torch.testing.assert_close(loss.value(start), torch.full((3,), 3.0), rtol=1e-13, atol=0)
    assert loss.runs_at_once == 5
