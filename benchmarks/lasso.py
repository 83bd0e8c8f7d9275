"""Gradient methods on a 200 × 50 LASSO: an ensemble of runs against the loop that a user would write.

The limit is the rate of the bare product of the Gram matrix with the weights of the same number of runs. With 50
weights it takes so little time that the arrays which a step reads and writes beside it count too. The bound is the
time of both: the product, and a bare sum of two arrays of that size for every three arrays moved. On a CUDA device the
product itself waits for memory, so its fraction of the rate of a large product is given beside it.
"""

from collections.abc import Iterator
from functools import partial
from itertools import repeat
from typing import NamedTuple

import torch
from networks import wait

from ndgm.engine.descent import Schedule, descend
from ndgm.engine.methods import METHODS
from ndgm.engine.objectives.lasso import Lasso

SAMPLES, FEATURES, RUNS = 200, 50, 1000
ENSEMBLE = 500  # as in config/laptop.yaml
OUR_STEPS, THEIR_STEPS, PRODUCTS = 500, 500, 500  # the pipeline takes 20,000 steps
AVERAGES = 12 / 4
"""Arrays that averages read or write, over the last quarter of the steps: of |w| 5, of ‖g‖² 3 and of ⟨w, g⟩ 4."""
METHODS_TIMED = {
    "subgradient": 7 + AVERAGES,
    "heavy_ball": 12 + AVERAGES,
    "ista": 9,
    "rmsprop_0.99": 19 + AVERAGES,
    "adam": 26 + AVERAGES,
}
"""Arrays of the size of the weights that a step of each method reads or writes in passes of its own.

Of them sign(w) takes 2, λ·sign(w) − b 2 and w − ηg 3.
"""
LARGE_PRODUCT, LARGE_PRODUCTS = 4096, 5


class Ensemble(NamedTuple):
    """Runs of the subgradient method that a CUDA device takes side by side, and how many steps of theirs are timed."""

    runs: int
    steps: int


# As many steps as hide the capture of the graph: the pipeline takes 100,000.
ENSEMBLES = (Ensemble(1_000, 20_000), Ensemble(10_000, 10_000), Ensemble(100_000, 2_000), Ensemble(1_000_000, 300))


def rows(interleaved, device) -> Iterator[dict]:
    """One row a method on one thread of the processor, or one row a size of the ensemble on a CUDA device.

    Args:
        interleaved: Times functions in turn and gives the median seconds of each.
        device: `cpu` or `cuda`.
    """
    yield from {"cpu": rows_of_methods, "cuda": rows_of_sizes}[device](interleaved)


def rows_of_methods(interleaved):
    """One row a method, on the processor."""
    generator = torch.Generator().manual_seed(0)
    design = torch.randn(SAMPLES, FEATURES, generator=generator)
    target = torch.randn(SAMPLES, generator=generator)
    by_weight = torch.randn(FEATURES, RUNS, generator=generator)
    gram = design.T @ design / SAMPLES
    penalty = torch.linspace(0.01, 1, RUNS).unsqueeze(1)
    step_size = torch.full((RUNS, 1), 0.1 / torch.linalg.eigvalsh(gram)[-1].item())
    product, total = torch.empty(FEATURES, ENSEMBLE), torch.empty(FEATURES, ENSEMBLE)
    starts, penalties, step_sizes = by_weight.split(ENSEMBLE, 1), penalty.split(ENSEMBLE), step_size.split(ENSEMBLE)
    starts = [start.contiguous() for start in starts]

    def limit():
        for _ in range(PRODUCTS):
            for start in starts:
                torch.mm(gram, start, out=product)

    def sums():
        for _ in range(PRODUCTS):
            for start in starts:
                torch.add(start, product, out=total)

    for name, moved in METHODS_TIMED.items():

        def ours(method=METHODS[name]):
            for start, penalty, step_size in zip(starts, penalties, step_sizes, strict=True):
                objective = Lasso(gram, design.T @ target / SAMPLES, penalty)
                descend(objective, method, start.T, step_size, Schedule.halving(OUR_STEPS, 2))

        def theirs(name=name):
            user_loop(name, design, target, by_weight[:, 0], penalty[0].item(), step_size[0].item(), THEIR_STEPS)

        seconds_ours, seconds_theirs, seconds_limit, seconds_sums = interleaved(ours, theirs, limit, sums)
        ours_per_run_step = seconds_ours / (OUR_STEPS * RUNS)
        limit_per_run_step = seconds_limit / (PRODUCTS * RUNS)
        bound_per_run_step = limit_per_run_step + moved / 3 * seconds_sums / (PRODUCTS * RUNS)
        yield {
            "name": f"LASSO {SAMPLES} × {FEATURES}, {name}, {RUNS:,} runs, float64, one CPU thread",
            "unit": "µs per run and step",
            "ours": 1e6 * ours_per_run_step,
            "theirs": 1e6 * seconds_theirs / THEIR_STEPS,
            "ratio": seconds_theirs / THEIR_STEPS / ours_per_run_step,
            "fraction_of_limit": limit_per_run_step / ours_per_run_step,
            "fraction_of_bound": bound_per_run_step / ours_per_run_step,
        }


