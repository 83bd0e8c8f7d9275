"""Labels of lines, against SciPy's isotonic regression."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.optimize import isotonic_regression

from ndgm.paper.labels import APART, LineLabels


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_labels_are_as_near_to_their_points_as_isotonic_regression_puts_them(count):
    figure, axes = plt.subplots()
    axes.set(ylim=(0, 1))
    for heights in np.random.default_rng(count).uniform(0.4, 0.6, (20, count)).round(2):
        labels = LineLabels([axes.annotate("", (0, y), (3, 0), textcoords="offset points") for y in heights])
        labels.keep_apart(axes)
        at = axes.transData.transform(np.column_stack([heights, heights]))[:, 1] * 72 / figure.dpi
        moved = at + [label.xyann[1] for label in labels]
        order = np.argsort(at, kind="stable")
        slots = APART * np.arange(count)
        np.testing.assert_allclose(moved[order] - slots, isotonic_regression(at[order] - slots).x, atol=0.0051)
        assert (np.diff(moved[order]) > APART - 0.011).all()
    plt.close(figure)
