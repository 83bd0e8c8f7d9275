"""Symmetric minima at every k, against the full space, numbers that other code found, mpmath and sums by hand."""

import mpmath
import numpy as np
import pytest

from ndgm.theory.spurious_minima import LIMITS, gradient, hessian
from ndgm.theory.spurious_minima_families import Symmetric
from ndgm.theory.spurious_minima_search import (
    FAMILIES,
    NotNearError,
    balanced_loss,
    followed,
    fractional_dimension,
    joint_dimension,
    minimum,
    polished,
    within_reach,
)

KNOWN = {"A": (0.07663666, 0.01749), "I": (0.07205671, 0.01488), "II": (0.01870219, 0.03196)}
"""Loss and smallest eigenvalue at k = 10, found by other code, to the digits that it gave."""


@pytest.mark.parametrize("family", KNOWN)
def test_loss_and_smallest_eigenvalue_at_k_10_are_known(family):
    found, (known, eigenvalue) = minimum(family, 10), KNOWN[family]
    assert abs(found.loss() - known) <= 5e-9
    assert abs(found.spectrum()[0].value - eigenvalue) <= 5e-6


@pytest.mark.parametrize("family", FAMILIES)
def test_minima_are_critical_in_the_full_space(family):
    point, k = minimum(family, 12).matrix(), 12
    assert np.linalg.norm(gradient(point, np.eye(k))) <= 1e-13
    assert np.linalg.eigvalsh(hessian(point, np.eye(k)))[0] > 0


def test_types_turn_from_saddles_into_minima_where_they_are_known_to():
    smallest = {(family, k): minimum(family, k).spectrum()[0].value for family in ("A", "I") for k in (5, 6, 7)}
    assert {place for place, value in smallest.items() if value > 0} == {("A", 6), ("A", 7), ("I", 7)}


def test_the_fractional_dimensions_come_out_of_either_equation():
    assert abs(fractional_dimension("A", 5, 6) - 5.76381273) < 1e-8
    for family, low in (("A", 5), ("I", 6)):
        one, other = fractional_dimension(family, low, low + 1), joint_dimension(family, low + 1)
        assert low < one < low + 1
        np.testing.assert_allclose(one, other, atol=1e-11)


def test_the_new_minimum_with_one_neuron_more_is_the_known_one():
    found = minimum("II_split", 8)
    assert abs(found.loss() - 0.0205607918) < 5e-11
    assert abs(found.spectrum()[0].value - 0.0059) < 5e-5
    assert found.matrix().shape == (9, 8)


@pytest.mark.parametrize("family", KNOWN)
def test_the_loss_without_cancellation_is_the_loss(family):
    point = minimum(family, 9)
    np.testing.assert_allclose(balanced_loss(point), point.loss(), atol=1e-14)
    shaken = point.at(point.coordinates + 0.01 * np.arange(1, 1 + len(point.coordinates)))
    np.testing.assert_allclose(balanced_loss(shaken), shaken.loss(), atol=1e-14)


@pytest.mark.parametrize("family", KNOWN)
def test_the_loss_of_a_million_neurons_is_that_of_mpmath(family):
    # k² terms of size 1 leave 1e-6: 40 digits are enough. The rounded coordinates themselves are taken as exact.
    (point,) = followed(family, [1e6])
    np.testing.assert_allclose(balanced_loss(point), exact_loss(point), rtol=1e-8)
    # The gradient's k terms are rounded; what is left of it moves the loss by its square alone.
    assert np.abs(point.gradient()).max() < 1e-9


def exact_loss(point):
    """L of k neurons from all pairs by kind, in 40 digits."""
    with mpmath.workdps(40):
        a, b, c = (*map(mpmath.mpf, point.regular), mpmath.mpf(0))[:3]
        d, e = map(mpmath.mpf, point.odd[0]) if point.odd else (mpmath.mpf(0), mpmath.mpf(1))
        m, last = mpmath.mpf(point.indices), point.last
        regular, odd = mpmath.sqrt(a**2 + (m - 1) * b**2 + c**2), mpmath.sqrt(m * d**2 + e**2)

        def k(inner, one, other):
            angle = mpmath.acos(max(min(inner / (one * other), mpmath.mpf(1)), mpmath.mpf(-1)))
            return one * other * (mpmath.sin(angle) + (mpmath.pi - angle) * mpmath.cos(angle)) / (2 * mpmath.pi)

        students = m * regular**2 / 2 + m * (m - 1) * k(2 * a * b + (m - 2) * b**2 + c**2, regular, regular)
        both = m * k(a, regular, 1) + m * (m - 1) * k(b, regular, 1)
        if last:
            students += 2 * m * k(a * d + (m - 1) * b * d + c * e, regular, odd) + odd**2 / 2
            both += m * k(c, regular, 1) + m * k(d, odd, 1) + k(e, odd, 1)
        total = mpmath.mpf(point.teacher)
        return float(students / 2 - both + total / 4 + total * (total - 1) / (4 * mpmath.pi))


def test_the_limit_of_type_a_is_that_of_a_reflection():
    # W = −I + (2/k)11ᵀ is orthogonal with Σw = Σv, so that all is left to angles: of each pair wᵢ, vᵢ, whose cosine is
    # 2/k short of −1, π/k, and of each other pair −(2/k)²/2: in all (π − 2)/(2π).
    k = 1e6
    np.testing.assert_allclose(balanced_loss(Symmetric(k, (2 / k - 1, 2 / k))), (np.pi - 2) / (2 * np.pi), atol=1e-3)
    np.testing.assert_allclose(LIMITS["A"], (np.pi - 2) / (2 * np.pi), rtol=1e-15)
    assert LIMITS["I"] == LIMITS["A"]


def test_newton_refuses_steps_that_are_too_long_and_singular_and_too_few():
    with pytest.raises(NotNearError, match="more than 0.05"):
        polished(Symmetric(10, (-0.5, 0.4)))
    with pytest.raises(NotNearError, match="singular"):
        within_reach(np.zeros((2, 2)), np.ones(2))
    with pytest.raises(NotNearError, match="0 Newton steps"):
        polished(minimum("A", 10), steps=0)


def test_the_loss_of_neurons_that_cannot_be_paired_is_refused():
    with pytest.raises(ValueError, match="cannot be paired"):
        balanced_loss(minimum("II_split", 8))
