"""Loss, accuracies and gradients of convolutional networks, by hand and by PyTorch's own losses."""

import numpy as np
import torch
from torch import nn

from ndgm.engine.convolutions import Convolutions
from ndgm.engine.methods import METHODS
from ndgm.engine.objectives.batches import Batches
from ndgm.engine.objectives.convolutional_loss import ConvolutionalLoss

NETWORKS = Convolutions(channels=(2,), colours=1, side=4, classes=7)
RUNS, SAMPLES = 3, 20


def objective(samples_at_once=6):
    rng = np.random.default_rng(0)
    x = torch.tensor(rng.standard_normal((SAMPLES, 1, 4, 4)))
    y = torch.tensor(np.eye(7)[rng.integers(7, size=SAMPLES)])
    batches = Batches(SAMPLES, 5, [np.random.default_rng(seed) for seed in range(RUNS)], x.device)
    return ConvolutionalLoss(NETWORKS, x, y, batches, samples_at_once=samples_at_once)


def weights():
    return torch.tensor(np.random.default_rng(1).standard_normal((RUNS, NETWORKS.parameters)))


def test_what_is_measured_is_what_pytorch_and_sorting_give():
    loss, w = objective(), weights()
    measured = loss.measure(w, w)
    assert torch.equal(loss.value(w), measured["objective"])
    outputs = NETWORKS.forward(w, loss.pictures.unsqueeze(0))
    classes = loss.targets.argmax(1)
    for run in range(RUNS):
        expected = nn.functional.cross_entropy(outputs[run], classes)
        torch.testing.assert_close(measured["objective"][run], expected, rtol=1e-12, atol=0)
        ranked = outputs[run].argsort(1, descending=True).numpy()
        for name, count in (("accuracy", 1), ("top_five_accuracy", 5)):
            right = [own in row[:count] for own, row in zip(classes.tolist(), ranked, strict=True)]
            assert measured[name][run].item() == np.mean(right), name
    assert (measured["accuracy"] < measured["top_five_accuracy"]).all()


def test_pictures_at_once_change_nothing():
    few, all_at_once, w = objective(3), objective(SAMPLES), weights()
    for name, values in few.measure(w, w).items():
        torch.testing.assert_close(values, all_at_once.measure(w, w)[name], rtol=1e-12, atol=0)


def test_outputs_that_are_no_numbers_are_never_right():
    measured = objective().measure(torch.full((RUNS, NETWORKS.parameters), torch.nan, dtype=torch.float64), None)
    assert measured["objective"].isnan().all()
    assert (measured["accuracy"] == 0).all() and (measured["top_five_accuracy"] == 0).all()


def test_a_gradient_is_the_slope_of_the_loss_on_the_batch():
    """By central differences, along random directions."""
    loss, w, size = objective(), weights(), 1e-5
    loss.draw()
    gradient = loss.subgradient(w)
    direction = torch.tensor(np.random.default_rng(2).standard_normal(w.shape))
    for run, rows in enumerate(loss.batches.rows):
        batch = loss.pictures[rows].unsqueeze(0), loss.targets[rows].argmax(1)
        ahead, behind = (
            nn.functional.cross_entropy(
                NETWORKS.forward((w + side * size * direction)[run : run + 1], batch[0])[0], batch[1]
            )
            for side in (1, -1)
        )
        slope = (gradient[run] @ direction[run]).item()
        np.testing.assert_allclose(((ahead - behind) / (2 * size)).item(), slope, rtol=1e-7, atol=1e-9)


def test_two_steps_are_those_of_keras():
    """Its RMSprop, by its formula: with rho .9 and epsilon 1e-7, and steps that shrink as 1/(1 + 1e-6 t)."""
    loss, method = objective(), METHODS["rmsprop_keras"]
    w, expected, a = weights(), weights().numpy(), np.zeros((RUNS, NETWORKS.parameters))
    state = method.start(w)
    for t in range(2):
        loss.draw()
        g = loss.subgradient(torch.tensor(expected)).numpy()
        a = 0.9 * a + 0.1 * g**2
        expected = expected - 1e-4 / (1 + 1e-6 * t) * g / (np.sqrt(a) + 1e-7)
        step_size = torch.full((RUNS, 1), 1e-4 * method.schedule(t, 2), dtype=torch.float64)
        w, state = method.step(loss, w, state, step_size)
        np.testing.assert_allclose(w.numpy(), expected, rtol=1e-13, atol=1e-13)
