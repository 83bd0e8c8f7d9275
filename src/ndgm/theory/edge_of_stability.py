"""Closed forms for gradient descent with a constant step η on functions of one variable, minimal at 0, and its orbits.

Where the step is longer than 2/ℓ''(0) the minimiser repels, and descent oscillates between two points. On such a
2-cycle the secant of the slope is 2/η whatever the function is; the curvature at its points depends on the function.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, log, nan, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq

from ndgm.theory.checks import OrbitError, beyond_threshold

Array = NDArray[np.float64]

RESIDUAL = 1e-12
"""Largest distance between a point of a 2-cycle and where two steps take it, relative to the cycle's length."""


@dataclass(frozen=True)
class Scalar:
    """A convex function of one variable that is minimal at 0, by its derivatives.

    Attributes:
        slope: ℓ'.
        curvature: ℓ'', without what a kink adds.
        lipschitz: L = ℓ''(0); infinite where the slope is steeper than any line there.
        third: ℓ'''(0).
        fourth: ℓ''''(0).
        even: Whether ℓ(−x) = ℓ(x).
        amplitude: Half the distance between the points of a 2-cycle as a function of η, where there is a formula.
    """

    slope: Callable[[Array], Array]
    curvature: Callable[[Array], Array]
    lipschitz: float = 1.0
    third: float = nan
    fourth: float = nan
    even: bool = True
    amplitude: Callable[[float], float] | None = None

    @property
    def threshold(self) -> float:
        """The step 2/L beyond which the minimiser repels; 0 where it always does."""
        return 2 / self.lipschitz


def power(exponent: float) -> Scalar:
    """|x|^q/q with 1 < q < 2: p = (η/2)^(1/(2−q)) for every η."""
    return Scalar(
        slope=lambda x: np.sign(x) * np.abs(x) ** (exponent - 1),
        curvature=lambda x: (exponent - 1) * np.abs(x) ** (exponent - 2),
        lipschitz=inf,
        amplitude=lambda step_size: (step_size / 2) ** (1 / (2 - exponent)),
    )


def tilted_softplus(tilt: float) -> Scalar:
    """log(1 + eᵗ) − st with its minimiser t = log(s/(1−s)) moved to 0: logistic regression of classes s to 1 − s."""
    curvature = tilt * (1 - tilt)

    def sigmoid(x: Array) -> Array:
        return 1 / (1 + np.exp(-(x + log(tilt / (1 - tilt)))))

    return Scalar(
        slope=lambda x: sigmoid(x) - tilt,
        curvature=lambda x: sigmoid(x) * (1 - sigmoid(x)),
        lipschitz=curvature,
        third=curvature * (1 - 2 * tilt),
        fourth=curvature * (1 - 6 * curvature),
        even=False,
    )


def tilted_pseudo_huber(tilt: float) -> Scalar:
    """√(1 + t²) − st with its minimiser t = s/√(1−s²) moved to 0."""
    minimiser = tilt / sqrt(1 - tilt**2)
    root = sqrt(1 + minimiser**2)
    return Scalar(
        slope=lambda x: (x + minimiser) / np.sqrt(1 + (x + minimiser) ** 2) - tilt,
        curvature=lambda x: (1 + (x + minimiser) ** 2) ** -1.5,
        lipschitz=root**-3,
        third=-3 * minimiser * root**-5,
        fourth=(12 * minimiser**2 - 3) * root**-7,
        even=False,
    )


SCALARS = {
    "absolute": Scalar(np.sign, np.zeros_like, inf, amplitude=lambda step_size: step_size / 2),
    "huber": Scalar(
        lambda x: np.clip(x, -1, 1), lambda x: (np.abs(x) < 1).astype(float), amplitude=lambda step_size: step_size / 2
    ),
    "pseudo_huber": Scalar(
        lambda x: x / np.sqrt(1 + x**2),
        lambda x: (1 + x**2) ** -1.5,
        third=0.0,
        fourth=-3.0,
        amplitude=lambda step_size: sqrt(step_size**2 / 4 - 1),
    ),
    "log_cosh": Scalar(np.tanh, lambda x: np.cosh(x) ** -2.0, third=0.0, fourth=-2.0),
    "softplus_pair": Scalar(
        lambda x: np.tanh(x / 2), lambda x: np.cosh(x / 2) ** -2.0 / 2, lipschitz=0.5, third=0.0, fourth=-0.25
    ),
    # x ← x − η(eˣ − 1) is Ricker's map of populations N = eˣ, whose growth rate is η.
    "linex": Scalar(np.expm1, np.exp, third=1.0, fourth=1.0, even=False),
    "kink_aside": Scalar(
        lambda x: x / np.sqrt(1 + x**2) + (x > 1), lambda x: (1 + x**2) ** -1.5, third=0.0, fourth=-3.0, even=False
    ),
}
"""The functions by name: |x|, Huber's of width 1, √(1+x²), log cosh x, log(1+eˣ) + log(1+e⁻ˣ), eˣ − x, and √(1+x²) +
relu(x−1), whose kink is not at the minimiser."""

