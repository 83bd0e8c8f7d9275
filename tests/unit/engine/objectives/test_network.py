"""Losses of networks, held against torch.nn with autograd, differences and hand computation."""

import numpy as np
import pytest
import torch
from networks_in_torch import (
    CRITERIA,
    INPUTS,
    NAMES,
    OUTPUTS,
    RUNS,
    SAMPLES,
    WIDTHS,
    data,
    flat,
    generators,
    parameters,
    relative_error,
    torch_model,
)

from ndgm.engine.activations import activation
from ndgm.engine.methods import METHODS
from ndgm.engine.networks import NARROW, Networks, with_ones
from ndgm.engine.objectives.batches import Batches
from ndgm.engine.objectives.network import LOSSES, MinibatchNetworkLoss, NetworkLoss


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-6)])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("widths", [*WIDTHS, (INPUTS, NARROW, OUTPUTS)], ids=lambda widths: "-".join(map(str, widths)))
@pytest.mark.parametrize("name", NAMES)
def test_losses_and_gradients_are_those_of_torch(name, widths, loss, dtype, tolerance):
    networks = Networks(widths, activation(name))
    (x, y), w = data(dtype), parameters(networks, dtype)
    # Two runs and ten samples at once: parts and pieces of unequal size.
    objective = NetworkLoss(networks, x, y, RUNS, loss=loss, runs_at_once=2, samples_at_once=10)
    gradient, value = objective.subgradient(w), objective.value(w)
    tape = networks.tape(RUNS, SAMPLES, w, keep=True)
    outputs = networks.forward(networks.layers(w), with_ones(x), tape)
    for run in range(RUNS):
        model = torch_model(networks, name, w[run])
        criterion = CRITERIA[loss](model(x), y)
        criterion.backward()
        assert relative_error(value[run], criterion.detach()) < tolerance
        assert relative_error(gradient[run], flat(model, lambda p: p.grad)) < tolerance
        assert relative_error(outputs[run], model(x).detach()) < tolerance
        for depth, z in enumerate(tape.preactivations):
            assert relative_error(z[run], model[: 2 * depth + 1](x).detach()) < tolerance


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_finite_differences(name, loss):
    networks = Networks(WIDTHS[1], activation(name))
    (x, y), w = data(), parameters(networks)
    objective = NetworkLoss(networks, x, y, RUNS, loss=loss)
    direction = torch.tensor(np.random.default_rng(4).standard_normal(w.shape))
    h = 1e-6
    slope = (objective.value(w + h * direction) - objective.value(w - h * direction)) / (2 * h)
    # Truncation h² and rounding 1e-16/h; no residual or pre-activation of these is within 1e-5 of its kink.
    torch.testing.assert_close((objective.subgradient(w) * direction).sum(1), slope, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("runs_at_once", [1, 3, 16])
@pytest.mark.parametrize("name", NAMES)
def test_a_run_of_an_ensemble_is_the_run_alone(name, runs_at_once):
    networks = Networks(WIDTHS[1], activation(name))
    (x, y), w = data(), parameters(networks)
    before = w - 0.1 * torch.tensor(np.random.default_rng(5).standard_normal(w.shape))
    together = NetworkLoss(networks, x, y, RUNS, classes=True, runs_at_once=runs_at_once, samples_at_once=9)
    gradient, measured = together.subgradient(w), together.measure(w, before)
    for run in range(RUNS):
        alone = NetworkLoss(networks, x, y, 1, classes=True)
        torch.testing.assert_close(gradient[[run]], alone.subgradient(w[[run]]), rtol=1e-12, atol=1e-14)
        for key, value in alone.measure(w[[run]], before[[run]]).items():
            torch.testing.assert_close(measured[key][[run]], value, rtol=1e-12, atol=1e-14)


def test_gradients_leave_the_iterate_alone_and_see_that_it_changed():
    networks = Networks(WIDTHS[1], activation("relu"))
    (x, y), w = data(), parameters(networks)
    objective = NetworkLoss(networks, x, y, RUNS)
    kept, first = w.clone(), objective.subgradient(w).clone()
    objective.measure(w, w), objective.value(w)
    assert torch.equal(w, kept)
    assert torch.equal(objective.subgradient(w), first)
    other = 2 * w
    changed = objective.subgradient(other).clone()
    assert not torch.equal(changed, first)
    w.mul_(2)
    assert torch.equal(objective.subgradient(w), changed)
    torch.testing.assert_close(objective.subgradient(w.T.contiguous().T), changed, rtol=1e-12, atol=1e-14)


def one_unit(a, biases, c):
    """Parameters of 1-1-1 networks c·σ(a·x + b), one per bias."""
    return torch.tensor([[a, b, c, 0.0] for b in biases], dtype=torch.float64)


def test_movement_over_the_kink_by_hand():
    networks = Networks((1, 1, 1), activation("relu"))
    x = torch.tensor([[-2.0], [-0.5], [0.0], [0.5], [3.0]], dtype=torch.float64)
    y = torch.zeros(5, 1, dtype=torch.float64)
    objective = NetworkLoss(networks, x, y, 3, samples_at_once=2)
    # z = x + b, from b = (0, 1, 0) to (1, 0, 0): z of run 0 goes from (−2, −.5, 0, .5, 3) to (−1, .5, 1, 1.5, 4).
    measured = objective.measure(one_unit(1.0, (1, 0, 0), 2.0), one_unit(1.0, (0, 1, 0), 2.0))
    # Run 0: −.5 and 0 become positive. Run 1: back again. Run 2 stands still.
    assert measured["sign_flips"].tolist() == [2 / 5, 2 / 5, 0]
    # Run 0: |z|/1 = (1, .5, 1, 1.5, 4). Run 1: (2, .5, 0, .5, 3). Run 2: ∞, but 0 for the z that is zero.
    assert measured["distance_to_kink"].tolist() == [1, 0.5, torch.inf]
    assert measured["near_kink"].tolist() == [3 / 5, 3 / 5, 1 / 5]
    # ½·mean (2·relu(z))².
    assert measured["objective"].tolist() == [2 * (0.25 + 1 + 2.25 + 16) / 5] + [2 * (0.25 + 9) / 5] * 2
    assert "accuracy" not in measured


def test_movement_with_two_kinks_and_none_by_hand():
    x = torch.tensor([[-2.0], [-0.5], [0.5], [3.0]], dtype=torch.float64)
    y = torch.zeros(4, 1, dtype=torch.float64)
    w, before = one_unit(1.0, (0,), 1.0), one_unit(1.0, (2,), 1.0)
    # z goes from (0, 1.5, 2.5, 5) to (−2, −.5, .5, 3).
    hardtanh = NetworkLoss(Networks((1, 1, 1), activation("hardtanh")), x, y, 1).measure(w, before)
    assert hardtanh["sign_flips"].item() == 3 / 8  # −1 is crossed once, 1 twice
    assert hardtanh["distance_to_kink"].item() == 0.25  # (1, .5, .5, 2)/2
    assert hardtanh["near_kink"].item() == 1
    tanh = NetworkLoss(Networks((1, 1, 1), activation("tanh")), x, y, 1).measure(w, before)
    assert tanh["sign_flips"].item() == 1 / 4
    assert tanh["distance_to_kink"].item() == 0.25  # (2, .5, .5, 3)/2
    assert tanh["near_kink"].item() == 3 / 4


def test_all_hidden_layers_count():
    networks = Networks(WIDTHS[2], activation("relu"))
    (x, y), w = data(), parameters(networks)
    before = w + 0.05 * torch.tensor(np.random.default_rng(6).standard_normal(w.shape))
    measured = NetworkLoss(networks, x, y, RUNS, classes=True, samples_at_once=10).measure(w, before)
    for run in range(RUNS):
        now, then = (torch_model(networks, "relu", p[run]) for p in (w, before))
        with torch.no_grad():
            z, z_before = (torch.cat([model[: d + 1](x).ravel() for d in (0, 2, 4)]).numpy() for model in (now, then))
            hits = (now(x).argmax(1) == y.argmax(1)).double().mean()
        assert measured["sign_flips"][run].item() == pytest.approx(np.mean(np.sign(z) != np.sign(z_before)), rel=1e-12)
        relative = np.sort(np.abs(z / (z - z_before)))
        assert measured["distance_to_kink"][run].item() == pytest.approx(relative[(len(z) - 1) // 2], rel=1e-9)
        assert measured["near_kink"][run].item() == pytest.approx(np.mean(relative <= 1), rel=1e-12)
        assert measured["accuracy"][run] == hits


@pytest.mark.parametrize("runs_at_once", [None, 2])
@pytest.mark.parametrize("classes", [True, False])
def test_without_kinks_the_rest_is_recorded_as_with_them(runs_at_once, classes):
    networks = Networks(WIDTHS[2], activation("relu"))
    (x, y), w = data(), parameters(networks)
    options = {"classes": classes, "runs_at_once": runs_at_once}
    everything = NetworkLoss(networks, x, y, RUNS, **options).measure(w, 0.9 * w)
    measured = NetworkLoss(networks, x, y, RUNS, kinks=False, **options).measure(w, 0.9 * w)
    assert measured.keys() == everything.keys() - {"sign_flips", "distance_to_kink", "near_kink"}
    assert all(torch.equal(values, everything[name]) for name, values in measured.items())


def minibatch(networks, runs, seeds, batch_size=4, **others):
    x, y = data()
    return MinibatchNetworkLoss(networks, x, y, runs, batch_size, generators(*seeds), **others)


@pytest.mark.parametrize("runs_at_once", [1, 2, 16])
def test_minibatch_gradients_are_those_of_the_drawn_samples(runs_at_once, monkeypatch):
    monkeypatch.setattr(Batches, "at_once", 2)
    networks = Networks(WIDTHS[1], activation("relu"))
    (x, y), w = data(), parameters(networks, runs=4)
    objective = minibatch(networks, 4, (7, 8), runs_at_once=runs_at_once)
    rngs = generators(7, 8)
    for _ in range(3):
        draws = [rng.integers(SAMPLES, size=(2, 4)) for rng in rngs]
        for step in range(2):
            objective.draw()
            gradient = objective.subgradient(w)
            for run in range(4):
                rows = draws[run // 2][step]
                model = torch_model(networks, "relu", w[run])
                CRITERIA["squared"](model(x[rows]), y[rows]).backward()
                assert relative_error(gradient[run], flat(model, lambda p: p.grad)) < 1e-12
    full = NetworkLoss(networks, x, y, 4).measure(w, w)
    for key, value in objective.measure(w, w).items():
        torch.testing.assert_close(value, full[key], rtol=1e-12, atol=1e-14)


def test_another_block_changes_no_draws():
    networks = Networks(WIDTHS[0], activation("gelu"))
    w = parameters(networks, runs=4)
    together, alone = minibatch(networks, 4, (7, 8)), minibatch(networks, 2, (8,))
    for _ in range(5):
        together.draw(), alone.draw()
        torch.testing.assert_close(together.subgradient(w)[2:], alone.subgradient(w[2:]), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", ["subgradient", "heavy_ball"])
def test_twenty_steps_are_those_of_torch_sgd(name):
    networks, method = Networks(WIDTHS[1], activation("relu")), METHODS[name]
    (x, y), w = data(), parameters(networks)
    models = [torch_model(networks, "relu", start) for start in w]
    objective = NetworkLoss(networks, x, y, RUNS, runs_at_once=2, samples_at_once=10)
    step_size, state = torch.linspace(0.01, 0.1, RUNS, dtype=torch.float64).unsqueeze(1), method.start(w)
    for _ in range(20):
        w, state = method.step(objective, w, state, step_size)
    for run, model in enumerate(models):
        momentum = 0.9 if name == "heavy_ball" else 0.0
        optimiser = torch.optim.SGD(model.parameters(), lr=step_size[run].item(), momentum=momentum)
        for _ in range(20):
            optimiser.zero_grad()
            CRITERIA["squared"](model(x), y).backward()
            optimiser.step()
        assert relative_error(w[run], flat(model).detach()) < 1e-12


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("widths", WIDTHS, ids=lambda widths: f"depth {len(widths) - 2}")
@pytest.mark.parametrize("name", NAMES)
def test_gradients_with_respect_to_inputs_are_those_of_autograd(name, widths, loss):
    networks = Networks(widths, activation(name))
    (x, y), w = data(), parameters(networks)
    objective = NetworkLoss(networks, x, y, RUNS, loss=loss, runs_at_once=2, samples_at_once=10)
    found, outputs = objective.input_gradient(w), objective.outputs(w)
    for run in range(RUNS):
        inputs = x.clone().requires_grad_()
        model = torch_model(networks, name, w[run])
        (expected,) = torch.autograd.grad(SAMPLES * CRITERIA[loss](model(inputs), y), inputs)
        assert relative_error(found[run], expected) < 1e-12
        assert relative_error(outputs[run], model(x).detach()) < 1e-12


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", NAMES)
def test_cuda_gives_what_the_processor_gives(name, loss):
    chosen = activation(name, 0.5) if name == "relu" else activation(name)
    networks = Networks((64, 100, 100, 10), chosen)
    rng = np.random.default_rng(9)
    x, y = torch.tensor(rng.standard_normal((100, 64))), torch.tensor(rng.standard_normal((100, 10)))
    w = torch.tensor(networks.initial(generators(*range(8))))
    before = w + 1e-3 * torch.tensor(rng.standard_normal(w.shape))
    found = []
    for device in ("cpu", "cuda"):
        arguments = networks, x.to(device), y.to(device), 8
        objective = NetworkLoss(*arguments, loss=loss, classes=True)
        batches = MinibatchNetworkLoss(*arguments, 5, generators(1, 2), loss=loss)
        batches.draw()
        there, there_before = w.to(device), before.to(device)
        quantities = objective.measure(there, there_before)
        quantities |= {"gradient": objective.subgradient(there), "minibatch": batches.subgradient(there)}
        found.append({key: value.cpu() for key, value in quantities.items()})
    for key, value in found[0].items():
        torch.testing.assert_close(found[1][key], value, rtol=1e-10, atol=1e-10)


def test_a_loss_that_does_not_exist():
    with pytest.raises(ValueError, match="squared, absolute, cross_entropy"):
        NetworkLoss(Networks(WIDTHS[0], activation("relu")), *data(), RUNS, loss="hinge")


def test_criteria_are_those_of_every_loss():
    assert CRITERIA.keys() == LOSSES.keys(), "add the loss of PyTorch to CRITERIA in networks_in_torch.py"
