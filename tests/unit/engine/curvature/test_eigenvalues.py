"""Largest eigenvalues of matrices with known spectra, and of Hessians against LAPACK, SciPy and curvlinops."""

import numpy as np
import pytest
import torch
from curvlinops import HessianLinearOperator
from hessians import dense, gaussian, targets
from networks_in_torch import RUNS, WIDTHS, parameters, torch_model
from scipy.sparse.linalg import eigsh
from scipy.stats import ortho_group

from ndgm.engine.activations import activation
from ndgm.engine.curvature.eigenvalues import EXPLORED, largest_eigenvalues
from ndgm.engine.curvature.network_hessian import NetworkHessian
from ndgm.engine.networks import Networks
from ndgm.engine.objectives.network import NetworkLoss


@pytest.mark.parametrize("loss", ["squared", "cross_entropy"])
@pytest.mark.parametrize("name", ["relu", "tanh", "softplus_10"])
def test_largest_eigenvalues_are_those_of_lapack(name, loss):
    networks = Networks(WIDTHS[1], activation(name))
    (x, y), w = targets(loss), parameters(networks)
    objective = NetworkLoss(networks, x, y, RUNS, loss=loss, runs_at_once=2)
    hessian = NetworkHessian(objective, w)
    start, probe = gaussian(RUNS, 2, networks.parameters), gaussian(networks.parameters, seed=3)
    found = largest_eigenvalues(hessian.__matmul__, start, probe, tolerance=1e-9, most_products=90)
    torch.testing.assert_close(found.value, torch.linalg.eigvalsh(dense(objective, w))[:, -1], rtol=1e-8, atol=0)
    vector = found.vectors[:, 0]
    torch.testing.assert_close(vector.norm(dim=1), torch.ones(RUNS, dtype=torch.float64), rtol=1e-12, atol=0)
    rest = (hessian @ vector - found.value[:, None] * vector).norm(dim=1) / found.value.abs()
    assert (rest <= 1.01e-9).all() and (found.residual <= 1e-9).all()


def test_largest_eigenvalue_is_that_of_scipy_on_products_of_curvlinops():
    networks = Networks(WIDTHS[1], activation("tanh"))
    (x, y), w = targets("cross_entropy"), parameters(networks, runs=1)
    objective = NetworkLoss(networks, x, y, 1, loss="cross_entropy")
    start = gaussian(1, 2, networks.parameters)
    product, probe = NetworkHessian(objective, w).__matmul__, gaussian(networks.parameters, seed=3)
    found = largest_eigenvalues(product, start, probe, tolerance=1e-7, most_products=90)
    model, criterion = torch_model(networks, "tanh", w[0]), torch.nn.CrossEntropyLoss()
    operator = HessianLinearOperator(model, criterion, [*model.parameters()], [(x, y)], check_deterministic=False)
    theirs = eigsh(operator.to_scipy(), k=1, which="LA", v0=start[0, 0].numpy())[0].item()
    # The error of a Ritz value is the square of its residual over a gap.
    assert found.value.item() == pytest.approx(theirs, rel=1e-10)


PROBE = gaussian(40, seed=9)


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
    found = largest_eigenvalues(products_with(matrix), gaussian(1, 2, 40), PROBE, tolerance=1e-6, most_products=40)
    assert found.value.item() == pytest.approx(max(eigenvalues), rel=1e-6)
    assert found.residual.item() <= 1e-6


def test_a_residual_not_reached_is_no_value():
    matrix, _ = symmetric(np.linspace(-1, 1, 40))
    start, product = gaussian(2, 2, 40), products_with(matrix, 0 * matrix)
    found = largest_eigenvalues(product, start, PROBE, tolerance=1e-9, most_products=5)
    assert found.products[0] == 5 and found.residual[0] > 1e-9 and found.value[0].isnan()


def test_an_eigenvalue_of_a_zero_matrix():
    zero = torch.zeros(40, 40, dtype=torch.float64)
    found = largest_eigenvalues(products_with(zero), gaussian(1, 2, 40), PROBE, tolerance=1e-3, most_products=90)
    assert found.value.item() == 0 and found.products.item() == 2 + EXPLORED


def test_a_run_that_has_diverged_has_no_value_and_does_not_disturb_others():
    matrix, _ = symmetric([1, *np.linspace(-1, 0.5, 39)])
    start = gaussian(3, 2, 40)
    options = {"tolerance": 1e-6, "most_products": 40}
    both = largest_eigenvalues(products_with(matrix, torch.nan * matrix, torch.inf * matrix), start, PROBE, **options)
    alone = largest_eigenvalues(products_with(matrix), start[:1], PROBE, **options)
    assert both.value[1:].isnan().all()
    torch.testing.assert_close(both.value[:1], alone.value, rtol=1e-14, atol=0)


def test_a_run_does_not_depend_on_those_beside_it():
    easy, _ = symmetric([9, *np.linspace(-1, 0.5, 39)])
    hard, _ = symmetric([1, *np.linspace(-1, 0.99, 39)], seed=1)
    start, options = gaussian(2, 2, 40), {"tolerance": 1e-3, "most_products": 40}
    both = largest_eigenvalues(products_with(easy, hard), start, PROBE, **options)
    for run, matrix in enumerate((easy, hard)):
        alone = largest_eigenvalues(products_with(matrix), start[[run]], PROBE, **options)
        for name in ("value", "residual", "products"):
            torch.testing.assert_close(getattr(both, name)[[run]], getattr(alone, name), rtol=1e-9, atol=1e-12)
    assert both.products[0] < both.products[1]


