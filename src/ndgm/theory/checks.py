"""Arguments of closed forms, as float64 arrays within the range where the formula holds."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


class OrbitError(ValueError):
    """There is no orbit at this step: the minimiser attracts."""


def beyond_threshold(step_size: float, threshold: float) -> float:
    """The step, where it is so long that the minimiser repels.

    Raises:
        OrbitError: naming both, if it is at most the threshold, up to which the minimiser attracts, or not a number.
    """
    if not step_size > threshold:
        raise OrbitError(f"no orbit at step {step_size:.6g}: the minimiser attracts up to {threshold:.6g}")
    return step_size


def positive(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """The value, where all of it is above zero.

    Raises:
        ValueError: naming it, if some of it is zero, negative or not a number.
    """
    value = np.asarray(value, dtype=np.float64)
    if not (value > 0).all():
        raise ValueError(f"every {name} must be positive, got {value}")
    return value


def not_negative(name: str, value: ArrayLike) -> NDArray[np.float64]:
    """The value, where none of it is below zero.

    Raises:
        ValueError: naming it, if some of it is negative or not a number.
    """
    value = np.asarray(value, dtype=np.float64)
    if not (value >= 0).all():
        raise ValueError(f"every {name} must not be negative, got {value}")
    return value


def above(name: str, value: ArrayLike, bound: float, called: str) -> NDArray[np.float64]:
    """The value, where all of it is above a bound.

    Args:
        name: Of the value.
        value: Any numbers.
        bound: What they have to exceed.
        called: How the bound is written, for example ‖b‖∞.

    Raises:
        ValueError: naming both, if some of it is not above the bound.
    """
    value = np.asarray(value, dtype=np.float64)
    if not (value > bound).all():
        raise ValueError(f"every {name} must be above {called} = {bound:.6g}, got {value}")
    return value


def fraction(name: str, value: float) -> float:
    """The value, where it lies strictly between 0 and 1.

    Raises:
        ValueError: naming it, if it does not.
    """
    if not 0 < value < 1:
        raise ValueError(f"{name} must be between 0 and 1, got {value}")
    return value
