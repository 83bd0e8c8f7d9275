"""What random weights of mean 0 and variance s/N, N the inputs of a layer, make of a signal in a deep network.

q is the variance of the pre-activations of a layer, and g the activation. In wide layers pre-activations are normal, so
that q of the next layer is s·E g(√q z)² with z standard normal: the mean field. Source of the formula: Kumar (2017), On
weight initialization in deep neural networks; of the mean field: Poole, Lahiri, Raghu, Sohl-Dickstein and Ganguli
(2016), Exponential expressivity in deep neural networks through transient chaos.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

Array = NDArray[np.float64]

NODES, WEIGHTS = np.polynomial.legendre.leggauss(64)

STANDARD_DEVIATIONS = 12.0
"""Where integrals over a normal variable end: what lies beyond is 4e-33 of it."""

LARGEST, SMALLEST = 1e12, 1e-12
"""Variances between which a fixed point is looked for, and below which a signal has died out."""


@dataclass(frozen=True)
class Unit:
    """An activation as a function of arrays.

    Attributes:
        value: g.
        slope: g'.
        kinks: Where g has no derivative, or a jump.
    """

    value: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    kinks: tuple[float, ...] = ()


def formula_gain(value_at_0: float, slope_at_0: float) -> float:
    """N·v² = 1/(g'(0)²(1 + g(0)²)), the formula for an activation that is differentiable at 0.

    Raises:
        ValueError: if the slope is 0, where no variance passes a signal on to first order.
    """
    if slope_at_0 == 0:
        raise ValueError("the formula divides by the slope at 0, which is 0")
    return 1 / (slope_at_0**2 * (1 + value_at_0**2))


def kinked_gain(slope_below: float, slope_above: float) -> float:
    """N·v² = 2/(a² + b²) for g(z) = az below 0 and bz above it: 2 for ReLU, because E relu(z)² = E z²/2.

    Raises:
        ValueError: if both slopes are 0.
    """
    if slope_below == slope_above == 0:
        raise ValueError("one of the slopes must not be 0")
    return 2 / (slope_below**2 + slope_above**2)


def relu_ratio(gain: float, layers: int) -> float:
    """E‖h_l‖²/‖h_0‖² = (s/2)^l of ReLU layers: exact at every width, for every law of weights symmetric about 0."""
    return (gain / 2) ** layers


def relu_spread(width: int, layers: int) -> float:
    """E r² = (1 + 5/N)^l for r = ‖h_l‖²/(‖h_0‖²(s/2)^l), exact for Gaussian weights in ReLU layers of N units.

    Given h, r changes by the factor (2/N)Σ relu(z_i)², z_i standard normal, whose variance is 5/N.
    """
    return (1 + 5 / width) ** layers


def linearised_variance(gain: float, variance: float, value_at_0: float, slope_at_0: float) -> float:
    """Variance s·g'(0)²(Var + g(0)²) of the activations of a layer, with g(z) ≈ g(0) + g'(0)z.

    The formula is the gain at which 1 is its fixed point; without g(0) every variance is one.
    """
    return gain * slope_at_0**2 * (variance + value_at_0**2)


def gaussian_mean(function: Callable[[Array], Array], variance: float, kinks: tuple[float, ...] = ()) -> float:
    """E f(√q z) for a function f that is smooth between its kinks, and has no structure finer than 1.

    Gauss and Legendre's rule on panels that end at kinks: a rule over the whole line, such as Gauss and Hermite's with
    a node at 0, is 4 % off for the slope of ReLU. Panels grow away from 0, so that a variance of a million still sees
    how the function bends there.

    Args:
        function: f, of an array.
        variance: q > 0.
        kinks: Where f is not smooth.
    """
    if not variance > 0:
        raise ValueError(f"the variance must be positive, got {variance}")
    deviation = sqrt(variance)
    end = STANDARD_DEVIATIONS * deviation
    # Cuts at 0 and ±2^k, where the function bends, and at ±2^k standard deviations, where the density does.
    powers = 2.0 ** np.arange(-1, np.ceil(np.log2(max(end, 1))) + 1)
    cuts = np.concatenate([powers, deviation * np.array([1.0, 2.0, 4.0, 8.0])])
    edges = np.unique(np.concatenate([[0.0, -end, end], cuts, -cuts, kinks]))
    edges = edges[np.abs(edges) <= end]
    half = np.diff(edges)[:, np.newaxis] / 2
    x = edges[:-1, np.newaxis] + half * (1 + NODES)
    density = np.exp(-np.square(x / deviation) / 2) / (deviation * sqrt(2 * np.pi))
    return float((half * WEIGHTS * density * function(x)).sum())


def next_variance(variance: float, gain: float, unit: Unit) -> float:
    """Variance s·E g(√q z)² of the pre-activations of the next layer."""
    return gain * gaussian_mean(lambda x: np.square(unit.value(x)), variance, unit.kinks)


def variances(start: float, gain: float, unit: Unit) -> Iterator[float]:
    """Variance of the pre-activations of layer 0, which is `start`, and of every layer after it."""
    q = start
    while True:
        yield q
        q = next_variance(q, gain, unit)


def activation_variance(variance: float, unit: Unit) -> float:
    """Variance E g² − (E g)² of the activations of a layer whose pre-activations have variance q."""
    mean = gaussian_mean(unit.value, variance, unit.kinks)
    return gaussian_mean(lambda x: np.square(unit.value(x) - mean), variance, unit.kinks)


def susceptibility(variance: float, gain: float, unit: Unit) -> float:
    """χ = s·E g'(√q z)²: the factor of a layer on squared gradients, and on squared differences of close inputs."""
    return gain * gaussian_mean(lambda x: np.square(unit.slope(x)), variance, unit.kinks)


def fixed_point(gain: float, unit: Unit) -> float:
    """The variance q* > 0 that layers neither raise nor lower, for an activation with one.

    Raises:
        ArithmeticError: if the signal dies out or explodes, so that there is none between 1e-12 and 1e12.
    """

    def rise(log_q: float) -> float:
        q = np.exp(log_q)
        return next_variance(q, gain, unit) / q - 1

    low, high = np.log(SMALLEST), np.log(LARGEST)
    if not rise(low) > 0 > rise(high):
        raise ArithmeticError(f"at the gain {gain:.6g} no variance is kept from layer to layer")
    return float(np.exp(brentq(rise, low, high, xtol=1e-14, rtol=1e-14)))


def critical_gain(unit: Unit, low: float = 0.1, high: float = 1e4) -> float:
    """The gain s at which χ = 1 at q*(s): gradients neither vanish nor explode with the depth.

    Args:
        unit: The activation.
        low: Where the search begins, with χ < 1.
        high: Where it ends, with χ > 1.

    Raises:
        ArithmeticError: if there is no such gain between the two, or no fixed point.
    """

    def above(log_gain: float) -> float:
        gain = float(np.exp(log_gain))
        return susceptibility(fixed_point(gain, unit), gain, unit) - 1

    if not above(np.log(low)) < 0 < above(np.log(high)):
        raise ArithmeticError(f"no gain from {low:g} to {high:g} keeps gradients from layer to layer")
    return float(np.exp(brentq(above, np.log(low), np.log(high), xtol=1e-13, rtol=1e-13)))
