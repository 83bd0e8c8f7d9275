"""Largest eigenvalues of symmetric matrices, one of each run, from products with directions alone."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


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
    every vector kept orthogonal to all before. A run stops when its residual is small enough. Runs in a batch are
    independent. Several start directions make it unlikely to miss a crossing of eigenvalues.

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
