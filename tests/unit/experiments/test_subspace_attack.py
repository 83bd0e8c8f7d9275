"""Experiments on subspace attacks: starts, data and layers are as they are said to be, and the laws of theory hold."""

import numpy as np
import pytest
import torch
from scipy import stats

from ndgm.engine.descent import descend
from ndgm.engine.methods import METHODS
from ndgm.experiments.ensembles import sweep
from ndgm.theory.subspace_attack import decay_factor, probability_of_gradient

DIGITS = ["frozen_weights", "flips", "scales"]


def first_layer(problem):
    return problem.objective.network.loss.networks.layers(problem.start)[0]


@pytest.mark.parametrize("name", DIGITS)
def test_data_lie_in_the_subspace_and_weights_start_gaussian(smoke, name):
    table = f"subspace_attack_{name}"
    told = smoke.settings(table)
    experiment = smoke.experiment(table, seeds=8)
    for part in experiment.ensembles(told["ensemble_size"]):
        problem = experiment.build(part)
        loss = problem.objective.network.loss
        components = part["components"].iloc[0] if "components" in part else told["components"]
        inputs = loss.inputs[:, :-1]
        assert not inputs[:, components:].any() and inputs[:, components - 1].any()
        assert inputs.norm(dim=1).mean().item() == pytest.approx(np.sqrt(told["dimension"]))
        scale = torch.tensor(part["scale"].to_numpy() if "scale" in part else np.ones(len(part)))
        weights = first_layer(problem).weights * np.sqrt(told["dimension"]) / scale.view(-1, 1, 1)
        # As far as so many draws tell a variance: five standard errors.
        assert weights.var().item() == pytest.approx(1, abs=5 * np.sqrt(2 / weights.numel()))
        assert not first_layer(problem).biases.any()


def test_scales_share_all_other_draws_and_subspaces_do_not(smoke):
    experiment = smoke.experiment("subspace_attack_scales")
    part = experiment.runs[experiment.runs["seed"] == 0]
    weights = first_layer(experiment.build(part)).weights / torch.tensor(part["scale"].to_numpy()).view(-1, 1, 1)
    torch.testing.assert_close(weights[0], weights[-1], rtol=1e-12, atol=1e-14)
    flips = smoke.experiment("subspace_attack_flips")
    parts = [flips.runs[(flips.runs["components"] == count) & (flips.runs["seed"] == 0)] for count in (16, 32)]
    one, other = (first_layer(flips.build(part)).weights for part in parts)
    assert not (one == other).any()


def test_frozen_weights_are_frozen_and_decay(smoke, tmp_path):
    experiment = smoke.experiment("subspace_attack_frozen_weights")
    told = smoke.settings("subspace_attack_frozen_weights")
    found = sweep(experiment.ensembles(told["ensemble_size"]), experiment.build, tmp_path).table
    assert (found["moved"][found["penalty"] == 0] == 0).all() and (found["moved"][found["penalty"] > 0] > 0).all()
    decoupled = found[found["method"] == "adam_decoupled"]
    expected = decay_factor(decoupled["step_size"], decoupled["penalty"], decoupled["step"])
    np.testing.assert_allclose(decoupled["largest_factor"], expected, rtol=1e-13)
    np.testing.assert_allclose(decoupled["smallest_factor"], expected, rtol=1e-13)


def test_only_the_layers_that_are_trained_move(smoke):
    experiment = smoke.experiment("subspace_attack_frozen_weights")
    for trained, moves in (("first layer", False), ("both layers", True)):
        part = experiment.runs[(experiment.runs["trained"] == trained) & (experiment.runs["method"] == "adam")]
        problem = experiment.build(part)
        trace = descend(problem.objective, METHODS["adam"], problem.start, problem.step_size, problem.schedule)
        networks = problem.objective.network.loss.networks
        layers = zip(networks.layers(problem.start), networks.layers(torch.tensor(trace.iterates)), strict=True)
        moved = [not torch.equal(before.matrix, after.matrix) for before, after in layers]
        assert moved == [True, moves]


def test_gradients_after_training_have_the_law_of_chi_square(smoke, tmp_path):
    experiment = smoke.experiment("subspace_attack_flips", seeds=60, width=40, steps=10)
    undefined = smoke.settings("subspace_attack_flips")["undefined"]
    runs = sweep(experiment.ensembles(60), experiment.build, tmp_path, undefined=undefined).table
    off = runs["features"] - runs["components"]
    uniform = probability_of_gradient(runs["off_subspace_gradient"], runs["active"], 1 / runs["features"], off)
    assert stats.kstest(uniform, "uniform").pvalue > 0.01
    assert runs["flip_over_predicted"].median() == pytest.approx(1, abs=0.1)


def test_seven_points_start_as_in_the_code_of_the_authors(smoke):
    experiment = smoke.experiment("subspace_attack_seven_points", factors=[1.0, 2.0], seeds=30, width=100)
    part = next(experiment.ensembles(100))
    problem = experiment.build(part)
    loss = problem.objective.network.loss
    first, last = loss.networks.layers(problem.start)
    factor = torch.tensor(part["factor"].to_numpy()).view(-1, 1, 1)
    for layer, inputs in ((first, 2), (last, 100)):
        weights = layer.weights * factor * np.sqrt(inputs)
        assert weights.var().item() == pytest.approx(1, abs=5 * np.sqrt(2 / weights.numel()))
        biases = layer.biases * np.sqrt(inputs)  # not divided, uniform within ±1
        assert 0.9 < biases.abs().max() < 1 and biases.var().item() == pytest.approx(1 / 3, rel=0.3)
    assert torch.equal(loss.target[:, 0], torch.tensor([-1.0, 1, -1, 1, -1, 1, -1]))
    turned = loss.inputs[:, :-1] @ torch.tensor([[1.0, 1.0], [-1.0, 1.0]]) / np.sqrt(2)
    torch.testing.assert_close(turned, torch.linspace(-1, 1, 7).unsqueeze(1).expand(-1, 2).double(), atol=1e-7, rtol=0)
    assert problem.objective.network.trained.all()