FLAT = ("absolute", "huber")
"""Functions whose slope is constant where their cycles are: the curvature there is zero by construction."""

FAMILIES = {"power": power, "tilted_softplus": tilted_softplus, "tilted_pseudo_huber": tilted_pseudo_huber}
"""Functions with a parameter, by the name in front of it."""


def scalar(name: str) -> Scalar:
    """The function with this name, as in `SCALARS`, or of a family with its parameter, as in `power_1.5`.

    Raises:
        ValueError: if there is none.
    """
    family, _, parameter = name.rpartition("_")
    if name not in SCALARS and family not in FAMILIES:
        raise ValueError(f"{name!r} is not one of {', '.join(SCALARS)}, nor of {', '.join(FAMILIES)} with a parameter")
    return SCALARS[name] if name in SCALARS else FAMILIES[family](float(parameter))


def two_cycle(function: Scalar, step_size: float) -> tuple[float, float]:
    """The points x₋ < 0 < x₊ of the 2-cycle next to the minimiser: x₊ − x₋ = ηℓ'(x₊) = −ηℓ'(x₋).

    x₊ is the first root of ℓ'(x) + ℓ'(x − ηℓ'(x)), whose derivative at 0 is L(2 − ηL).

    Raises:
        OrbitError: if η ≤ 2/L.
        ArithmeticError: if no root is found, or two steps from it do not end there.
    """
    beyond_threshold(step_size, function.threshold)

    def sum_of_slopes(x: Array) -> Array:
        with np.errstate(over="ignore"):
            return function.slope(x) + function.slope(x - step_size * function.slope(x))

    at = np.geomspace(1e-9, 1e9, 1801)
    sums = sum_of_slopes(at)
    crossings = np.nonzero((sums[1:] >= 0) & (sums[:-1] < 0))[0]
    if not len(crossings):
        raise ArithmeticError(f"no 2-cycle of step {step_size:.6g} was found between {at[0]:g} and {at[-1]:g}")
    after = crossings[0]
    high = brentq(sum_of_slopes, at[after], at[after + 1], xtol=1e-300, rtol=1e-15)
    low = high - step_size * function.slope(high)
    if not abs(low - step_size * function.slope(low) - high) <= RESIDUAL * (high - low):
        raise ArithmeticError(f"two steps of {step_size:.6g} from {high:.6g} do not end there")
    return float(high), float(low)


def cycle_amplitude(name: str, step_size: ArrayLike) -> Array:
    """Half the distance between the points of the 2-cycle, (η/2)·ℓ'(x₊).

    It is η/2 on |x| and on Huber's function, for any phase; √(η²/4 − 1) on √(1+x²); (η/2)^(1/(2−q)) on |x|^q/q; on the
    other even functions the root of ℓ'(p)/p = 2/η.

    Args:
        name: The function.
        step_size: η, shape (...).

    Raises:
        OrbitError: if some η ≤ 2/L.
    """
    function = scalar(name)

    def amplitude(step: float) -> float:
        if function.amplitude is None:
            high, low = two_cycle(function, step)
            return (high - low) / 2
        beyond_threshold(step, function.threshold)
        return function.amplitude(step)

    return _each(amplitude, step_size)


def cycle_sharpness(name: str, step_size: ArrayLike) -> Array:
    """Mean of ℓ'' over the points of the 2-cycle, in units of 2/η.

    It is 0 on |x| and on Huber's function, 4/η² on √(1+x²), (η/2)/cosh²p on log cosh x, and q − 1 on |x|^q/q.

    Raises:
        OrbitError: if some η ≤ 2/L.
    """
    function = scalar(name)

    def sharpness(step: float) -> float:
        if name in FLAT:
            beyond_threshold(step, function.threshold)
            return 0.0  # its points are beyond the width, whatever the phase
        points = np.array(two_cycle(function, step))
        return step / 2 * float(function.curvature(points).mean())

    return _each(sharpness, step_size)


