"""How it is minimised: one update rule per method, batched over runs.

A rule takes iterates `w` of shape (runs, d), the gradient `g` that was taken at them, its own state and the step size η
of each run, shape (runs, 1); it returns the next iterates and state. A proximal rule also takes `shrink(w, t)`, the
proximal map of t·penalty. Rules overwrite `w`, `g` and their state: at this size, memory for new iterates costs as much
as the arithmetic.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt
from typing import Any

from torch import Tensor

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


def constant(done: int, steps: int) -> float:
    """Factor 1 at every step."""
    return 1.0


def inverse_square_root(done: int, steps: int) -> float:
    """Factor 1/√(k+1) at step k = 0, 1, and so on."""
    return (done + 1) ** -0.5


def held_inverse_square_root(done: int, steps: int) -> float:
    """Factor 1 for the first half of the steps, then 1/√j at the j-th step of the rest, from j = 1 on.

    The step is held first, so that what decays is the floor and not the speed of arrival.
    """
    return max(done - steps // 2 + 1, 1) ** -0.5


def linear(done: int, steps: int) -> float:
    """Factor 1 − k/N at step k = 0, 1, …, N − 1 of N.

    Source: Zamani and Glineur (2023).
    """
    return 1 - done / steps


def geometric(done: int, steps: int, *, last: float = 1e-6) -> float:
    """Factor 1 for the first half of the steps, then down to `last` at the end, by the same ratio every step.

    Source: Davis, Drusvyatskiy, MacPhee and Paquette (2018) for sharp problems.
    """
    held = steps // 2
    return last ** (max(done + 1 - held, 0) / (steps - held))


@dataclass(frozen=True)
class Method:
    """An update rule with its step-size schedule.

    Attributes:
        rule: What one step does.
        proximal: Whether the rule takes the gradient of the smooth part and the proximal map of the penalty; otherwise
            it takes a subgradient of the whole objective.
        schedule: Factor on the step size, from the number of steps done and the number of all steps.
        polyak: Whether every step is Polyak's, (f(w) − inf f)/‖g‖², and no step size is used.
    """

    rule: Callable[..., tuple[Tensor, State]]
    proximal: bool = False
    schedule: Callable[[int, int], float] = constant
    polyak: bool = False


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
}
