"""Logistic regression against autograd on its plain formula."""

import numpy as np
import pytest
import torch

from ndgm.data.classification import two_classes
from ndgm.engine.objectives.logistic import Logistic


def test_logistic_loss_and_its_derivatives():
    rows = torch.tensor(two_classes(np.random.default_rng(0), samples=30, features=3, wrong=0.2).signed)
    w = torch.tensor(np.random.default_rng(1).standard_normal((5, 4)))
    loss, point = Logistic(rows), w.clone().requires_grad_()
    value = torch.log1p(torch.exp(-point @ rows.T)).mean(1)
    torch.testing.assert_close(loss.value(w), value.detach(), rtol=1e-13, atol=0)
    torch.testing.assert_close(loss.subgradient(w), torch.autograd.grad(value.sum(), point)[0], rtol=1e-12, atol=1e-16)
    for run in range(5):
        hessian = torch.autograd.functional.hessian(lambda v: torch.log1p(torch.exp(-rows @ v)).mean(), w[run])
        assert loss.sharpness(w)[run].item() == pytest.approx(np.linalg.eigvalsh(hessian.numpy())[-1], rel=1e-12)
    torch.testing.assert_close(loss.measure(w, w)["smallest_margin"], (rows @ w.T).min(0).values, rtol=1e-13, atol=0)
    assert loss.lowest == 0
