"""The population loss in closed form, against sampling, autograd, mpmath, Hessians by hand and published points."""

import mpmath
import numpy as np
import pytest
import torch

from ndgm.theory.spurious_minima import (
    Pairs,
    global_spectrum,
    gradient,
    hessian,
    kink_curvature,
    loss,
    split,
    split_curvature,
    split_direction,
)
from ndgm.theory.spurious_minima_families import PUBLISHED
from ndgm.theory.spurious_minima_search import minimum

TEACHER = np.eye(4)[:3]
SHARES = [0.5, 0.3, 0.05]


@pytest.fixture
def students():
    """Two students of five neurons each."""
    return np.random.default_rng(0).standard_normal((2, 5, 4))


def in_torch(w):
    """The loss as one would write it, with the arc cosine; without angles of neurons to themselves."""
    w, v = w.reshape(-1, 4), torch.tensor(TEACHER)

    def kernels(a, b):
        lengths = a.norm(dim=1) * b.norm(dim=1)
        angle = torch.acos((a * b).sum(1) / lengths)
        return (lengths * (angle.sin() + (np.pi - angle) * angle.cos())).sum() / (2 * np.pi)

    one, other = torch.triu_indices(len(w), len(w), 1)
    students, both = kernels(w[one], w[other]), kernels(w.repeat_interleave(3, 0), v.repeat(len(w), 1))
    return w.square().sum() / 4 + students - both + 3 / 4 + 3 / (2 * np.pi)


def test_the_loss_is_half_of_the_mean_squared_difference(students):
    x = np.random.default_rng(1).standard_normal((400_000, 4))
    for student, found in zip(students, loss(students, TEACHER), strict=True):
        half_square = (np.maximum(x @ student.T, 0).sum(1) - np.maximum(x @ TEACHER.T, 0).sum(1)) ** 2 / 2
        # Five standard errors.
        assert abs(half_square.mean() - found) < 5 * half_square.std() / np.sqrt(len(x))


def test_gradient_and_hessian_are_those_of_autograd(students):
    for student, g, h in zip(students, gradient(students, TEACHER), hessian(students, TEACHER), strict=True):
        w = torch.tensor(student.ravel())
        np.testing.assert_allclose(in_torch(w), loss(student, TEACHER), rtol=1e-13)
        by_autograd = torch.autograd.functional
        np.testing.assert_allclose(g.ravel(), by_autograd.jacobian(in_torch, w), atol=1e-14)
        np.testing.assert_allclose(h, by_autograd.hessian(in_torch, w), atol=1e-13)


def test_the_hessian_is_the_difference_of_gradients(students):
    # Central differences over 1e-5 err by 1e-10 of a third derivative, and by rounding of 1e-16/1e-5.
    moves = 1e-5 * np.eye(20).reshape(20, 1, 5, 4)
    slopes = (gradient(students + moves, TEACHER) - gradient(students - moves, TEACHER)) / 2e-5
    np.testing.assert_allclose(np.moveaxis(slopes.reshape(20, 2, 20), 0, 2), hessian(students, TEACHER), atol=1e-8)


@pytest.mark.parametrize("apart", [1e-3, 1e-6, 1e-9])
def test_angles_near_0_and_pi_keep_the_digits_that_an_arc_cosine_loses(apart):
    one, other = np.array([[3.0, 0.0]]), np.array([[2.0, 2.0 * apart]])
    exact = float(mpmath.atan(mpmath.mpf(apart)))
    found = Pairs.of(one, other)
    np.testing.assert_allclose(found.angle, exact, rtol=1e-14)
    np.testing.assert_allclose(found.sine, np.sin(exact), rtol=1e-14)
    np.testing.assert_allclose(np.pi - Pairs.of(-one, other).angle, exact, atol=4e-16)
    if apart < 1e-6:
        cosine = (one @ other.T / np.linalg.norm(one) / np.linalg.norm(other)).item()
        assert abs(np.arccos(min(cosine, 1)) / exact - 1) > 1e-2


def test_second_derivatives_between_near_neurons_are_those_of_mpmath():
    # n = (v̂ − cos t ŵ)/sin t of two neurons 1e-6 apart: rounding of 1e-16 over 1e-6.
    pair = np.array([[1.0, 0.2], [1.0, 0.2 + 1e-6]])

    def exact(*entries):
        (a, b), (c, d) = entries[:2], entries[2:]
        lengths = mpmath.hypot(a, b) * mpmath.hypot(c, d)
        angle = mpmath.acos((a * c + b * d) / lengths)
        return lengths * (mpmath.sin(angle) + (mpmath.pi - angle) * mpmath.cos(angle)) / (2 * mpmath.pi)

    with mpmath.workdps(60):
        at = tuple(map(mpmath.mpf, pair.ravel()))
        mixed = [[mpmath.diff(exact, at, order(p, 2 + q)) for q in range(2)] for p in range(2)]
    with_a_far_teacher = hessian(pair, np.array([[0.0, 1e-12]]))
    np.testing.assert_allclose(with_a_far_teacher[:2, 2:], np.array(mixed, dtype=float), atol=1e-9)


def order(*places):
    return tuple(int(place in places) for place in range(4))


def test_neurons_of_length_0_have_no_hessian():
    with pytest.raises(ValueError, match="length of a neuron must be positive"):
        gradient(np.zeros((1, 4)), TEACHER)


def test_the_published_point_is_critical_with_neurons_as_columns_of_what_is_printed():
    published = PUBLISHED.matrix()
    right, wrong = (np.abs(gradient(w, np.eye(7))).max() for w in (published, published.T))
    assert right < 1e-10 < 0.1 < wrong
    np.testing.assert_allclose(minimum("II", 7).matrix(), published, atol=5e-11)  # its last digit


@pytest.mark.parametrize("k", [6, 7, 12, 20])
def test_the_spectrum_of_the_global_minimum_is_that_of_the_dense_hessian(k):
    dense = np.linalg.eigvalsh(hessian(np.eye(k), np.eye(k)))
    closed = np.repeat(list(global_spectrum(k)), list(global_spectrum(k).values()))
    np.testing.assert_allclose(np.sort(closed), dense, atol=1e-12)


def test_the_spectrum_of_too_few_neurons_is_refused():
    with pytest.raises(ValueError, match="takes 4 neurons, got 3"):
        global_spectrum(3)


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize(("family", "at"), [("A", 0), ("I", 0), ("I", -1), ("II", 0), ("II", -1)])
def test_a_split_neuron_is_critical_with_the_curvature_of_its_kink(family, at, share):
    k = 8
    point, teacher = minimum(family, k).matrix(), np.eye(k)
    values, vectors = np.linalg.eigh(kink_curvature(point, teacher)[at])
    apart, h = split(point, at % k, share), hessian(split(point, at % k, share), teacher)
    np.testing.assert_allclose(loss(apart, teacher), loss(point, teacher), atol=1e-14)
    assert np.abs(gradient(apart, teacher)).max() < 1e-13
    along = split_direction(vectors.T, k, at % k).reshape(k, -1)
    curvatures = np.einsum("ua,ab,ub->u", along, h, along)
    np.testing.assert_allclose(curvatures, split_curvature(values, share), atol=1e-12)


def test_a_split_of_no_neuron_is_refused(students):
    with pytest.raises(ValueError, match="share must be between 0 and 1, got 1"):
        split(students, 0, 1.0)