def test_a_start_near_the_answer_takes_few_products():
    matrix, rows = symmetric([1, *np.linspace(-1, 0.9, 199)])
    near = rows[:2].unsqueeze(0) + 1e-3 * gaussian(1, 2, 200) / 200**0.5
    options, probe = {"tolerance": 1e-2, "most_products": 200}, gaussian(200, seed=9)
    warm, cold = (
        largest_eigenvalues(products_with(matrix), start, probe, **options) for start in (near, gaussian(1, 2, 200))
    )
    assert warm.products.item() == 2 + EXPLORED and cold.products.item() > 2 + EXPLORED


# The largest is larger by a fifth of the spectrum's width at least, of which ten probing products miss one in 200.
CROSSED = {
    "the largest alone": [3, 2, 1.9, *np.linspace(-1, 1, 197)],
    "many outliers": [3, 2.4, 2.3, 2.2, 2.1, 2.0, *np.linspace(-0.1, 0.1, 194)],
    "negative": [-1, -2, -2.1, *np.linspace(-4, -3, 197)],
    "zero otherwise": [3, 2, 1.9, *np.zeros(197)],
    "a wide spectrum": [3, 1, 0.9, *np.linspace(-5, 0, 197)],
}


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("eigenvalues", CROSSED.values(), ids=CROSSED)
def test_a_start_on_other_eigenvectors_does_not_hide_the_largest(eigenvalues, exact):
    # From near the second and third eigenvectors 2.0 came back, with a small residual, where the largest was 3.
    matrix, rows = symmetric(eigenvalues)
    pairs = [(1, 2), (2, 1), (1, 5), (7, 1), (30, 60), (199, 198)]
    start = torch.stack([rows[list(pair)] for pair in pairs])
    if not exact:
        start = start + 1e-3 * gaussian(*start.shape) / 200**0.5
    product = products_with(*len(pairs) * [matrix])
    for seed in range(10):
        probe = gaussian(200, seed=100 + seed)
        found = largest_eigenvalues(product, start, probe, tolerance=1e-3, most_products=200)
        np.testing.assert_allclose(found.value, max(eigenvalues), rtol=1e-3)
        assert (found.residual <= 1e-3).all()


def test_a_probe_of_each_run_may_be_another():
    matrix, _ = symmetric([1, *np.linspace(-1, 0.99, 39)])
    start, probes, options = gaussian(2, 2, 40), gaussian(2, 40, seed=9), {"tolerance": 1e-3, "most_products": 40}
    both = largest_eigenvalues(products_with(matrix, matrix), start, probes, **options)
    for run in range(2):
        alone = largest_eigenvalues(products_with(matrix), start[[run]], probes[run], **options)
        torch.testing.assert_close(both.value[[run]], alone.value, rtol=1e-9, atol=0)
        assert both.products[run] == alone.products


@pytest.mark.parametrize("scale", [5.0, 0.0, -5.0])
def test_directions_without_a_rest_give_no_eigenvalue(scale):
    # All of the space is one eigenspace: nothing is left of an image, and the zero in its place is above −5.
    product = products_with(scale * torch.eye(40, dtype=torch.float64))
    start = torch.eye(40, dtype=torch.float64)[None, :2]
    probe = torch.eye(40, dtype=torch.float64)[2]
    found = largest_eigenvalues(product, start, probe, tolerance=1e-9, most_products=40)
    assert found.value.item() == scale and found.residual.item() <= 1e-9
    assert torch.isfinite(found.vectors).all()


def test_another_eigenvalue_that_has_become_the_largest_is_found():
    _, rows = symmetric(np.linspace(-1, 0.5, 40))
    before = largest_eigenvalues(
        products_with(rows.T @ torch.diag(torch.tensor([1.0, 0.9, *np.linspace(-1, 0.5, 38)])) @ rows),
        gaussian(1, 2, 40),
        PROBE,
        tolerance=1e-3,
        most_products=40,
    )
    crossed = rows.T @ torch.diag(torch.tensor([1.0, 1.1, *np.linspace(-1, 0.5, 38)])) @ rows
    found = largest_eigenvalues(products_with(crossed), before.vectors, PROBE, tolerance=1e-3, most_products=40)
    assert found.value.item() == pytest.approx(1.1, rel=1e-5)


def test_a_run_that_begins_at_its_eigenvector_is_whole_beside_one_that_does_not():
    # Nothing is left of its residual, and it was divided by its length.
    diagonal = torch.diag(torch.tensor([8.0, 4.0, 2.0, 1.0, 0.5, 0.25]))
    start = gaussian(2, 1, 6)
    start[0] = torch.eye(6, dtype=torch.float64)[0]
    probe = gaussian(6, seed=9)
    found = largest_eigenvalues(lambda v: v @ diagonal.double(), start, probe, tolerance=1e-10, most_products=6)
    np.testing.assert_allclose(found.value, [8.0, 8.0], rtol=1e-12)
    assert torch.isfinite(found.vectors).all()
