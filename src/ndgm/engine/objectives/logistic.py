"""Logistic regression, mean(log(1 + exp(−⟨mᵢ, w⟩))), for an ensemble of runs."""

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from ndgm.engine.objectives.objective import Averages, Objective


class Logistic(Objective):
    """f(w) = mean(log(1 + exp(−Mw))), where the rows of M are the samples times their labels ±1.

    If some w has Mw > 0, the data are separable and f has the infimum 0, but no minimiser.

    Args:
        signed: M, shape (n, d).
    """

    lowest = 0.0

    def __init__(self, signed: Tensor) -> None:
        self.signed = signed

    def value(self, w: Tensor) -> Tensor:
        """f(w), shape (runs,)."""
        return -logsigmoid(w @ self.signed.T).mean(1)

    def subgradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """Gradient −Mᵀσ(−Mw)/n."""
        return torch.sigmoid(-w @ self.signed.T) @ self.signed / -len(self.signed)

    def sharpness(self, w: Tensor) -> Tensor:
        """Largest eigenvalue of the Hessian Mᵀdiag(σ(Mw)σ(−Mw))M/n, shape (runs,)."""
        margins = w @ self.signed.T
        weights = margins.sigmoid() * (-margins).sigmoid() / len(self.signed)
        return torch.linalg.eigvalsh((self.signed.T * weights.unsqueeze(1)) @ self.signed)[:, -1]

    def measure(self, w: Tensor, before: Tensor) -> dict[str, Tensor]:
        """What is recorded of iterates `w`: objective and the smallest margin ⟨mᵢ, w⟩."""
        return {"objective": self.value(w), "smallest_margin": (w @ self.signed.T).amin(1)}
