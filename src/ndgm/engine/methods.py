"""The registry `METHODS`, and methods that do not adapt; adaptive ones are in `ndgm.engine.adaptive_methods`.

Iterates `w` have shape (runs, d), step sizes η shape (runs, 1). A step overwrites `w`, the gradient that it asked for
and its own state: at this size, memory for new iterates costs as much as the arithmetic. Numbers that change from step
to step belong in the state: where all of it is tensors that are overwritten, a device replays the step.
"""

from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

import torch
from torch import Tensor

from ndgm.engine.adaptive_methods import Adagrad, Adam, AdamDecoupled, ProximalAdam, RMSProp
from ndgm.engine.method import Memoryless, Method, Nothing
from ndgm.engine.objectives.objective import Objective
from ndgm.engine.schedules import geometric, held_inverse_square_root, inverse_square_root, inverse_time, linear


@dataclass(frozen=True)
class Subgradient(Memoryless):
    """(Sub)gradient descent: w ← w − ηg.

    Source: Shor (1985), Minimization Methods for Non-Differentiable Functions.
    """

    asks = ("subgradient",)

    def step(self, objective: Objective, w: Tensor, state: Nothing, step_size: Tensor) -> tuple[Tensor, Nothing]:
        """Next iterates w − ηg and nothing to remember."""
        return w.addcmul_(objective.subgradient(w), step_size, value=-1), state


@dataclass(frozen=True)
class Spred(Subgradient):
    """Subgradient descent on two factors u·v of each weight w, on which λ·Σ|w| becomes (λ/2)·Σ(u² + v²).

    Source: Ziyin and Wang (2023), spred: Solving L1 penalty with SGD.
    """

    asks = ("subgradient",)
    on_factors = True


@dataclass(frozen=True)
class Polyak(Memoryless):
    """Subgradient descent with Polyak's step (f(w) − inf f)/‖g‖², zero where g is; `step_size` is not used.

    Source: Polyak (1969), Minimization of unsmooth functionals.
    """

    asks = ("subgradient", "value", "lowest")

    def step(self, objective: Objective, w: Tensor, state: Nothing, step_size: Tensor) -> tuple[Tensor, Nothing]:
        """Next iterates w − (f(w) − inf f)/‖g‖²·g and nothing to remember."""
        g = objective.subgradient(w)
        above = objective.value(w) - objective.lowest
        length = (above / g.square().sum(1)).nan_to_num(nan=0.0, posinf=0.0).clamp(min=0).unsqueeze(1)
        return w.addcmul_(g, length, value=-1), state


class Mean(NamedTuple):
    """Mean of all iterates, shape (runs, d), and their number."""

    mean: Tensor
    iterates: int


@dataclass(frozen=True)
class AveragedSubgradient(Method[Mean]):
    """Subgradient descent, w ← w − ηg, whose iterate is the mean of all w so far, the start among them.

    Source: Nemirovski and Yudin (1983).
    """

    asks = ("subgradient",)

    def start(self, w: Tensor) -> Mean:
        """State at the start, whose mean is the start alone."""
        return Mean(w.clone(), 1)

    def step(self, objective: Objective, w: Tensor, state: Mean, step_size: Tensor) -> tuple[Tensor, Mean]:
        """Next iterates w − ηg, and the mean with them."""
        w = w.addcmul_(objective.subgradient(w), step_size, value=-1)
        iterates = state.iterates + 1
        return w, Mean(state.mean.add_((w - state.mean).div_(iterates)), iterates)

    def iterate(self, w: Tensor, state: Mean) -> Tensor:
        """Mean of all points so far, the start among them."""
        return state.mean


class Velocity(NamedTuple):
    """Velocity v, shape (runs, d)."""

    velocity: Tensor


@dataclass(frozen=True)
class HeavyBall(Method[Velocity]):
    """Heavy-ball method: v ← momentum·v + g, w ← w − ηv, with v = 0 at the start.

    Source: Polyak (1964), in the form of `torch.optim.SGD`.
    """

    asks = ("subgradient",)
    momentum: float = 0.9

    @property
    def inertial(self) -> bool:
        """With any momentum."""
        return self.momentum > 0

    def start(self, w: Tensor) -> Velocity:
        """State at the start: velocity zero."""
        return Velocity(torch.zeros_like(w))

    def step(self, objective: Objective, w: Tensor, state: Velocity, step_size: Tensor) -> tuple[Tensor, Velocity]:
        """Next iterates w − ηv and the velocity v that led to them."""
        velocity = state.velocity.mul_(self.momentum).add_(objective.subgradient(w))
        return w.addcmul_(velocity, step_size, value=-1), state


@dataclass(frozen=True)
class ISTA(Memoryless):
    """Proximal gradient method: w ← prox_{ηλ‖·‖₁}(w − η∇f(w)).

    Source: Daubechies, Defrise and De Mol (2004).
    """

    asks = ("smooth_gradient", "shrink")
    rests = True

    def step(self, objective: Objective, w: Tensor, state: Nothing, step_size: Tensor) -> tuple[Tensor, Nothing]:
        """Next iterates prox(w − η∇f(w)) and nothing to remember."""
        w = w.addcmul_(objective.smooth_gradient(w), step_size, value=-1)
        return objective.shrink(w, step_size), state


