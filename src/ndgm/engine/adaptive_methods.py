"""Methods that divide by the size of the gradients so far, weight by weight."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ndgm.engine.method import Method
from ndgm.engine.objectives.objective import Objective

EPSILON = 1e-8
"""What Adam and RMSProp add to the root of a mean square before they divide by it."""


class Squares(NamedTuple):
    """Sum or mean of squared gradients, and room for its root; each of shape (runs, d)."""

    square: Tensor
    scale: Tensor


@dataclass(frozen=True)
class Adagrad(Method[Squares]):
    """Adagrad: s ← s + g², w ← w − η·g/(√s + ε), with s = 0 at the start.

    Source: Duchi, Hazan and Singer (2011), in the form of `torch.optim.Adagrad`.
    """

    asks = ("subgradient",)
    normalises = True
    epsilon: float = 1e-10

    def start(self, w: Tensor) -> Squares:
        """State at the start: a sum of squares of zero."""
        return Squares(torch.zeros_like(w), torch.empty_like(w))

    def step(self, objective: Objective, w: Tensor, state: Squares, step_size: Tensor) -> tuple[Tensor, Squares]:
        """Next iterates w − η·g/(√s + ε), and s with g²."""
        g = objective.subgradient(w)
        square = state.square.addcmul_(g, g)
        scale = torch.sqrt(square, out=state.scale).add_(self.epsilon)
        return w.addcmul_(g.div_(scale), step_size, value=-1), state


@dataclass(frozen=True)
class RMSProp(Method[Squares]):
    """RMSProp: v ← decay·v + (1 − decay)·g², w ← w − η·g/(√v + ε), with v = 0 at the start.

    Source: Tieleman and Hinton (2012), in the form of `torch.optim.RMSprop`.
    """

    asks = ("subgradient",)
    normalises = True
    decay: float = 0.99
    epsilon: float = EPSILON

    def start(self, w: Tensor) -> Squares:
        """State at the start: a mean of squares of zero."""
        return Squares(torch.zeros_like(w), torch.empty_like(w))

    def step(self, objective: Objective, w: Tensor, state: Squares, step_size: Tensor) -> tuple[Tensor, Squares]:
        """Next iterates w − η·g/(√v + ε), and v with g²."""
        g = objective.subgradient(w)
        square = state.square.mul_(self.decay).addcmul_(g, g, value=1 - self.decay)
        scale = torch.sqrt(square, out=state.scale).add_(self.epsilon)
        return w.addcmul_(g.div_(scale), step_size, value=-1), state


class Moments(NamedTuple):
    """Means of gradients and of their squares, the squares that scale a step, room for its scale; and steps done.

    All but `done` have shape (runs, d). `scaling` is `square` itself, or the largest so far. `done` is a tensor, so
    that a step can be replayed; in double precision, where 1 − 0.999 is still exact enough.
    """

    mean: Tensor
    square: Tensor
    scaling: Tensor
    scale: Tensor
    done: Tensor


@dataclass(frozen=True)
class MomentMethod(Method[Moments]):
    """A method of Adam's kind: its direction is m̂/s, with m̂ = m/(1 − decayᵗ) and s = √(v/(1 − square_decayᵗ)) + ε.

    At step t = 1, 2 and so on, m ← decay·m + (1 − decay)·g and v ← square_decay·v + (1 − square_decay)·g², from
    m = v = 0. With `largest`, s has the largest v so far in the place of v.

    Source: Kingma and Ba (2015), algorithm 1; Reddi, Kale and Kumar (2018) for `largest`, in the form of PyTorch.
    """

    normalises = True
    decay: float = 0.9
    square_decay: float = 0.999
    epsilon: float = EPSILON
    largest: bool = False

    @property
    def inertial(self) -> bool:
        """With any momentum."""
        return self.decay > 0

    def start(self, w: Tensor) -> Moments:
        """State at the start: moments of zero."""
        mean, square, scale = (torch.zeros_like(w) for _ in range(3))
        scaling = torch.zeros_like(w) if self.largest else square
        return Moments(mean, square, scaling, scale, torch.zeros((), dtype=torch.float64, device=w.device))

    def direction(self, g: Tensor, state: Moments) -> Tensor:
        """m̂/s, written over the gradient `g`, which the state takes in; s is left as its `scale`."""
        done = state.done.add_(1)
        mean = state.mean.lerp_(g, 1 - self.decay)
        square = state.square.mul_(self.square_decay).addcmul_(g, g, value=1 - self.square_decay)
        if self.largest:
            torch.maximum(state.scaling, square, out=state.scaling)
        scale = torch.sqrt(state.scaling, out=state.scale)
        scale.div_((1 - self.square_decay**done).sqrt_()).add_(self.epsilon)
        return torch.div(mean, scale, out=g).div_(1 - self.decay**done)


@dataclass(frozen=True)
class Adam(MomentMethod):
    """Adam: w ← w − η·m̂/s; with `largest`, AMSGrad.

    Source: Kingma and Ba (2015), Reddi, Kale and Kumar (2018), in the form of `torch.optim.Adam`.
    """

    asks = ("subgradient",)

    def step(self, objective: Objective, w: Tensor, state: Moments, step_size: Tensor) -> tuple[Tensor, Moments]:
        """Next iterates w − η·m̂/s, and the moments with g."""
        direction = self.direction(objective.subgradient(w), state)
        return w.addcmul_(direction, step_size, value=-1), state


@dataclass(frozen=True)
class AdamDecoupled(MomentMethod):
    """Adam on the smooth part with a subgradient q of the penalty beside it: w ← w − η·m̂/s − ηq.

    For q = λ·sign(w) it is sign decay, what AdamW's weight decay is for q = λw.

    Source: Loshchilov and Hutter (2019), in the form of `torch.optim.AdamW`, with L1 in the place of squared L2.
    """

    asks = ("smooth_gradient", "penalty_subgradient")

    def step(self, objective: Objective, w: Tensor, state: Moments, step_size: Tensor) -> tuple[Tensor, Moments]:
        """Next iterates w − η·m̂/s − ηq, and the moments with the gradient of the smooth part."""
        direction = self.direction(objective.smooth_gradient(w), state)
        return w.addcmul_(direction.add_(objective.penalty_subgradient(w)), step_size, value=-1), state


@dataclass(frozen=True)
class ProximalAdam(MomentMethod):
    """Proximal Adam: w ← prox(w − η·m̂/s), where a weight's proximal map is that of its own η/s·penalty.

    That is the minimiser of ⟨m̂, x⟩ + penalty(x) + Σ sᵢ(xᵢ − wᵢ)²/(2η). Without momentum, decay = 0, m̂ is the gradient.

    Source: Yun, Lozano and Yang (2021), Adaptive proximal gradient methods for structured neural networks, algorithm 1.
    """

    asks = ("smooth_gradient", "shrink")
    rests = True

    def step(self, objective: Objective, w: Tensor, state: Moments, step_size: Tensor) -> tuple[Tensor, Moments]:
        """Next iterates prox(w − η·m̂/s), and the moments with the gradient of the smooth part."""
        w = w.addcmul_(self.direction(objective.smooth_gradient(w), state), step_size, value=-1)
        return objective.shrink(w, torch.div(step_size, state.scale, out=state.scale)), state
