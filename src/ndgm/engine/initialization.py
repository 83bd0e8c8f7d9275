"""First weights of networks: one registry of laws, each of mean 0 and variance 1, and the gain that scales them."""

from collections.abc import Callable
from dataclasses import dataclass
from math import erf, exp, pi, sqrt

import numpy as np


def _signs(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """±1, each with probability ½."""
    return 2.0 * generator.integers(2, size=shape, dtype=np.int8) - 1


def _truncated(generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Normal draws, each drawn anew until it lies within two standard deviations, scaled to variance 1."""
    draws = generator.standard_normal(shape)
    while (far := np.abs(draws) > 2).any():
        draws[far] = generator.standard_normal(np.count_nonzero(far))
    return draws / TRUNCATED_DEVIATION


TRUNCATED_DEVIATION = sqrt(1 - 4 * exp(-2) / (sqrt(2 * pi) * erf(sqrt(2))))
"""Standard deviation, .8796, of a standard normal variable that lies within ±2."""

LAWS: dict[str, Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]] = {
    "normal": lambda generator, shape: generator.standard_normal(shape),
    "uniform": lambda generator, shape: generator.uniform(-sqrt(3), sqrt(3), shape),
    "rademacher": _signs,
    "truncated_normal": _truncated,
}
"""Independent draws of variance 1 from laws that are symmetric about 0, by name: (generator, shape) → float64."""


@dataclass(frozen=True)
class Initialization:
    """Law of the first weights of a layer: independent, symmetric about 0, of variance gain/inputs.

    The same generator gives the same weights at every gain, but for the factor.

    Attributes:
        law: A key of `LAWS`.
        gain: s in v² = s/N, N the inputs of a layer: 2 is He's rule for ReLU, 1 what is mostly called Xavier's.

    Example:
        >>> signs = Initialization("rademacher", gain=4.0)
        >>> bool((abs(signs.weights(np.random.default_rng(0), 16, 3)) == 0.5).all())
        True
    """

    law: str
    gain: float

    def __post_init__(self) -> None:
        """Check the law.

        Raises:
            ValueError: if there is no such law.
        """
        if self.law not in LAWS:
            raise ValueError(f"no law {self.law!r}; there are {', '.join(LAWS)}")

    def weights(self, generator: np.random.Generator, *shape: int) -> np.ndarray:
        """Weights of one layer, shape (inputs, units), or of several such layers one after the other, in float64.

        Args:
            generator: Draws them.
            shape: Ends with inputs and units.
        """
        draws = LAWS[self.law](generator, shape)
        draws *= sqrt(self.gain / shape[-2])
        return draws


HE = Initialization("normal", gain=2.0)
"""Source: He, Zhang, Ren and Sun (2015), Delving Deep into Rectifiers."""
