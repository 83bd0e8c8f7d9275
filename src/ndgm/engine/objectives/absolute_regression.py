"""Regression with the absolute loss, mean|Zw − y|, or with its kink rounded off, for an ensemble of runs."""

import torch
from torch import Tensor

from ndgm.engine.objectives.objective import Average, Averages, Objective
from ndgm.engine.objectives.smoothed import huber, huber_slope


class AbsoluteRegression(Objective):
    """f(w) = mean(h_δ(Zw − y)) with Huber's h_δ; with δ = 0 it is mean|Zw − y|, with sign(0) = 0.

    Where Zw° = y for some w°, the infimum is 0, and with δ = 0 the minimum is sharp: f(w) ≥ μ‖w − w°‖, if Z has full
    column rank. Where no w fits y, some minimiser still fits d of the samples, and lies on their kinks.

    Runs come in blocks of consecutive rows, one block per design. Gradients are written into buffers that the next call
    overwrites.

    Args:
        design: Z, shape (n, d), or (blocks, n, d) with a design for each block of runs.
        target: y, shape (n,) or (blocks, n).
        width: δ ≥ 0 of each run, shape (runs, 1).
        lowest: Infimum of f, a number or of shape (runs,); 0 where the design fits the target.
    """

    averaged = {"objective": Average.PER_RUN, "squared_gradient_norm": Average.PER_WEIGHT}

    def __init__(self, design: Tensor, target: Tensor, width: Tensor, lowest: float | Tensor = 0.0) -> None:
        self.design = design if design.ndim == 3 else design.unsqueeze(0)
        blocks, samples, dimension = self.design.shape
        self.target = target.view(-1, samples, 1)
        self.width = width.view(blocks, 1, -1)
        self.lowest = lowest
        self._mean_back = self.design.mT / samples
        self._residual = design.new_empty(blocks, samples, len(width) // blocks)
        self._slope = torch.empty_like(self._residual)
        # In memory one weight of all runs lies together, as it comes out of the product.
        self._gradient = design.new_empty(dimension, len(width))

    def value(self, w: Tensor) -> Tensor:
        """f(w), shape (runs,)."""
        return self._value(*self._fit(w))

    def subgradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """Subgradient Zᵀclip((Zw − y)/δ, −1, 1)/n; where δ = 0, Zᵀsign(Zw − y)/n. Averaged are f(w) and ‖g‖²."""
        residual, slope = self._fit(w)
        by_block = self._gradient.view(len(self._gradient), len(slope), -1).transpose(0, 1)  # (blocks, d, runs of one)
        torch.bmm(self._mean_back, slope, out=by_block)
        g = self._gradient.T
        if averages:
            averages.per_run["objective"].add_(self._value(residual, slope))
            averages.per_weight["squared_gradient_norm"].addcmul_(g, g)
        return g

    def measure(self, w: Tensor, before: Tensor) -> dict[str, Tensor]:
        """What is recorded of iterates `w`: objective and squared L2 norm."""
        return {"objective": self.value(w), "squared_norm": w.square().sum(1)}

    def _fit(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """Residuals Zw − y and the slopes of h_δ at them, each of shape (blocks, n, runs of one)."""
        blocks = w.view(len(self.design), -1, w.shape[1])  # (blocks, runs of one, d)
        residual = torch.baddbmm(self.target, self.design, blocks.mT, beta=-1, out=self._residual)
        return residual, huber_slope(residual, self.width, self._slope)

    def _value(self, residual: Tensor, slope: Tensor) -> Tensor:
        return huber(residual, slope, self.width).mean(1).flatten()
