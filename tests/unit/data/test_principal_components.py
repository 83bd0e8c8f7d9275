"""Principal components beside scikit-learn's."""

import numpy as np
from sklearn.decomposition import PCA

from ndgm.data.principal_components import principal_components


def test_components_are_those_of_scikit_learn_up_to_their_signs():
    samples = np.random.default_rng(0).standard_normal((40, 7)) @ np.diag([5, 4, 3, 2, 1, 0.5, 0.1])
    centred = samples - samples.mean(0)
    left, values = principal_components(centred)
    reference = PCA(svd_solver="full").fit(samples)
    np.testing.assert_allclose(values, reference.singular_values_, rtol=1e-12)
    np.testing.assert_allclose(np.abs(left * values), np.abs(reference.transform(samples)), rtol=1e-9, atol=1e-12)


def test_each_component_grows_with_its_largest_column():
    samples = np.random.default_rng(1).standard_normal((30, 4))
    centred = samples - samples.mean(0)
    for signs in (1, -1):  # the sign that the decomposition happens to choose does not count
        left, values = principal_components(signs * centred)
        loadings = left.T @ (signs * centred) / values[:, np.newaxis]
        largest = np.abs(loadings).argmax(1)
        assert (loadings[np.arange(4), largest] > 0).all()
