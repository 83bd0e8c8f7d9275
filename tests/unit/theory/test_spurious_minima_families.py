"""Symmetric points in few coordinates, against the matrices that they stand for and their dense Hessians."""

from collections import Counter
from functools import partial

import numpy as np
import pytest

from ndgm.theory.spurious_minima import gradient, hessian, loss
from ndgm.theory.spurious_minima_families import Symmetric
from ndgm.theory.spurious_minima_search import FAMILIES, minimum

SHAPES = {
    "S_k": lambda k: Symmetric(k, (-0.8, 0.3)),
    "S_k-1": lambda k: Symmetric(k, (0.9, -0.03, 0.3), ((0.2, -0.6),)),
    "S_k-1, one neuron more": lambda k: Symmetric(k, (0.9, -0.03, 0.3), ((0.2, -0.6), (0.3, 0.7))),
}
every_shape = pytest.mark.parametrize("shape", SHAPES)


@every_shape
@pytest.mark.parametrize("k", [5, 6, 7, 11])
def test_loss_and_gradient_are_those_of_the_matrix(shape, k):
    point = SHAPES[shape](k)
    w, g = point.matrix(), gradient(point.matrix(), np.eye(k))
    np.testing.assert_allclose(point.loss(), loss(w, np.eye(k)), atol=1e-14)
    # A coordinate's place in W, found by moving it.
    for number, found in enumerate(point.gradient()):
        moved = point.at(point.coordinates + np.eye(len(point.coordinates))[number]).matrix() != w
        np.testing.assert_allclose(g[moved], found, atol=2e-15)


POINTS = {f"{name}, k = {k}": partial(shape, k) for name, shape in SHAPES.items() for k in (6, 7, 11)} | {
    family: partial(minimum, family, 7) for family in FAMILIES
}


@pytest.mark.parametrize("made", POINTS.values(), ids=POINTS)
def test_the_spectrum_is_that_of_the_dense_hessian(made):
    point = made()
    dense = np.linalg.eigvalsh(hessian(point.matrix(), np.eye(point.teacher)))
    reduced = [value for value, times in point.spectrum() for _ in range(round(times))]
    np.testing.assert_allclose(reduced, dense, atol=1e-12)


@pytest.mark.parametrize("k", [7, 10])
def test_multiplicities_are_those_of_the_representations(k):
    of_all = Counter({1: 2, k - 1: 3, k * (k - 3) // 2: 1, (k - 1) * (k - 2) // 2: 1})
    of_all_but_one = Counter({1: 5, k - 2: 5, (k - 1) * (k - 4) // 2: 1, (k - 2) * (k - 3) // 2: 1})
    for family, expected in {"A": of_all, "I": of_all_but_one, "II": of_all_but_one}.items():
        assert Counter(round(times) for _, times in minimum(family, k).spectrum()) == expected, family


@every_shape
def test_the_block_of_symmetric_points_is_the_derivative_of_their_gradient(shape):
    point, step = SHAPES[shape](6.4), 1e-6
    for number, column in enumerate(point.blocks().trivial.T):
        move = step * np.eye(len(point.coordinates))[number]
        slope = point.at(point.coordinates + move).gradient() - point.at(point.coordinates - move).gradient()
        np.testing.assert_allclose(column, slope / (2 * step), atol=1e-8)


@every_shape
def test_between_whole_k_nothing_jumps(shape):
    # Sums over k terms are polynomials in k: the third difference of a smooth function over 1e-3 is tiny.
    losses = [SHAPES[shape](7 + step * 1e-3).loss() for step in range(-1, 3)]
    assert abs(np.diff(losses, 3)[0]) < 1e-9


def test_a_point_says_what_it_cannot_be():
    with pytest.raises(ValueError, match="from k = 5 on, got 4"):
        Symmetric(4, (1.0, 0.0))
    with pytest.raises(ValueError, match="odd neurons need a last coordinate"):
        Symmetric(6, (1.0, 0.0), ((0.0, 1.0),))
    with pytest.raises(ValueError, match="no matrix has 6.5 columns"):
        Symmetric(6.5, (1.0, 0.0)).matrix()
