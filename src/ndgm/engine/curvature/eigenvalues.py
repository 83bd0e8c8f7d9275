"""Largest eigenvalues of symmetric matrices, one of each run, from products with directions alone."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

EXPLORED = 10
"""Products that are spent on looking for a larger eigenvalue, from a random direction."""
ROUNDING = 1e3
"""A remainder of at most this many machine epsilons of its vector counts as rounding."""


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
    product: Callable[[Tensor], Tensor], start: Tensor, probe: Tensor, *, tolerance: float, most_products: int
) -> Eigenpairs:
    """Largest eigenvalue of a symmetric matrix of each run, from products with directions alone.

    The Ritz pair of a subspace that grows by the residual of that pair; from one direction it is Lanczos's method with
    every vector kept orthogonal to all before. A run stops when its residual is small enough. Runs in a batch are
    independent.

    A residual certifies some eigenvalue. What starts near other eigenvectors could miss the largest, so first the
    subspace grows by Lanczos's method from a random direction, orthogonal to where it starts: after m products of it
    in P dimensions, an eigenvalue larger by a share ε of the spectrum's width is missed with a probability of at most
    1.648√P·exp(−√ε(2m − 1)).

    Args:
        product: V → HV, for one direction of each run, shape (runs, P).
        start: Directions to begin with, linearly independent, shape (runs, kept, P).
        probe: A random direction, shape (P,), or one of each run, shape (runs, P); another one at each call.
        tolerance: Residual to reach, relative to the eigenvalue.
        most_products: Products after which a run gives up, more than `kept`.

    Source: Davidson (1975), without preconditioner; Parlett (1998), The Symmetric Eigenvalue Problem, section 11;
    Kuczyński and Woźniakowski (1992), Estimating the largest eigenvalue by the power and Lanczos algorithms with a
    random start, for the probability.
    """
    runs, kept, size = start.shape
    most = min(most_products, size)
    space = _Subspace(product, start, most)
    direction = probe.expand(runs, size)
    for _ in range(min(EXPLORED, most - kept)):
        direction = space.add(direction)
    return _grown(space, kept, most, tolerance)


def _grown(space: "_Subspace", kept: int, most: int, tolerance: float) -> Eigenpairs:
    """Largest Ritz pairs of a subspace that grows by their residual until every run's is small enough."""
    runs = len(space.basis)
    value, residual = space.basis.new_full((2, runs), torch.nan)
    turns = space.basis.new_zeros(runs, kept, most)
    products = torch.zeros(runs, dtype=torch.long, device=space.basis.device)
    running = torch.ones(runs, dtype=torch.bool, device=space.basis.device)
    while True:
        ritz, turn = space.ritz_pairs()
        rest = space.residual(ritz[:, 0], turn[:, 0])
        norm = rest.norm(dim=1)
        value = torch.where(running, ritz[:, 0], value)
        residual = torch.where(running, torch.where(norm == 0, 0, norm / ritz[:, 0].abs()), residual)
        products[running] = space.count
        turns[running, :, : space.count] = turn[running, :kept]
        running = residual > tolerance
        if space.count == most or not running.any():
            break
        space.add(rest)
    vectors = torch.bmm(turns[:, :, : space.count], space.basis[:, : space.count])
    return Eigenpairs(value.where(residual <= tolerance, torch.nan), vectors, residual, products)


class _Subspace:
    """Orthonormal directions of each run with their images under H, and H between them.

    Attributes:
        basis: Directions, shape (runs, most, P), of which the first `count` are there.
        count: Their number.
    """

    def __init__(self, product: Callable[[Tensor], Tensor], start: Tensor, most: int) -> None:
        runs, kept, size = start.shape
        self.product = product
        self.basis, self._images = start.new_empty(2, runs, most, size)
        self._small = start.new_zeros(runs, most, most)
        self.count = 0
        for direction in torch.linalg.qr(start.mT).Q.mT.unbind(1):
            self._append(direction)

    def add(self, direction: Tensor) -> Tensor:
        """Add the part of a direction, shape (runs, P), that is orthogonal to all so far; its image under H."""
        basis, rest = self.basis[:, : self.count], direction.unsqueeze(1)
        for _ in range(2):  # once leaves a rounding error that grows from step to step
            rest = rest - torch.bmm(torch.bmm(rest, basis.mT), basis)
        rest = rest.squeeze(1)
        length, whole = rest.norm(dim=1, keepdim=True), direction.norm(dim=1, keepdim=True)
        nothing = length <= ROUNDING * torch.finfo(rest.dtype).eps * whole
        image = self._append((rest / length).masked_fill(nothing, 0))
        # The zero that stands for nothing must not become the largest Ritz value.
        last = self._small[:, self.count - 1, self.count - 1]
        last.copy_(torch.where(nothing.squeeze(1), 2 * self._small[:, 0, 0].clamp_max(0), last))
        return image

    def ritz_pairs(self) -> tuple[Tensor, Tensor]:
        """Ritz values, the largest first, shape (runs, count), and their vectors in the basis, one a row."""
        # Where a run has diverged, zeros instead of NaN, which `eigh` refuses; its residual remains NaN.
        ritz, turn = torch.linalg.eigh(self._small[:, : self.count, : self.count].nan_to_num(0, 0, 0))
        return ritz.flip(1), turn.mT.flip(1)

    def residual(self, ritz: Tensor, turn: Tensor) -> Tensor:
        """Hv − λv for a Ritz pair of each run, shape (runs, P)."""
        parts = self._images[:, : self.count], self.basis[:, : self.count]
        image, vector = (torch.bmm(turn.unsqueeze(1), part).squeeze(1) for part in parts)
        return image - ritz.unsqueeze(1) * vector

    def _append(self, direction: Tensor) -> Tensor:
        count = self.count
        self.basis[:, count] = direction
        self._images[:, count] = image = self.product(direction.contiguous())
        entries = torch.bmm(self.basis[:, : count + 1], image.unsqueeze(2)).squeeze(2)
        self._small[:, count, : count + 1] = self._small[:, : count + 1, count] = entries
        self.count += 1
        return image
