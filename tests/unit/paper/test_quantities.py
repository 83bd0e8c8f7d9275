"""Numbers carry as many digits as their interval supports, and what is printed is the number."""

import sys
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ndgm.paper.quantities import Quantity, number, precision


# The rule and the first three cases are those of the Particle Data Group (Review of Particle Physics,
# introduction, section 5.3): .827 ± .119 is .83 ± .12, .827 ± .367 is .8 ± .4.
@pytest.mark.parametrize(
    ("value", "interval", "printed"),
    [
        (0.827, [0.708, 0.946], "0.83"),
        (0.827, [0.460, 1.194], "0.8"),
        (0.827, [0.708 - 1e-9, 0.946 + 1e-9], "0.83"),
        (0.0412345, [0.0407, 0.0418], "0.0412"),
        (-0.31, [-0.36, -0.26], "−0.31"),
        (12345.6, [12000, 12700], "12,346"),
        (1.2345e-7, [1.1e-7, 1.4e-7], "1.23 × 10⁻⁷"),
        (1.5e7, [1.4e7, 1.6e7], "1.50 × 10⁷"),
        (0.0, [0.0, 0.0], "0"),
        (0.0, [-1e-9, 1e-9], "0"),
        (-0.0, None, "0"),
        (7.0, [7.0, 7.0], "7"),
        (0.05, [0.05, 0.05 + 1e-15], "0.05"),  # an interval that twelve digits do not resolve
        (0.25, None, "0.25"),
        (20000, None, "20,000"),
        (1 / 3, None, "0.3333"),
        (1e-10, None, "1 × 10⁻¹⁰"),
        (1e-6, None, "1 × 10⁻⁶"),
        (9.99996e-7, None, "1 × 10⁻⁶"),
        (9.7e-7, [5.7e-7, 13.7e-7], "1.0 × 10⁻⁶"),
        (5e-324, None, "5 × 10⁻³²⁴"),  # the smallest number, over 10⁻³²⁴, was a division by zero
    ],
)
def test_digits(value, interval, printed):
    assert str(Quantity(value, interval)) == printed


def test_a_quantity_is_still_the_number():
    assert Quantity(0.5, [0.4, 0.6]) * 2 == 1.0


LARGEST = sys.float_info.max
numbers = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def measured(draw):
    """A value and an interval around it, of a width that may be tiny, huge or comparable."""
    value = draw(numbers)
    scale = abs(value) or 1.0
    widths = st.one_of(st.floats(0, 1e300), st.floats(0, 3).map(lambda width: width * scale))
    return value, (max(value - draw(widths), -LARGEST), min(value + draw(widths), LARGEST))


def exact(value):
    """The decimal that a float is written as."""
    return Decimal(repr(value))


def read(printed):
    """The number that a reader takes from what is printed, exactly."""
    digits, _, exponent = printed.replace("−", "-").replace(",", "").partition(" × 10")
    return Decimal(digits).scaleb(int(exponent.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) or 0))


@given(st.one_of(measured(), numbers.map(lambda value: (value, None))))
@example((-1e-9, (-1.0, 1.0)))
@example((2.23767e-319, (0.0, 1.0)))
def test_what_is_printed_is_the_number_to_half_a_unit_of_its_last_digit(both):
    value, interval = both
    printed = str(Quantity(value, interval))
    power, decimals = precision(value, interval)
    unit = Decimal(1).scaleb(power - decimals)
    assert abs(read(printed) - exact(value)) <= unit * Decimal("0.5000000001")


@given(st.one_of(measured(), numbers.map(lambda value: (value, None))))
def test_a_power_of_ten_leaves_one_digit_before_the_point(both):
    printed = str(Quantity(*both))
    assert "×" not in printed or len(printed.partition(" ")[0].partition(".")[0].lstrip("−")) == 1


@given(st.one_of(measured(), numbers.map(lambda value: (value, None))))
def test_a_minus_is_a_true_one_and_zero_has_none(both):
    printed = str(Quantity(*both))
    assert "-" not in printed and "e" not in printed.lower()
    assert printed.startswith("−") == (read(printed) < 0)
    assert read(printed) != 0 or printed == "0"


@given(measured())
def test_the_last_digit_is_finer_than_the_interval_and_not_by_much(both):
    value, interval = both
    power, decimals = precision(value, interval)
    unit = Decimal(1).scaleb(power - decimals)
    half = Decimal(interval[1]) / 2 - Decimal(interval[0]) / 2
    largest = max(map(abs, (Decimal(value), *map(Decimal, interval))))
    if half > largest.scaleb(-10):
        assert unit <= half
        assert unit >= min(half / 36, Decimal(1)) or decimals == 0


@given(measured())
def test_a_number_within_its_interval_is_printed_within_it(both):
    value, (low, high) = both
    how = precision(value, (low, high))
    printed = [read(number(one, *how)) for one in (low, value, high)]
    assert printed == sorted(printed)


@given(numbers)
def test_without_an_interval_four_digits_are_kept(value):
    printed = read(str(Quantity(value)))
    assert abs(printed - exact(value)) <= abs(exact(value)) * Decimal("0.00050001")
