"""Squared losses of two-layer networks whose output layer stays as it is, for an ensemble of runs."""

from typing import NamedTuple

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
        self._parts = [self._part(first) for first in range(0, runs, self.runs_at_once)]

    def matrices(self, w: Tensor) -> Tensor:
        """W of each run, shape (runs, d, m), as a view of iterates or gradients."""
        return w.view(len(w), self.x.shape[-1], self.output.shape[1])

    def preactivations(self, w: Tensor) -> Tensor:
        """All w_r·xᵢ, shape (runs, n, m)."""
        return self.x @ self.matrices(w)

    def value(self, w: Tensor) -> Tensor:
        """Loss of each run, shape (runs,)."""
        matrices = self.matrices(w)
        return torch.cat([self._residuals(part, matrices).square().sum(1) / 2 for part in self._parts])

    def subgradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """Gradient with respect to W, with the activation's derivative at its kinks as its registry has it."""
        matrices = self.matrices(w)
        for part in self._parts:
            self._write_gradient(part, self._residuals(part, matrices))
        return self._gradient

    def value_and_subgradient(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """Loss of each run, shape (runs,), and its gradient, from one pass."""
        values, matrices = [], self.matrices(w)
        for part in self._parts:
            residuals = self._residuals(part, matrices)
            values.append(residuals.square().sum(1) / 2)
            self._write_gradient(part, residuals)
        return torch.cat(values), self._gradient

    def _residuals(self, part: "_Part", matrices: Tensor) -> Tensor:
        """f(xᵢ) − yᵢ of some runs, shape (runs, n); what comes before them is left in the buffers."""
        torch.bmm(part.x, matrices[part.runs], out=part.z)
        self.activation.value(part.z, part.a)
        return torch.bmm(part.a, part.output_column).squeeze(2) - part.y

    def _write_gradient(self, part: "_Part", residuals: Tensor) -> None:
        """Write the gradient of the runs whose residuals were taken last."""
        torch.mul(residuals.unsqueeze(2), part.output_row, out=part.delta)
        self.activation.slope(part.delta, part.a if self.activation.from_output else part.z)
        torch.bmm(part.x_transposed, part.delta, out=part.gradient)

    def _part(self, first: int) -> "_Part":
        """Runs from a first one on that are computed at once."""
        runs = slice(first, first + self.runs_at_once)
        x, output = self.x[runs], self.output[runs]
        z, a, delta = (buffer[: len(x)] for buffer in (self._z, self._a, self._delta))
        gradient = self.matrices(self._gradient)[runs]
        return _Part(runs, x, x.mT, self.y[runs], output.unsqueeze(2), output.unsqueeze(1), z, a, delta, gradient)


class _Part(NamedTuple):
    """Some runs of an ensemble, with views of all that a pass over them reads and writes, made once.

    Attributes:
        runs: Which.
        x: Their inputs, shape (runs, n, d) or (n, d).
        x_transposed: Their transposes.
        y: Their targets.
        output_column: v, shape (runs, m, 1).
        output_row: v, shape (runs, 1, m).
        z: Buffer of what comes before the activation, shape (runs, n, m).
        a: That of what comes after it.
        delta: That of derivatives with respect to z.
        gradient: Where theirs is written, shape (runs, d, m).
    """

    runs: slice
    x: Tensor
    x_transposed: Tensor
    y: Tensor
    output_column: Tensor
    output_row: Tensor
    z: Tensor
    a: Tensor
    delta: Tensor
    gradient: Tensor
