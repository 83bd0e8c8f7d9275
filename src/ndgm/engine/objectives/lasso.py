"""The LASSO in Gram form, ½wᵀAw − bᵀw + λ‖w‖₁, for an ensemble of runs."""

from copy import copy
from math import sqrt

import torch
from torch import Tensor

from ndgm.engine.objectives.batches import Batches
from ndgm.engine.objectives.objective import Average, Averages, Objective


class Lasso(Objective):
    """½wᵀAw − bᵀw + λ‖w‖₁ with A = ZᵀZ/n and b = Zᵀy/n computed once, so that a step costs d² and not n·d.

    Gradients are written into buffers that the next call overwrites. Iterates are quickest when one weight of all runs
    lies together in memory, as in the transpose of a contiguous tensor: what each run has one of goes over long rows.

    Args:
        gram: A, shape (d, d).
        correlation: b, shape (d,).
        penalty: λ of each run, shape (runs, 1).
    """

    averaged = {
        "l1_norm": Average.PER_WEIGHT,
        "squared_gradient_norm": Average.PER_WEIGHT,
        "inner_product": Average.PER_WEIGHT,
    }

    def __init__(self, gram: Tensor, correlation: Tensor, penalty: Tensor) -> None:
        self.gram = gram
        self.correlation = correlation
        self.penalty = penalty
        self._minus_correlation = -correlation
        self._gradient = gram.new_empty(len(gram), len(penalty)).T
        self._penalty_gradient = torch.empty_like(self._gradient)
        self._scratch = torch.empty_like(self._gradient)

    def value(self, w: Tensor) -> Tensor:
        """½wᵀAw − bᵀw + λ‖w‖₁, shape (runs,)."""
        return self._smooth_value(w) + self.penalty[:, 0] * w.abs().sum(1)

    def smooth_gradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """Gradient of the smooth part, Aw − b; adds the terms of the whole objective to `averages`."""
        h = self._smooth_gradient(w)
        if averages:
            self._average(w, h + self.penalty_subgradient(w), averages)
        return h

    def subgradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """Subgradient g = λ·sign(w) − b + Aw, with sign(0) = 0. Averaged are ‖w‖₁, ‖g‖² and ⟨w, g⟩."""
        g = self._subgradient(w)
        if averages:
            self._average(w, g, averages)
        return g

    def penalty_subgradient(self, w: Tensor) -> Tensor:
        """Subgradient λ·sign(w) of the penalty alone, with sign(0) = 0."""
        return torch.sign(w, out=self._penalty_gradient).mul_(self.penalty)

    def shrink(self, w: Tensor, amount: Tensor) -> Tensor:
        """Proximal map of amount·λ‖·‖₁: soft thresholding, exactly zero where |w| ≤ amount·λ. Overwrites `w`."""
        threshold = amount * self.penalty
        return w.sub_(torch.clamp(w, -threshold, threshold, out=self._scratch))

    def measure(self, w: Tensor, before: Tensor) -> dict[str, Tensor]:
        """What is recorded of iterates `w`: objective, L1 norm, squared L2 norm, number of exact zeros."""
        return {
            "objective": self.value(w),
            "l1_norm": w.abs().sum(1),
            "squared_norm": w.square().sum(1),
            "zeros": (w == 0).sum(1).to(w.dtype),
        }

    def _smooth_value(self, w: Tensor) -> Tensor:
        return (w * (0.5 * w @ self.gram - self.correlation)).sum(1)

    def _smooth_gradient(self, w: Tensor) -> Tensor:
        return self._gradient.copy_(self._minus_correlation).addmm_(w, self.gram)

    def _subgradient(self, w: Tensor) -> Tensor:
        sign = torch.sign(w, out=self._scratch)
        # The product adds to what stands in the buffer, so it comes last: that saves a pass over it.
        penalised = torch.addcmul(self._minus_correlation, sign, self.penalty, out=self._gradient)
        return penalised.addmm_(w, self.gram)

    def _average(self, w: Tensor, g: Tensor, averages: Averages) -> None:
        averages.per_weight["l1_norm"].add_(torch.abs(w, out=self._scratch))
        averages.per_weight["squared_gradient_norm"].addcmul_(g, g)
        averages.per_weight["inner_product"].addcmul_(w, g)


