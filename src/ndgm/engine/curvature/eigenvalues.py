"""Curvature along a run: the largest eigenvalue of the Hessian, and what consecutive gradients and values say of it."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import repeat

import torch
from torch import Tensor

from ndgm.engine.curvature.network_hessian import NetworkHessian
from ndgm.engine.networks import Networks
from ndgm.engine.objectives.network import NetworkLoss


@dataclass(frozen=True)
class Eigenpairs:
    """Largest (algebraic) eigenvalues of symmetric matrices H, one of each run, with what certifies them.

    Attributes:
        value: λ, shape (runs,); NaN where the residual asked for was not reached.
        vectors: Ritz vectors of the largest Ritz values, the first that of λ, shape (runs, kept, P): where to start
            when H has changed a little.
        residual: ‖Hv − λv‖/|λ| for ‖v‖ = 1, shape (runs,): some eigenvalue lies within this of λ, relative to it.
        products: How many products with H it took, shape (runs,).
    """

    value: Tensor
    vectors: Tensor
    residual: Tensor
    products: Tensor


def largest_eigenvalues(
    product: Callable[[Tensor], Tensor], start: Tensor, *, tolerance: float, most_products: int
) -> Eigenpairs:
    """Largest eigenvalue of a symmetric matrix of each run, from products with directions alone.

    The Ritz pair of a subspace that grows by the residual of that pair; from one direction it is Lanczos's method with
    every vector kept orthogonal to all before. A run stops when its residual is small enough, and its numbers do not
    depend on those beside it. With more than one direction to begin with, it is improbable that another eigenvalue has
    become the largest unnoticed.

    Args:
        product: V → HV, for one direction of each run, shape (runs, P).
        start: Directions to begin with, linearly independent, shape (runs, kept, P).
        tolerance: Residual to reach, relative to the eigenvalue.
        most_products: Products after which a run gives up, at least `kept`.

    Source: Davidson (1975), without preconditioner; Parlett (1998), The Symmetric Eigenvalue Problem, section 11.
    """
    runs, kept, size = start.shape
    most = min(most_products, size)
    basis, images = start.new_empty(2, runs, most, size)
    basis[:, :kept] = torch.linalg.qr(start.mT).Q.mT
    for place in range(kept):
        images[:, place] = product(basis[:, place].contiguous())
    small = start.new_zeros(runs, most, most)  # basis · H · basisᵀ
    small[:, :kept, :kept] = torch.bmm(basis[:, :kept], images[:, :kept].mT)
    turns = start.new_zeros(runs, kept, most)
    value, residual = start.new_full((2, runs), torch.nan)
    smallest = torch.finfo(start.dtype).tiny
    products = torch.zeros(runs, dtype=torch.long, device=start.device)
    running = torch.ones(runs, dtype=torch.bool, device=start.device)
    for count in range(kept, most + 1):
        so_far = basis[:, :count]
        # Where a run has diverged, zeros instead of NaN, which `eigh` refuses; its residual remains NaN.
        ritz, turn = torch.linalg.eigh(small[:, :count, :count].nan_to_num(0, 0, 0))
        turn = turn.mT.flip(1)[:, :kept]  # the largest first
        top = turn[:, :1]
        rest = torch.bmm(top, images[:, :count]) - ritz[:, -1:, None] * torch.bmm(top, so_far)
        value = torch.where(running, ritz[:, -1], value)
        norm = rest.norm(dim=2).squeeze(1)
        relative = torch.where(norm == 0, 0, norm / ritz[:, -1].abs())
        residual = torch.where(running, relative, residual)
        products[running] = count
        turns[running, :, :count] = turn[running]
        running = residual > tolerance
        if count == most or not running.any():
            break
        for _ in range(2):  # once leaves a rounding error that grows from step to step
            rest -= torch.bmm(torch.bmm(rest, so_far.mT), so_far)
        # A run that has stopped may have no rest at all.
        basis[:, count] = (rest / rest.norm(dim=2, keepdim=True).clamp_min(smallest)).squeeze(1)
        images[:, count] = product(basis[:, count].contiguous())
        entries = torch.bmm(basis[:, : count + 1], images[:, count, :, None]).squeeze(2)
        small[:, count, : count + 1] = small[:, : count + 1, count] = entries
    vectors = torch.bmm(turns[:, :, :count], basis[:, :count])
    return Eigenpairs(value.where(residual <= tolerance, torch.nan), vectors, residual, products)


class TrackedNetworkLoss(NetworkLoss):
    """A `NetworkLoss` that measures its curvature along gradient descent with a constant step η.

    With g, f at an iterate and g₊, f₊ at the next, κ = 2(f₊ − f + η‖g‖²)/(η²‖g‖²) is the curvature that explains f₊ to
    second order. Its mean over steps 0 … t − 1, weighted by ‖g‖², is 2/η − 2(f₀ − f_t)/(η²Σ‖g‖²): an identity.

    Args:
        networks: The architecture.
        x: Inputs, shape (n, in).
        y: Targets, shape (n, out).
        start: First iterates, shape (runs, P).
        step_size: η of each run, shape (runs, 1).
        directions: Where the eigenvalue is looked for first, shape (runs, kept, P).
        tolerance: Residual of the largest eigenvalue, relative to it.
        most_products: Products with the Hessian after which the eigenvalue counts as not found.
        **others: As for `NetworkLoss`.

    Attributes:
        values: Loss of each run at the last gradient, shape (runs,).

    Source: Ahn, Zhang and Sra (2022) for relative progress and directional smoothness.
    """

    averaged = ("squared_gradient_norm",)

    def __init__(
        self,
        networks: Networks,
        x: Tensor,
        y: Tensor,
        start: Tensor,
        step_size: Tensor,
        directions: Tensor,
        *,
        tolerance: float,
        most_products: int,
        **others: object,
    ) -> None:
        super().__init__(networks, x, y, len(start), **others)
        self.step_size = step_size.squeeze(1)
        self.directions = directions
        self.tolerance = tolerance
        self.most_products = most_products
        self.values = self.value(start)
        self._value_before = self.values.clone()
        self._squares = torch.zeros_like(self._value_before)
        self._weighted_curvature = torch.zeros_like(self._value_before)

    def gradient(self, w: Tensor) -> Tensor:
        """Gradient, with the activation's derivative at its kinks; `values` are the losses then."""
        return self._gradient_over(w, repeat(self.samples), self.values)

    def accumulate(self, w: Tensor, g: Tensor, sums: dict[str, Tensor]) -> None:
        """Add ‖g‖² to its sum, and κ‖g‖² of the step that led here to that of κ‖g‖²."""
        sums["squared_gradient_norm"].addcmul_(g, g)
        self._weighted_curvature.add_(2 * (self.values - self._value_before) / self.step_size**2)
        self._value_before.copy_(self.values)
        squared = g.square().sum(1)
        self._weighted_curvature.add_(2 * squared / self.step_size)
        self._squares.add_(squared)

    def measure(self, w: Tensor, before: Tensor) -> dict[str, Tensor]:
        """What `NetworkLoss` records, and the curvature at iterates `w` and along the step from `before` to them.

        `sharpness` is the largest eigenvalue of the Hessian, NaN where its `residual` is above the tolerance after
            `products` products;
        `relative_progress` is (f₊ − f)/(η‖g‖²);
        `directional_smoothness` is ⟨g, g − g₊⟩/(η‖g‖²);
        `step_curvature` is κ;
        `weighted_curvature` is Σκ‖g‖² and `squared_gradients` Σ‖g‖², over all steps so far.
        """
        measured = super().measure(w, before)
        g_before = self.gradient(before).clone()
        f_before = self.values.clone()
        g, f = self.gradient(w), self.values
        squared = g_before.square().sum(1)
        progress = (f - f_before) / (self.step_size * squared)
        smoothness = (g_before * (g_before - g)).sum(1) / (self.step_size * squared)
        moved = (w != before).any(1)
        parts = zip(*(every.split(self.runs_at_once) for every in (w, self.directions)), strict=True)
        found = [self._largest_eigenvalues(*part) for part in parts]
        self.directions = torch.cat([pairs.vectors for pairs in found])
        return measured | {
            "sharpness": torch.cat([pairs.value for pairs in found]),
            "residual": torch.cat([pairs.residual for pairs in found]),
            "products": torch.cat([pairs.products for pairs in found]).to(f.dtype),
            "relative_progress": progress.where(moved, torch.nan),
            "directional_smoothness": smoothness.where(moved, torch.nan),
            "step_curvature": (2 * (1 + progress) / self.step_size).where(moved, torch.nan),
            "weighted_curvature": self._weighted_curvature + 2 * (f - self._value_before) / self.step_size**2,
            "squared_gradients": self._squares.clone(),
        }

    def _largest_eigenvalues(self, w: Tensor, directions: Tensor) -> Eigenpairs:
        hessian = NetworkHessian(self, w)
        return largest_eigenvalues(
            hessian.__matmul__, directions, tolerance=self.tolerance, most_products=self.most_products
        )
