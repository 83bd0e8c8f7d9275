"""The LASSO and its mini-batches, against autograd, torch's own soft thresholding and the rows of the design."""

import numpy as np
import pytest
import torch
from torch.nn.functional import softshrink

from ndgm.engine.objectives.lasso import Lasso, LassoDesigns, MinibatchLasso
from ndgm.theory.l1_paradox import minibatch_noise

RUNS, SAMPLES, FEATURES = 5, 40, 7


@pytest.fixture
def data():
    """Z, y, penalties of shape (runs, 1), iterates of shape (runs, d) of which some are zero."""
    rng = np.random.default_rng(0)
    Z = torch.tensor(rng.standard_normal((SAMPLES, FEATURES)))
    y = torch.tensor(rng.standard_normal(SAMPLES))
    penalty = torch.tensor(rng.uniform(0.1, 2, (RUNS, 1)))
    w = torch.tensor(rng.standard_normal((RUNS, FEATURES)))
    return Z, y, penalty, w


def gram_form(Z, y, penalty):
    return Lasso(Z.T @ Z / len(Z), Z.T @ y / len(Z), penalty)


def plain_smooth(Z, y, w):
    """½‖y − Zw‖²/n of each run."""
    return ((y - w @ Z.T) ** 2).sum(1) / (2 * len(Z))


