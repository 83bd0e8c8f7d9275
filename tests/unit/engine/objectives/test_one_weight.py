"""Functions of one weight, held against autograd on their plain formula and the formula of their proximal map."""

import numpy as np
import torch

from ndgm.engine.objectives.one_weight import OneWeight

RUNS = 6


def column(*values):
    return torch.tensor(values, dtype=torch.float64).unsqueeze(1)


def test_one_weight_is_its_plain_formula():
    curvature, tilt, penalty = column(0, 1e-3, 2, 1e3, 0, 5), column(0, 0.5, -1, 0, 0.9, 2), column(1, 0, 2, 0, 1, 3)
    objective = OneWeight(curvature, tilt, penalty)
    for seed in range(4):
        w = torch.tensor(np.random.default_rng(seed).standard_normal((RUNS, 1)), requires_grad=True)
        smooth = curvature * w.square() / 2 - tilt * w
        (gradient,) = torch.autograd.grad(smooth.sum(), w, retain_graph=True)
        whole = smooth + penalty * w.abs()
        (expected,) = torch.autograd.grad(whole.sum(), w)
        torch.testing.assert_close(objective.smooth_gradient(w.detach()), gradient, rtol=1e-14, atol=1e-14)
        torch.testing.assert_close(objective.subgradient(w.detach()), expected, rtol=1e-14, atol=1e-14)
        torch.testing.assert_close(objective.measure(w.detach(), w)["objective"], whole.detach()[:, 0])
        amount = torch.full((RUNS, 1), 0.3)
        torch.testing.assert_close(
            objective.shrink(w.detach().clone(), amount), torch.sign(w) * (w.abs() - 0.3 * penalty).clamp_min(0)
        )
    zero = torch.zeros(RUNS, 1, dtype=torch.float64)
    torch.testing.assert_close(objective.subgradient(zero), -tilt)  # sign(0) = 0
