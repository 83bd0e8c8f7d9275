"""Which steps are recorded, and where averaging begins."""

import pytest

from ndgm.engine.descent import Schedule


@pytest.mark.parametrize(
    ("steps", "count", "recorded"),
    [(20_000, 4, (2_500, 5_000, 10_000, 15_000, 20_000)), (5, 12, (1, 2, 4, 5)), (1, 3, (1,)), (8, 1, (6, 8))],
)
def test_halving(steps, count, recorded):
    schedule = Schedule.halving(steps, count)
    average_from = recorded[-2] if steps > 1 else 0
    assert (schedule.steps, schedule.recorded, schedule.average_from) == (steps, recorded, average_from)


def test_geometric_recording():
    assert Schedule.geometric(1_000, 4) == Schedule(1_000, (1, 10, 100, 1_000), 750)
    assert Schedule.geometric(4, 30).recorded == (1, 2, 3, 4)
    assert Schedule.geometric(7, 1) == Schedule(7, (1, 7), 6)


@pytest.mark.parametrize(
    ("steps", "count", "recorded"), [(10, 5, (0, 2, 4, 6, 8, 10)), (10, 1, (0, 10)), (9, 4, (0, 2, 4, 7, 9))]
)
def test_even(steps, count, recorded):
    assert Schedule.even(steps, count) == Schedule(steps, recorded, 0)
