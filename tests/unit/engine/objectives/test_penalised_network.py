"""Networks under an L1 penalty, held against autograd, closed forms, brute force and a known norm."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import gelu

import ndgm
from ndgm.data.networks import split_digits
from ndgm.engine.activations import activation
from ndgm.engine.descent import Schedule, descend
from ndgm.engine.methods import METHODS
from ndgm.engine.networks import Networks
from ndgm.engine.objectives.network import MinibatchNetworkLoss, NetworkLoss
from ndgm.engine.objectives.objective import Averages
from ndgm.engine.objectives.penalised_network import FactoredNetwork, PenalisedNetwork

WIDTHS = (4, 7, 3)
IN_1, IN_2 = slice(0, 28), slice(35, 56)  # the weights of either layer; biases are what follows each
PENALTY = torch.tensor([[0.0], [0.3], [2.0]], dtype=torch.float64)
RUNS = len(PENALTY)


def data(samples=11):
    """x and one-hot y."""
    rng = np.random.default_rng(0)
    x = torch.tensor(rng.standard_normal((samples, WIDTHS[0])))
    return x, torch.eye(WIDTHS[-1], dtype=x.dtype)[torch.tensor(rng.integers(WIDTHS[-1], size=samples))]


def objective(kind=PenalisedNetwork):
    return kind(NetworkLoss(Networks(WIDTHS, activation("gelu")), *data(), RUNS, classes=True), PENALTY)


def parameters(count=59):
    return torch.tensor(np.random.default_rng(1).standard_normal((RUNS, count)))


def loss_by_hand(w):
    """The loss of one network from its parameters, written with `@`."""
    x, y = data()
    hidden = gelu(x @ w[IN_1].view(4, 7) + w[28:35])
    return 0.5 * (hidden @ w[IN_2].view(7, 3) + w[56:59] - y).square().sum(1).mean()


def weights_of(w):
    return torch.cat([w[..., IN_1], w[..., IN_2]], -1)


def autograd(function, w):
    w = w.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(function(w), w)
    return gradient


def test_subgradient_is_that_of_autograd_and_biases_are_free():
    w, penalised = parameters(), objective()
    found = penalised.subgradient(w).clone()
    for run in range(RUNS):
        expected = autograd(lambda v: loss_by_hand(v) + PENALTY[run, 0] * weights_of(v).abs().sum(), w[run])  # noqa: B023
        torch.testing.assert_close(found[run], expected, rtol=1e-12, atol=1e-13)
    smooth = penalised.smooth_gradient(w).clone()
    torch.testing.assert_close(smooth + penalised.penalty_subgradient(w), found, rtol=1e-12, atol=1e-13)


def test_factors_have_the_gradient_of_autograd_and_a_bias_has_one_factor():
    z, factored = parameters(2 * 59), objective(FactoredNetwork)
    bias = torch.ones(59, dtype=torch.bool)
    bias[IN_1], bias[IN_2] = False, False
    z[:, 59:][:, bias] = 1

    def by_hand(factors, penalty):
        u, v = factors.chunk(2)
        return loss_by_hand(u * v) + penalty / 2 * (weights_of(u).square().sum() + weights_of(v).square().sum())

    found = factored.subgradient(z).clone()
    for run in range(RUNS):
        expected = autograd(lambda factors: by_hand(factors, PENALTY[run, 0]), z[run])  # noqa: B023
        expected[59:][bias] = 0
        torch.testing.assert_close(found[run], expected, rtol=1e-12, atol=1e-13)


def test_factors_have_nothing_to_shrink():
    with pytest.raises(ValueError, match="ISTA asks for smooth_gradient and shrink, which FactoredNetwork does not"):
        descend(objective(FactoredNetwork), METHODS["ista"], parameters(118), PENALTY, Schedule.halving(4, 1))


def test_factors_of_a_start_are_the_cheapest_of_all_and_cost_the_penalty():
    w, factored = parameters(), objective(FactoredNetwork)
    z = factored.start(w)
    torch.testing.assert_close(factored.solution(z), w)
    u, v = z.chunk(2, 1)
    cost = (weights_of(u).square() + weights_of(v).square()).sum(1) / 2
    torch.testing.assert_close(cost, weights_of(w).abs().sum(1))
    # By the inequality of arithmetic and geometric means no other factors of the same weights cost less.
    scale = parameters().exp()
    other = (weights_of(u * scale).square() + weights_of(v / scale).square()).sum(1) / 2
    assert (other > cost).all()


def test_shrinking_is_soft_thresholding_of_weights_alone():
    w, penalised = parameters(), objective()
    for amount in (torch.full((RUNS, 1), 0.4, dtype=w.dtype), 0.4 * parameters().abs()):
        found = penalised.shrink(w.clone(), amount)
        x, threshold = w.numpy(), (amount * PENALTY).expand_as(w).numpy()
        expected = torch.tensor(np.sign(x) * np.maximum(np.abs(x) - threshold, 0))
        np.testing.assert_allclose(weights_of(found), weights_of(expected), rtol=1e-14, atol=1e-15)
        np.testing.assert_array_equal(found[:, 28:35], w[:, 28:35])
        np.testing.assert_array_equal(found[:, 56:], w[:, 56:])
        np.testing.assert_array_equal(weights_of(found) == 0, weights_of(expected) == 0)


def test_what_is_recorded_is_counted_per_layer():
    w = parameters() * 10.0 ** -torch.arange(59).remainder(9)
    w[1, :3] = 0
    measured = objective().measure(w, w)
    for layer, part in ((1, w[:, IN_1].numpy()), (2, w[:, IN_2].numpy())):
        np.testing.assert_allclose(measured[f"l1_norm_{layer}"], np.abs(part).sum(1))
        np.testing.assert_array_equal(measured[f"zeros_{layer}"], (part == 0).sum(1))
        for power in (1, 4, 8):
            np.testing.assert_array_equal(measured[f"below_1e-{power}_{layer}"], (np.abs(part) < 10.0**-power).sum(1))
    np.testing.assert_array_equal(measured["zeros"], [0, 3, 0])
    np.testing.assert_array_equal(measured["held"], [0, 3, 0])
    before, after = w.clone(), w.clone()
    before[1, 2], before[1, 28], after[1, 28] = 1, 0, 0  # of which the last is a bias
    np.testing.assert_array_equal(objective().measure(after, before)["held"], [0, 2, 0])
    loss = torch.stack([loss_by_hand(run) for run in w])
    torch.testing.assert_close(measured["objective"], loss + PENALTY[:, 0] * weights_of(w).abs().sum(1))


def test_moments_of_the_gradient_are_those_of_a_numpy_loop_without_the_penalty():
    penalised, steps = objective(), [parameters() * factor for factor in (1.0, 0.5, -0.7)]
    averages = Averages.zeros(penalised.averaged, steps[0])
    for w in steps:
        penalised.subgradient(w, averages)
    means = penalised.means(averages, len(steps))
    h = np.array([[autograd(loss_by_hand, run).numpy() for run in w] for w in steps])  # steps, runs, P
    for layer, part in ((1, IN_1), (2, IN_2)):
        first, second = h[..., part].mean(0), np.square(h[..., part]).mean(0)
        norm = np.mean([np.abs(w[:, part].numpy()).sum(1) for w in steps], 0)
        np.testing.assert_allclose(means[f"mean_l1_norm_{layer}"], norm)
        np.testing.assert_allclose(means[f"mean_gradient_square_{layer}"], np.square(first).mean(1))
        np.testing.assert_allclose(means[f"mean_gradient_variance_{layer}"], (second - first**2).mean(1), rtol=1e-9)


@pytest.mark.parametrize("method", [name for name in METHODS if not objective().lacks(METHODS[name].asks)])
def test_averaging_does_not_change_where_a_run_goes(method):
    # What was averaged overwrote the penalty's subgradient, which a decoupled rule takes after it.
    step_size = torch.full((RUNS, 1), 0.01, dtype=torch.float64)
    ends = [
        descend(objective(), METHODS[method], parameters(), step_size, Schedule(40, (40,), average_from)).iterates
        for average_from in (0, 39)
    ]
    np.testing.assert_array_equal(*ends)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_penalty_has_one_of_its_subgradients_and_never_zero_at_zero(dtype):
    w = parameters().to(dtype)
    w[:, ::3], w[:, 1::6] = 0.0, -0.0
    network = NetworkLoss(Networks(WIDTHS, activation("gelu")), *(part.to(dtype) for part in data()), RUNS)
    penalised = PenalisedNetwork(network, PENALTY.to(dtype))
    q = penalised.penalty_subgradient(w).clone()
    weights = penalised.weights.bool()[0]
    # λ|v| ≥ λ|w| + q(v − w) for every v is what a subgradient is; |·| is homogeneous, so these v are enough.
    for v in (-torch.ones_like(w), torch.ones_like(w), torch.zeros_like(w), 2 * w):
        slack = PENALTY * (v.abs() - w.abs()) - q * (v - w)
        assert (slack[:, weights] >= -1e-6).all()
    assert (q[:, ~weights] == 0).all()
    assert (q[1:, weights].abs() == PENALTY[1:].to(dtype)).all() and (q[0] == 0).all()
    expected = network.subgradient(w) + q
    torch.testing.assert_close(penalised.subgradient(w), expected)


def dead(weights, dtype=torch.float32):
    """Networks without a gradient: all samples and biases are zero, so that the penalty alone moves weights."""
    networks = Networks((2, 3, 1), activation("relu"))
    start = torch.zeros(len(weights), networks.parameters, dtype=dtype)
    for layer in networks.layers(start):
        layer.weights.copy_(torch.tensor(weights, dtype=dtype).view(-1, 1, 1).expand_as(layer.weights))
    nothing = start.new_zeros(4, 2), start.new_zeros(4, 1)
    penalty = start.new_full((len(weights), 1), 0.5)
    return PenalisedNetwork(NetworkLoss(networks, *nothing, len(weights)), penalty), start


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_orbit_that_lands_on_zero_goes_on(dtype):
    # Steps of ηλ = ¼ on |w|, by hand: all numbers are exact, on any processor.
    penalised, w = dead([0.75, -0.5], dtype)
    step_size, seen = w.new_full((2, 1), 0.5), []
    for _ in range(6):
        (w, _), before = METHODS["subgradient"].step(penalised, w.clone(), (), step_size), w
        seen.append(w[:, 0].tolist())
        assert (penalised.measure(w, before)["held"] == 0).all()
    assert seen == [[0.5, -0.25], [0.25, 0.0], [0.0, -0.25], [-0.25, 0.0], [0.0, -0.25], [-0.25, 0.0]]
    penalised, w = dead([0.75, -0.5], dtype)
    for _ in range(4):
        w, _ = METHODS["ista"].step(penalised, w, (), step_size)
    assert (w == 0).all() and (penalised.measure(w, w)["held"] == 12 - 3).all()


WITHOUT_FUSED_MULTIPLY_ADD = {
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    "OPENBLAS_CORETYPE": "Nehalem",
    "NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX",
}
DEAD = [name for name, method in METHODS.items() if not dead([1.0])[0].lacks(method.asks)]


def kept_by_dead_networks():
    """By method, the mean norm of runs in steps ηλ for each weight, and the most weights that a step left at zero."""
    starts, step_size, penalty = np.random.default_rng(0).uniform(0.01, 0.5, 50), 0.01, 0.5
    found = {}
    for name in DEAD:
        penalised, w = dead(starts.tolist())
        schedule = Schedule(1000, (500, 750, 1000), 750)
        measured = descend(penalised, METHODS[name], w, torch.full((50, 1), step_size), schedule).measured
        norm = measured["l1_norm" if METHODS[name].rests else "mean_l1_norm"][-1]
        found[name] = norm.mean() / (9 * step_size * penalty), np.nanmax(measured["held"])
    return {name: [float(number) for number in pair] for name, pair in found.items()}


def test_no_norm_depends_on_the_rounding_of_a_processor():
    # RMSProp kept half as much without fused multiply-add, which lands on zero, where sign(0) = 0 held the weight.
    program = "import json, runpy, sys; print(json.dumps(runpy.run_path(sys.argv[1])['kept_by_dead_networks']()))"
    source = str(Path(ndgm.__file__).parents[1])
    found = []
    for processor in ({}, WITHOUT_FUSED_MULTIPLY_ADD):
        environment = os.environ | {"PYTHONPATH": source} | processor
        run = subprocess.run(
            [sys.executable, "-c", program, __file__], env=environment, check=True, capture_output=True, text=True
        )
        found.append(json.loads(run.stdout))
    here, there = found
    for name in DEAD:
        assert here[name][0] == pytest.approx(there[name][0], rel=0.01, abs=1e-4), name
        if not METHODS[name].rests:
            assert here[name][1] == there[name][1] == 0, name


@pytest.fixture(scope="module")
def digits():
    return split_digits(np.random.default_rng(0), test=360)


def end_of(method, digits, penalty, step_size, steps=600, seeds=2):
    x, y = (torch.tensor(array, dtype=torch.float32) for array in digits.train)
    networks = Networks((64, 32, 10), activation("relu"))
    draws = [np.random.default_rng(seed) for seed in range(seeds)]
    loss = MinibatchNetworkLoss(networks, x, y, seeds, 32, draws, classes=True)
    start = torch.tensor(networks.initial([np.random.default_rng(9 + seed) for seed in range(seeds)])).float()
    penalised = PenalisedNetwork(loss, torch.full((seeds, 1), penalty), None)
    schedule = Schedule(steps, (steps,), steps // 2)
    return descend(penalised, METHODS[method], start, torch.full((seeds, 1), step_size), schedule).measured


@pytest.mark.parametrize(("penalty", "norm"), [(0.1, 11.84), (1.0, 118.4)])
def test_a_dead_network_keeps_half_a_step_for_each_of_its_2368_weights(digits, penalty, norm):
    # Half of .1·λ·2368, which an independent program found too: 11.8 and 118.41.
    found = end_of("subgradient", digits, penalty, 0.1)
    np.testing.assert_allclose(found["mean_l1_norm"][-1], norm, rtol=0.01)
    assert (found["zeros"] == 0).all()
    assert (end_of("ista", digits, penalty, 0.1)["l1_norm"] == 0).all()


def test_rmsprop_keeps_half_a_step_for_each_weight_whatever_the_penalty(digits):
    for penalty in (0.3, 3.0):
        np.testing.assert_allclose(end_of("rmsprop_0.99", digits, penalty, 0.003)["mean_l1_norm"][-1], 3.552, rtol=0.01)
