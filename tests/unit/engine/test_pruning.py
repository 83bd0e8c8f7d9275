"""Pruning with PyTorch's own tools, held against sorting in NumPy and our own networks."""

import numpy as np
import pytest
import torch

from ndgm.engine.activations import ACTIVATIONS, activation
from ndgm.engine.networks import Networks, with_ones
from ndgm.engine.pruning import accuracy, drop_below, keep_share, sequential, sparsity

WIDTHS = (5, 6, 4)
WEIGHTS = 5 * 6 + 6 * 4
X = torch.tensor(np.random.default_rng(2).standard_normal((40, 5)))


def parameters():
    networks = Networks(WIDTHS, activation("relu"))
    return networks.initial([np.random.default_rng(0)])[0] + 0.1 * np.random.default_rng(1).standard_normal(64)


def weights(network):
    return np.concatenate([layer.weight.detach().numpy().ravel() for layer in (network[0], network[2])])


@pytest.mark.parametrize("name", [*ACTIVATIONS, "softplus_1", "softplus_3"])
def test_the_network_is_ours(name):
    networks, w = Networks(WIDTHS, activation(name)), torch.tensor(parameters())[None]
    ours = networks.forward(networks.layers(w), with_ones(X), networks.tape(1, len(X), like=X))[0]
    torch.testing.assert_close(sequential(parameters(), WIDTHS, name)(X).detach(), ours)


@pytest.mark.parametrize("kept", [0, 1 / WEIGHTS, 0.3, 0.5, 1])
def test_the_largest_weights_over_all_layers_stay(kept):
    before = weights(sequential(parameters(), WIDTHS, "relu"))
    network = sequential(parameters(), WIDTHS, "relu")
    keep_share(network, kept)
    count = round(kept * WEIGHTS)
    largest = np.isin(np.arange(WEIGHTS), np.argsort(-np.abs(before))[:count])
    np.testing.assert_array_equal(weights(network), np.where(largest, before, 0))
    assert sparsity(network) == pytest.approx(1 - count / WEIGHTS)
    for place, ours in ((0, parameters()[30:36]), (2, parameters()[60:])):
        np.testing.assert_array_equal(network[place].bias.detach(), ours)


@pytest.mark.parametrize("kept", [-0.1, 1.01, float("nan")])
def test_a_share_outside_zero_and_one_is_refused(kept):
    with pytest.raises(ValueError, match="kept must be a share from 0 to 1"):
        keep_share(sequential(parameters(), WIDTHS, "relu"), kept)


def test_a_threshold_drops_what_is_smaller():
    network = sequential(parameters(), WIDTHS, "relu")
    before = weights(network)
    share = drop_below(network, 0.2)
    np.testing.assert_array_equal(weights(network), np.where(np.abs(before) < 0.2, 0, before))
    assert share == pytest.approx(np.mean(np.abs(before) < 0.2)) and 0 < share < 1


def test_accuracy_counts_hits():
    network = sequential(parameters(), WIDTHS, "relu")
    right = torch.eye(4, dtype=X.dtype)[network(X).argmax(1)]
    assert accuracy(network, X, right) == 1
    wrong = right.clone()
    wrong[:10] = wrong[:10].roll(1, 1)
    assert accuracy(network, X, wrong) == 0.75
