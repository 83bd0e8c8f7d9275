"""Ensembles of networks, held against torch.nn with autograd."""

import numpy as np
import pytest
import torch
from networks_in_torch import (
    INPUTS,
    NAMES,
    OUTPUTS,
    RUNS,
    SAMPLES,
    WIDTHS,
    double,
    generators,
    parameters,
    torch_model,
)

from ndgm.engine.activations import activation
from ndgm.engine.networks import Networks, with_ones


def test_inputs_of_each_run():
    networks = Networks(WIDTHS[1], activation("relu"))
    w = parameters(networks)
    x = torch.tensor(np.random.default_rng(3).standard_normal((RUNS, SAMPLES, INPUTS)))
    layers, tape = networks.layers(w), networks.tape(RUNS, SAMPLES, w)
    outputs = networks.forward(layers, with_ones(x), tape)
    for run in range(RUNS):
        torch.testing.assert_close(outputs[run], torch_model(networks, "relu", w[run])(x[run]), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("at_kink", [None, 0.0, 0.5, -2.0])
@pytest.mark.parametrize("name", [name for name in NAMES if activation(name).kinks])
def test_a_backward_pass_takes_the_derivative_at_the_kink_that_was_asked_for(name, at_kink):
    chosen = activation(name, at_kink)
    points = sorted({kink + step for kink in chosen.kinks for step in (-3, -1e-9, 0, 1e-9, 0.5)})
    # One input of 1, one unit for each point, with weights 0 and the points as biases: z are the points exactly.
    networks = Networks((1, len(points), 1), chosen)
    point = torch.tensor(points, dtype=torch.float64)
    leaf = point.clone().requires_grad_()
    expected = torch.autograd.grad(double(name)(leaf).sum(), leaf)[0]
    for kink, value in zip(chosen.kinks, chosen.at_kinks, strict=True):
        expected[point == kink] = value
    w = torch.zeros(1, networks.parameters, dtype=torch.float64)
    first, last = networks.layers(w)
    first.biases[0, 0], last.weights[:] = point, 3.0
    gradient = torch.full_like(w, torch.nan)
    tape = networks.tape(1, 1, w)
    networks.forward([first, last], with_ones(w.new_ones(1, 1)), tape)
    networks.backward([first, last], tape, w.new_full((1, 1, 1), 2.0), networks.layers(gradient))
    torch.testing.assert_close(networks.layers(gradient)[0].biases[0, 0], 6 * expected, rtol=1e-15, atol=0)
    torch.testing.assert_close(networks.layers(gradient)[0].weights[0, 0], 6 * expected, rtol=1e-15, atol=0)


def test_too_few_widths():
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
