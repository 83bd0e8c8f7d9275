"""What is minimised, batched over an ensemble of runs."""

from typing import Protocol

from torch import Tensor


class Objective(Protocol):
    """A sum of a smooth part and a penalty, for an ensemble of runs. Iterates have shape (runs, d)."""

    def gradient(self, w: Tensor) -> Tensor:
        """Gradient of the smooth part."""

    def subgradient(self, w: Tensor) -> Tensor:
        """Subgradient of the whole."""

    def shrink(self, w: Tensor, amount: Tensor) -> Tensor:
        """Proximal map of amount·penalty; `amount` has shape (runs, 1)."""

    def measure(self, w: Tensor) -> dict[str, Tensor]:
        """Quantities to record, each of shape (runs,); `objective` is one of them."""

    def observe(self, w: Tensor, g: Tensor) -> dict[str, Tensor]:
        """Quantities to average over steps, each of shape (runs,)."""
