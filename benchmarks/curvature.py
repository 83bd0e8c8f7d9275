"""The largest Hessian eigenvalue along a training run, against SciPy's `eigsh`, which starts anew at every iterate.

A tanh network learns digits by gradient descent beyond its edge of stability, and the eigenvalue is wanted every other
step with a residual of at most a thousandth of it. `eigsh` gets our products with the Hessian, and those of curvlinops.
"""

from collections.abc import Iterator

import numpy as np
import torch
from curvlinops import HessianLinearOperator
from scipy.sparse.linalg import LinearOperator, eigsh
from torch import nn

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
    rng = np.random.default_rng(1)
    start = torch.tensor(rng.standard_normal((1, 2, NETWORKS.parameters)))
    probes = torch.tensor(rng.standard_normal((TIMES, NETWORKS.parameters)))
    limits = {"tolerance": RESIDUAL, "most_products": MOST_PRODUCTS}

    def ours():
        directions, products = start, 0
        for w, probe in zip(iterates, probes, strict=True):
            found = largest_eigenvalues(NetworkHessian(objective, w).__matmul__, directions, probe, **limits)
            directions, products = found.vectors, products + found.products.item()
        return products

    def scipys():
        return sum(products_of_eigsh(NetworkHessian(objective, w)) for w in iterates)

    def curvlinops_and_scipys():
        for w in iterates:
            largest(curvlinops_hessian(objective, w).to_scipy(), tol=RESIDUAL)

    products = ours(), scipys()
    seconds = interleaved(ours, scipys, curvlinops_and_scipys)
    name = f"largest eigenvalue, network {'-'.join(map(str, WIDTHS))}, {SAMPLES} samples, float64, one CPU thread"
    yield row(f"{name}, against eigsh", "products", *products)
    yield row(f"{name}, against eigsh", "s", *seconds[:2])
    yield row(f"{name}, against eigsh on curvlinops", "s", seconds[0], seconds[2])


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

    size = NETWORKS.parameters
    largest(LinearOperator((size, size), matvec=product, dtype=np.float64), tol=RESIDUAL)
    return count


def largest(operator, tol):
    """Largest eigenvalue from a random start."""
    start = np.random.default_rng(3).standard_normal(NETWORKS.parameters)
    return eigsh(operator, k=1, which="LA", tol=tol, v0=start)[0].item()


def curvlinops_hessian(objective, w):
    """The Hessian of one network as curvlinops makes it, of a fifth of our loss: MSELoss is a mean over outputs too."""
    modules = []
    for layer in NETWORKS.layers(w):
        linear = nn.Linear(*layer.weights.shape[1:])
        linear.weight.data, linear.bias.data = layer.weights[0].T.clone(), layer.biases[0, 0].clone()
        modules += [linear, nn.Tanh()]
    model = nn.Sequential(*modules[:-1])
    data = [(objective.inputs[:, :-1], objective.target)]
    return HessianLinearOperator(model, nn.MSELoss(), [*model.parameters()], data, check_deterministic=False)
