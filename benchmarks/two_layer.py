"""Gradient descent on two-layer ReLU networks of 10,000 units with a fixed output layer, against a loop over models.

The limit is the rate of the bare product of the inputs with the weights of one network, 20 × 20 by 20 × 10,000. Ours
counts the multiply-adds that a step needs: that product, the one with the output layer, and the gradient.
"""

from collections.abc import Iterator

import torch

from ndgm.engine.activations import activation
from ndgm.engine.methods import METHODS
from ndgm.engine.objectives.two_layer import TwoLayerLoss

RUNS, SAMPLES, FEATURES, UNITS = 8, 20, 20, 10_000
OUR_STEPS, THEIR_STEPS, PRODUCTS = 10, 5, 50


def rows(interleaved, device) -> Iterator[dict]:
    """One row, on one thread of the processor.

    Args:
        interleaved: Times functions in turn and gives the median seconds of each.
        device: `cpu`.
    """
    x = torch.nn.functional.normalize(torch.randn(SAMPLES, FEATURES), dim=1)
    y = torch.randn(SAMPLES).sign()
    output = torch.randn(RUNS, UNITS).sign() / UNITS**0.5
    w = torch.randn(RUNS, FEATURES * UNITS)
    objective = TwoLayerLoss(activation("relu"), x, y, output, runs_at_once=1)
    method, step_size = METHODS["subgradient"], torch.full((RUNS, 1), 0.1)
    state = method.start(w)
    models = [user_model(*parts) for parts in zip(objective.matrices(w.clone()), output, strict=True)]
    product = torch.empty(SAMPLES, UNITS)
    left, right = x, objective.matrices(w)[0].clone()

    def ours():
        for _ in range(OUR_STEPS):
            method.step(objective, w, state, step_size)

    def theirs():
        user_loop(models, x, y, THEIR_STEPS)

    def limit():
        for _ in range(PRODUCTS):
            torch.mm(left, right, out=product)

    seconds_ours, seconds_theirs, seconds_limit = interleaved(ours, theirs, limit)
    per_run_step, their_per_run_step = seconds_ours / (OUR_STEPS * RUNS), seconds_theirs / (THEIR_STEPS * RUNS)
    one_product = seconds_limit / PRODUCTS
    products = 2 + 1 / FEATURES  # forwards, back to the weights, and the output layer
    yield {
        "name": f"two-layer networks {FEATURES}-{UNITS:,}-1, {SAMPLES} samples, {RUNS} runs, float64, one CPU thread",
        "unit": "µs per run and step",
        "ours": 1e6 * per_run_step,
        "theirs": 1e6 * their_per_run_step,
        "ratio": their_per_run_step / per_run_step,
        "fraction_of_limit": products * one_product / per_run_step,
    }


def user_model(weights, output):
    """One network of which the first layer is trained, and its optimiser."""
    hidden = torch.nn.Linear(*weights.shape, bias=False)
    hidden.weight.data = weights.T.clone()
    model = torch.nn.Sequential(hidden, torch.nn.ReLU())
    return model, output, torch.optim.SGD(model.parameters(), lr=0.1)


def user_loop(models, x, y, steps):
    """Steps of one model after the other, as they are written with autograd and `torch.optim.SGD`."""
    for model, output, optimiser in models:
        for _ in range(steps):
            optimiser.zero_grad()
            loss = (model(x) @ output - y).square().sum() / 2
            loss.backward()
            optimiser.step()
