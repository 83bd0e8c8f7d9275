"""Networks with targets for every loss, and dense Hessians of theirs."""

import numpy as np
import torch
from networks_in_torch import data

from ndgm.engine.curvature.network_hessian import NetworkHessian

SMOOTHED = 0.4  # labels that are not one-hot, for which softmax and label are never equal


def targets(loss):
    x, y = data()
    return (x, (1 - SMOOTHED) * y + SMOOTHED / y.shape[1]) if loss == "cross_entropy" else (x, y)


def gaussian(*shape, seed=2):
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape))


def dense(objective, w):
    """Hessian of each run, from products with the unit vectors."""
    hessian = NetworkHessian(objective, w)
    return torch.stack([hessian @ unit.expand_as(w).contiguous() for unit in torch.eye(w.shape[1], dtype=w.dtype)], 1)
