"""Norms of layers against the penalty, on curves by hand."""

import numpy as np
import pandas as pd
import pytest

from ndgm.claims.rows.network_norms import at_penalty, ends_in, layers, lowest, noise_curve, rising
from ndgm.decide.statistics import MissingValue


def curve(values, penalties, design="minibatch"):
    index = pd.MultiIndex.from_product([[design], penalties, [0]], names=["design", "penalty", "seed"])
    return pd.Series(values, index, dtype=float)


def test_the_lowest_point_is_the_vertex_of_a_parabola_on_log_axes():
    penalties = np.geomspace(0.01, 1, 7)
    height = np.exp(np.log(penalties / 0.07) ** 2)
    assert lowest(curve(height, penalties)).item() == pytest.approx(0.07, rel=1e-9)
    with pytest.raises(MissingValue, match="end of the grid"):
        lowest(curve(penalties, penalties))


def test_noise_and_penalty_by_hand():
    runs = (
        curve([1.0, 1.0], [0.1, 0.4]).to_frame("x").assign(step_size=0.2, weights_1=10, mean_gradient_variance_1=0.04)
    )
    np.testing.assert_allclose(noise_curve(runs, 1), [10 * 0.1 * (0.1 + 0.4), 10 * 0.1 * (0.4 + 0.1)])
    assert layers(runs) == [1]


def test_ends_of_a_method_in_some_sweeps():
    rows = [
        ("adam", "minibatch", 10, 2.0),
        ("adam", "minibatch", 5, 1.0),
        ("adam", "gelu", 10, 3.0),
        ("sign", "gelu", 10, 4),
    ]
    runs = pd.DataFrame(rows, columns=["method", "design", "step", "norm"]).sort_values(["method", "design", "step"])
    runs = runs.assign(run=[0, 1, 1, 2], penalty=0.1, seed=0, stopped_because="finished")
    assert ends_in(runs, "adam", ["minibatch"])["norm"].to_dict() == {("minibatch", 0.1, 0): 2.0}


def test_one_penalty_and_those_that_rise():
    values = curve([1, 2, 3], [0.01, 0.1 * (1 - 1e-12), 1])
    assert at_penalty(values, 0.1).tolist() == [2] and rising(values.to_frame("x"))["x"].tolist() == [2, 3]
    with pytest.raises(MissingValue, match="no runs at the penalty 0.5"):
        at_penalty(values, 0.5)