class LassoDesigns(Lasso):
    """The LASSO on several designs at once: runs come in blocks of consecutive rows, one block per design.

    A step costs d² as in Gram form or, with fewer samples than weights, 2n·d.

    Args:
        designs: Z of each design, shape (designs, n, d).
        targets: y of each design, shape (designs, n).
        penalty: λ of each run, shape (designs·runs_per_design, 1).
    """

    def __init__(self, designs: Tensor, targets: Tensor, penalty: Tensor) -> None:
        scaled = designs / sqrt(designs.shape[1])
        correlations = (designs.mT @ targets.unsqueeze(2)).mT / designs.shape[1]
        super().__init__(designs.new_empty(designs.shape[2], 0), correlations[0, 0], penalty)
        self._minus_correlations = -correlations
        fewer = designs.shape[1] < designs.shape[2]
        self._factors: tuple[Tensor, ...] = (scaled.mT, scaled) if fewer else (scaled.mT @ scaled,)
        self._make_buffers()

    def without(self, settled: Tensor) -> tuple[Tensor, "LassoDesigns"]:
        """The ensemble without designs of which all runs are settled, and without places in a block that all are."""
        moving = ~settled.view(len(self._minus_correlations), -1)
        design, place = moving.any(1), moving.any(0)
        rows = (design.unsqueeze(1) & place).flatten().nonzero().squeeze(1)
        left = copy(self)
        left.penalty = self.penalty[rows]
        left._minus_correlations = self._minus_correlations[design]
        left._factors = tuple(factor[design] for factor in self._factors)
        left._make_buffers()
        return rows, left

    def _make_buffers(self) -> None:
        # Blocks lie in rows here, not in columns.
        self._gradient = self._minus_correlations.new_empty(len(self.penalty), self._minus_correlations.shape[2])
        self._penalty_gradient, self._scratch = torch.empty_like(self._gradient), torch.empty_like(self._gradient)

    def _smooth_value(self, w: Tensor) -> Tensor:
        *factors, last = self._factors
        blocks = product = self._blocks(w)
        for factor in factors:
            product = product @ factor
        return (blocks * (0.5 * product @ last + self._minus_correlations)).sum(2).flatten()

    def _smooth_gradient(self, w: Tensor) -> Tensor:
        *factors, last = self._factors
        product = self._blocks(w)
        for factor in factors:
            product = torch.bmm(product, factor)
        torch.baddbmm(self._minus_correlations, product, last, out=self._blocks(self._gradient))
        return self._gradient

    def _subgradient(self, w: Tensor) -> Tensor:
        return self._smooth_gradient(w).addcmul_(torch.sign(w, out=self._scratch), self.penalty)

    def _blocks(self, w: Tensor) -> Tensor:
        return w.reshape(len(self._minus_correlations), -1, w.shape[1])


class MinibatchLasso(Lasso):
    """The LASSO with mini-batch gradients: each step draws `batch_size` rows of (Z, y) with replacement.

    Runs come in blocks of consecutive rows, one block per generator; the runs of a block see the same batches, so that
    they differ in their penalty alone.

    Args:
        design: Z, shape (n, d).
        target: y, shape (n,).
        penalty: λ of each run, shape (blocks·runs_per_block, 1).
        batch_size: Rows in a batch.
        generators: NumPy generator of each block.
    """

    def __init__(self, design: Tensor, target: Tensor, penalty: Tensor, batch_size: int, generators: list) -> None:
        super().__init__(design.T @ design / len(design), design.T @ target / len(design), penalty)
        self.design = design
        self.target = target
        self.batches = Batches(len(design), batch_size, generators, design.device)

    def draw(self) -> None:
        """Draw the batches of the next gradients."""
        self.batches.draw()

    def _smooth_gradient(self, w: Tensor) -> Tensor:
        """Mini-batch gradient Z_Bᵀ(Z_B w − y_B)/|B| on the rows B that were drawn."""
        rows = self.batches.rows
        batch = self.design[rows]  # (blocks, |B|, d)
        blocks = w.view(len(rows), -1, w.shape[1])  # (blocks, runs in a block, d)
        residual = torch.baddbmm(self.target[rows].unsqueeze(1), blocks, batch.mT, beta=-1)
        torch.bmm(residual.div_(self.batches.size), batch, out=self._gradient.view_as(blocks))
        return self._gradient

    def _subgradient(self, w: Tensor) -> Tensor:
        return self._smooth_gradient(w).addcmul_(torch.sign(w, out=self._scratch), self.penalty)