def rows_of_sizes(interleaved):
    """One row a size of the ensemble; its numbers are None where there is no CUDA device."""
    large_rate = rate_of_large_product(interleaved) if torch.cuda.is_available() else None
    names = ("ours", "theirs", "ratio", "fraction_of_limit", "fraction_of_large_product")
    for ensemble in ENSEMBLES:
        row = {
            "name": f"LASSO {SAMPLES} × {FEATURES}, subgradient, {ensemble.runs:,} runs, float64, CUDA",
            "unit": "µs per run and step",
        }
        numbers = compare(ensemble, interleaved, large_rate, "cuda") if large_rate else repeat(None)
        yield row | dict(zip(names, numbers, strict=False))


def compare(ensemble, interleaved, large_rate, device):
    """Our time and theirs per run and step, their ratio, and our fractions of the limit and of the large product."""
    options = {"generator": torch.Generator(device).manual_seed(0), "device": device}
    design, target = torch.randn(SAMPLES, FEATURES, **options), torch.randn(SAMPLES, **options)
    by_weight = torch.randn(FEATURES, ensemble.runs, **options)
    gram = design.T @ design / SAMPLES
    penalty = torch.linspace(0.01, 1, ensemble.runs, device=device).unsqueeze(1)
    step = 0.1 / torch.linalg.eigvalsh(gram)[-1].item()
    step_size = torch.full((ensemble.runs, 1), step, device=device)
    product = torch.empty_like(by_weight)

    def ours():
        objective = Lasso(gram, design.T @ target / SAMPLES, penalty)
        descend(objective, METHODS["subgradient"], by_weight.T, step_size, Schedule.halving(ensemble.steps, 2))
        wait(device)

    def theirs():
        user_loop("subgradient", design, target, by_weight[:, 0], penalty[0].item(), step, THEIR_STEPS)
        wait(device)

    def limit():
        for _ in range(ensemble.steps):
            torch.mm(gram, by_weight, out=product)
        wait(device)

    seconds_ours, seconds_theirs, seconds_limit = interleaved(ours, theirs, limit)
    per_run_step = seconds_ours / (ensemble.steps * ensemble.runs)
    their_per_run_step = seconds_theirs / THEIR_STEPS
    of_large_product = 2 * FEATURES**2 / per_run_step / large_rate
    fractions = seconds_limit / seconds_ours, of_large_product
    return 1e6 * per_run_step, 1e6 * their_per_run_step, their_per_run_step / per_run_step, *fractions


def rate_of_large_product(interleaved):
    """Floating-point operations per second of a float64 product that is limited by arithmetic alone."""
    left, right = (torch.rand(LARGE_PRODUCT, LARGE_PRODUCT, device="cuda") for _ in range(2))
    product = torch.empty_like(left)

    def products():
        for _ in range(LARGE_PRODUCTS):
            torch.mm(left, right, out=product)
        wait("cuda")

    (seconds,) = interleaved(products)
    return LARGE_PRODUCTS * 2 * LARGE_PRODUCT**3 / seconds


def user_loop(name, design, target, start, penalty, step_size, steps):
    """One run, as it is written with `torch.optim` and autograd."""
    w = start.clone().requires_grad_()
    optimiser = {
        "heavy_ball": partial(torch.optim.SGD, momentum=0.9),
        "rmsprop_0.99": torch.optim.RMSprop,
        "adam": torch.optim.Adam,
    }.get(name, torch.optim.SGD)([w], lr=step_size)
    for _ in range(steps):
        optimiser.zero_grad()
        loss = 0.5 * (design @ w - target).square().mean()
        if name != "ista":
            loss = loss + penalty * w.abs().sum()
        loss.backward()
        optimiser.step()
        if name == "ista":
            with torch.no_grad():
                w.copy_(torch.nn.functional.softshrink(w, step_size * penalty))
