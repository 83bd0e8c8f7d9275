"""Fused and unfused products with sums, against rational numbers and the processor's own library."""

import ctypes
from fractions import Fraction

import numpy as np
import pytest

from ndgm.theory.rounding import multiply_add


def numbers(count=4_000):
    """Triples of all sizes, some of which cancel to the last bit."""
    rng = np.random.default_rng(0)
    a, b, c = rng.standard_normal((3, count)) * 2.0 ** rng.integers(-40, 40, (3, count))
    cancels = np.arange(count) % 2 == 0
    near = -(a * b) * (1 + rng.integers(-3, 4, count) * 2.0**-52)
    return a, b, np.where(cancels, near, c)


def rounded_once(a, b, c):
    """The exact sum of rationals, of which Python's division rounds to nearest, ties to even."""
    return float(Fraction(a) * Fraction(b) + Fraction(c))


def test_fused_is_the_exact_sum_rounded_once():
    a, b, c = numbers()
    exact = [rounded_once(*each) for each in zip(a.tolist(), b.tolist(), c.tolist(), strict=True)]
    np.testing.assert_array_equal(multiply_add(a, b, c, fused=True), exact)


def test_ties_that_two_roundings_break_the_wrong_way():
    # a·b = 1 + 2⁻⁵² + 2⁻¹⁰⁶ or so beside half a unit of c: a rounded error would look like a tie.
    a, b = 1 + 2.0**-27, 1 + 2.0**-26
    for c in (2.0**53, 2.0**54, -(2.0**53), 2.0**52 + 1, 1.0, -1.0):
        assert multiply_add(a, b, c, fused=True) == rounded_once(a, b, c)
        assert multiply_add(-a, b, c, fused=True) == rounded_once(-a, b, c)


def test_fused_is_that_of_the_c_library():
    try:
        fma = ctypes.CDLL(None).fma
    except (AttributeError, OSError, TypeError):
        pytest.skip("no C library with fma")
    fma.restype, fma.argtypes = ctypes.c_double, [ctypes.c_double] * 3
    a, b, c = numbers()
    expected = [fma(*each) for each in zip(a.tolist(), b.tolist(), c.tolist(), strict=True)]
    np.testing.assert_array_equal(multiply_add(a, b, c, fused=True), expected)


def test_unfused_rounds_the_product_first():
    a, b, c = numbers()
    product = [float(Fraction(x) * Fraction(y)) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    expected = [float(Fraction(p) + Fraction(z)) for p, z in zip(product, c.tolist(), strict=True)]
    np.testing.assert_array_equal(multiply_add(a, b, c, fused=False), expected)


def test_a_step_back_and_forth_ends_where_it_began_only_without_fusing():
    # What makes exact zeros: w − round(qη) + round(qη) is w again, as long as it stays on the grid of floats.
    q, step = 1 / 3, 0.003
    taken = float(multiply_add(q, step, 0.0, fused=False))
    there = multiply_add(-q, step, taken, fused=False)
    assert there == 0.0
    assert multiply_add(-q, step, taken, fused=True) == float(Fraction(taken) - Fraction(q) * Fraction(step)) != 0.0
