"""Zeros of two-layer ReLU networks along rays, against bisection on PyTorch's own forward pass."""

import numpy as np
import pytest
import torch

from ndgm.engine.rays import along_ray, first_zero

RUNS, UNITS = 200, 12


def normal(*shape, seed):
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape))


def rays():
    """Pre-activations, slopes, output weights and biases of networks that are made up."""
    return (
        normal(RUNS, UNITS, seed=0),
        normal(RUNS, UNITS, seed=1),
        normal(RUNS, UNITS, seed=2),
        normal(RUNS, 1, seed=3),
    )


def test_outputs_along_a_ray_are_those_of_torch():
    a, b, u, c = rays()
    t = normal(RUNS, 5, seed=4).abs()
    expected = torch.stack([(torch.relu(a - at.unsqueeze(1) * b) * u).sum(1) + c[:, 0] for at in t.T], 1)
    torch.testing.assert_close(along_ray(a, b, u, c, t), expected, rtol=1e-12, atol=1e-12)


def test_the_first_zero_is_the_first_zero():
    a, b, u, c = rays()
    found = first_zero(a, b, u, c)
    there = found.isfinite()
    assert 20 < there.sum() < RUNS
    start = along_ray(a, b, u, c, torch.zeros(RUNS, 1, dtype=torch.float64))
    at = along_ray(a, b, u, c, found.nan_to_num().unsqueeze(1))[there]
    assert at.abs().max() < 1e-9 * max(1, found[there].max().item())
    # No other sign before it; and none at all where there is no zero, however far.
    before = torch.linspace(0, 1, 2001, dtype=torch.float64)[:-1] * torch.where(there, found, 1e6).unsqueeze(1)
    assert (along_ray(a, b, u, c, before) * start > 0).all()


@pytest.mark.parametrize(
    ("a", "b", "u", "c", "zero"),
    [
        ([1.0], [1.0], [1.0], 0.5, np.nan),  # falls to its bias, and stays there
        ([1.0], [0.0], [1.0], 0.5, np.nan),  # does not move
        ([1.0], [-1.0], [-1.0], 3.0, 2.0),  # no kink before the zero, and none behind it
        ([1.0, -1.0], [1.0, -1.0], [1.0, -2.0], 0.5, 1.25),  # behind the last kink
        ([1.0, 2.0], [1.0, 1.0], [1.0, -1.0], 0.5, 0.0 + 1.5),  # −1 + ½, up to t = 1, then −relu(2 − t) + ½
        ([1.0], [1.0], [1.0], -1.0, 0.0),  # on the boundary
        ([0.0, 1.0], [-1.0, 1.0], [-1.0, 1.0], 0.0, 0.5),  # a unit at its kink
    ],
)
def test_rays_by_hand(a, b, u, c, zero):
    arguments = (torch.tensor([values], dtype=torch.float64) for values in (a, b, u, [c]))
    np.testing.assert_allclose(first_zero(*arguments), [zero], atol=1e-15)