def test_gradients_are_those_of_the_plain_formula(data):
    Z, y, penalty, w = data
    lasso = gram_form(Z, y, penalty)
    point = w.clone().requires_grad_()
    (smooth,) = torch.autograd.grad(plain_smooth(Z, y, point).sum(), point)
    whole_value = (plain_smooth(Z, y, point) + penalty[:, 0] * point.abs().sum(1)).sum()
    (whole,) = torch.autograd.grad(whole_value, point)
    torch.testing.assert_close(lasso.smooth_gradient(w), smooth, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(lasso.subgradient(w), whole, rtol=1e-12, atol=1e-13)


def test_sign_of_zero_is_zero(data):
    Z, y, penalty, w = data
    w[:, ::2] = 0
    lasso = gram_form(Z, y, penalty)
    smooth = lasso.smooth_gradient(w).clone()
    difference = lasso.subgradient(w) - smooth
    torch.testing.assert_close(difference[:, ::2], torch.zeros_like(difference[:, ::2]), rtol=0, atol=1e-14)
    torch.testing.assert_close(difference[:, 1::2].abs(), penalty.expand(-1, FEATURES // 2), rtol=0, atol=1e-14)


def test_measured_quantities(data):
    Z, y, penalty, w = data
    w[0, :3] = 0
    measured = gram_form(Z, y, penalty).measure(w, None)
    value = plain_smooth(Z, y, w) - y @ y / (2 * SAMPLES) + penalty[:, 0] * torch.linalg.vector_norm(w, 1, dim=1)
    torch.testing.assert_close(measured["objective"], value, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(measured["l1_norm"], torch.linalg.vector_norm(w, 1, dim=1), rtol=1e-14, atol=0)
    torch.testing.assert_close(measured["squared_norm"], torch.linalg.vector_norm(w, 2, dim=1) ** 2, rtol=1e-14, atol=0)
    assert measured["zeros"].tolist() == [3, 0, 0, 0, 0]


def test_shrink_is_torch_softshrink_with_exact_zeros_at_the_threshold(data):
    Z, y, penalty, w = data
    amount = torch.linspace(0.1, 1, RUNS, dtype=torch.float64).unsqueeze(1)
    threshold = (amount * penalty)[:, 0]
    w[:, 0], w[:, 1] = threshold, -threshold
    w[:, 2] = torch.nextafter(threshold, torch.tensor(torch.inf, dtype=torch.float64))
    w[:, 3] = 0
    expected = torch.stack([softshrink(row, t.item()) for row, t in zip(w, threshold, strict=True)])
    shrunk = gram_form(Z, y, penalty).shrink(w.clone(), amount)
    assert torch.equal(shrunk, expected)
    assert (shrunk[:, [0, 1, 3]] == 0).all() and (shrunk[:, 2] > 0).all()


def drawn(objective):
    objective.draw()
    return objective


def draws(lasso, w, count):
    return np.stack([drawn(lasso).smooth_gradient(w).numpy().copy() for _ in range(count)])


def test_a_batch_of_one_is_one_row_of_the_design(data):
    Z, y, penalty, w = data
    lasso = MinibatchLasso(Z, y, penalty, 1, [np.random.default_rng(1)])
    row_gradients = (Z @ w[0] - y).unsqueeze(1) * Z
    for found in draws(lasso, w, 20):
        distance = np.abs(row_gradients.numpy() - found[0]).max(1)
        assert distance.min() < 1e-13


@pytest.mark.parametrize("batch_size", [1, 4])
def test_minibatch_gradients_have_the_full_mean_and_the_noise_of_theory(data, batch_size):
    Z, y, penalty, w = data
    w[0] = 0  # where the closed form of the noise holds
    count = 6_000
    found = draws(MinibatchLasso(Z, y, penalty, batch_size, [np.random.default_rng(2)]), w, count)
    full = gram_form(Z, y, penalty).smooth_gradient(w).numpy()
    # Five standard errors, over 35 coordinates.
    assert (np.abs(found.mean(0) - full) <= 5 * found.std(0) / np.sqrt(count)).all()
    at_zero = found[:, 0]
    rows = -(Z * y.unsqueeze(1)).numpy()
    expected = np.cov(rows.T, bias=True) / batch_size
    np.testing.assert_allclose(np.diag(expected), minibatch_noise(Z.numpy(), y.numpy(), batch_size) ** 2, rtol=1e-12)
    centred = at_zero - full[0]
    products = centred[:, :, None] * centred[:, None, :]
    assert (np.abs(products.mean(0) - expected) <= 5 * products.std(0) / np.sqrt(count)).all()
    # One draw says nothing about the next.
    serial = (centred[1:] * centred[:-1]).mean(0) / expected.diagonal()
    assert (np.abs(serial) <= 5 / np.sqrt(count)).all()


def test_runs_of_a_block_see_the_same_batches_and_blocks_see_their_own(data):
    Z, y, _, w = data
    same = w[:1].expand(6, -1).contiguous()
    penalty = torch.ones(6, 1, dtype=torch.float64)
    generators = [np.random.default_rng(seed) for seed in (3, 4)]
    found = draws(MinibatchLasso(Z, y, penalty, 2, generators), same, 10)
    np.testing.assert_allclose(found[:, :3], found[:, [0, 0, 0]], rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(found[:, 3:], found[:, [3, 3, 3]], rtol=1e-12, atol=1e-14)
    assert (np.abs(found[:, 0] - found[:, 3]).max(1) > 1e-3).all()


def test_another_block_changes_no_draws(data):
    Z, y, _, w = data
    one, ones = w[:2], torch.ones(4, 1, dtype=torch.float64)
    alone = draws(MinibatchLasso(Z, y, ones[:2], 3, [np.random.default_rng(5)]), one, 20)
    generators = [np.random.default_rng(seed) for seed in (5, 6)]
    together = draws(MinibatchLasso(Z, y, ones, 3, generators), torch.cat([one, w[2:4]]), 20)
    np.testing.assert_allclose(together[:, :2], alone, rtol=1e-12, atol=1e-14)
    other = draws(MinibatchLasso(Z, y, ones[:2], 3, [np.random.default_rng(6)]), w[2:4], 20)
    np.testing.assert_allclose(together[:, 2:], other, rtol=1e-12, atol=1e-14)


def test_minibatch_subgradient_adds_the_penalty(data):
    Z, y, penalty, w = data
    w[:, 0] = 0
    lasso = drawn(MinibatchLasso(Z, y, penalty, 3, [np.random.default_rng(8)]))
    smooth, whole = lasso.smooth_gradient(w).clone(), lasso.subgradient(w)
    expected = penalty.numpy() * np.sign(w.numpy())
    np.testing.assert_allclose((whole - smooth).numpy(), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("samples", [3, SAMPLES])
def test_designs_side_by_side_are_those_one_by_one(samples):
    # With fewer samples than weights, where a step goes through the rows, and in Gram form.
    rng = np.random.default_rng(8)
    Z, y = (torch.tensor(rng.standard_normal((2, samples, *tail))) for tail in ((FEATURES,), ()))
    penalty, w = torch.tensor(rng.uniform(0.1, 2, (6, 1))), torch.tensor(rng.standard_normal((6, FEATURES)))
    together = LassoDesigns(Z, y, penalty)
    for design, rows in enumerate((slice(0, 3), slice(3, 6))):
        alone = gram_form(Z[design], y[design], penalty[rows])
        for name in ("value", "subgradient", "smooth_gradient", "penalty_subgradient"):
            found = getattr(together, name)(w)[rows]
            torch.testing.assert_close(found, getattr(alone, name)(w[rows]), rtol=1e-12, atol=1e-13)


def test_designs_go_on_without_those_that_are_settled():
    rng = np.random.default_rng(9)
    Z, y = (torch.tensor(rng.standard_normal((3, SAMPLES, *tail))) for tail in ((FEATURES,), ()))
    penalty, w = torch.tensor(rng.uniform(0.1, 2, (9, 1))), torch.tensor(rng.standard_normal((9, FEATURES)))
    whole = LassoDesigns(Z, y, penalty)
    # The second design is done with, and so is the last run of each; one run goes on only with that of another design.
    rows, left = whole.without(torch.tensor([False, False, True, True, True, True, False, True, True]))
    assert rows.tolist() == [0, 1, 6, 7]
    for name in ("value", "subgradient", "smooth_gradient", "penalty_subgradient"):
        torch.testing.assert_close(getattr(left, name)(w[rows]), getattr(whole, name)(w)[rows], rtol=1e-12, atol=1e-13)
