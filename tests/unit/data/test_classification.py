"""Two classes of samples, held against scikit-learn's tables and against principal components by their definition."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_digits

from ndgm.data.classification import breast_cancer, two_classes, zeros_and_eights

RNG = np.random.default_rng(0)  # where nothing is drawn


def inputs_and_labels(data):
    labels = data.signed[:, -1]
    return data.signed[:, :-1] * labels[:, None], labels


def pictures():
    """Pictures of a 0 or an 8 without constant pixels, and whether they are an 8."""
    inputs, classes = load_digits(return_X_y=True)
    chosen = np.isin(classes, [0, 8])
    return inputs[chosen][:, inputs[chosen].std(0) > 0], classes[chosen] == 8


TABLES = {
    "breast_cancer": (breast_cancer, load_breast_cancer(return_X_y=True)),
    "digits": (zeros_and_eights, pictures()),
}


@pytest.mark.parametrize(("make", "table"), TABLES.values(), ids=TABLES)
def test_tables_are_standardised_and_their_labels_are_signs(make, table):
    inputs, labels = inputs_and_labels(make(RNG))
    np.testing.assert_array_equal(labels, np.where(table[1], 1.0, -1.0))
    np.testing.assert_allclose(inputs, (table[0] - table[0].mean(0)) / table[0].std(0), atol=1e-12)


@pytest.mark.parametrize(("make", "table"), TABLES.values(), ids=TABLES)
def test_components_are_the_directions_of_largest_variance(make, table):
    whole, labels = inputs_and_labels(make(RNG))
    reduced, again = inputs_and_labels(make(RNG, components=2))
    np.testing.assert_array_equal(labels, again)
    np.testing.assert_allclose(reduced.T @ reduced / len(reduced), np.eye(2), atol=1e-12)
    np.testing.assert_allclose(reduced.mean(0), 0, atol=1e-13)
    scatter = whole.T @ whole / len(whole)
    for place, component in enumerate(reduced.T):
        direction = whole.T @ component
        direction /= np.linalg.norm(direction)
        assert direction @ scatter @ direction == pytest.approx(np.linalg.eigvalsh(scatter)[-1 - place], rel=1e-12)


def test_generated_classes():
    sizes = {"samples": 40, "features": 3}
    right, wrong, again = (
        two_classes(np.random.default_rng(6), **sizes, wrong=share).signed for share in (0.0, 0.25, 0.25)
    )
    assert right.shape == (40, 4) and (right[:, -1] * wrong[:, -1] == -1).sum() == 10
    np.testing.assert_array_equal(np.abs(right), np.abs(wrong))
    np.testing.assert_array_equal(wrong, again)
    # Without wrong labels some plane has all of each class on its side.
    inputs, labels = inputs_and_labels(two_classes(np.random.default_rng(6), samples=2_000, features=1, wrong=0.0))
    assert len(np.unique(np.sign(inputs[:, 0]) * labels)) == 1
