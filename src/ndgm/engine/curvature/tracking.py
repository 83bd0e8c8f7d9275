"""Curvature along gradient descent on networks: the largest Hessian eigenvalue, and what steps say of it."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ndgm.engine.curvature.eigenvalues import Eigenpairs, largest_eigenvalues
from ndgm.engine.curvature.network_hessian import NetworkHessian
from ndgm.engine.curvature.observer import Observer
from ndgm.engine.objectives.network import NetworkLoss
from ndgm.engine.objectives.objective import Average, Averages


class TrackedCurvature(Observer):
    """Curvature of a `NetworkLoss` along gradient descent with a constant step η.

    With g, f at an iterate and g₊, f₊ at the next, κ = 2(f₊ − f + η‖g‖²)/(η²‖g‖²) is the curvature that explains f₊ to
    second order. Its mean over steps 0 … t − 1, weighted by ‖g‖², is 2/η − 2(f₀ − f_t)/(η²Σ‖g‖²): an identity.

    Args:
        objective: f.
        start: First iterates, shape (runs, P).
        step_size: η of each run, shape (runs, 1).
        directions: Where the eigenvalue is looked for first, shape (runs, kept, P).
        probes: Generator of the random directions of each run, of which every call of `measure` takes another one.
        tolerance: Residual of the largest eigenvalue, relative to it.
        most_products: Products with the Hessian after which the eigenvalue counts as not found.

    Source: Ahn, Zhang and Sra (2022) for relative progress and directional smoothness.
    """

    averaged = {"squared_gradient_norm": Average.PER_WEIGHT}

    def __init__(
        self,
        objective: NetworkLoss,
        start: Tensor,
        step_size: Tensor,
        directions: Tensor,
        probes: Sequence[np.random.Generator],
        *,
        tolerance: float,
        most_products: int,
    ) -> None:
        self.objective = objective
        self.step_size = step_size.squeeze(1)
        self.directions = directions
        self.probes = probes
        self.tolerance = tolerance
        self.most_products = most_products
        self._value_before = objective.value(start)
        self._squares = torch.zeros_like(self._value_before)
        self._weighted_curvature = torch.zeros_like(self._value_before)

    def see(self, w: Tensor, value: Tensor, g: Tensor, averages: Averages | None) -> None:
        """Add ‖g‖² to its sum, and κ‖g‖² of the step that led here to the sum of κ‖g‖²."""
        if averages:
            averages.per_weight["squared_gradient_norm"].addcmul_(g, g)
        self._weighted_curvature.add_(2 * (value - self._value_before) / self.step_size**2)
        self._value_before.copy_(value)
        squared = g.square().sum(1)
        self._weighted_curvature.add_(2 * squared / self.step_size)
        self._squares.add_(squared)

    def measure(self, w: Tensor, before: Tensor) -> dict[str, Tensor]:
        """Curvature at iterates `w` and along the step from `before` to them.

        `sharpness` is the largest eigenvalue of the Hessian, NaN where its `residual` is above the tolerance after
            `products` products;
        `relative_progress` is (f₊ − f)/(η‖g‖²);
        `directional_smoothness` is ⟨g, g − g₊⟩/(η‖g‖²);
        `step_curvature` is κ;
        `weighted_curvature` is Σκ‖g‖² and `squared_gradients` Σ‖g‖², over all steps so far.
        """
        f_before, g_before = self.objective.value_and_subgradient(before)
        g_before = g_before.clone()
        f, g = self.objective.value_and_subgradient(w)
        squared = g_before.square().sum(1)
        progress = (f - f_before) / (self.step_size * squared)
        smoothness = (g_before * (g_before - g)).sum(1) / (self.step_size * squared)
        moved = (w != before).any(1)
        draws = np.stack([rng.standard_normal(w.shape[1]) for rng in self.probes])
        probes = torch.tensor(draws, dtype=w.dtype, device=w.device)
        at_once = self.objective.runs_at_once
        parts = zip(*(each.split(at_once) for each in (w, self.directions, probes)), strict=True)
        found = [self._largest_eigenvalues(*part) for part in parts]
        self.directions = torch.cat([pairs.vectors for pairs in found])
        return {
            "sharpness": torch.cat([pairs.value for pairs in found]),
            "residual": torch.cat([pairs.residual for pairs in found]),
            "products": torch.cat([pairs.products for pairs in found]).to(f.dtype),
            "relative_progress": progress.where(moved, torch.nan),
            "directional_smoothness": smoothness.where(moved, torch.nan),
            "step_curvature": (2 * (1 + progress) / self.step_size).where(moved, torch.nan),
            "weighted_curvature": self._weighted_curvature + 2 * (f - self._value_before) / self.step_size**2,
            "squared_gradients": self._squares.clone(),
        }

    def _largest_eigenvalues(self, w: Tensor, directions: Tensor, probes: Tensor) -> Eigenpairs:
        product = NetworkHessian(self.objective, w).__matmul__
        return largest_eigenvalues(
            product, directions, probes, tolerance=self.tolerance, most_products=self.most_products
        )
