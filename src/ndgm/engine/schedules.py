"""Schedules: the factor on the step size, from the number of steps done and the number of all steps."""

LAST = 1e-6
"""What is left of the step at the end of `geometric`."""

DECAY = 1e-6
"""What a step adds to the divisor of `inverse_time`."""


def constant(done: int, steps: int) -> float:
    """Factor 1 at every step."""
    return 1.0


def inverse_square_root(done: int, steps: int) -> float:
    """Factor 1/√(k+1) at step k = 0, 1, and so on."""
    return (done + 1) ** -0.5


def held_inverse_square_root(done: int, steps: int) -> float:
    """Factor 1 for the first half of the steps, then 1/√j at the j-th step of the rest, from j = 1 on.

    The step is held first, so that what decays is the floor and not the speed of arrival.
    """
    return max(done - steps // 2 + 1, 1) ** -0.5


def linear(done: int, steps: int) -> float:
    """Factor 1 − k/N at step k = 0, 1, …, N − 1 of N.

    Source: Zamani and Glineur (2023).
    """
    return 1 - done / steps


def inverse_time(done: int, steps: int) -> float:
    """Factor 1/(1 + ck) at step k = 0, 1, and so on, with c = 1e-6.

    Source: `decay` of Keras' optimizers.
    """
    return 1 / (1 + DECAY * done)


def geometric(done: int, steps: int, *, last: float = LAST) -> float:
    """Factor 1 for the first half of the steps, then down to `last` at the end, by the same ratio every step.

    Source: Davis, Drusvyatskiy, MacPhee and Paquette (2018) for sharp problems.
    """
    held = steps // 2
    return last ** (max(done + 1 - held, 0) / (steps - held))
