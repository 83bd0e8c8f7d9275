"""Every method of `METHODS` written anew in NumPy, one step at a time, as its source writes it.

A step takes the function, the point w where its gradient is taken, what the method remembers (a dictionary, empty at
first), the step size η and the number k = 1, 2, … of the step. It returns the next point. Where the iterate is another
one, the step leaves it in `memory["iterate"]`.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Function:
    """½wᵀAw − bᵀw + λ‖w‖₁ of one run."""

    def __init__(self, A, b, penalty, lowest=np.nan):
        self.A, self.b, self.penalty, self.lowest = A, b, penalty, lowest

    def value(self, w):
        return w @ self.A @ w / 2 - self.b @ w + self.penalty * np.abs(w).sum()

    def smooth(self, w):
        return self.A @ w - self.b

    def penalised(self, w):
        return self.penalty * np.sign(w)

    def whole(self, w):
        return self.smooth(w) + self.penalised(w)

    def shrink(self, w, amount):
        return np.sign(w) * np.maximum(np.abs(w) - amount * self.penalty, 0)


def subgradient(f, w, memory, eta, k):
    return w - eta * f.whole(w)


def polyak(f, w, memory, eta, k):
    g = f.whole(w)
    return w - (f.value(w) - f.lowest) / (g @ g) * g


def averaged(f, w, memory, eta, k):
    past = memory.setdefault("past", [w])
    past.append(subgradient(f, w, memory, eta, k))
    memory["iterate"] = np.mean(past, 0)
    return past[-1]


def heavy_ball(f, w, memory, eta, k):
    memory["velocity"] = 0.9 * memory.get("velocity", 0) + f.whole(w)
    return w - eta * memory["velocity"]


def ista(f, w, memory, eta, k):
    return f.shrink(w - eta * f.smooth(w), eta)


def fista(f, w, memory, eta, k):
    t, x = memory.get("t", 1.0), memory.get("iterate", w)
    memory["t"] = (1 + np.sqrt(1 + 4 * t**2)) / 2
    memory["iterate"] = ista(f, w, memory, eta, k)
    return memory["iterate"] + (t - 1) / memory["t"] * (memory["iterate"] - x)


def truncated_gradient(f, w, memory, eta, k):
    w = w - eta * f.smooth(w)
    return f.shrink(w, 10 * eta) if k % 10 == 0 else w


def sign(f, w, memory, eta, k):
    return w - eta * np.sign(f.whole(w))


def adagrad(f, w, memory, eta, k):
    gradients = memory.setdefault("gradients", [])
    gradients.append(f.whole(w))
    return w - eta * gradients[-1] / (np.sqrt(np.square(gradients).sum(0)) + 1e-10)


def rmsprop(decay):
    def step(f, w, memory, eta, k):
        gradients = memory.setdefault("gradients", [])
        gradients.append(f.whole(w))
        weights = (1 - decay) * decay ** np.arange(k)[::-1]
        return w - eta * gradients[-1] / (np.sqrt(weights @ np.square(gradients)) + 1e-8)

    return step


def rmsprop_keras(f, w, memory, eta, k):
    g = f.whole(w)
    memory["a"] = 0.9 * memory.get("a", 0) + (1 - 0.9) * g**2
    return w - eta * g / (np.sqrt(memory["a"]) + 1e-7)


def moments(g, memory, k, decay=0.9, largest=False):
    """Adam's m̂ and s of the gradient g; AMSGrad's where s is of the largest mean square so far."""
    memory["m"] = decay * memory.get("m", 0) + (1 - decay) * g
    memory["v"] = 0.999 * memory.get("v", 0) + 0.001 * g**2
    memory["largest"] = np.maximum(memory.get("largest", 0), memory["v"])
    square = memory["largest"] if largest else memory["v"]
    return memory["m"] / (1 - decay**k), np.sqrt(square / (1 - 0.999**k)) + 1e-8


def adam(f, w, memory, eta, k, largest=False):
    m, s = moments(f.whole(w), memory, k, largest=largest)
    return w - eta * m / s


def amsgrad(f, w, memory, eta, k):
    return adam(f, w, memory, eta, k, largest=True)


def adam_decoupled(f, w, memory, eta, k):
    m, s = moments(f.smooth(w), memory, k)
    return w - eta * m / s - eta * f.penalised(w)


def proximal_adam(decay):
    def step(f, w, memory, eta, k):
        m, s = moments(f.smooth(w), memory, k, decay)
        return f.shrink(w - eta * m / s, eta / s)

    return step


def constant(k, steps):
    return 1.0


def inverse_square_root(k, steps):
    return 1 / np.sqrt(k)


def linear(k, steps):
    return (steps + 1 - k) / steps


def inverse_time(k, steps):
    return 1 / (1 + 1e-6 * (k - 1))


def held_inverse_square_root(k, steps):
    return 1 / np.sqrt(max(k - steps // 2, 1))


def geometric(k, steps):
    return 1e-6 ** (max(k - steps // 2, 0) / (steps - steps // 2))


class Double(NamedTuple):
    """A method's step in NumPy, and the factor on its step size at step k of all."""

    step: Callable
    factor: Callable = constant


DOUBLES = {
    "subgradient": Double(subgradient),
    "subgradient_inverse_sqrt": Double(subgradient, inverse_square_root),
    "subgradient_sqrt": Double(subgradient, held_inverse_square_root),
    "subgradient_linear": Double(subgradient, linear),
    "subgradient_geometric": Double(subgradient, geometric),
    "polyak": Double(polyak),
    "averaged": Double(averaged),
    "averaged_inverse_sqrt": Double(averaged, inverse_square_root),
    "averaged_linear": Double(averaged, linear),
    "heavy_ball": Double(heavy_ball),
    "ista": Double(ista),
    "fista": Double(fista),
    "truncated_gradient": Double(truncated_gradient),
    "sign": Double(sign),
    "adagrad": Double(adagrad),
    "rmsprop_0.9": Double(rmsprop(0.9)),
    "rmsprop_0.99": Double(rmsprop(0.99)),
    "rmsprop_0.999": Double(rmsprop(0.999)),
    "rmsprop_keras": Double(rmsprop_keras, inverse_time),
    "adam": Double(adam),
    "amsgrad": Double(amsgrad),
    "adam_decoupled": Double(adam_decoupled),
    "spred": Double(subgradient),
    "proximal_adam": Double(proximal_adam(0.9)),
    "proximal_adam_without_momentum": Double(proximal_adam(0.0)),
}


def numpy_double(name):
    """The double of `METHODS[name]`."""
    assert name in DOUBLES, (
        f"METHODS[{name!r}] has no independent step: write one step of it in NumPy, from its source and not from "
        f"our class, and add it to DOUBLES in {__file__}"
    )
    return DOUBLES[name]


def numpy_loop(name, f, w, step_size, steps):
    """Points where gradients are taken, and iterates after each step."""
    step, factor = numpy_double(name)
    points, iterates, memory = [], [], {}
    for k in range(1, steps + 1):
        points.append(w)
        w = step(f, w, memory, factor(k, steps) * step_size, k)
        iterates.append(memory.get("iterate", w))
    return points, iterates
