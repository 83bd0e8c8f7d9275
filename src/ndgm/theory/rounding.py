"""Products and sums as processors round them: with one rounding, fused, or with one each.

Some processors add a product that was never rounded. Which of the two a program does is decided by the processor and by
the library's loops for it, not by the program. Both are emulated here in float64 on any processor: a product or a sum
is the rounded one and an error that is a number of float64 too, and one rounding of all of them is the last step.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

SPLITTER = 2.0**27 + 1
"""Veltkamp's constant, which cuts the 53 bits of a float64 in halves."""


def multiply_add(a: ArrayLike, b: ArrayLike, c: ArrayLike, *, fused: bool) -> Array:
    """The sum a·b + c, rounded once where it is fused, else after the product and after the sum.

    Right where neither a·b nor its error overflows or underflows, for finite numbers.

    Args:
        a: Factor, of any shape that broadcasts, as `b` and `c`.
        b: Factor.
        c: Summand.
        fused: Whether the product goes into the sum without being rounded.

    Source: Boldo and Melquiond (2008), Emulation of a FMA and correctly rounded sums, figure 1.
    """
    a, b, c = (np.asarray(number, dtype=np.float64) for number in (a, b, c))
    if not fused:
        return np.asarray(a * b + c)
    product, below = _exact_product(a, b)
    low, lowest = _exact_sum(c, below)
    high, rest = _exact_sum(product, low)
    return np.asarray(high + _sum_rounded_to_odd(lowest, rest))


def _exact_product(a: Array, b: Array) -> tuple[Array, Array]:
    """The rounded product and its error. Source: Dekker (1971), with Veltkamp's splitting."""
    product = a * b
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    return product, a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)


def _halves(a: Array) -> tuple[Array, Array]:
    """Two numbers of 26 bits at most whose sum is `a`."""
    scaled = SPLITTER * a
    high = scaled - (scaled - a)
    return high, a - high


def _exact_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """The rounded sum and its error. Source: Knuth (1969), TwoSum."""
    total = a + b
    rest = total - a
    return total, (a - (total - rest)) + (b - rest)


def _sum_rounded_to_odd(a: Array, b: Array) -> Array:
    """The sum, where it is no float64 the neighbour whose last bit is 1: rounding that again loses nothing."""
    total, error = _exact_sum(a, b)
    even = (np.ascontiguousarray(total).view(np.int64) & 1) == 0
    beside = np.nextafter(total, np.where(error > 0, np.inf, -np.inf))
    return np.where((error != 0) & even, beside, total)
