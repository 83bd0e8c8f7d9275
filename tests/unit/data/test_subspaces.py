"""Samples in a subspace, against scikit-learn's principal components."""

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from ndgm.data.subspaces import halves_of_digits, zero_padded


def test_inputs_are_the_principal_components_of_the_subset():
    found = halves_of_digits(np.random.default_rng(0), samples=300, components=20)
    table = load_digits()
    rows = np.random.default_rng(0).permutation(1797)[:300]
    expected = PCA(20, svd_solver="full").fit_transform(table.data[rows])
    expected /= expected.std()
    signs = np.sign((expected * found.inputs).sum(0))
    np.testing.assert_allclose(found.inputs, signs * expected, atol=1e-9)
    np.testing.assert_array_equal(found.targets[:, 0] > 0, table.target[rows] >= 5)
    assert set(found.targets.ravel()) == {-1.0, 1.0} and found.fits()
    assert found.inputs.mean() == pytest.approx(0, abs=1e-12) and found.inputs.std() == pytest.approx(1)


def test_padded_inputs_lie_in_the_first_coordinates_with_the_mean_norm_of_a_gaussian():
    inputs = np.random.default_rng(1).standard_normal((50, 10))
    padded = zero_padded(inputs, 4, 30)
    assert padded.shape == (50, 30) and not padded[:, 4:].any()
    assert np.linalg.norm(padded, axis=1).mean() == pytest.approx(np.sqrt(30))
    np.testing.assert_allclose(padded[:, :4] / inputs[:, :4], padded[0, 0] / inputs[0, 0])
