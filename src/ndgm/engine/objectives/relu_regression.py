"""ReLU regression with a dial on its kink, ½·mean((relu(Zw) + c)²) − c²/2, for an ensemble of runs."""

import torch
from torch import Tensor

from ndgm.engine.objectives.objective import Average, Averages, Objective


class ReluRegression(Objective):
    """f(w) = ½·mean((relu(Zw) + c)²) − c²/2 = mean(½relu(Zw)² + c·relu(Zw)), with relu′(0) = 0.

    It is convex; its infimum 0 is attained at w = 0. With c = 0 its gradient is Lipschitz; with c > 0 it has a kink of
    size c wherever a row's product with w is zero. All c > 0 are one problem: f(w) = c²·F(w/c), where F is f with
    c = 1, and w/c moves as it would with c = 1 and the same step. So the size of the kink scales what a constant step
    keeps hovering at, by c²; only whether there is one decides if it hovers.

    Runs come in blocks of consecutive rows, one block per design. Gradients are written into buffers that the next call
    overwrites.

    Args:
        design: Z, shape (n, d), or (blocks, n, d) with a design for each block of runs.
        kink: c ≥ 0 of each run, shape (runs, 1).
    """

    averaged = {
        "objective": Average.PER_RUN,
        "squared_gradient_norm": Average.PER_WEIGHT,
        "inner_product": Average.PER_WEIGHT,
    }
    lowest = 0.0

    def __init__(self, design: Tensor, kink: Tensor) -> None:
        self.design = design if design.ndim == 3 else design.unsqueeze(0)
        blocks, samples, dimension = self.design.shape
        self.kink = kink.view(blocks, 1, -1)
        self._mean_back = self.design.mT / samples
        self._active = design.new_empty(blocks, samples, len(kink) // blocks)  # relu(Zw)
        self._pull = torch.empty_like(self._active)
        # In memory one weight of all runs lies together, as it comes out of the product.
        self._gradient = design.new_empty(dimension, len(kink))

    def value(self, w: Tensor) -> Tensor:
        """f(w), shape (runs,)."""
        active = self._activate(w)
        return (active * (active / 2 + self.kink)).mean(1).flatten()

    def subgradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """Subgradient g = Zᵀ(relu(Zw) + c·1[Zw > 0])/n. Averaged are f(w), ‖g‖² and ⟨w, g⟩."""
        active = self._activate(w)
        pull = torch.addcmul(active, torch.sign(active, out=self._pull), self.kink, out=self._pull)
        by_block = self._gradient.view(len(self._gradient), len(pull), -1).transpose(0, 1)  # (blocks, d, runs of one)
        torch.bmm(self._mean_back, pull, out=by_block)
        g = self._gradient.T
        if averages:
            # f(w) = ½⟨w, g⟩ + ½c·mean(relu(Zw)), as ⟨w, g⟩ = mean(relu(Zw)² + c·relu(Zw)): one pass less.
            kinks = (active.mean(1) * self.kink[:, 0]).flatten()
            averages.per_run["objective"].add_((w * g).sum(1).add_(kinks), alpha=0.5)
            averages.per_weight["squared_gradient_norm"].addcmul_(g, g)
            averages.per_weight["inner_product"].addcmul_(w, g)
        return g

    def measure(self, w: Tensor, before: Tensor) -> dict[str, Tensor]:
        """What is recorded of iterates `w`: objective, squared L2 norm."""
        return {"objective": self.value(w), "squared_norm": w.square().sum(1)}

    def _activate(self, w: Tensor) -> Tensor:
        blocks = w.view(len(self.design), -1, w.shape[1])  # (blocks, runs of one, d)
        return torch.bmm(self.design, blocks.mT, out=self._active).clamp_min_(0)
