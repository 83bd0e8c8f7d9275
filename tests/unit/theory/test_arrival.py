"""The pace at which descent arrives where it ends, against descent itself."""

import numpy as np
import pytest

from ndgm.theory.arrival import arrival_pace
from ndgm.theory.edge_of_stability import SCALARS, cycle_amplitude, scalar

EVEN = [*(name for name, one in SCALARS.items() if one.even), "power_1.25", "power_1.75"]


def last_steps(name, step_size, steps):
    """Half the lengths of the last steps of descent from many starts."""
    slope, x = scalar(name).slope, 3 * np.random.default_rng(0).standard_normal(200)
    for _ in range(steps):
        before, x = x, x - step_size * slope(x)
    return np.abs(x - before) / 2


@pytest.mark.parametrize("ratio", [0.6, 0.95, 1.05, 1.3, 3.0])
@pytest.mark.parametrize("name", EVEN)
def test_a_run_that_is_long_enough_by_its_pace_has_arrived(name, ratio):
    threshold = scalar(name).threshold
    step_size = ratio * (threshold or 2.0)
    pace = arrival_pace(name, step_size)
    assert pace < 1
    # Three quarters of the steps shrink a distance to a millionth; the others, fifty at least, are left to come near.
    steps = max(200, int(np.ceil(4 / 3 * 2 * np.log(1e-6) / np.log(max(pace, 1e-6)))))
    end = cycle_amplitude(name, step_size) if step_size > threshold else 0.0
    np.testing.assert_allclose(last_steps(name, step_size, steps), end, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("name", "ratio"), [("pseudo_huber", 0.9), ("pseudo_huber", 1.1), ("log_cosh", 1.5)])
def test_near_the_end_two_steps_shrink_a_distance_by_the_pace_or_more(name, ratio):
    step_size = ratio * scalar(name).threshold
    slope = scalar(name).slope
    end = float(cycle_amplitude(name, step_size)) if ratio > 1 else 0.0
    x = end + 1e-6
    for _ in range(2):
        x = x - step_size * slope(np.array(x))
    assert abs(x - end) / 1e-6 <= arrival_pace(name, step_size) * (1 + 1e-4)


def test_where_nothing_is_known_the_pace_is_no_number():
    assert np.isnan(arrival_pace("pseudo_huber", 2.0)) and np.isnan(arrival_pace("linex", 2.5))
    assert arrival_pace("linex", 1.5) == 0.25
