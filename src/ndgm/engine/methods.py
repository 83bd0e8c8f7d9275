"""How it is minimised: one update rule per method, batched over runs.

A rule takes iterates `w` of shape (runs, d), the gradient `g` that was taken at them, its own state and the step size η
of each run, shape (runs, 1); it returns the next iterates and state. A proximal rule also takes `shrink(w, t)`, the
proximal map of t·penalty, a decoupled one `q`, a subgradient of the penalty at `w`. Rules overwrite `w`, `g` and their
state: at this size, memory for new iterates costs as much as the arithmetic.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import sqrt
from typing import Any

import torch
from torch import Tensor

from ndgm.engine.schedules import constant, geometric, held_inverse_square_root, inverse_square_root, linear

EPSILON = 1e-8
"""What Adam and RMSProp add to the root of a mean square before they divide by it."""

State = dict[str, Any]
Shrink = Callable[[Tensor, Tensor], Tensor]


def gradient_step(w: Tensor, g: Tensor, state: State, step_size: Tensor) -> tuple[Tensor, State]:
    """One step of (sub)gradient descent: w ← w − ηg.

    Source: Shor (1985), Minimization Methods for Non-Differentiable Functions.
    """
    return w.addcmul_(g, step_size, value=-1), state


def heavy_ball(w: Tensor, g: Tensor, state: State, step_size: Tensor, *, momentum: float = 0.9) -> tuple[Tensor, State]:
    """One heavy-ball step: v ← momentum·v + g, w ← w − ηv, with v = 0 at the start.

    Source: Polyak (1964), in the form of `torch.optim.SGD`.
    """
    velocity = state["velocity"].mul_(momentum).add_(g) if state else g.clone()
    return w.addcmul_(velocity, step_size, value=-1), {"velocity": velocity}


def ista(w: Tensor, g: Tensor, state: State, step_size: Tensor, shrink: Shrink) -> tuple[Tensor, State]:
    """One proximal gradient step: w ← prox_{ηλ‖·‖₁}(w − η∇f(w)).

    Source: Daubechies, Defrise and De Mol (2004).
    """
    return shrink(w.addcmul_(g, step_size, value=-1), step_size), state


def fista(w: Tensor, g: Tensor, state: State, step_size: Tensor, shrink: Shrink) -> tuple[Tensor, State]:
    """One FISTA step: x₊ ← prox_{ηλ‖·‖₁}(w − η∇f(w)), w₊ ← x₊ + (t−1)/t₊·(x₊ − x), t₊ = (1+√(1+4t²))/2, t = 1 at first.

    Here `w` is the extrapolated point, where gradients are taken; the method's iterate is `state["iterate"]`.

    Source: Beck and Teboulle (2009), section 4.
    """
    previous = state["iterate"] if state else w.clone()
    t = state["t"] if state else 1.0
    t_next = (1 + sqrt(1 + 4 * t**2)) / 2
    iterate = shrink(w.addcmul_(g, step_size, value=-1), step_size)
    extrapolated = previous.sub_(iterate).mul_((1 - t) / t_next).add_(iterate)
    return extrapolated, {"iterate": iterate, "t": t_next}


def truncated_gradient(
    w: Tensor, g: Tensor, state: State, step_size: Tensor, shrink: Shrink, *, period: int = 10
) -> tuple[Tensor, State]:
    """One truncated-gradient step: w ← w − η∇f(w), and on every `period`-th step w ← prox_{period·ηλ‖·‖₁}(w).

    The rule's threshold θ is infinite, so every weight is truncated.

    Source: Langford, Li and Zhang (2009), equations 4 to 6, with K = `period` and gravity λ.
    """
    count = state["count"] + 1 if state else 1
    w = w.addcmul_(g, step_size, value=-1)
    if count % period == 0:
        w = shrink(w, period * step_size)
    return w, {"count": count}


def averaged(w: Tensor, g: Tensor, state: State, step_size: Tensor) -> tuple[Tensor, State]:
    """One step of subgradient descent, w ← w − ηg, whose iterate is the mean of all w so far, the start among them.

    Source: Nemirovski and Yudin (1983).
    """
    mean = state["iterate"] if state else w.clone()
    count = state["count"] + 1 if state else 2
    w = w.addcmul_(g, step_size, value=-1)
    return w, {"iterate": mean.add_((w - mean).div_(count)), "count": count}


def sign_step(w: Tensor, g: Tensor, state: State, step_size: Tensor) -> tuple[Tensor, State]:
    """One step of sign descent: w ← w − η·sign(g), with sign(0) = 0.

    Source: Bernstein, Wang, Azizzadenesheli and Anandkumar (2018), signSGD.
    """
    return w.addcmul_(g.sign_(), step_size, value=-1), state


def adagrad(w: Tensor, g: Tensor, state: State, step_size: Tensor, *, epsilon: float = 1e-10) -> tuple[Tensor, State]:
    """One Adagrad step: s ← s + g², w ← w − η·g/(√s + ε), with s = 0 at the start.

    Source: Duchi, Hazan and Singer (2011), in the form of `torch.optim.Adagrad`.
    """
    state = state or {"square": torch.zeros_like(w), "scale": torch.empty_like(w)}
    square = state["square"].addcmul_(g, g)
    scale = torch.sqrt(square, out=state["scale"]).add_(epsilon)
    return w.addcmul_(g.div_(scale), step_size, value=-1), state


def rmsprop(
    w: Tensor, g: Tensor, state: State, step_size: Tensor, *, decay: float, epsilon: float = EPSILON
) -> tuple[Tensor, State]:
    """One RMSProp step: v ← decay·v + (1 − decay)·g², w ← w − η·g/(√v + ε), with v = 0 at the start.

    Source: Tieleman and Hinton (2012), in the form of `torch.optim.RMSprop`.
    """
    state = state or {"square": torch.zeros_like(w), "scale": torch.empty_like(w)}
    square = state["square"].mul_(decay).addcmul_(g, g, value=1 - decay)
    scale = torch.sqrt(square, out=state["scale"]).add_(epsilon)
    return w.addcmul_(g.div_(scale), step_size, value=-1), state


def adam(
    w: Tensor, g: Tensor, state: State, step_size: Tensor, *, largest: bool = False, decay: float = 0.9
) -> tuple[Tensor, State]:
    """One Adam step: w ← w − η·m̂/s, with the mean m̂ and the scale s of `adam_moments`.

    Source: Kingma and Ba (2015), in the form of `torch.optim.Adam`.
    """
    state = adam_moments(w, g, state, largest=largest, decay=decay)
    return w.addcmul_(g, step_size, value=-1), state


def adam_decoupled(w: Tensor, g: Tensor, state: State, step_size: Tensor, q: Tensor) -> tuple[Tensor, State]:
    """One Adam step on the smooth part with the penalty beside it: w ← w − η·m̂/s − ηq.

    For q = λ·sign(w) it is sign decay, what AdamW's weight decay is for q = λw.

    Source: Loshchilov and Hutter (2019), in the form of `torch.optim.AdamW`, with L1 in the place of squared L2.
    """
    state = adam_moments(w, g, state)
    return w.addcmul_(g.add_(q), step_size, value=-1), state


def proximal_adam(
    w: Tensor, g: Tensor, state: State, step_size: Tensor, shrink: Shrink, *, decay: float = 0.9
) -> tuple[Tensor, State]:
    """One proximal Adam step: w ← prox(w − η·m̂/s), where a weight's proximal map is that of its own η/s·penalty.

    That is the minimiser of ⟨m̂, x⟩ + penalty(x) + Σ sᵢ(xᵢ − wᵢ)²/(2η). Without momentum, decay = 0, m̂ is the gradient.

    Source: Yun, Lozano and Yang (2021), Adaptive proximal gradient methods for structured neural networks, algorithm 1.
    """
    state = adam_moments(w, g, state, decay=decay)
    w.addcmul_(g, step_size, value=-1)
    return shrink(w, torch.div(step_size, state["scale"], out=state["scale"])), state


def adam_moments(
    w: Tensor,
    g: Tensor,
    state: State,
    *,
    largest: bool = False,
    decay: float = 0.9,
    square_decay: float = 0.999,
    epsilon: float = EPSILON,
) -> State:
    """Take in the gradient g of step t = 1, 2, … and leave the direction m̂/s in its place.

    m ← decay·m + (1 − decay)·g, v ← square_decay·v + (1 − square_decay)·g², m = v = 0 at the start;
    m̂ = m/(1 − decayᵗ), s = √(v/(1 − square_decayᵗ)) + ε. With `largest`, s has the largest v so far in the place of v,
    which is AMSGrad.

    Returns:
        The state, with s as its `scale`.

    Source: Kingma and Ba (2015), algorithm 1; Reddi, Kale and Kumar (2018), in the form of PyTorch.
    """
    if not state:
        names = ["mean", "square", "scale", *(["largest"] if largest else [])]
        state = {name: torch.zeros_like(w) for name in names}
        # A tensor, so that a step can be replayed; in double precision, where 1 − 0.999 is still exact enough.
        state["count"] = torch.zeros((), dtype=torch.float64, device=w.device)
    count = state["count"].add_(1)
    mean = state["mean"].lerp_(g, 1 - decay)
    square = state["square"].mul_(square_decay).addcmul_(g, g, value=1 - square_decay)
    if largest:
        square = torch.maximum(state["largest"], square, out=state["largest"])
    scale = torch.sqrt(square, out=state["scale"]).div_((1 - square_decay**count).sqrt_()).add_(epsilon)
    torch.div(mean, scale, out=g).div_(1 - decay**count)
    return state


@dataclass(frozen=True)
class Method:
    """An update rule with its step-size schedule.

    Attributes:
        rule: What one step does.
        proximal: Whether the rule takes the gradient of the smooth part and the proximal map of the penalty.
        decoupled: Whether it takes the gradient of the smooth part and a subgradient of the penalty; a rule that is
            neither takes a subgradient of the whole objective.
        schedule: Factor on the step size, from the number of steps done and the number of all steps.
        polyak: Whether every step is Polyak's, (f(w) − inf f)/‖g‖², and no step size is used.
    """

    rule: Callable[..., tuple[Tensor, State]]
    proximal: bool = False
    schedule: Callable[[int, int], float] = constant
    polyak: bool = False
    decoupled: bool = False


METHODS = {
    "subgradient": Method(gradient_step),
    "subgradient_inverse_sqrt": Method(gradient_step, schedule=inverse_square_root),
    "subgradient_sqrt": Method(gradient_step, schedule=held_inverse_square_root),
    "subgradient_linear": Method(gradient_step, schedule=linear),
    "subgradient_geometric": Method(gradient_step, schedule=geometric),
    "polyak": Method(gradient_step, polyak=True),
    "averaged": Method(averaged),
    "averaged_inverse_sqrt": Method(averaged, schedule=inverse_square_root),
    "averaged_linear": Method(averaged, schedule=linear),
    "heavy_ball": Method(heavy_ball),
    "ista": Method(ista, proximal=True),
    "fista": Method(fista, proximal=True),
    "truncated_gradient": Method(truncated_gradient, proximal=True),
    "sign": Method(sign_step),
    "adagrad": Method(adagrad),
    "rmsprop_0.9": Method(partial(rmsprop, decay=0.9)),
    "rmsprop_0.99": Method(partial(rmsprop, decay=0.99)),
    "rmsprop_0.999": Method(partial(rmsprop, decay=0.999)),
    "adam": Method(adam),
    "amsgrad": Method(partial(adam, largest=True)),
    "adam_decoupled": Method(adam_decoupled, decoupled=True),
    "spred": Method(gradient_step),  # on factors of the weights, which the objective has to be one of
    "proximal_adam": Method(proximal_adam, proximal=True),
    "proximal_adam_without_momentum": Method(partial(proximal_adam, decay=0.0), proximal=True),
}
