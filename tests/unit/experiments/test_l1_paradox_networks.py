"""Networks under an L1 penalty: their weights, starts, batches, and what is kept of a run."""

import numpy as np
import pytest
import torch

from ndgm.engine.activations import activation
from ndgm.engine.networks import Networks

TABLE = "l1_paradox_networks"


@pytest.mark.parametrize("part", ["minibatch", "full_batch"])
def test_weights_are_counted_by_layer_and_without_biases(smoke, part):
    runs = smoke.experiment(TABLE, part, hidden=[7, 5]).runs
    layers = {"weights_1": 64 * 7, "weights_2": 7 * 5, "weights_3": 5 * 10}
    assert {name: runs[name].unique().tolist() for name in layers} == {name: [count] for name, count in layers.items()}
    assert (runs["weights"] == sum(layers.values())).all()


def test_networks_of_a_seed_start_alike_and_see_the_same_batches(smoke):
    experiment = smoke.experiment(TABLE, "minibatch")
    starts, gradients = {}, {}
    for part in experiment.ensembles(12):
        if part["method"].iloc[0] not in ("subgradient", "adam"):
            continue
        problem = experiment.build(part)
        problem.objective.draw()
        found = problem.objective.smooth_gradient(problem.start.clone())
        for row, (seed, start) in enumerate(zip(part["seed"], problem.start, strict=True)):
            assert (starts.setdefault(seed, start) == start).all()
            np.testing.assert_allclose(found[row], gradients.setdefault(seed, found[row].clone()), atol=1e-6)
    assert len(starts) == 2 and (gradients[0] != gradients[1]).any()


def test_a_full_batch_has_as_many_samples_as_the_sweep_says(smoke):
    experiment = smoke.experiment(TABLE, "full_batch")
    split = smoke.inputs(TABLE, "full_batch").samples[TABLE]["split"]
    part = experiment.runs[(experiment.runs["method"] == "subgradient") & (experiment.runs["penalty"] == 0)]
    problem = experiment.build(part)
    count = smoke.settings(TABLE, "full_batch")["sweeps"]["full_batch"]["samples"]
    first, last = problem.start[0, : 65 * 32].reshape(65, 32), problem.start[0, 65 * 32 :].reshape(33, 10)

    def loss(inputs, targets):
        x, y = torch.tensor(inputs).float(), torch.tensor(targets).float()
        return float(0.5 * ((x @ first[:64] + first[64]).relu() @ last[:32] + last[32] - y).square().sum(1).mean())

    measured = problem.objective.measure(problem.start, problem.start)
    expected = loss(split.train.inputs[:count], split.train.targets[:count])
    assert float(measured["objective"][0]) == pytest.approx(expected, rel=1e-5)


def test_what_is_kept_of_two_factors_is_their_product(smoke):
    experiment = smoke.experiment(TABLE, "minibatch")
    size = Networks((64, 32, 10), activation("relu")).parameters
    plain, factors = np.arange(size) + 1.0, np.concatenate([np.arange(size) + 1.0, np.full(size, 2.0)])
    np.testing.assert_array_equal(experiment.parameters(plain), plain)
    np.testing.assert_array_equal(experiment.parameters(factors), 2 * plain)
    # Factors are of the size of the start, so that descent on them begins at the network of the seed.
    runs = experiment.runs
    both = [runs[(runs["method"] == method) & (runs["penalty"] == 0)] for method in ("spred", "subgradient")]
    starts = [experiment.build(part).start for part in both]
    for factored, start in zip(*starts, strict=True):
        np.testing.assert_allclose(experiment.parameters(factored.numpy()), start, rtol=1e-6)
