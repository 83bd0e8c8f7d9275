"""Means of iterates over time, of runs that go on until their means do."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ndgm.engine.method import Method, S
from ndgm.engine.objectives.objective import Objective

NOISE = 0.1
"""Share of the tolerance up to which a difference between blocks counts as noise, whether or not it has grown."""


@dataclass
class TimeMeans:
    """Means over a block of steps, for each run over the block in which it was found stationary, else over the last.

    Attributes:
        mean: E w, shape (runs, d).
        modulus: E|w|, shape (runs, d).
        last: Iterates at the end of that block, shape (runs, d).
        steps: Steps done by then, shape (runs,).
        stationary: Whether it agrees with the block before, and no worse than that with the one before, shape (runs,).
    """

    mean: Tensor
    modulus: Tensor
    last: Tensor
    steps: Tensor
    stationary: Tensor


def until_stationary(
    objective: Objective,
    method: Method,
    start: Tensor,
    step_size: Tensor,
    unit: Tensor,
    *,
    first_steps: int,
    most_steps: int,
    norm_tolerance: float,
    weight_tolerance: float,
    floor: Tensor | None = None,
    floor_tolerance: float = math.inf,
) -> TimeMeans:
    """Run a whole ensemble until means over successive blocks of steps agree, each block as long as all before it.

    A block agrees with the one before where E‖w‖₁ does to a share of itself and, if there is a floor, of that, and E w
    in the median over weights to a share of a unit. Between blocks that double a slow drift moves the norm about twice
    as far each time, however slow it is, and what has settled moves less and less: so the difference must not have
    grown either, which takes three blocks. A run that diverges is never stationary; its means are not finite. Runs that
    have settled are left out from then on, where the objective can do `without` them.

    Args:
        objective: What is minimised, over the whole ensemble.
        method: How; it takes a constant step.
        start: First iterates, shape (runs, d).
        step_size: η of each run, shape (runs, 1).
        unit: Length in which a weight's mean is measured, of each run, shape (runs, 1).
        first_steps: Steps before the first block, and its length.
        most_steps: Steps after which no block is begun that would end later.
        norm_tolerance: Largest relative difference of E‖w‖₁.
        weight_tolerance: Largest median difference of E w, in units.
        floor: The part of E‖w‖₁ that hovering weights keep, as it was predicted for each run, shape (runs,). Where that
            is a small part, a drift may be small beside the whole and large beside it.
        floor_tolerance: Largest difference of E‖w‖₁, as a share of the floor.
    """
    tiny = torch.finfo(start.dtype).tiny
    w = start.clone()
    state = method.start(w)
    for _ in range(first_steps):
        w, state = method.step(objective, w, state, step_size)
    done, means, before, change = first_steps, None, None, w.new_full((len(w),), torch.nan)
    rows = torch.arange(len(w), device=w.device)
    while means is None or (2 * done <= most_steps and not means.stationary.all()):
        total, modulus, size = torch.zeros_like(w), torch.zeros_like(w), torch.empty_like(w)
        for _ in range(done):
            total += w
            modulus += torch.abs(w, out=size)
            w, state = method.step(objective, w, state, step_size)
        block = total / done, modulus / done
        done *= 2
        agrees = torch.zeros(len(w), dtype=torch.bool, device=w.device)
        if before is not None:
            norm, last_norm = block[1].sum(1), before[1].sum(1)
            moved = _median((block[0] - before[0]).abs() / unit)
            last_change, change = change, (norm - last_norm).abs() / last_norm.clamp(min=tiny)
            most = torch.full_like(change, norm_tolerance)
            if floor is not None:
                most = most.minimum(floor_tolerance * floor / last_norm.clamp(min=tiny))
            # Of the first difference there is none before: nothing is less than NaN.
            shrinks = change <= last_change.maximum(NOISE * most)
            agrees = shrinks & (change <= most) & (moved <= weight_tolerance)
        found = TimeMeans(*block, w.clone(), torch.full_like(rows, done), agrees)
        before = tuple(part.clone() for part in block) if means is None else block  # what is found is written over
        means = found if means is None else _renewed(means, rows, found)
        settled = means.stationary[rows]
        if not settled.any() or settled.all():
            continue
        left, objective = objective.without(settled)
        if len(left) < len(rows):
            rows, w, step_size, unit, change = (each[left] for each in (rows, w, step_size, unit, change))
            state = _of_runs(state, left)
            floor = None if floor is None else floor[left]
            before = before[0][left], before[1][left]
    return means


def _median(values: Tensor) -> Tensor:
    """Lower median of each row, shape (runs,); of a row with a NaN any number.

    PyTorch's own has no deterministic kernel for a CUDA device.
    """
    return values.sort(1).values[:, (values.shape[1] - 1) // 2]


def _of_runs(state: S, runs: Tensor) -> S:
    """State of some runs of a method, in which what is one tensor remains one; what is not of runs is left as it is."""
    parts = {id(part): part[runs] if isinstance(part, Tensor) and part.ndim == 2 else part for part in state}
    return type(state)(*(parts[id(part)] for part in state)) if state else state


def _renewed(means: TimeMeans, rows: Tensor, found: TimeMeans) -> TimeMeans:
    """What was found before, and in its place what is found now of the runs in `rows` that were not stationary."""
    moving = ~means.stationary[rows]
    at = rows[moving]
    for name, values in vars(found).items():
        getattr(means, name)[at] = values[moving]
    return means
