"""What tells an orbit of plain gradient descent, measured on any objective without a penalty."""

import torch
from torch import Tensor

from ndgm.engine.objectives.objective import Objective


class Orbit(Objective):
    """An objective, and beside it what the step from w to w₊ = w − ηg says of its curvature.

    With f₊ and g₊ at w₊, a step has the curvature κ = 2(f₊ − f + η‖g‖²)/(η²‖g‖²) of the parabola through it, which is
    2(1 + r)/η for the relative progress r = (f₊ − f)/(η‖g‖²); and the directional smoothness ⟨g, g − g₊⟩/(η‖g‖²), which
    is the slope of the secant of the gradient. Means are weighted with ‖g‖²: as sums both are defined where g is 0.

    Args:
        objective: What is minimised; it has `value(w)` and `sharpness(w)`, both of shape (runs,), and its gradients are
            not overwritten by the next.
        step_size: η of each run, shape (runs, 1).
        start: First iterates, shape (runs, d).

    Source: Ahn, Zhang and Sra (2022), Understanding the unstable convergence of gradient descent.
    """

    averaged = ("squared_gradient_norm", "curvature", "smoothness")

    def __init__(self, objective: Objective, step_size: Tensor, start: Tensor) -> None:
        self.objective = objective
        self.step_size = step_size
        self.lowest = objective.lowest
        self._start = objective.value(start)

    def gradient(self, w: Tensor) -> Tensor:
        """That of the objective."""
        return self.objective.subgradient(w)

    def measure(self, w: Tensor, before: Tensor) -> dict[str, Tensor]:
        """What is recorded of the last step: what the objective records, and of the step that led to `w`.

        `start_objective` is f at the first iterate, `sharpness` and `sharpness_before` the largest eigenvalue of the
        Hessian at `w` and `before`, `amplitude` half the length of the step, and `smoothness` its directional
        smoothness, NaN where g is 0.
        """
        g = self.objective.subgradient(before)
        bent = (g * (g - self.objective.subgradient(w))).sum(1)
        return self.objective.measure(w, before) | {
            "start_objective": self._start,
            "sharpness": self.objective.sharpness(w),
            "sharpness_before": self.objective.sharpness(before),
            "amplitude": torch.linalg.vector_norm(w - before, dim=1) / 2,
            "smoothness": bent / (self.step_size[:, 0] * g.square().sum(1)),
        }

    def accumulate(self, w: Tensor, g: Tensor, sums: dict[str, Tensor]) -> None:
        """Add to running sums of shape (runs, d) what over weights is ‖g‖², κ‖g‖² and ⟨g, g − g₊⟩/η.

        κ‖g‖², one number per run, goes to the first weight.
        """
        after = torch.addcmul(w, g, self.step_size, value=-1)
        squared = g.square()
        step_size = self.step_size[:, 0]
        rise = self.objective.value(after) - self.objective.value(w) + step_size * squared.sum(1)
        sums["squared_gradient_norm"].add_(squared)
        sums["curvature"][:, 0] += 2 * rise / step_size.square()
        sums["smoothness"].add_(g * (g - self.objective.subgradient(after)) / self.step_size)
