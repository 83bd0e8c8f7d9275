"""Largest of linear functions, and the function that no method minimises faster than its worst case allows."""

from math import sqrt

import torch
from torch import Tensor

from ndgm.engine.objectives.objective import Average, Averages, Objective


class MaxAffine(Objective):
    """f(x) = maxᵢ⟨aᵢ, x⟩; the subgradient is the first aᵢ that attains the maximum.

    Args:
        slopes: aᵢ of each run, shape (runs, m, d).
        lowest: Infimum of f, a number or of shape (runs,): 0 if 0 is in the convex hull of the slopes, else −∞.
    """

    averaged = {"objective": Average.PER_WEIGHT, "squared_gradient_norm": Average.PER_WEIGHT}

    def __init__(self, slopes: Tensor, lowest: float | Tensor) -> None:
        self.slopes = slopes
        self.lowest = lowest
        self._runs = torch.arange(len(slopes), device=slopes.device)

    def subgradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """The first aᵢ with the largest ⟨aᵢ, w⟩. Averaged are f(w), which is ⟨w, aᵢ⟩, and ‖aᵢ‖²."""
        g = self.slopes[self._runs, self._products(w).argmax(1)]
        if averages:
            averages.per_weight["objective"].addcmul_(w, g)
            averages.per_weight["squared_gradient_norm"].addcmul_(g, g)
        return g

    def value(self, w: Tensor) -> Tensor:
        """f(w), shape (runs,)."""
        return self._products(w).amax(1)

    def sharpness(self, w: Tensor) -> Tensor:
        """Largest eigenvalue of the Hessian, shape (runs,): zero, wherever there is a Hessian."""
        return w.new_zeros(len(w))

    def measure(self, w: Tensor, before: Tensor) -> dict[str, Tensor]:
        """What is recorded of iterates `w`: objective and squared L2 norm."""
        return {"objective": self.value(w), "squared_norm": w.square().sum(1)}

    def _products(self, w: Tensor) -> Tensor:
        return torch.bmm(self.slopes, w.unsqueeze(2)).squeeze(2)


class ResistingOracle(Objective):
    """f(x) = M·max(maxᵢ xᵢ, ‖x‖ − R(1 + 1/√(N+1))) in d = N + 1, whose oracle reveals one coordinate at a time.

    f is convex and M-Lipschitz, and its minimiser −R/√(N+1)·(1, …, 1) is at a distance R from 0. From x₀ = 0, N
    gradients show at most N unit vectors, so that some coordinate is still zero and f ≥ 0: the gap is at least
    MR/√(N+1), for every method that leaves a coordinate at zero as long as all its gradients are zero there.

    Args:
        steps: N.
        lipschitz: M.
        radius: R.

    Source: Drori and Teboulle (2016), An optimal variant of Kelley's cutting-plane method.
    """

    def __init__(self, steps: int, lipschitz: float = 1.0, radius: float = 1.0) -> None:
        self.lipschitz = lipschitz
        self.radius = radius
        self.lowest = -lipschitz * radius / sqrt(steps + 1)
        self._offset = radius * (1 + 1 / sqrt(steps + 1))

    def value(self, w: Tensor) -> Tensor:
        """f(w), shape (runs,)."""
        norm = torch.linalg.vector_norm(w, dim=1)
        return self.lipschitz * torch.maximum(w.amax(1), norm - self._offset)

    def subgradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """M·eᵢ for the first largest wᵢ, or Mw/‖w‖ where the norm's term is strictly larger."""
        largest, first = w.max(1, keepdim=True)
        norm = torch.linalg.vector_norm(w, dim=1, keepdim=True)
        revealed = torch.zeros_like(w).scatter_(1, first, self.lipschitz)
        return torch.where(norm - self._offset > largest, self.lipschitz * w / norm, revealed)

    def measure(self, w: Tensor, before: Tensor) -> dict[str, Tensor]:
        """What is recorded of iterates `w`: objective and squared L2 norm."""
        return {"objective": self.value(w), "squared_norm": torch.linalg.vector_norm(w, dim=1).square()}
