"""The LASSO in Gram form, ½wᵀAw − bᵀw + λ‖w‖₁, for an ensemble of runs."""

import torch
from torch import Tensor


class Lasso:
    """½wᵀAw − bᵀw + λ‖w‖₁ with A = ZᵀZ/n and b = Zᵀy/n computed once, so that a step costs d² and not n·d.

    Gradients are written into buffers that the next call overwrites.

    Args:
        gram: A, shape (d, d).
        correlation: b, shape (d,).
        penalty: λ of each run, shape (runs, 1).
    """

    def __init__(self, gram: Tensor, correlation: Tensor, penalty: Tensor) -> None:
        self.gram = gram
        self.correlation = correlation
        self.penalty = penalty
        self._minus_correlation = -correlation
        self._gradient = gram.new_empty(len(penalty), len(gram))
        self._sign = torch.empty_like(self._gradient)

    def gradient(self, w: Tensor) -> Tensor:
        """Gradient of the smooth part, Aw − b."""
        return torch.addmm(self._minus_correlation, w, self.gram, out=self._gradient)

    def subgradient(self, w: Tensor) -> Tensor:
        """Subgradient Aw − b + λ·sign(w), with sign(0) = 0."""
        return self.gradient(w).addcmul_(torch.sign(w, out=self._sign), self.penalty)

    def shrink(self, w: Tensor, amount: Tensor) -> Tensor:
        """Proximal map of amount·λ‖·‖₁: soft thresholding, exactly zero where |w| ≤ amount·λ. Overwrites `w`."""
        threshold = amount * self.penalty
        return w.sub_(torch.clamp(w, -threshold, threshold))

    def measure(self, w: Tensor) -> dict[str, Tensor]:
        """What is recorded of iterates `w`: objective, L1 norm, squared L2 norm, number of exact zeros."""
        l1_norm = w.abs().sum(1)
        smooth = (w * (0.5 * w @ self.gram - self.correlation)).sum(1)
        return {
            "objective": smooth + self.penalty[:, 0] * l1_norm,
            "l1_norm": l1_norm,
            "squared_norm": w.square().sum(1),
            "zeros": (w == 0).sum(1).to(w.dtype),
        }

    def observe(self, w: Tensor, g: Tensor) -> dict[str, Tensor]:
        """What is averaged over steps: L1 norm, ‖g‖² and ⟨w, g⟩, with `g` the gradient that the step takes at `w`."""
        return {
            "l1_norm": w.abs().sum(1),
            "squared_gradient_norm": g.square().sum(1),
            "inner_product": (w * g).sum(1),
        }


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

    draws_at_once = 1000

    def __init__(self, design: Tensor, target: Tensor, penalty: Tensor, batch_size: int, generators: list) -> None:
        super().__init__(design.T @ design / len(design), design.T @ target / len(design), penalty)
        self.design = design
        self.target = target
        self.batch_size = batch_size
        self.generators = generators
        self._drawn = 0
        self._rows = torch.empty(0)

    def gradient(self, w: Tensor) -> Tensor:
        """Mini-batch gradient Z_Bᵀ(Z_B w − y_B)/|B| on rows B that this call draws."""
        rows = self._draw()
        batch = self.design[rows]  # (blocks, batch, d)
        blocks = w.view(len(self.generators), -1, w.shape[1])
        residual = torch.baddbmm(self.target[rows].unsqueeze(1), blocks, batch.mT, beta=-1)
        torch.bmm(residual.div_(self.batch_size), batch, out=self._gradient.view_as(blocks))
        return self._gradient

    def _draw(self) -> Tensor:
        position = self._drawn % self.draws_at_once
        if position == 0:
            size = (self.draws_at_once, self.batch_size)
            draws = [torch.from_numpy(g.integers(len(self.design), size=size)) for g in self.generators]
            self._rows = torch.stack(draws, 1).to(self.design.device)
        self._drawn += 1
        return self._rows[position]
