"""Hessians of networks and their largest eigenvalues, against Hessians by hand, autograd, LAPACK and PyHessian."""

import numpy as np
import pytest
import torch
from networks_in_torch import CRITERIA, MODULES, RUNS, WIDTHS, data, flat, parameters, torch_model
from pyhessian import hessian as PyHessian
from scipy.stats import ortho_group

from ndgm.engine.curvature.eigenvalues import TrackedNetworkLoss, largest_eigenvalues
from ndgm.engine.curvature.network_hessian import NetworkHessian
from ndgm.engine.descent import Schedule, descend
from ndgm.engine.methods import METHODS
from ndgm.engine.networks import ACTIVATIONS, Networks, activation
from ndgm.engine.objectives.network import LOSSES, NetworkLoss

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


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("widths", WIDTHS, ids=lambda widths: f"depth {len(widths) - 2}")
@pytest.mark.parametrize("name", MODULES)
def test_products_are_those_of_autograd(name, widths, loss):
    networks = Networks(widths, activation(name))
    (x, y), w = targets(loss), parameters(networks)
    # Two runs and ten samples at once: parts and pieces of unequal size.
    objective = NetworkLoss(networks, x, y, RUNS, loss=loss, runs_at_once=2, samples_at_once=10)
    direction = gaussian(*w.shape)
    products = NetworkHessian(objective, w) @ direction
    for run in range(RUNS):
        model = torch_model(networks, name, w[run])
        weights = [p for m in model if isinstance(m, torch.nn.Linear) for p in (m.weight, m.bias)]
        gradient = torch.autograd.grad(CRITERIA[loss](model(x), y), weights, create_graph=True)
        other = torch_model(networks, name, direction[run])
        along = [p.detach() for m in other if isinstance(m, torch.nn.Linear) for p in (m.weight, m.bias)]
        expected = torch.autograd.grad(gradient, weights, along)
        for parameter, value in zip(weights, expected, strict=True):
            parameter.grad = value
        torch.testing.assert_close(products[run], flat(model, lambda p: p.grad), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", ["relu", "hardtanh", "elu", "softplus_10"])
def test_products_are_differences_of_gradients(name, loss):
    networks = Networks(WIDTHS[1], activation(name))
    (x, y), w = targets(loss), parameters(networks)
    objective = NetworkLoss(networks, x, y, RUNS, loss=loss)
    direction, h = gaussian(*w.shape), 1e-7
    forward, backward = (objective.gradient(w + step * direction).clone() for step in (h, -h))
    # Truncation h² and rounding 1e-16/h; no pre-activation or residual of these is within 1e-6 of its kink.
    expected = (forward - backward) / (2 * h)
    torch.testing.assert_close(NetworkHessian(objective, w) @ direction, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", [name for name, one in ACTIVATIONS.items() if one.second] + ["softplus_3"])
def test_second_derivatives_of_activations(name):
    z = torch.linspace(-30, 30, 4001, dtype=torch.float64)
    z = z[(z.abs() > 1e-3)]  # ELU has no second derivative at 0
    leaf = z.clone().requires_grad_()
    module = MODULES.get(name) or torch.nn.Softplus(3, 40)
    (slope,) = torch.autograd.grad(module(leaf).sum(), leaf, create_graph=True)
    (expected,) = torch.autograd.grad(slope.sum(), leaf)
    torch.testing.assert_close(activation(name).second(z), expected, rtol=1e-10, atol=1e-14)


def test_hessian_of_one_unit_by_hand():
    # f = ½(c·relu(a·x + b) + d)² at x = 2, with a·x + b > 0, so r = c(2a + b) + d and ∇r = (2c, c, 2a + b, 1).
    a, b, c, d = 0.5, 0.25, 3.0, -1.0
    w = torch.tensor([[a, b, c, d], [a, -2.0, c, d]], dtype=torch.float64)
    x, y = torch.full((1, 1), 2.0, dtype=torch.float64), torch.zeros(1, 1, dtype=torch.float64)
    objective = NetworkLoss(Networks((1, 1, 1), activation("relu")), x, y, 2)
    slope, r = torch.tensor([2 * c, c, 2 * a + b, 1.0], dtype=torch.float64), c * (2 * a + b) + d
    second = torch.zeros(4, 4, dtype=torch.float64)  # of r: ∂²/∂a∂c = 2 and ∂²/∂b∂c = 1
    second[0, 2] = second[2, 0] = 2.0
    second[1, 2] = second[2, 1] = 1.0
    off = torch.zeros(4, 4, dtype=torch.float64)  # 2a + b < 0: only d acts
    off[3, 3] = 1.0
    expected = torch.stack([torch.outer(slope, slope) + r * second, off])
    torch.testing.assert_close(dense(objective, w), expected, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("loss", ["squared", "cross_entropy"])
@pytest.mark.parametrize("name", ["relu", "tanh", "softplus_10"])
def test_largest_eigenvalues_are_those_of_lapack(name, loss):
    networks = Networks(WIDTHS[1], activation(name))
    (x, y), w = targets(loss), parameters(networks)
    objective = NetworkLoss(networks, x, y, RUNS, loss=loss, runs_at_once=2)
    hessian = NetworkHessian(objective, w)
    found = largest_eigenvalues(
        hessian.__matmul__, gaussian(RUNS, 2, networks.parameters), tolerance=1e-9, most_products=90
    )
    torch.testing.assert_close(found.value, torch.linalg.eigvalsh(dense(objective, w))[:, -1], rtol=1e-8, atol=0)
    vector = found.vectors[:, 0]
    torch.testing.assert_close(vector.norm(dim=1), torch.ones(RUNS, dtype=torch.float64), rtol=1e-12, atol=0)
    rest = (hessian @ vector - found.value[:, None] * vector).norm(dim=1) / found.value.abs()
    assert (rest <= 1.01e-9).all() and (found.residual <= 1e-9).all()


@pytest.mark.parametrize("loss", ["squared", "cross_entropy"])
def test_largest_eigenvalue_is_that_of_pyhessian(loss):
    networks = Networks(WIDTHS[1], activation("tanh"))
    (x, y), w = targets(loss), parameters(networks, runs=1)
    objective = NetworkLoss(networks, x, y, 1, loss=loss)
    start = gaussian(1, 2, networks.parameters)
    found = largest_eigenvalues(NetworkHessian(objective, w).__matmul__, start, tolerance=1e-7, most_products=90)
    model = torch_model(networks, "tanh", w[0])
    torch.manual_seed(0)
    with torch.autograd.set_multithreading_enabled(False):
        theirs = PyHessian(model, CRITERIA[loss], data=(x, y), cuda=False).eigenvalues(maxIter=5000, tol=1e-12)[0][0]
    # Its vectors have length 1/(1 + 1e-6); its power iteration stops on a change of 1e-12, which leaves more to go.
    assert found.value.item() == pytest.approx(theirs * (1 + 1e-6) ** 2, rel=1e-8)


def symmetric(eigenvalues, seed=0):
    """A matrix with these eigenvalues, and its eigenvectors as rows."""
    turn = ortho_group.rvs(len(eigenvalues), random_state=seed)
    return torch.tensor(turn.T @ np.diag(eigenvalues) @ turn), torch.tensor(turn)


def products_with(*matrices):
    stack = torch.stack(matrices)
    return lambda directions: torch.einsum("rij,rj->ri", stack, directions)


@pytest.mark.parametrize(
    "eigenvalues",
    [
        [1, *np.linspace(-1, 0.5, 39)],
        [1, *np.linspace(-50, 0.5, 39)],  # algebraic, not by magnitude
        [-1, *np.linspace(-9, -2, 39)],  # all negative
        [1, 1, *np.linspace(-1, 0.5, 38)],  # twice
        [1, 1 - 1e-4, *np.linspace(-1, 0.5, 38)],
        [5] * 40,
    ],
)
def test_spectra(eigenvalues):
    matrix, _ = symmetric(eigenvalues)
    found = largest_eigenvalues(products_with(matrix), gaussian(1, 2, 40), tolerance=1e-6, most_products=40)
    assert found.value.item() == pytest.approx(max(eigenvalues), rel=1e-6)
    assert found.residual.item() <= 1e-6


def test_a_residual_not_reached_is_no_value():
    matrix, _ = symmetric(np.linspace(-1, 1, 40))
    found = largest_eigenvalues(products_with(matrix, 0 * matrix), gaussian(2, 2, 40), tolerance=1e-9, most_products=5)
    assert found.products[0] == 5 and found.residual[0] > 1e-9 and found.value[0].isnan()


def test_an_eigenvalue_of_a_zero_matrix():
    zero = torch.zeros(40, 40, dtype=torch.float64)
    found = largest_eigenvalues(products_with(zero), gaussian(1, 2, 40), tolerance=1e-3, most_products=9)
    assert found.value.item() == 0 and found.products.item() == 2


def test_a_run_that_has_diverged_has_no_value_and_does_not_disturb_others():
    matrix, _ = symmetric([1, *np.linspace(-1, 0.5, 39)])
    start = gaussian(3, 2, 40)
    both = largest_eigenvalues(
        products_with(matrix, torch.nan * matrix, torch.inf * matrix), start, tolerance=1e-6, most_products=40
    )
    alone = largest_eigenvalues(products_with(matrix), start[:1], tolerance=1e-6, most_products=40)
    assert both.value[1:].isnan().all()
    torch.testing.assert_close(both.value[:1], alone.value, rtol=1e-14, atol=0)


def test_a_run_does_not_depend_on_those_beside_it():
    easy, _ = symmetric([9, *np.linspace(-1, 0.5, 39)])
    hard, _ = symmetric([1, *np.linspace(-1, 0.99, 39)], seed=1)
    start, options = gaussian(2, 2, 40), {"tolerance": 1e-3, "most_products": 40}
    both = largest_eigenvalues(products_with(easy, hard), start, **options)
    for run, matrix in enumerate((easy, hard)):
        alone = largest_eigenvalues(products_with(matrix), start[[run]], **options)
        for name in ("value", "residual", "products"):
            torch.testing.assert_close(getattr(both, name)[[run]], getattr(alone, name), rtol=1e-9, atol=1e-12)
    assert both.products[0] < both.products[1]


def test_a_start_near_the_answer_takes_few_products():
    matrix, rows = symmetric([1, *np.linspace(-1, 0.9, 199)])
    near = rows[:2].unsqueeze(0) + 1e-3 * gaussian(1, 2, 200) / 200**0.5
    options = {"tolerance": 1e-2, "most_products": 200}
    warm, cold = (largest_eigenvalues(products_with(matrix), start, **options) for start in (near, gaussian(1, 2, 200)))
    assert warm.products.item() == 2 and cold.products.item() > 8


def test_another_eigenvalue_that_has_become_the_largest_is_found():
    _, rows = symmetric(np.linspace(-1, 0.5, 40))
    before = largest_eigenvalues(
        products_with(rows.T @ torch.diag(torch.tensor([1.0, 0.9, *np.linspace(-1, 0.5, 38)])) @ rows),
        gaussian(1, 2, 40),
        tolerance=1e-3,
        most_products=40,
    )
    crossed = rows.T @ torch.diag(torch.tensor([1.0, 1.1, *np.linspace(-1, 0.5, 38)])) @ rows
    found = largest_eigenvalues(products_with(crossed), before.vectors, tolerance=1e-3, most_products=40)
    assert found.value.item() == pytest.approx(1.1, rel=1e-5)


def test_a_run_that_begins_at_its_eigenvector_is_whole_beside_one_that_does_not():
    # Nothing is left of its residual, and it was divided by its length.
    diagonal = torch.diag(torch.tensor([8.0, 4.0, 2.0, 1.0, 0.5, 0.25]))
    start = gaussian(2, 1, 6)
    start[0] = torch.eye(6, dtype=torch.float64)[0]
    found = largest_eigenvalues(lambda v: v @ diagonal.double(), start, tolerance=1e-10, most_products=6)
    np.testing.assert_allclose(found.value, [8.0, 8.0], rtol=1e-12)
    assert torch.isfinite(found.vectors).all() and found.products[0] == 1


STEPS, EVERY = 60, 7


def tracked(name="tanh", loss="squared", factors=(0.1, 0.5, 1.0, 1.5, 3.0)):
    networks = Networks(WIDTHS[1], activation(name))
    (x, y), start = targets(loss), parameters(networks)
    step_size = torch.tensor(factors, dtype=torch.float64).unsqueeze(1)
    directions = gaussian(RUNS, 2, networks.parameters)
    objective = TrackedNetworkLoss(
        networks, x, y, start, step_size, directions, tolerance=1e-6, most_products=90, loss=loss, runs_at_once=2
    )
    recorded = tuple(sorted({0, *range(0, STEPS + 1, EVERY), STEPS}))
    return objective, start, step_size, Schedule(STEPS, recorded, 0)


@pytest.mark.parametrize("loss", ["squared", "cross_entropy"])
@pytest.mark.parametrize("name", ["tanh", "relu"])
def test_what_is_followed_along_a_run(name, loss):
    objective, start, step_size, schedule = tracked(name, loss)
    trace = descend(objective, METHODS["subgradient"], start, step_size, schedule)
    x, y = targets(loss)
    for run in range(RUNS):
        model, eta = torch_model(objective.networks, name, start[run]), step_size[run].item()
        optimiser = torch.optim.SGD(model.parameters(), lr=eta)
        values, gradients, iterates = [], [], []
        for _ in range(STEPS + 1):
            optimiser.zero_grad()
            value = CRITERIA[loss](model(x), y)
            value.backward()
            values.append(value.item())
            gradients.append(flat(model, lambda p: p.grad.clone()))
            iterates.append(flat(model).detach().clone())
            optimiser.step()
        squares = [g.square().sum().item() for g in gradients]
        curvature = [
            2 * (after - before + eta * s) / (eta**2 * s)
            for before, after, s in zip(values, values[1:], squares, strict=False)
        ]
        alone = NetworkLoss(objective.networks, x, y, 1, loss=loss)
        for row, step in enumerate(trace.step):
            found = {key: value[row, run] for key, value in trace.measured.items()}
            sharpness = torch.linalg.eigvalsh(dense(alone, iterates[step][None]))[0, -1].item()
            expected = {
                "objective": values[step],
                "sharpness": sharpness,
                "squared_gradients": sum(squares[:step]),
                "weighted_curvature": sum(k * s for k, s in zip(curvature[:step], squares, strict=False)),
            }
            if step and squares[step - 1] > 1e-6:  # below that, values differ by little more than rounding
                s, g, after = squares[step - 1], gradients[step - 1], gradients[step]
                expected["relative_progress"] = (values[step] - values[step - 1]) / (eta * s)
                expected["directional_smoothness"] = (g @ (g - after)).item() / (eta * s)
                expected["step_curvature"] = curvature[step - 1]
            assert step or np.isnan(found["step_curvature"]) and np.isnan(found["relative_progress"])
            for key, value in expected.items():
                # Steps beyond the edge multiply rounding errors, by 1e6 or so in these runs.
                assert found[key] == pytest.approx(value, rel=1e-7, abs=1e-9), (key, run, step)


@pytest.mark.parametrize("name", ["tanh", "relu", "hardtanh"])
def test_the_mean_curvature_telescopes(name):
    objective, start, step_size, schedule = tracked(name)
    measured = descend(objective, METHODS["subgradient"], start, step_size, schedule).measured
    eta = step_size.squeeze(1).numpy()
    f, squares = measured["objective"], measured["squared_gradients"]
    mean = measured["weighted_curvature"][1:] / squares[1:]
    np.testing.assert_allclose(mean, 2 / eta - 2 * (f[0] - f[1:]) / (eta**2 * squares[1:]), rtol=1e-10)
    np.testing.assert_allclose(measured["mean_squared_gradient_norm"][-1] * STEPS, squares[-1], rtol=1e-10)


def test_a_run_that_diverges_is_recorded_as_that():
    objective, start, step_size, schedule = tracked(factors=(0.1, 1e6, 0.1, 1e30, 0.1), name="relu")
    trace = descend(objective, METHODS["subgradient"], start, step_size, schedule)
    assert trace.stopped_because.tolist() == ["finished", "diverged", "finished", "diverged", "finished"]
    assert np.isfinite(trace.measured["sharpness"][:, [0, 2, 4]]).all()
