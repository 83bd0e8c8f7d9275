"""How fast gradient descent on a function of one variable arrives where it ends, whatever its start."""

from math import nan

from ndgm.theory.edge_of_stability import cycle_multiplier, scalar


def arrival_pace(name: str, step_size: float) -> float:
    """Factor by which two steps leave less of a distance from where descent ends; 1 or more where it does not arrive.

    Two steps multiply a small distance from the minimiser by m = (1 − ηL)², and one from a 2-cycle by its multiplier μ.
    Below the threshold 2/L the pace is m. Beyond it a run has to leave the minimiser and to come to the cycle: the pace
    is the larger of 1/m and |μ|. Where the slope is constant, cycles are neutral, and a run is on one as soon as it has
    crossed over: there it is 1/m. At the threshold, and beyond it on functions that are not even, it is NaN.

    Args:
        name: The function, as `scalar` takes it.
        step_size: η.
    """
    function = scalar(name)
    from_minimum = (1 - step_size * function.lipschitz) ** 2
    if step_size > function.threshold and function.even:
        multiplier = abs(float(cycle_multiplier(name, step_size)))
        return max(1 / from_minimum, multiplier if multiplier != 1 else 0)
    return from_minimum if step_size < function.threshold else nan
