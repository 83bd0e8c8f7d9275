"""Convex functions against plain formulas, autograd and what convexity says."""

import numpy as np
import torch
from torch.nn.functional import huber_loss

RUNS, SAMPLES, FEATURES = 6, 40, 5


def normal(*shape, seed=0):
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape))


def column(*values):
    return torch.tensor(values, dtype=torch.float64).unsqueeze(1)


WIDTHS = column(0, 0.01, 0.5, 1, 4, 0)
DESIGNS = {"shared": normal(SAMPLES, FEATURES, seed=1), "per_block": normal(3, SAMPLES, FEATURES, seed=1)}


def huber(x, width):
    """h_δ, from torch's own loss, which is δ·h_δ and has no δ = 0."""
    rows = zip(x, width[:, 0].tolist(), strict=True)
    return torch.stack([huber_loss(r, 0 * r, reduction="none", delta=d) / d if d else r.abs() for r, d in rows])


def products(design, w):
    """Zw of each run with the design of its block, shape (runs, n)."""
    designs = design.expand(RUNS, -1, -1) if design.ndim == 2 else design.repeat_interleave(RUNS // len(design), 0)
    return torch.einsum("rnd,rd->rn", designs, w)


def points():
    """Points near and far, in the memory layout of the loop and in the plain one; some at kinks."""
    for seed, size in enumerate((0.1, 1, 1, 10)):
        w = size * normal(RUNS, FEATURES, seed=10 + seed)
        yield w
        yield w.T.clone(memory_format=torch.contiguous_format).T
    w[:, ::2] = 0
    yield w
    yield torch.zeros_like(w)
    yield torch.ones_like(w)


def assert_is(objective, plain):
    """Value and subgradient are those of the plain formula and autograd, away from kinks."""
    for w in list(points())[:8]:  # with probability one away from kinks
        point = w.clone().requires_grad_()
        (expected,) = torch.autograd.grad(plain(point).sum(), point)
        torch.testing.assert_close(objective.subgradient(w), expected, rtol=1e-12, atol=1e-13)
        torch.testing.assert_close(objective.value(w), plain(w), rtol=1e-12, atol=1e-13)
        torch.testing.assert_close(objective.measure(w, w)["squared_norm"], (w**2).sum(1), rtol=1e-14, atol=0)


def assert_is_convex(objective):
    """Subgradients keep f(v) ≥ f(w) + ⟨g(w), v − w⟩ for all v and w, at kinks too.

    The terms are up to about 1e3, and rounding leaves some 1e-13 of each.
    """
    for w in points():
        g, value = objective.subgradient(w).clone(), objective.value(w)
        for v in points():
            assert (objective.value(v) - value - (g * (v - w)).sum(1) >= -1e-11).all()


def assert_nothing_is_below_lowest(objective):
    """Values are at least the infimum that the objective says."""
    assert all((objective.value(w) >= objective.lowest).all() for w in points())
