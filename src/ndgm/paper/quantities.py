"""How numbers are printed: as many digits as their interval supports."""

import math
import re
from collections.abc import Sequence

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


class Quantity(float):
    """A number that prints itself with as many digits as its interval supports."""

    def __new__(cls, value: float, interval: Sequence[float] | None = None) -> "Quantity":
        """Keep `value` as a float, and `interval` for printing."""
        quantity = super().__new__(cls, value)
        quantity.interval = tuple(interval) if interval else None
        return quantity

    def __str__(self) -> str:
        """For example 0.0412 or 1.2 × 10⁻⁵."""
        return number(self, *precision(self, self.interval))


def precision(value: float, interval: Sequence[float] | None) -> tuple[int, int]:
    """The power of ten to factor out, and the decimals to print then.

    The half-width of the interval decides: it keeps two digits where they are 10 to 35, else one (the rule of
    the Particle Data Group). Without an interval four significant digits are printed.
    """
    largest = max(abs(number) for number in (value, *(interval or ())))
    magnitude = math.floor(math.log10(largest)) if largest else 0
    power = 0 if -4 <= magnitude < 6 else magnitude
    half = (interval[1] - interval[0]) / 2 if interval else 0
    if half > 0:
        last = math.floor(math.log10(half))
        decimals = power - last + (half / 10**last < 3.55)
    else:
        digits = f"{abs(value) / 10**power:.{max(3 - magnitude + power, 0)}f}".partition(".")[2].rstrip("0")
        decimals = len(digits)
    return power, max(decimals, 0)


def number(value: float, power: int, decimals: int, *, with_power: bool = True) -> str:
    """A number in units of a power of ten, with a true minus and commas between thousands."""
    digits = f"{value / 10**power:,.{decimals}f}".replace("-", "−")
    if not re.search("[1-9]", digits):
        return "0"
    return digits + (power_of_ten(power) if with_power else "")


def power_of_ten(power: int) -> str:
    """A factor that is a power of ten; nothing for one."""
    return f" × 10{str(power).translate(_RAISED)}" if power else ""
