"""Gradient methods on a 200 × 50 LASSO: an ensemble of 1,000 runs against the loop that a user would write."""

from collections.abc import Iterator
from functools import partial

import torch

from ndgm.engine.descent import Schedule, descend
from ndgm.engine.methods import METHODS
from ndgm.engine.objectives.lasso import Lasso

SAMPLES, FEATURES, RUNS = 200, 50, 1000
ENSEMBLE = 500  # as in config/laptop.yaml
OUR_STEPS, THEIR_STEPS, PRODUCTS = 500, 500, 500  # the pipeline takes 20,000 steps
METHODS_TIMED = ("subgradient", "heavy_ball", "ista", "rmsprop_0.99", "adam")


def rows(interleaved) -> Iterator[dict]:
    """One row a method.

    Args:
        interleaved: Times functions in turn and gives the median seconds of each.
    """
    generator = torch.Generator().manual_seed(0)
    design = torch.randn(SAMPLES, FEATURES, generator=generator)
    target = torch.randn(SAMPLES, generator=generator)
    by_weight = torch.randn(FEATURES, RUNS, generator=generator)
    gram = design.T @ design / SAMPLES
    penalty = torch.linspace(0.01, 1, RUNS).unsqueeze(1)
    step_size = torch.full((RUNS, 1), 0.1 / torch.linalg.eigvalsh(gram)[-1].item())
    product = torch.empty(FEATURES, ENSEMBLE)
    ensembles = [slice(first, first + ENSEMBLE) for first in range(0, RUNS, ENSEMBLE)]

    def limit():
        for _ in range(PRODUCTS):
            for part in ensembles:
                torch.mm(gram, by_weight[:, part], out=product)

    for name in METHODS_TIMED:

        def ours(method=METHODS[name]):
            for part in ensembles:
                objective = Lasso(gram, design.T @ target / SAMPLES, penalty[part])
                start = by_weight[:, part].contiguous().T
                descend(objective, method, start, step_size[part], Schedule.halving(OUR_STEPS, 2))

        def theirs(name=name):
            user_loop(name, design, target, by_weight[:, 0], penalty[0].item(), step_size[0].item())

        seconds_ours, seconds_theirs, seconds_limit = interleaved(ours, theirs, limit)
        ours_per_run_step = seconds_ours / (OUR_STEPS * RUNS)
        limit_per_run_step = seconds_limit / (PRODUCTS * RUNS)
        yield {
            "name": f"LASSO {SAMPLES} × {FEATURES}, {name}, {RUNS:,} runs, float64, one CPU thread",
            "unit": "µs per run and step",
            "ours": 1e6 * ours_per_run_step,
            "theirs": 1e6 * seconds_theirs / THEIR_STEPS,
            "ratio": seconds_theirs / THEIR_STEPS / ours_per_run_step,
            "fraction_of_limit": limit_per_run_step / ours_per_run_step,
        }


def user_loop(name, design, target, start, penalty, step_size):
    """One run, as it is written with `torch.optim` and autograd."""
    w = start.clone().requires_grad_()
    optimiser = {
        "heavy_ball": partial(torch.optim.SGD, momentum=0.9),
        "rmsprop_0.99": torch.optim.RMSprop,
        "adam": torch.optim.Adam,
    }.get(name, torch.optim.SGD)([w], lr=step_size)
    for _ in range(THEIR_STEPS):
        optimiser.zero_grad()
        loss = 0.5 * (design @ w - target).square().mean()
        if name != "ista":
            loss = loss + penalty * w.abs().sum()
        loss.backward()
        optimiser.step()
        if name == "ista":
            with torch.no_grad():
                w.copy_(torch.nn.functional.softshrink(w, step_size * penalty))
