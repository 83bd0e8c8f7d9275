"""The LASSO, ½wᵀAw − bᵀw + λ‖w‖₁, for an ensemble of runs: one design, several, or mini-batches of one."""

from copy import copy
from math import sqrt

import torch
from torch import Tensor

from ndgm.engine.objectives.batches import Batches
from ndgm.engine.objectives.l1_penalised import L1Penalised


class Lasso(L1Penalised):
    """½wᵀAw − bᵀw + λ‖w‖₁ with A = ZᵀZ/n and b = Zᵀy/n computed once, so that a step costs d² and not n·d.

    Iterates are quickest when one weight of all runs lies together in memory, as in the transpose of a contiguous
    tensor: what each run has one of goes over long rows.

    Args:
        gram: A, shape (d, d).
        correlation: b, shape (d,).
        penalty: λ of each run, shape (runs, 1).
    """

    def __init__(self, gram: Tensor, correlation: Tensor, penalty: Tensor) -> None:
        super().__init__(penalty, gram.new_empty(len(gram), len(penalty)).T)
        self.gram = gram
        self.correlation = correlation
        self._minus_correlation = -correlation

    def _smooth_value(self, w: Tensor) -> Tensor:
        return _quadratic(w, self.gram, self.correlation)

    def _smooth_gradient(self, w: Tensor) -> Tensor:
        return self._gradient.copy_(self._minus_correlation).addmm_(w, self.gram)

    def _subgradient(self, w: Tensor) -> Tensor:
        slope = self._slope(w, self._scratch)
        # The product adds to what stands in the buffer, so it comes last: that saves a pass over it.
        return torch.addcmul(self._minus_correlation, slope, self.penalty, out=self._gradient).addmm_(w, self.gram)


class LassoDesigns(L1Penalised):
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
        # Blocks lie in rows here, not in columns.
        super().__init__(penalty, designs.new_empty(len(penalty), designs.shape[2]))
        self._minus_correlations = -correlations
        fewer = designs.shape[1] < designs.shape[2]
        self._factors: tuple[Tensor, ...] = (scaled.mT, scaled) if fewer else (scaled.mT @ scaled,)

    def without(self, settled: Tensor) -> tuple[Tensor, "LassoDesigns"]:
        """The ensemble without designs of which all runs are settled, and without places in a block that all are."""
        moving = ~settled.view(len(self._minus_correlations), -1)
        design, place = moving.any(1), moving.any(0)
        rows = (design.unsqueeze(1) & place).flatten().nonzero().squeeze(1)
        left = copy(self)
        left.penalty = self.penalty[rows]
        left._minus_correlations = self._minus_correlations[design]
        left._factors = tuple(factor[design] for factor in self._factors)
        left._make_buffers(self._gradient[rows])
        return rows, left

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

    def _blocks(self, w: Tensor) -> Tensor:
        return w.reshape(len(self._minus_correlations), -1, w.shape[1])


class MinibatchLasso(L1Penalised):
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
        super().__init__(penalty, design.new_empty(design.shape[1], len(penalty)).T)
        self.design = design
        self.target = target
        self._gram = design.T @ design / len(design)
        self._correlation = design.T @ target / len(design)
        self.batches = Batches(len(design), batch_size, generators, design.device)

    def draw(self) -> None:
        """Draw the batches of the next gradients."""
        self.batches.draw()

    def _smooth_value(self, w: Tensor) -> Tensor:
        return _quadratic(w, self._gram, self._correlation)

    def _smooth_gradient(self, w: Tensor) -> Tensor:
        """Mini-batch gradient Z_Bᵀ(Z_B w − y_B)/|B| on the rows B that were drawn."""
        rows = self.batches.rows
        batch = self.design[rows]  # (blocks, |B|, d)
        blocks = w.view(len(rows), -1, w.shape[1])  # (blocks, runs in a block, d)
        residual = torch.baddbmm(self.target[rows].unsqueeze(1), blocks, batch.mT, beta=-1)
        torch.bmm(residual.div_(self.batches.size), batch, out=self._gradient.view_as(blocks))
        return self._gradient


def _quadratic(w: Tensor, gram: Tensor, correlation: Tensor) -> Tensor:
    """½wᵀAw − bᵀw of each run, shape (runs,)."""
    return (w * (0.5 * w @ gram - correlation)).sum(1)
