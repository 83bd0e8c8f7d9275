"""Losses of networks on full and mini-batches, and where the networks of a seed start."""

import numpy as np
import pytest
import torch

from ndgm.data.kinds import Samples
from ndgm.engine.activations import activation
from ndgm.engine.networks import Networks
from ndgm.engine.objectives.network import MinibatchNetworkLoss
from ndgm.experiments.network_losses import first_parameters, network_loss, tensors

AT_ONCE = {"runs_at_once": 2, "samples_at_once": 7}
WIDTHS = (3, 4, 2)


def test_networks_of_a_seed_start_alike_whatever_else():
    one, again, other = (first_parameters(1, "mine", "start", WIDTHS, seed) for seed in (0, 0, 1))
    assert one.shape == (3 * 4 + 4 + 4 * 2 + 2,) and (one == again).all() and (one != other).any()
    assert (first_parameters(2, "mine", "start", WIDTHS, 0) != one).any()
    # Biases are zero: of each layer the last row.
    assert (one[12:16] == 0).all() and (one[-2:] == 0).all() and (one[:12] != 0).all()


@pytest.mark.parametrize("outputs", [1, 2])
def test_a_full_batch_is_all_samples_and_several_outputs_are_classes(outputs):
    rng = np.random.default_rng(0)
    data = Samples(rng.standard_normal((20, 3)), rng.standard_normal((20, outputs)))
    x, y = tensors(data, torch.float64, "cpu")
    networks = Networks((3, 4, outputs), activation("tanh"))
    w = torch.tensor(networks.initial([np.random.default_rng(seed) for seed in range(3)]))
    loss = network_loss(networks, x, y, 3, AT_ONCE, loss="absolute")
    for run, parameters in enumerate(w):
        first, last = parameters[:16].reshape(4, 4), parameters[16:].reshape(5, outputs)
        hidden = torch.tanh(x @ first[:3] + first[3])
        assert loss.value(w)[run] == pytest.approx(float((hidden @ last[:4] + last[4] - y).abs().sum(1).mean()))
    assert ("accuracy" in loss.measure(w, w)) == (outputs > 1)


def test_mini_batches_are_those_of_each_seed():
    rng = np.random.default_rng(0)
    x, y = tensors(Samples(rng.standard_normal((20, 3)), rng.standard_normal((20, 1))), torch.float64, "cpu")
    networks = Networks((3, 4, 1), activation("tanh"))
    w = torch.tensor(networks.initial([np.random.default_rng(0)])).repeat(4, 1)
    draws = [np.random.default_rng(seed) for seed in (5, 6)]
    loss = network_loss(networks, x, y, 4, AT_ONCE, batch_size="4", draws=draws)
    assert isinstance(loss, MinibatchNetworkLoss)
    loss.draw()
    gradients = loss.subgradient(w)
    assert (gradients[0] == gradients[1]).all() and (gradients[2] == gradients[3]).all()
    assert (gradients[0] != gradients[2]).any()
