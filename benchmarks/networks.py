"""Gradient descent on an ensemble of ReLU networks, against the loop over models that a user would write.

The limit is the rate of the bare product of 1,797 × 100 by 100 × 100; on a CUDA device, which a single one leaves
idle, of as many of them at once as there are networks. Ours counts the multiply-adds that a step needs:
the forward pass, the gradient with respect to every weight, and that with respect to the inputs of all layers but one.
The loop multiplies the same matrices: at the limit itself the ratio would be ours over our fraction of the limit.
"""

from collections.abc import Iterator
from itertools import repeat
from math import prod
from typing import NamedTuple

import numpy as np
import torch
from torch.nn.functional import mse_loss

from ndgm.engine.activations import activation
from ndgm.engine.capture import replayed
from ndgm.engine.methods import METHODS
from ndgm.engine.networks import Networks
from ndgm.engine.objectives.network import NetworkLoss

WIDTHS = (64, 100, 100, 10)
PRODUCTS, PRODUCT = {"cpu": 200, "cuda": 10}, (1797, 100, 100)


class Case(NamedTuple):
    """Networks trained side by side, with what is computed at once and how many steps are timed."""

    device: str
    samples: int
    runs: int
    samples_at_once: int
    runs_at_once: int
    our_steps: int
    their_steps: int

    @property
    def name(self) -> str:
        """The case in words."""
        device = "one CPU thread" if self.device == "cpu" else "CUDA"
        return f"networks {'-'.join(map(str, WIDTHS))}, {self.samples:,} samples, {self.runs:,} runs, float32, {device}"


CASES = [
    Case("cpu", 64, 64, 64, 16, our_steps=10, their_steps=3),
    Case("cpu", 1797, 64, 1797, 1, our_steps=1, their_steps=1),  # the fastest parts of a dozen that were tried
    Case("cuda", 1797, 1000, 1797, 1000, our_steps=10, their_steps=1),
]


def rows(interleaved, device) -> Iterator[dict]:
    """One row a case of one device; its numbers are None where there is no such device.

    Args:
        interleaved: Times functions in turn and gives the median seconds of each.
        device: `cpu` or `cuda`.
    """
    for case in (case for case in CASES if case.device == device):
        row = {"name": case.name, "unit": "µs per run and step"}
        measured = device == "cpu" or torch.cuda.is_available()
        numbers = compare(case, interleaved) if measured else repeat(None)
        yield row | dict(zip(("ours", "theirs", "ratio", "fraction_of_limit"), numbers, strict=False))


def compare(case, interleaved):
    """Our time and theirs per run and step, their ratio, and our fraction of the limit."""
    networks = Networks(WIDTHS, activation("relu"))
    options = {"dtype": torch.float32, "device": case.device}
    w = torch.tensor(networks.initial([np.random.default_rng(run) for run in range(case.runs)]), **options)
    x, y = (torch.rand(case.samples, width, **options) for width in (WIDTHS[0], WIDTHS[-1]))
    at_once = {"runs_at_once": case.runs_at_once, "samples_at_once": case.samples_at_once}
    objective = NetworkLoss(networks, x, y, case.runs, **at_once)
    models = [user_model(options) for _ in range(case.runs)]
    products, stack = PRODUCTS[case.device], (case.runs,) if case.device == "cuda" else ()
    left, right, product = (torch.rand(*stack, PRODUCT[i], PRODUCT[j], **options) for i, j in ((0, 1), (1, 2), (0, 2)))

    def limit():
        for _ in range(products):
            torch.matmul(left, right, out=product)
        wait(case.device)

    step_size = torch.full((case.runs, 1), 0.01, **options)
    method = METHODS["subgradient"]
    state = method.start(w)
    step = replayed(lambda: method.step(objective, w, state, step_size), lambda: [w], w.device)

    def ours():
        for _ in range(case.our_steps):
            step()
        wait(case.device)

    def theirs():
        user_loop(models, x, y, case.their_steps)
        wait(case.device)

    seconds_ours, seconds_theirs, seconds_limit = interleaved(ours, theirs, limit)
    per_run_step = seconds_ours / (case.our_steps * case.runs)
    their_per_run_step = seconds_theirs / (case.their_steps * case.runs)
    limit_rate = products * 2 * prod((*stack, *PRODUCT)) / seconds_limit
    fraction = operations(case.samples) / per_run_step / limit_rate
    return 1e6 * per_run_step, 1e6 * their_per_run_step, their_per_run_step / per_run_step, fraction


def wait(device):
    """Return when the device has done all that it was asked for."""
    if device == "cuda":
        torch.cuda.synchronize()


def operations(samples):
    """Floating-point operations that one step of one network needs: two for each multiply-add."""
    sizes = [ins * outs for ins, outs in zip(WIDTHS, WIDTHS[1:], strict=False)]
    return 2 * samples * (sum(sizes) + sum(sizes) + sum(sizes[1:]))


def user_model(options):
    """One network and its optimiser."""
    modules = []
    for ins, outs in zip(WIDTHS, WIDTHS[1:], strict=False):
        modules += [torch.nn.Linear(ins, outs, **options), torch.nn.ReLU()]
    model = torch.nn.Sequential(*modules[:-1])
    return model, torch.optim.SGD(model.parameters(), lr=0.01)


def user_loop(models, x, y, steps):
    """Steps of one model after the other, as they are written with autograd and `torch.optim.SGD`."""
    for model, optimiser in models:
        for _ in range(steps):
            optimiser.zero_grad()
            loss = mse_loss(model(x), y, reduction="sum") / (2 * len(x))
            loss.backward()
            optimiser.step()
