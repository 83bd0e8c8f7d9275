"""Tables behind the pictures: curves begin at x₀ and follow their mean; regions are those of a trained network."""

import numpy as np
import pytest

from ndgm.experiments import subspace_attack_pictures
from ndgm.experiments.subspace_attack_pictures import BEHIND, curves, regions


def test_curves_begin_at_the_point_and_cross_zero_where_the_mean_does(smoke):
    table = "subspace_attack_curves"
    found = curves(smoke.settings(table), smoke.inputs(table))
    for _, curve in found.groupby("units"):
        start = curve.iloc[0]
        assert start["distance"] == 0 and start["output"] == pytest.approx(start["predicted_output"])
        assert start["output"] > 0
        crossing = np.interp(0, -curve["predicted_output"], curve["distance"])
        assert crossing == pytest.approx(curve["distance"].iloc[-1] / BEHIND, rel=0.02)
        assert (curve["output"] - curve["predicted_output"]).abs().max() < start["output"]


def test_regions_have_the_points_on_their_sides_once_there_is_a_margin(smoke):
    table = "subspace_attack_regions"
    told = smoke.settings(table)
    longer = told | {"seven_points": told["seven_points"] | {"factors": [1.0], "steps": 9000, "recorded_steps": 9}}
    found = regions(longer | {"across": 25}, smoke.inputs(table))
    on_line = found[np.isclose(found["first_axis"], found["second_axis"])].sort_values("first_axis")
    points = np.linspace(-1, 1, 7)
    outputs = np.interp(points, on_line["first_axis"], on_line["output"])
    labels = np.where(np.arange(7) % 2, 1, -1)
    assert (np.sign(outputs[[0, 3, 6]]) == labels[[0, 3, 6]]).all()  # those that lie on the grid


def test_regions_take_all_steps_whatever_the_number_of_looks(smoke, monkeypatch):
    """With 1,000 steps and 600 looks only 600 steps were taken."""
    taken = []
    descend = subspace_attack_pictures.descend
    monkeypatch.setattr(
        subspace_attack_pictures,
        "descend",
        lambda *arguments: taken.append(arguments[-1].steps) or descend(*arguments),
    )
    asked = smoke.settings("subspace_attack_regions")
    changed = {"seven_points": asked["seven_points"] | {"steps": 100, "recorded_steps": 60}, "across": 3}
    regions(asked | changed, smoke.inputs("subspace_attack_regions"))
    assert sum(taken) == 100
