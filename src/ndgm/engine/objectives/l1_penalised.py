"""A smooth function of the weights plus λ‖w‖₁, for an ensemble of runs: what all LASSO problems share."""

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from ndgm.engine.objectives.objective import Average, Averages, Objective


class L1Penalised(Objective, ABC):
    """f(w) + λ‖w‖₁ with f smooth; a subclass gives f and its gradient.

    Gradients are written into buffers that the next call overwrites.

    Args:
        penalty: λ of each run, shape (runs, 1).
        gradient: Buffer of gradients, shape (runs, d), in memory as the iterates will be.

    Attributes:
        counts_zeros: Whether the number of weights at exactly zero is recorded, as where there are several with kinks.
    """

    counts_zeros = True

    averaged = {
        "l1_norm": Average.PER_WEIGHT,
        "squared_gradient_norm": Average.PER_WEIGHT,
        "inner_product": Average.PER_WEIGHT,
    }

    def __init__(self, penalty: Tensor, gradient: Tensor) -> None:
        self.penalty = penalty
        self._make_buffers(gradient)

    def value(self, w: Tensor) -> Tensor:
        """f(w) + λ‖w‖₁, shape (runs,)."""
        return self._smooth_value(w) + self.penalty[:, 0] * w.abs().sum(1)

    def smooth_gradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """Gradient of the smooth part f; adds the terms of the whole objective to `averages`."""
        h = self._smooth_gradient(w)
        if averages:
            self._average(w, h + self.penalty_subgradient(w), averages)
        return h

    def subgradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """Subgradient g = ∇f(w) + λ·sign(w), with sign(0) = 0. Averaged are ‖w‖₁, ‖g‖² and ⟨w, g⟩."""
        g = self._subgradient(w)
        if averages:
            self._average(w, g, averages)
        return g

    def penalty_subgradient(self, w: Tensor) -> Tensor:
        """Subgradient λ·sign(w) of the penalty alone, with sign(0) = 0."""
        return self._slope(w, self._penalty_gradient).mul_(self.penalty)

    def shrink(self, w: Tensor, amount: Tensor) -> Tensor:
        """Proximal map of amount·λ‖·‖₁: soft thresholding, exactly zero where |w| ≤ amount·λ. Overwrites `w`."""
        threshold = amount * self.penalty
        return w.sub_(torch.clamp(w, -threshold, threshold, out=self._scratch))

    def measure(self, w: Tensor, before: Tensor) -> dict[str, Tensor]:
        """What is recorded of iterates `w`: objective, L1 norm, squared L2 norm, perhaps the number of exact zeros."""
        zeros = {"zeros": (w == 0).sum(1).to(w.dtype)} if self.counts_zeros else {}
        return {"objective": self.value(w), "l1_norm": w.abs().sum(1), "squared_norm": w.square().sum(1), **zeros}

    def _make_buffers(self, gradient: Tensor) -> None:
        self._gradient = gradient
        self._penalty_gradient = torch.empty_like(gradient)
        self._scratch = torch.empty_like(gradient)

    @abstractmethod
    def _smooth_value(self, w: Tensor) -> Tensor:
        """f(w), shape (runs,)."""

    @abstractmethod
    def _smooth_gradient(self, w: Tensor) -> Tensor:
        """Gradient of f, shape (runs, d), written into the buffer."""

    def _subgradient(self, w: Tensor) -> Tensor:
        return self._smooth_gradient(w).addcmul_(self._slope(w, self._scratch), self.penalty)

    def _slope(self, w: Tensor, out: Tensor) -> Tensor:
        """Subgradient of ‖w‖₁, written into `out`."""
        return torch.sign(w, out=out)

    def _average(self, w: Tensor, g: Tensor, averages: Averages) -> None:
        averages.per_weight["l1_norm"].add_(torch.abs(w, out=self._scratch))
        averages.per_weight["squared_gradient_norm"].addcmul_(g, g)
        averages.per_weight["inner_product"].addcmul_(w, g)
