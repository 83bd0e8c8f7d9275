"""Activations and ensembles of networks, held against torch.nn with autograd, NumPy and SciPy."""

import numpy as np
import pytest
import torch
from networks_in_torch import INPUTS, MODULES, OUTPUTS, RUNS, SAMPLES, WIDTHS, data, generators, parameters, torch_model
from scipy.special import expit

from ndgm.engine.networks import ACTIVATIONS, Networks, activation, with_ones
from ndgm.engine.objectives.network import NetworkLoss


def test_inputs_of_each_run():
    networks = Networks(WIDTHS[1], activation("relu"))
    w = parameters(networks)
    x = torch.tensor(np.random.default_rng(3).standard_normal((RUNS, SAMPLES, INPUTS)))
    layers, tape = networks.layers(w), networks.tape(RUNS, SAMPLES, w)
    outputs = networks.forward(layers, with_ones(x), tape)
    for run in range(RUNS):
        torch.testing.assert_close(outputs[run], torch_model(networks, "relu", w[run])(x[run]), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(("name", "conventional"), [("relu", 0.0), ("leaky_relu", 0.01), ("hardtanh", 0.0)])
@pytest.mark.parametrize("at_kink", [None, 0.0, 0.01, 0.5, 1.0, -2.0])
def test_derivative_at_the_kink_is_the_one_asked_for(name, conventional, at_kink):
    chosen = activation(name, at_kink)
    assert chosen.at_kink == (conventional if at_kink is None else at_kink)
    points = sorted({kink + step for kink in chosen.kinks for step in (-3, -1e-9, 0, 1e-9, 0.5)})
    # One input of 1, one unit for each point, with weights 0 and the points as biases: z are the points exactly.
    networks = Networks((1, len(points), 1), chosen)
    point = torch.tensor(points, dtype=torch.float64)
    leaf = point.clone().requires_grad_()
    expected = torch.autograd.grad(MODULES[name](leaf).sum(), leaf)[0]
    assert (expected[[point.tolist().index(kink) for kink in chosen.kinks]] == conventional).all()
    expected = torch.where(torch.isin(point, torch.tensor(chosen.kinks)), chosen.at_kink, expected)
    w = torch.zeros(1, networks.parameters, dtype=torch.float64)
    first, last = networks.layers(w)
    first.biases[0, 0], last.weights[:] = point, 3.0
    gradient = torch.full_like(w, torch.nan)
    tape = networks.tape(1, 1, w)
    networks.forward([first, last], with_ones(w.new_ones(1, 1)), tape)
    networks.backward([first, last], tape, w.new_full((1, 1, 1), 2.0), networks.layers(gradient))
    torch.testing.assert_close(networks.layers(gradient)[0].biases[0, 0], 6 * expected, rtol=1e-15, atol=0)
    torch.testing.assert_close(networks.layers(gradient)[0].weights[0, 0], 6 * expected, rtol=1e-15, atol=0)


def test_kinks_are_where_one_sided_slopes_differ():
    z, h = torch.linspace(-3, 3, 601, dtype=torch.float64), 1e-6
    for name in MODULES:
        chosen = activation(name)
        left, here, right = (chosen.apply(z + step, torch.empty_like(z)) for step in (-h, 0, h))
        bent = ((right - here) - (here - left)).abs() > 0.1 * h
        assert z[bent].tolist() == pytest.approx(list(chosen.kinks), abs=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("beta", [0.5, 1.0, 10.0])
def test_softplus_far_out(beta, dtype):
    softplus = activation(f"softplus_{beta:g}")
    z = torch.tensor([-1000.0, -30.0, 0.0, 30.0, 1000.0], dtype=dtype)
    value = softplus.apply(z, torch.empty_like(z)).double()
    slope = softplus.backward(torch.ones_like(z), z).double()
    z = z.double().numpy()
    tolerance = 4 * torch.finfo(dtype).eps
    np.testing.assert_allclose(value, np.logaddexp(0, beta * z) / beta, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(slope, expit(beta * z), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("beta", [0.5, 1.0, 10.0])
def test_softplus_where_pytorch_is_linear_already(beta):
    softplus = activation(f"softplus_{beta}")
    z = torch.linspace(19, 45, 400, dtype=torch.float64) / beta
    value = softplus.apply(z, torch.empty_like(z))
    np.testing.assert_allclose(value, np.logaddexp(0, beta * z.numpy()) / beta, rtol=4e-16)
    slope = softplus.backward(torch.ones_like(z), z)
    np.testing.assert_allclose(slope, expit(beta * z.numpy()), rtol=4e-16)


@pytest.mark.parametrize("name", ["sigmoid", "softplus", "softplus_", "softplus_0", "softplus_-1", "softplus_x", ""])
def test_an_activation_that_does_not_exist(name):
    with pytest.raises(ValueError, match=r"^no activation .*; there are relu, leaky_relu, .*softplus_") as error:
        activation(name)
    assert "\n" not in str(error.value) and all(known in str(error.value) for known in ACTIVATIONS)


@pytest.mark.parametrize("name", ["tanh", "gelu", "softplus_10"])
def test_a_smooth_activation_has_no_value_at_a_kink(name):
    with pytest.raises(ValueError, match="smooth"):
        activation(name, at_kink=0.0)


def test_other_bad_arguments():
    with pytest.raises(ValueError, match="squared, absolute, cross_entropy"):
        NetworkLoss(Networks(WIDTHS[0], activation("relu")), *data(), RUNS, loss="hinge")
    with pytest.raises(ValueError, match="widths"):
        Networks((3, 2), activation("relu"))


def test_initial_parameters():
    networks = Networks((64, 100, 100, 10), activation("relu"))
    assert networks.parameters == 64 * 100 + 100 + 100 * 100 + 100 + 100 * 10 + 10
    w = networks.initial(generators(0, 1, 2))
    assert w.dtype == np.float64 and w.shape == (3, networks.parameters)
    for run, seed in enumerate((0, 1, 2)):
        np.testing.assert_array_equal(w[run], networks.initial(generators(seed))[0])
    for layer, ins in zip(networks.layers(torch.tensor(w)), networks.widths, strict=False):
        assert (layer.biases == 0).all()
        count = layer.weights.numel()
        # Five standard errors of a Gaussian's mean and variance.
        assert abs(layer.weights.mean()) < 5 * np.sqrt(2 / ins / count)
        assert layer.weights.square().mean().item() == pytest.approx(2 / ins, rel=5 * np.sqrt(2 / count))


def test_layers_are_views():
    networks = Networks(WIDTHS[1], activation("relu"))
    w = parameters(networks)
    for layer in networks.layers(w):
        layer.weights.zero_(), layer.biases.fill_(7)
        assert (layer.matrix[:, -1] == 7).all() and (layer.matrix[:, :-1] == 0).all()
    assert sorted(w.unique().tolist()) == [0, 7] and (w == 7).sum() == RUNS * (7 + 6 + OUTPUTS)
