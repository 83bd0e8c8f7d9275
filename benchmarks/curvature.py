"""The largest Hessian eigenvalue along a training run, against SciPy's `eigsh` and PyHessian, both of which start anew.

A 64-32-32-10 tanh network learns 500 digits by gradient descent; at every tenth step beyond its edge of stability the
eigenvalue is wanted to a residual of a thousandth of it. PyHessian stops on a change of the eigenvalue instead: it gets
the largest tolerance, of powers of ten, with which its residuals are as small. Products are counted, times measured.
"""

from collections.abc import Iterator

import numpy as np
import torch
from pyhessian import hessian as PyHessian
from scipy.sparse.linalg import LinearOperator, eigsh
from torch.nn.functional import mse_loss

from ndgm.curvature import largest_eigenvalues
from ndgm.datasets import digits
from ndgm.networks import Networks, activation
from ndgm.objectives.network import NetworkLoss
from ndgm.objectives.network_hessian import NetworkHessian

WIDTHS = (64, 32, 32, 10)
SAMPLES, STEP_SIZE, STEPS, EVERY, AT = 500, 0.1, 400, 10, 20
RESIDUAL = 1e-3


def rows(interleaved) -> Iterator[dict]:
    """Products against `eigsh`, and time against PyHessian.

    Args:
        interleaved: Times functions in turn and gives the median seconds of each.
    """
    data = digits(np.random.default_rng(0), samples=SAMPLES, wrong=0.0)
    x, y = torch.tensor(data.inputs), torch.tensor(data.targets)
    objective = NetworkLoss(Networks(WIDTHS, activation("tanh")), x, y, 1)
    iterates = trajectory(objective)
    start = torch.tensor(np.random.default_rng(1).standard_normal((1, 2, objective.networks.parameters)))

    def ours():
        directions, products = start, 0
        for w in iterates:
            hessian = NetworkHessian(objective, w)
            found = largest_eigenvalues(hessian.__matmul__, directions, tolerance=RESIDUAL, most_products=200)
            assert found.value.isfinite().all()
            directions, products = found.vectors, products + found.products.item()
        return products

    def cold():
        return sum(with_eigsh(NetworkHessian(objective, w)) for w in iterates)

    tolerance = next(10.0**-power for power in range(3, 13) if residual_of_pyhessian(objective, iterates, power) <= RESIDUAL)

    def theirs():
        for w in iterates:
            with_pyhessian(objective, w, tolerance)

    ours_products, their_products = ours() / AT, cold() / AT
    (seconds_ours, seconds_theirs, seconds_cold) = interleaved(ours, theirs, cold)
    name = f"largest eigenvalue, network {'-'.join(map(str, WIDTHS))}, {SAMPLES} samples, float64, one CPU thread"
    against = {"eigsh": (seconds_cold, their_products), f"PyHessian, tolerance {tolerance:.0e}": (seconds_theirs, None)}
    yield row(f"{name}: against eigsh", "products", ours_products, their_products)
    yield row(f"{name}: against eigsh", "ms", 1e3 * seconds_ours / AT, 1e3 * against["eigsh"][0] / AT)
    yield row(f"{name}: against PyHessian", "ms", 1e3 * seconds_ours / AT, 1e3 * seconds_theirs / AT)
