"""The largest Hessian eigenvalue along a training run, against SciPy's `eigsh` and PyHessian, which start anew.

A tanh network learns digits by gradient descent beyond its edge of stability, and the eigenvalue is wanted every other
step with a residual of at most a thousandth of it. PyHessian stops on a change of the eigenvalue instead: it gets the
largest tolerance, of powers of ten, with which all its residuals are as small.
"""

import warnings
from collections.abc import Iterator

import numpy as np
import torch
from pyhessian import hessian as PyHessian
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import nn
from torch.nn.functional import mse_loss

from ndgm.data.networks import digits
from ndgm.engine.activations import activation
from ndgm.engine.curvature.eigenvalues import largest_eigenvalues
from ndgm.engine.curvature.network_hessian import NetworkHessian
from ndgm.engine.networks import Networks
from ndgm.engine.objectives.network import NetworkLoss

WIDTHS = (64, 32, 32, 10)
SAMPLES, STEP_SIZE, BEFORE, EVERY, TIMES = 500, 0.3, 300, 2, 20
RESIDUAL, MOST_PRODUCTS = 1e-3, 100
NETWORKS = Networks(WIDTHS, activation("tanh"))


def rows(interleaved, device) -> Iterator[dict]:
    """Products with the Hessian against `eigsh`, and time against both; on the processor alone.

    Args:
        interleaved: Times functions in turn and gives the median seconds of each.
        device: `cpu`.
    """
    data = digits(np.random.default_rng(0), samples=SAMPLES, wrong=0.9)
    objective = NetworkLoss(NETWORKS, torch.tensor(data.inputs), torch.tensor(data.targets), 1)
    iterates = trajectory(objective)
    start = torch.tensor(np.random.default_rng(1).standard_normal((1, 2, NETWORKS.parameters)))

    def ours():
        directions, products = start, 0
        for w in iterates:
            found = largest_eigenvalues(
                NetworkHessian(objective, w).__matmul__, directions, tolerance=RESIDUAL, most_products=MOST_PRODUCTS
            )
            directions, products = found.vectors, products + found.products.item()
        return products

    def scipys():
        return sum(products_of_eigsh(NetworkHessian(objective, w)) for w in iterates)

    tolerance = next(
        10.0**-power for power in range(3, 16) if largest_residual(objective, iterates, 10.0**-power) <= RESIDUAL
    )

    def pyhessians():
        for w in iterates:
            power_iteration(objective, w, tolerance)

    products = ours(), scipys()
    seconds = interleaved(ours, scipys, pyhessians)
    name = f"largest eigenvalue, network {'-'.join(map(str, WIDTHS))}, {SAMPLES} samples, float64, one CPU thread"
    yield row(f"{name}, against eigsh", "products", *products)
    yield row(f"{name}, against eigsh", "s", *seconds[:2])
    yield row(f"{name}, against PyHessian", "s", seconds[0], seconds[2])


def row(name, unit, ours, theirs):
    """A line of the table, for one eigenvalue; there is no limit to compare with."""
    ours, theirs = ours / TIMES, theirs / TIMES
    return {
        "name": name,
        "unit": unit,
        "ours": ours,
        "theirs": theirs,
        "ratio": theirs / ours,
        "fraction_of_limit": None,
    }


def trajectory(objective):
    """Every few iterates of gradient descent, shape (1, P) each."""
    w = torch.tensor(NETWORKS.initial([np.random.default_rng(2)]))
    iterates = []
    for step in range(BEFORE + EVERY * TIMES):
        if step >= BEFORE and step % EVERY == 0:
            iterates.append(w.clone())
        w -= STEP_SIZE * objective.subgradient(w)
    return iterates


def products_of_eigsh(hessian):
    """How many products SciPy needs from a random start, to a residual that it certifies itself."""
    count = 0

    def product(vector):
        nonlocal count
        count += 1
        return (hessian @ torch.tensor(vector).view(1, -1)).numpy().ravel()

    start = np.random.default_rng(3).standard_normal(NETWORKS.parameters)
    operator = LinearOperator((NETWORKS.parameters, NETWORKS.parameters), matvec=product, dtype=np.float64)
    eigsh(operator, k=1, which="LA", tol=RESIDUAL, v0=start)
    return count


def power_iteration(objective, w, tolerance):
    """PyHessian's largest eigenvalue and its vector, laid out as `w` is."""
    modules = []
    for layer in NETWORKS.layers(w):
        linear = nn.Linear(*layer.weights.shape[1:])
        linear.weight.data, linear.bias.data = layer.weights[0].T.clone(), layer.biases[0, 0].clone()
        modules += [linear, nn.Tanh()]
    model = nn.Sequential(*modules[:-1])
    torch.manual_seed(3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on its way of keeping the graph
        data = objective.inputs[:, :-1], objective.target
        found = PyHessian(model, half_squared, data=data, cuda=False).eigenvalues(
            10 * MOST_PRODUCTS, tolerance, top_n=1
        )
    for parameter in model.parameters():
        parameter.grad = None  # else the graph is kept for ever
    value, vector = found[0][0], found[1][0]
    return value, torch.cat([(part.mT if part.ndim == 2 else part).reshape(1, -1) for part in vector], 1)


def largest_residual(objective, iterates, tolerance):
    """The largest of PyHessian's residuals over all iterates, relative to the eigenvalues."""
    residuals = []
    for w in iterates:
        value, vector = power_iteration(objective, w, tolerance)
        rest = NetworkHessian(objective, w) @ vector - value * vector
        residuals.append(rest.norm().item() / abs(value) / vector.norm().item())
    return max(residuals)


def half_squared(outputs, y):
    """The loss of `NetworkLoss`."""
    return mse_loss(outputs, y, reduction="sum") / (2 * len(y))