def window_end(name: str, share: float) -> float:
    """The step, in units of 2/L, up to which the sharpness on the cycle is within a share of 2/η; it falls from there.

    It is 1/√(1 − share) on √(1+x²).

    Args:
        name: An even function with 0 < L < ∞ whose ℓ'(p)/p falls.
        share: Of 2/η, between 0 and 1.
    """
    threshold = scalar(name).threshold

    def above_share(ratio: float) -> float:
        return float(cycle_sharpness(name, ratio * threshold)) - (1 - share)

    return float(brentq(above_share, 1 + 1e-6, 100, rtol=1e-12))


def cycle_multiplier(name: str, step_size: ArrayLike) -> Array:
    """Factor (1 − ηℓ''(x₊))(1 − ηℓ''(x₋)) of a small distance from the 2-cycle, over two steps: it attracts below 1.

    Raises:
        OrbitError: if some η ≤ 2/L.
    """
    function = scalar(name)

    def multiplier(step: float) -> float:
        if name in FLAT:
            beyond_threshold(step, function.threshold)
            return 1.0
        high, low = two_cycle(function, step)
        return float((1 - step * function.curvature(np.array(high))) * (1 - step * function.curvature(np.array(low))))

    return _each(multiplier, step_size)


def flip_coefficient(lipschitz: ArrayLike, third: ArrayLike, fourth: ArrayLike) -> Array:
    """The c = ℓ'''²/L² − ℓ''''/(3L) for which the 2-cycle has amplitude √(ν/c) at small ν = ηL − 2 > 0, if c > 0.

    With F(x) = x − ηℓ'(x) = −(1+ν)x − (ℓ'''/L)x² − (ℓ''''/3L)x³ at η ≈ 2/L, two steps give x(1 + 2ν − 2cx²) up to
    terms in x². If c < 0 the cycle lies below the threshold and repels.

    Source: Kuznetsov (2004), Elements of Applied Bifurcation Theory, section 4.5.
    """
    lipschitz, third, fourth = (np.asarray(value, dtype=np.float64) for value in (lipschitz, third, fourth))
    return third**2 / lipschitz**2 - fourth / (3 * lipschitz)


def amplitude_near_threshold(coefficient: ArrayLike, excess: ArrayLike) -> Array:
    """Amplitude √(ν/c) of the 2-cycle at η = (2 + ν)/L, to leading order: p² = 3νL²/(3ℓ'''² − Lℓ'''').

    Args:
        coefficient: c of `flip_coefficient`.
        excess: ν.

    Raises:
        OrbitError: if c ≤ 0 or ν ≤ 0 somewhere.
    """
    coefficient, excess = np.asarray(coefficient, dtype=np.float64), np.asarray(excess, dtype=np.float64)
    if not (coefficient > 0).all() or not (excess > 0).all():
        raise OrbitError("no attracting orbit near the threshold: it needs a positive coefficient and excess")
    return np.sqrt(excess / coefficient)


def mean_curvature(
    step_size: ArrayLike, start: ArrayLike, end: ArrayLike, squared_gradient: ArrayLike, steps: ArrayLike
) -> Array:
    """The ‖g‖²-weighted mean of κ over T steps of any orbit, 2/η − 2(f₀ − f_T)/(η²Σ‖g‖²).

    κ_t = 2(f_{t+1} − f_t + η‖g_t‖²)/(η²‖g_t‖²) is the curvature that a parabola through the step has; for smooth f it
    is a mean of gᵀHg/‖g‖² over the step. The sum of κ_t‖g_t‖² telescopes: nothing is assumed of f.

    Args:
        step_size: η.
        start: f₀.
        end: f_T.
        squared_gradient: Mean of ‖g‖² over the steps.
        steps: T.
    """
    step_size, start, end, squared_gradient, steps = (
        np.asarray(value, dtype=np.float64) for value in (step_size, start, end, squared_gradient, steps)
    )
    return 2 / step_size - 2 * (start - end) / (step_size**2 * steps * squared_gradient)


def _each(of: Callable[[float], float], step_size: ArrayLike) -> Array:
    """A function of one step at every step of an array, once for each value."""
    steps, place = np.unique(np.asarray(step_size, dtype=np.float64), return_inverse=True)
    return np.array([of(float(step)) for step in steps])[place].reshape(np.shape(step_size))
