"""What is recorded of attacked networks, against autograd, a fine search along the attack, and frozen weights."""

import numpy as np
import pytest
import torch

from ndgm.engine.activations import activation
from ndgm.engine.initialization import Initialization
from ndgm.engine.methods import METHODS
from ndgm.engine.networks import Networks
from ndgm.engine.objectives.network import NetworkLoss
from ndgm.engine.objectives.partly_trained import PartlyTrained, of_layers
from ndgm.experiments.attacked_networks import (
    OffSubspaceAttack,
    Recorded,
    against_start,
    flips_of_nearest,
    middle,
    nearest_outputs,
    on_a_line,
)
from ndgm.theory.subspace_attack import flip_distance

RUNS, SUBSPACE, DIMENSION, UNITS = 4, 3, 10, 30


def network_and_start(penalty=0.0):
    rng = np.random.default_rng(0)
    networks = Networks((DIMENSION, UNITS, 1), activation("relu"))
    w = networks.initial([np.random.default_rng(seed) for seed in range(RUNS)], Initialization("normal", 1.0))
    x = np.zeros((40, DIMENSION))
    x[:, :SUBSPACE] = 2 * rng.standard_normal((40, SUBSPACE))
    y = torch.tensor(np.sign(x[:, :1]))
    w = torch.tensor(w)
    loss = NetworkLoss(networks, torch.tensor(x), y, RUNS, loss="logistic")
    network = PartlyTrained(loss, of_layers(networks, (0, 1), w), torch.full((RUNS, 1), penalty, dtype=w.dtype))
    return network, w


def trained(network, w, steps=100):
    w = w.clone()
    for _ in range(steps):
        w, _ = METHODS["subgradient"].step(network, w, (), torch.full((RUNS, 1), 0.1, dtype=w.dtype))
    return w


def output(w, x):
    """f of one run, written out."""
    first = w[: DIMENSION * UNITS].view(DIMENSION, UNITS)
    biases, last, bias = w[DIMENSION * UNITS :].split([UNITS, UNITS, 1])
    return torch.relu(x @ first + biases) @ last + bias[0]


def test_an_attack_is_along_the_off_subspace_gradient_of_autograd():
    network, start = network_and_start()
    w = trained(network, start)
    points = nearest_outputs(network, w, 1.0, 1)[0]
    attack = OffSubspaceAttack(network, w, points, SUBSPACE)
    flips = attack.flip(attack.downhill)
    for run in range(RUNS):
        x = points[run].clone().requires_grad_()
        value = output(w[run], x)
        (gradient,) = torch.autograd.grad(value, x)
        gradient[:SUBSPACE] = 0
        value, sign = value.item(), np.sign(value.item())
        assert attack.output[run].item() == pytest.approx(value)
        assert attack.gradient_norm[run].item() == pytest.approx(gradient.norm().item())
        downhill = sign * gradient / gradient.norm()
        torch.testing.assert_close(attack.downhill[run], downhill)
        t = torch.linspace(0, 1, 4001, dtype=w.dtype)[:-1] * flips[run]
        along = sign * output(w[run], points[run] - t.unsqueeze(1) * downhill)
        assert (along > 0).all() and along[-1] < 1e-2
        units = points[run] @ w[run, : DIMENSION * UNITS].view(DIMENSION, UNITS)
        active = units + w[run, DIMENSION * UNITS : (DIMENSION + 1) * UNITS] > 0
        weights = w[run, (DIMENSION + 1) * UNITS : -1]
        assert attack.active()[run].item() == pytest.approx((weights[active] ** 2).sum().item())


def test_samples_are_on_their_right_side_and_nearest_first():
    network, start = network_and_start()
    w = trained(network, start)
    x, y = network.loss.inputs[:, :-1], network.loss.target[:, 0]
    for run in range(RUNS):
        signed = output(w[run], x) * y
        distances = torch.stack([(output(w[run], p[run]).abs() - 1).abs() for p in nearest_outputs(network, w, 1.0, 3)])
        expected = (signed[signed > 0] - 1).abs().sort().values[:3]
        torch.testing.assert_close(distances, expected)


def test_without_a_penalty_nothing_off_the_subspace_moves_and_with_one_it_shrinks():
    for penalty, moved in ((0.0, 0), (0.3, (DIMENSION - SUBSPACE) * UNITS)):
        network, start = network_and_start(penalty)
        found = against_start(network, start, SUBSPACE)(trained(network, start, 20))
        assert found["moved"].tolist() == [moved] * RUNS
        for name in ("smallest_factor", "largest_factor"):
            torch.testing.assert_close(found[name], torch.full((RUNS,), (1 - 0.1 * penalty) ** 20, dtype=start.dtype))
        torch.testing.assert_close(found["largest_weight"], found["largest_at_start"] * found["largest_factor"])


def test_what_is_recorded_of_an_attack():
    network, start = network_and_start()
    w = trained(network, start)
    recorded = Recorded(network, flips_of_nearest(network, SUBSPACE, 1.0, 3, np.full(RUNS, 1 / DIMENSION)))
    found = recorded.measure(w, w)
    attacks = [OffSubspaceAttack(network, w, point, SUBSPACE) for point in nearest_outputs(network, w, 1.0, 3)]
    ratio = torch.stack([attack.flip(attack.downhill) / attack.output.abs() for attack in attacks])
    torch.testing.assert_close(found["flip_over_output"], middle(ratio), equal_nan=True)
    assert (found["accuracy"] > 0.8).all() and ((found["output"] - 1).abs() < 0.3).all()
    torch.testing.assert_close(found["objective"], network.loss.value(w))
    predicted = [[flip_distance(point) for point in attack.points(np.full(RUNS, 1 / DIMENSION))] for attack in attacks]
    expected = torch.stack([attack.flip(attack.downhill) for attack in attacks]) / torch.tensor(predicted)
    torch.testing.assert_close(found["flip_over_predicted"], middle(expected), equal_nan=True)


def test_a_random_direction_off_a_line_is_one_of_two():
    rng = np.random.default_rng(1)
    networks = Networks((2, UNITS, 1), activation("relu"))
    w = torch.tensor(networks.initial([np.random.default_rng(seed) for seed in range(RUNS)]))
    points = torch.tensor(np.column_stack([rng.standard_normal(5), np.zeros(5)]))
    loss = NetworkLoss(networks, points, torch.ones(5, 1, dtype=w.dtype), RUNS, loss="logistic")
    network = PartlyTrained(loss, of_layers(networks, (0, 1), w), w.new_zeros(RUNS, 1))
    both = [on_a_line(network, torch.full((RUNS, 5), sign, dtype=w.dtype))(w) for sign in (1.0, -1.0)]
    attacks = [OffSubspaceAttack(network, w, point.expand(RUNS, -1), 1) for point in points]
    downhill = torch.stack([attack.flip(attack.downhill) for attack in attacks])
    torch.testing.assert_close(both[0]["flip_distance"], middle(downhill), equal_nan=True)
    uphill = torch.stack([attack.flip(-attack.downhill) for attack in attacks])
    signs = torch.stack([attack.downhill[:, 1] for attack in attacks])
    for found, same in zip(both, (signs > 0, signs < 0), strict=True):
        expected = middle(torch.where(same, downhill, uphill))
        torch.testing.assert_close(found["random_flip_distance"], expected, equal_nan=True)


def test_nothing_is_farther_than_what_never_flips():
    values = torch.tensor([[1.0, 1.0], [torch.nan, torch.nan], [2.0, torch.nan]])
    torch.testing.assert_close(middle(values), torch.tensor([2.0, torch.nan]), equal_nan=True)
