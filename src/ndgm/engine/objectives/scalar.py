"""Convex functions of one variable that are 0 at their minimiser 0, by name, for an ensemble of runs."""

from collections.abc import Callable
from dataclasses import dataclass
from math import log, sqrt

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from ndgm.engine.objectives.objective import Averages, Objective


@dataclass(frozen=True)
class Scalar:
    """A function with its first two derivatives, elementwise; the second is without what a kink adds."""

    value: Callable[[Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]
    curvature: Callable[[Tensor], Tensor]


def _hypotenuse(x: Tensor) -> Tensor:
    """√(1 + x²)."""
    return x.square().add(1).sqrt()


def _softplus(x: Tensor) -> Tensor:
    """log(1 + eˣ), also where x is large: torch's own softplus is cut off there."""
    return -logsigmoid(-x)


def power(exponent: float) -> Scalar:
    """|x|^q/q."""
    return Scalar(
        lambda x: x.abs().pow(exponent) / exponent,
        lambda x: x.sign() * x.abs().pow(exponent - 1),
        lambda x: (exponent - 1) * x.abs().pow(exponent - 2),
    )


def tilted_softplus(tilt: float) -> Scalar:
    """log(1 + eᵗ) − st, where t is x plus the minimiser log(s/(1−s))."""
    minimiser = log(tilt / (1 - tilt))
    return Scalar(
        lambda x: _softplus(x + minimiser) - tilt * x + log(1 - tilt),
        lambda x: (x + minimiser).sigmoid() - tilt,
        lambda x: (x + minimiser).sigmoid() * (-x - minimiser).sigmoid(),
    )


def tilted_pseudo_huber(tilt: float) -> Scalar:
    """√(1 + t²) − st, where t is x plus the minimiser s/√(1−s²)."""
    minimiser = tilt / sqrt(1 - tilt**2)
    return Scalar(
        lambda x: _hypotenuse(x + minimiser) - tilt * x - 1 / sqrt(1 - tilt**2),
        lambda x: (x + minimiser) / _hypotenuse(x + minimiser) - tilt,
        lambda x: _hypotenuse(x + minimiser).pow(-3),
    )


SCALARS = {
    "absolute": Scalar(torch.abs, torch.sign, torch.zeros_like),
    "huber": Scalar(
        lambda x: x.clamp(-1, 1) * (x - x.clamp(-1, 1) / 2), lambda x: x.clamp(-1, 1), lambda x: (x.abs() < 1).to(x)
    ),
    "pseudo_huber": Scalar(
        lambda x: x.square() / (1 + _hypotenuse(x)), lambda x: x / _hypotenuse(x), lambda x: _hypotenuse(x).pow(-3)
    ),
    "log_cosh": Scalar(lambda x: x.abs() + _softplus(-2 * x.abs()) - log(2), torch.tanh, lambda x: x.cosh().pow(-2)),
    "softplus_pair": Scalar(
        lambda x: _softplus(x) + _softplus(-x) - 2 * log(2),
        lambda x: (x / 2).tanh(),
        lambda x: (x / 2).cosh().pow(-2) / 2,
    ),
    "linex": Scalar(lambda x: x.expm1() - x, torch.expm1, torch.exp),
    "kink_aside": Scalar(
        lambda x: x.square() / (1 + _hypotenuse(x)) + (x - 1).relu(),
        lambda x: x / _hypotenuse(x) + (x > 1).to(x),
        lambda x: _hypotenuse(x).pow(-3),
    ),
}
"""Functions by name: |x|, Huber's of width 1, √(1+x²), log cosh x, log(1+eˣ) + log(1+e⁻ˣ), eˣ − x, and √(1+x²) +
relu(x−1), whose kink is not at the minimiser; each less its minimum."""

FAMILIES = {"power": power, "tilted_softplus": tilted_softplus, "tilted_pseudo_huber": tilted_pseudo_huber}
"""Functions with a parameter, by the name in front of it."""


class ScalarLoss(Objective):
    """One of these functions, on iterates of shape (runs, 1).

    Args:
        name: As in `SCALARS`, or of a family with its parameter, as in `power_1.5`.
    """

    lowest = 0.0

    def __init__(self, name: str) -> None:
        family, _, parameter = name.rpartition("_")
        self.function = SCALARS[name] if name in SCALARS else FAMILIES[family](float(parameter))

    def value(self, w: Tensor) -> Tensor:
        """ℓ(w), shape (runs,)."""
        return self.function.value(w)[:, 0]

    def subgradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """Derivative ℓ'(w), with a value at kinks."""
        return self.function.slope(w)

    def sharpness(self, w: Tensor) -> Tensor:
        """ℓ''(w), shape (runs,), without what a kink adds."""
        return self.function.curvature(w)[:, 0]

    def measure(self, w: Tensor, before: Tensor) -> dict[str, Tensor]:
        """What is recorded of iterates `w`: objective and position."""
        return {"objective": self.value(w), "position": w[:, 0]}
