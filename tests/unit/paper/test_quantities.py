"""Numbers carry as many digits as their interval supports."""

import pytest

from ndgm.paper.quantities import Quantity


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
        (7.0, [7.0, 7.0], "7"),
        (0.25, None, "0.25"),
        (20000, None, "20,000"),
        (1 / 3, None, "0.3333"),
        (1e-10, None, "1 × 10⁻¹⁰"),
    ],
)
def test_digits(value, interval, printed):
    assert str(Quantity(value, interval)) == printed


def test_a_quantity_is_still_the_number():
    assert Quantity(0.5, [0.4, 0.6]) * 2 == 1.0