class Extrapolation(NamedTuple):
    """Iterate x, shape (runs, d), and FISTA's t."""

    iterate: Tensor
    t: float


@dataclass(frozen=True)
class FISTA(Method[Extrapolation]):
    """FISTA: x₊ ← prox_{ηλ‖·‖₁}(w − η∇f(w)), w₊ ← x₊ + (t−1)/t₊·(x₊ − x), t₊ = (1+√(1+4t²))/2, t = 1 at first.

    Here w is the extrapolated point, where gradients are taken; the iterate is x.

    Source: Beck and Teboulle (2009), section 4.
    """

    asks = ("smooth_gradient", "shrink")
    rests = True
    inertial = True

    def start(self, w: Tensor) -> Extrapolation:
        """State at the start, which is the first iterate too."""
        return Extrapolation(w.clone(), 1.0)

    def step(
        self, objective: Objective, w: Tensor, state: Extrapolation, step_size: Tensor
    ) -> tuple[Tensor, Extrapolation]:
        """Next extrapolated points and the iterates; the buffers of w and x change places."""
        previous, t = state
        t_next = (1 + sqrt(1 + 4 * t**2)) / 2
        iterate = objective.shrink(w.addcmul_(objective.smooth_gradient(w), step_size, value=-1), step_size)
        extrapolated = previous.sub_(iterate).mul_((1 - t) / t_next).add_(iterate)
        return extrapolated, Extrapolation(iterate, t_next)

    def iterate(self, w: Tensor, state: Extrapolation) -> Tensor:
        """The proximal point x, which has exact zeros."""
        return state.iterate


class Steps(NamedTuple):
    """Number of steps done."""

    done: int


@dataclass(frozen=True)
class TruncatedGradient(Method[Steps]):
    """Truncated gradient: w ← w − η∇f(w), and on every `period`-th step w ← prox_{period·ηλ‖·‖₁}(w).

    The method's threshold θ is infinite, so every weight is truncated.

    Source: Langford, Li and Zhang (2009), equations 4 to 6, with K = `period` and gravity λ.
    """

    asks = ("smooth_gradient", "shrink")
    rests = True
    period: int = 10

    def start(self, w: Tensor) -> Steps:
        """State at the start: no step done."""
        return Steps(0)

    def step(self, objective: Objective, w: Tensor, state: Steps, step_size: Tensor) -> tuple[Tensor, Steps]:
        """Next iterates, truncated on every `period`-th step, and the steps done."""
        done = state.done + 1
        w = w.addcmul_(objective.smooth_gradient(w), step_size, value=-1)
        if done % self.period == 0:
            w = objective.shrink(w, self.period * step_size)
        return w, Steps(done)


@dataclass(frozen=True)
class SignDescent(Memoryless):
    """Sign descent: w ← w − η·sign(g), with sign(0) = 0.

    Source: Bernstein, Wang, Azizzadenesheli and Anandkumar (2018), signSGD.
    """

    asks = ("subgradient",)
    normalises = True

    def step(self, objective: Objective, w: Tensor, state: Nothing, step_size: Tensor) -> tuple[Tensor, Nothing]:
        """Next iterates w − η·sign(g) and nothing to remember."""
        return w.addcmul_(objective.subgradient(w).sign_(), step_size, value=-1), state


METHODS: dict[str, Method] = {
    "subgradient": Subgradient(),
    "subgradient_inverse_sqrt": Subgradient(schedule=inverse_square_root),
    "subgradient_sqrt": Subgradient(schedule=held_inverse_square_root),
    "subgradient_linear": Subgradient(schedule=linear),
    "subgradient_geometric": Subgradient(schedule=geometric),
    "polyak": Polyak(),
    "averaged": AveragedSubgradient(),
    "averaged_inverse_sqrt": AveragedSubgradient(schedule=inverse_square_root),
    "averaged_linear": AveragedSubgradient(schedule=linear),
    "heavy_ball": HeavyBall(),
    "ista": ISTA(),
    "fista": FISTA(),
    "truncated_gradient": TruncatedGradient(),
    "sign": SignDescent(),
    "adagrad": Adagrad(),
    "rmsprop_0.9": RMSProp(decay=0.9),
    "rmsprop_0.99": RMSProp(decay=0.99),
    "rmsprop_0.999": RMSProp(decay=0.999),
    "rmsprop_keras": RMSProp(decay=0.9, epsilon=1e-7, schedule=inverse_time),  # with Keras' defaults and its decay
    "adam": Adam(),
    "amsgrad": Adam(largest=True),
    "adam_decoupled": AdamDecoupled(),
    "spred": Spred(),
    "proximal_adam": ProximalAdam(),
    "proximal_adam_without_momentum": ProximalAdam(decay=0.0),
}
