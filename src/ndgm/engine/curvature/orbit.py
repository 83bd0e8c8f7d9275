"""Curvature along the steps of plain gradient descent, on any objective without a penalty."""

import torch
from torch import Tensor

from ndgm.engine.curvature.observer import Observer
from ndgm.engine.objectives.objective import Average, Averages, Objective


class Orbit(Observer):
    """Curvature that a step from w to w₊ = w − ηg meets.

    With f₊ and g₊ at w₊, a step has the curvature κ = 2(f₊ − f + η‖g‖²)/(η²‖g‖²) of the parabola through it, which is
    2(1 + r)/η for the relative progress r = (f₊ − f)/(η‖g‖²); and the directional smoothness ⟨g, g − g₊⟩/(η‖g‖²), which
    is the slope of the secant of the gradient. Means are weighted with ‖g‖²: as sums both are defined where g is 0.

    Args:
        objective: What is minimised; it has `sharpness`.
        step_size: η of each run, shape (runs, 1).
        start: First iterates, shape (runs, d).

    Source: Ahn, Zhang and Sra (2022), Understanding the unstable convergence of gradient descent.
    """

    averaged = {
        "squared_gradient_norm": Average.PER_WEIGHT,
        "curvature": Average.PER_RUN,
        "smoothness": Average.PER_WEIGHT,
    }

    def __init__(self, objective: Objective, step_size: Tensor, start: Tensor) -> None:
        self.objective = objective
        self.step_size = step_size
        self._start = objective.value(start)

    def see(self, w: Tensor, value: Tensor, g: Tensor, averages: Averages | None) -> None:
        """Average ‖g‖², κ‖g‖² and ⟨g, g − g₊⟩/η."""
        if averages is None:
            return
        after = torch.addcmul(w, g, self.step_size, value=-1)
        squared = g.square()
        step_size = self.step_size[:, 0]
        rise = self.objective.value(after) - value + step_size * squared.sum(1)
        averages.per_weight["squared_gradient_norm"].add_(squared)
        averages.per_run["curvature"].add_(2 * rise / step_size.square())
        averages.per_weight["smoothness"].add_(g * (g - self.objective.subgradient(after)) / self.step_size)

    def measure(self, w: Tensor, before: Tensor) -> dict[str, Tensor]:
        """What is recorded of the step from `before` to `w`.

        `start_objective` is f at the first iterate, `sharpness` and `sharpness_before` the largest eigenvalue of the
        Hessian at `w` and `before`, `amplitude` half the length of the step, and `smoothness` its directional
        smoothness, NaN where g is 0.
        """
        g = self.objective.subgradient(before).clone()
        bent = (g * (g - self.objective.subgradient(w))).sum(1)
        return {
            "start_objective": self._start,
            "sharpness": self.objective.sharpness(w),
            "sharpness_before": self.objective.sharpness(before),
            "amplitude": torch.linalg.vector_norm(w - before, dim=1) / 2,
            "smoothness": bent / (self.step_size[:, 0] * g.square().sum(1)),
        }
