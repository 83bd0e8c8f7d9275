"""Checks of arguments: what lies in the range comes back as it was, and what does not is named."""

import numpy as np
import pytest

from ndgm.theory.checks import OrbitError, above, beyond_threshold, fraction, not_negative, positive

NAN = float("nan")


@pytest.mark.parametrize(
    ("check", "inside", "outside"),
    [
        (lambda value: positive("width", value), [1e-300, 2.0, np.inf], [0.0, -1.0, NAN]),
        (lambda value: not_negative("width", value), [0.0, 2.0], [-1e-300, NAN]),
        (lambda value: above("width", value, 3.0, "‖b‖∞"), [3.1, 4.0], [3.0, 2.0, NAN]),
        (lambda value: fraction("width", value), [1e-300, 0.5], [0.0, 1.0, -0.5, NAN]),
        (lambda value: beyond_threshold(value, 2.0), [2.1, np.inf], [2.0, 1.0, NAN]),
    ],
    ids=["positive", "not_negative", "above", "fraction", "beyond_threshold"],
)
def test_a_value_is_let_through_inside_its_range_and_nowhere_else(check, inside, outside):
    for value in inside:
        assert check(value) == value
    for value in outside:
        with pytest.raises(ValueError, match=r"width|no orbit at step .*: the minimiser attracts up to 2$"):
            check(value)


@pytest.mark.parametrize("check", [positive, not_negative, lambda *given: above(*given, 0.0, "zero")])
def test_one_value_outside_is_enough(check):
    np.testing.assert_array_equal(check("penalty", [1, 2]), [1.0, 2.0])
    with pytest.raises(ValueError, match=r"every penalty must .*, got \[ 1\. -2\.\]"):
        check("penalty", [1, -2])


def test_a_step_without_an_orbit_is_an_error_of_its_own():
    with pytest.raises(OrbitError, match=r"^no orbit at step 1.5: the minimiser attracts up to 2$"):
        beyond_threshold(1.5, 2.0)
