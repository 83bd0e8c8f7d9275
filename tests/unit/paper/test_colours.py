"""Colours and markers: distinct for every reader, and there for every method."""

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.lines import Line2D

from ndgm.engine.methods import METHODS
from ndgm.paper.colours import COLOURS, MARKERS

# Machado, Oliveira and Fernandes (2009), severity 1: linear RGB as people without red or green cones see it.
VISIONS = {
    "trichromat": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
}
FROM_RGB = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def lab(colour, vision):
    """CIE 1976 L*a*b* of an sRGB colour."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = FROM_RGB @ np.clip(np.asarray(vision) @ linear, 0, 1) / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(colour):
    """Luminance of the paper over that of a colour, in the definition of the Web Content Accessibility Guidelines."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return 1.05 / (FROM_RGB[1] @ linear + 0.05)


@pytest.mark.parametrize("vision", VISIONS)
def test_everyone_can_tell_methods_apart(vision):
    colours = {colour: method for method, colour in COLOURS.items()}
    for a, b in itertools.combinations(colours, 2):
        distance = np.linalg.norm(lab(a, VISIONS[vision]) - lab(b, VISIONS[vision]))
        # 2.3 is just noticeable; small marks want several times that.
        assert distance > 12, f"{colours[a]} and {colours[b]} look alike"


@pytest.mark.parametrize("vision", VISIONS)
def test_a_spare_colour_is_that_of_no_other_method(vision):
    for spare, colour in itertools.product(COLOURS.spare, set(COLOURS.values())):
        assert np.linalg.norm(lab(spare, VISIONS[vision]) - lab(colour, VISIONS[vision])) > 10, (spare, colour)


@pytest.mark.parametrize("method", [*METHODS, "added_tomorrow"])
def test_every_method_can_be_drawn(method):
    assert contrast(COLOURS[method]) > 1.7, "too pale for paper"
    assert MARKERS[method] in Line2D.filled_markers


def test_methods_with_and_without_an_entry_are_drawn_differently():
    known = {(COLOURS[method], MARKERS[method]) for method in COLOURS}
    assert not known & set(itertools.product(COLOURS.spare, MARKERS.spare))
    assert COLOURS.keys() - {"prediction"} == MARKERS.keys()


def test_a_method_without_an_entry_keeps_its_looks():
    # CRC-32 of "123456789" is 0xCBF43926, the check value of its catalogues; divided by 6 and by 7 it leaves 2 and 5.
    check = 0xCBF43926
    assert COLOURS["123456789"] == COLOURS.spare[check % 6]
    assert MARKERS["123456789"] == MARKERS.spare[check % 7]
    assert "123456789" not in COLOURS


def test_all_pairs_of_spare_looks_come_up():
    names = [f"method_{number}" for number in range(2000)]
    assert len({(COLOURS[name], MARKERS[name]) for name in names}) == 42
