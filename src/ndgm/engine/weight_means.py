"""What each weight does on average while a method steps over its kink."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ndgm.engine.method import Method
from ndgm.engine.objectives.objective import Averages, Objective


@dataclass
class WeightMeans:
    """Means over steps of each weight of each run, all of shape (runs, d); h is the gradient of the smooth part.

    Attributes:
        mean: m = E w.
        earlier: The mean over the first half of the steps.
        modulus: E|w|.
        sign: E sign(w).
        gradient: E h.
        variance: E h² − (E h)².
        inner: E wh.
        square: E(h + q)², q the subgradient of the penalty.
        first: Iterates at the first of the steps.
        last: Iterates after the last one.
    """

    mean: Tensor
    earlier: Tensor
    modulus: Tensor
    sign: Tensor
    gradient: Tensor
    variance: Tensor
    inner: Tensor
    square: Tensor
    first: Tensor
    last: Tensor


class _Watched(Objective):
    """An objective with a penalty whose subgradients leave their parts behind."""

    def __init__(self, objective: Objective) -> None:
        self.objective = objective
        self.smooth = self.whole = torch.empty(0)

    def subgradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """Subgradient of the objective; what is left behind is it, and the gradient of the smooth part."""
        g = self.objective.subgradient(w)
        self.whole = g.clone()
        self.smooth = g - self.objective.penalty_subgradient(w)
        return g


def weight_means(
    objective: Objective, method: Method, start: Tensor, step_size: Tensor, *, first_steps: int, steps: int
) -> WeightMeans:
    """Run a whole ensemble, and take means over its last steps.

    Args:
        objective: What is minimised, with a penalty.
        method: How; it takes a constant step along subgradients of the whole.
        start: First iterates, shape (runs, d).
        step_size: η of each run, shape (runs, 1).
        first_steps: Steps before means begin.
        steps: Steps that they are taken over, an even number.
    """
    w = start.clone()
    state = method.start(w)
    for _ in range(first_steps):
        objective.draw()
        w, state = method.step(objective, w, state, step_size)
    watched, first = _Watched(objective), w.clone()
    halves: list[list[Tensor]] = []
    for _ in range(2):
        sums = [torch.zeros_like(w) for _ in range(7)]
        mean, modulus, sign, gradient, second, inner, square = sums
        for _ in range(steps // 2):
            objective.draw()
            before = w.clone()
            w, state = method.step(watched, w, state, step_size)
            h, g = watched.smooth, watched.whole
            mean += before
            modulus += before.abs()
            sign += before.sign()
            gradient += h
            second.addcmul_(h, h)
            inner.addcmul_(before, h)
            square.addcmul_(g, g)
        halves.append([total / (steps // 2) for total in sums])
    mean, modulus, sign, gradient, second, inner, square = (sum(pair) / 2 for pair in zip(*halves, strict=True))
    variance = second - gradient.square()
    return WeightMeans(mean, halves[0][0], modulus, sign, gradient, variance, inner, square, first, w)
