"""How numbers are printed: as many digits as their interval supports."""

import re
from collections.abc import Sequence
from decimal import Decimal

DIGITS = 12
"""Significant digits of numbers in `claims.json`; an interval that they do not resolve has no width."""

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Quantity(float):
    """A number that prints itself with as many digits as its interval supports."""

    interval: tuple[float, ...] | None

    def __new__(cls, value: float, interval: Sequence[float] | None = None) -> "Quantity":
        """Keep `value` as a float, and `interval` for printing."""
        quantity = super().__new__(cls, value)
        quantity.interval = tuple(interval) if interval else None
        return quantity

    def __str__(self) -> str:
        """Text such as 0.0412 or 1.2 × 10⁻⁵."""
        return number(self, *precision(self, self.interval))


def precision(value: float, interval: Sequence[float] | None) -> tuple[int, int]:
    """The power of ten to factor out, and the decimals to print then.

    The half-width of the interval decides: it keeps two digits where they are 10 to 35, else one (the rule of the
    Particle Data Group). Four significant digits are printed without an interval, or with one of no width.
    """
    largest = max((value, *(interval or ())), key=abs)
    half = interval[1] / 2 - interval[0] / 2 if interval else 0.0
    resolved = half > 0 and _magnitude(half) > _magnitude(largest) - DIGITS
    if resolved:
        two_digits = _over(half, _magnitude(half)) < Decimal("3.55")
        last = _magnitude(half) - two_digits
    else:
        last = _magnitude(largest) - 3
    # 9.99996 × 10⁻⁷ is printed as 1 × 10⁻⁶.
    magnitude = _magnitude(_over(largest, last).to_integral_value()) + last if largest else 0
    power = 0 if -4 <= magnitude < 6 else magnitude
    decimals = max(power - last, 0)
    if not resolved:
        decimals = len(f"{_over(value, power):.{decimals}f}".partition(".")[2].rstrip("0"))
    return power, decimals


def number(value: float, power: int, decimals: int, *, with_power: bool = True) -> str:
    """A number in units of a power of ten, with a true minus and commas between thousands; zero has no sign."""
    digits = f"{_over(value, power):,.{decimals}f}".replace("-", "−")
    if not re.search("[1-9]", digits):
        return "0"
    return digits + (power_of_ten(power) if with_power else "")


def power_of_ten(power: int) -> str:
    """A factor that is a power of ten; nothing for one."""
    return f" × 10{str(power).translate(_RAISED)}" if power else ""


def _magnitude(value: float | Decimal) -> int:
    """The exponent of a number's first digit: 2 for 314, 0 for 0."""
    return _over(value, 0).adjusted() if value else 0


def _over(value: float | Decimal, power: int) -> Decimal:
    """A number over a power of ten; as a float that would overflow, or lose the digits of a subnormal number."""
    return (value if isinstance(value, Decimal) else Decimal(repr(float(value)))).scaleb(-power)
