"""Signals in random deep networks, held against networks of PyTorch and against what flipped signs must not change."""

import numpy as np
import pytest
import torch
from networks_in_torch import NAMES, double

from ndgm.engine.activations import activation
from ndgm.engine.deep_signals import deep_signals

NETWORKS, LAYERS, UNITS, SIGNALS = 3, 4, 7, 5


def drawn(seed=0):
    """Weights, signals and signs."""
    rng = np.random.default_rng(seed)
    weights = torch.tensor(rng.standard_normal((NETWORKS, LAYERS, UNITS, UNITS)))
    signal = torch.tensor(rng.standard_normal((NETWORKS, SIGNALS, UNITS)))
    return weights, signal, torch.tensor(rng.choice([-1, 1], (LAYERS, SIGNALS, UNITS)), dtype=torch.int8)


@pytest.mark.parametrize("name", NAMES)
def test_each_signal_sees_the_network_with_rows_of_its_signs_flipped(name):
    weights, signal, signs = drawn()
    layers = list(deep_signals(weights, activation(name), signal, signs, scale=0.8))
    assert len(layers) == LAYERS
    for network in range(NETWORKS):
        for which in range(SIGNALS):
            h = signal[network, which]
            for number, (z, out) in enumerate(layers):
                own = torch.nn.Linear(UNITS, UNITS, bias=False, dtype=torch.float64)
                own.weight.data = 0.8 * (signs[number, which].unsqueeze(1) * weights[network, number]).T
                torch.testing.assert_close(z[network, which], own(h), rtol=1e-12, atol=1e-12)
                h = double(name)(own(h))
                torch.testing.assert_close(out[network, which], h, rtol=1e-12, atol=1e-12)


def test_networks_may_have_signs_of_their_own():
    weights, signal, signs = drawn()
    together = [h for _, h in deep_signals(weights, activation("tanh"), signal, signs)]
    each = signs.expand(NETWORKS, -1, -1, -1)
    apart = [h for _, h in deep_signals(weights, activation("tanh"), signal, each)]
    for one, other in zip(together, apart, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)


def test_nothing_that_is_given_changes():
    weights, signal, signs = drawn()
    before = weights.clone(), signal.clone(), signs.clone()
    list(deep_signals(weights, activation("relu"), signal, signs))
    for now, then in zip((weights, signal, signs), before, strict=True):
        assert (now == then).all()


def test_signals_of_one_network_are_nearly_independent():
    """Squared lengths after one layer: over networks their correlation is about 1/units, and 1 without signs."""
    rng, networks, units = np.random.default_rng(1), 20_000, 16
    weights = torch.tensor(rng.standard_normal((networks, 1, units, units)))
    signal = torch.ones(networks, 2, units, dtype=torch.float64)
    signs = torch.tensor(rng.choice([-1.0, 1.0], (networks, 1, 2, units)))
    for own, limit in ((signs, (0, 0.15)), (torch.ones_like(signs), (1 - 1e-9, 1 + 1e-9))):
        ((_, h),) = deep_signals(weights, activation("relu"), signal, own)
        correlation = np.corrcoef(h.square().sum(2).T.numpy())[0, 1]
        assert limit[0] - 5 / np.sqrt(networks) < correlation < limit[1]
