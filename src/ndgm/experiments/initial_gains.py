"""The gain s of first weights of variance s/N: a number of the config, the formula's, or the critical one."""

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from ndgm.engine.activations import activation
from ndgm.store.files import InputError
from ndgm.theory.weight_initialization import Unit, critical_gain, formula_gain, kinked_gain

FORMULA, CRITICAL = "formula", "critical"
"""What the config may say for a gain: 1/(g'(0)²(1 + g(0)²)), or for ReLU 2; and the gain with χ = 1."""


@cache
def unit_of(name: str) -> Unit:
    """An activation of the registry as closed forms take it.

    Args:
        name: As for `activation`.
    """
    chosen = activation(name)

    def value(x: NDArray[np.float64]) -> NDArray[np.float64]:
        z = torch.as_tensor(x, dtype=torch.float64)
        return chosen.value(z, torch.empty_like(z)).numpy()

    def slope(x: NDArray[np.float64]) -> NDArray[np.float64]:
        z = torch.as_tensor(x, dtype=torch.float64)
        at = chosen.value(z, torch.empty_like(z)) if chosen.from_output else z
        return chosen.slope(torch.ones_like(z), at).numpy()

    return Unit(value, slope, chosen.kinks)


@cache
def gain_of(name: str, wanted: str | float) -> float:
    """The gain of an activation.

    Args:
        name: Of the activation.
        wanted: A number, `formula` or `critical`. Where an activation has a kink at 0, the formula is 2/(a² + b²), a
            and b its slopes on either side.

    Raises:
        InputError: if the activation has no such gain.
    """
    unit, beside = unit_of(name), np.array([-1e-300, 0.0, 1e-300])
    try:
        if wanted == CRITICAL:
            return critical_gain(unit)
        if wanted == FORMULA:
            below, at, above = unit.slope(beside)
            return kinked_gain(below, above) if 0.0 in unit.kinks else formula_gain(float(unit.value(beside)[1]), at)
    except (ArithmeticError, ValueError) as fault:
        raise InputError(f"weight_initialization: {name} has no gain {wanted!r}: {fault}") from fault
    return float(wanted)
