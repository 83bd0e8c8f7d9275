"""Squared losses of two-layer networks whose output layer stays as it is, for an ensemble of runs."""

import torch
from torch import Tensor

from ndgm.engine.activations import Activation
from ndgm.engine.objectives.objective import Averages, Objective


class TwoLayerLoss(Objective):
    """½·Σᵢ(f(xᵢ) − yᵢ)² with f(x) = Σ_r v_r σ(w_r·x); the w_r are trained, and v is fixed.

    Iterates hold the matrix W of each run by input, shape (runs, d·m): w_r is column r of its (d, m). So the long side
    of every product, the units, lies together in memory. Gradients are written into one buffer that the next call
    overwrites.

    Args:
        activation: σ.
        x: Inputs, shape (n, d), or (runs, n, d) where each run has its own.
        y: Targets, shape (n,) or (runs, n).
        output: v, shape (runs, m).
        runs_at_once: Networks in one batched product; all where it is None. A processor is fastest with so few that
            what a product leaves behind is still in its cache.

    Example:
        >>> from ndgm.engine.activations import activation
        >>> x, y, output = torch.eye(2), torch.tensor([1.0, 0.0]), torch.tensor([[1.0, -1.0]])
        >>> loss = TwoLayerLoss(activation("relu"), x, y, output)
        >>> w = torch.tensor([[2.0, 1.0, 0.0, 0.5]])  # w_1 = (2, 0) and w_2 = (1, 0.5)
        >>> loss.value(w)  # of f = (1, -0.5)
        tensor([0.1250])
        >>> loss.subgradient(w)
        tensor([[0.0000, 0.0000, 0.0000, 0.5000]])
    """

    def __init__(
        self, activation: Activation, x: Tensor, y: Tensor, output: Tensor, runs_at_once: int | None = None
    ) -> None:
        runs, units = output.shape
        self.activation = activation
        self.x = x.expand(runs, *x.shape[-2:])
        self.y = y.expand(runs, y.shape[-1])
        self.output = output
        self.runs_at_once = runs_at_once or runs
        self._gradient = output.new_empty(runs, x.shape[-1] * units)
        shape = min(self.runs_at_once, runs), x.shape[-2], units
        self._z, self._delta = output.new_empty(shape), output.new_empty(shape)
        self._a = self._z if activation.from_output else output.new_empty(shape)

    def matrices(self, w: Tensor) -> Tensor:
        """W of each run, shape (runs, d, m), as a view of iterates or gradients."""
        return w.unflatten(1, (self.x.shape[-1], self.output.shape[1]))

    def preactivations(self, w: Tensor) -> Tensor:
        """All w_r·xᵢ, shape (runs, n, m)."""
        return self.x @ self.matrices(w)

    def value(self, w: Tensor) -> Tensor:
        """Loss of each run, shape (runs,)."""
        return torch.cat([self._residuals(part, w).square().sum(1) / 2 for part in self._parts()])

    def subgradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """Gradient with respect to W, with the activation's derivative at its kinks as its registry has it."""
        return self.value_and_subgradient(w)[1]

    def value_and_subgradient(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """Loss of each run, shape (runs,), and its gradient, from one pass."""
        values = []
        for part in self._parts():
            residuals = self._residuals(part, w)
            values.append(residuals.square().sum(1) / 2)
            count = len(residuals)
            delta, into = self._delta[:count], self.matrices(self._gradient)[part]
            torch.mul(residuals.unsqueeze(2), self.output[part].unsqueeze(1), out=delta)
            self.activation.slope(delta, (self._a if self.activation.from_output else self._z)[:count])
            torch.bmm(self.x[part].mT, delta, out=into)
        return torch.cat(values), self._gradient

    def _residuals(self, part: slice, w: Tensor) -> Tensor:
        """f(xᵢ) − yᵢ of some runs, shape (runs, n); what comes before them is left in the buffers."""
        x, output = self.x[part], self.output[part]
        z, a = self._z[: len(x)], self._a[: len(x)]
        torch.bmm(x, self.matrices(w)[part], out=z)
        self.activation.value(z, a)
        return torch.bmm(a, output.unsqueeze(2)).squeeze(2) - self.y[part]

    def _parts(self) -> list[slice]:
        """Runs that are computed at once."""
        return [slice(first, first + self.runs_at_once) for first in range(0, len(self.output), self.runs_at_once)]
