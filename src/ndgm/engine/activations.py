"""Activations of hidden layers: one registry, read by networks, their Hessians and pruning."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from math import pi, sqrt

import torch
from torch import Tensor, nn

_aten = torch.ops.aten


@dataclass(frozen=True)
class Activation:
    """An elementwise function σ with its derivatives, as passes over networks use them.

    Attributes:
        value: (z, out) → σ(z), written to `out`.
        slope: (δ, s) → δ·σ′(z), written over δ; s is σ(z) if `from_output`, else z.
        second: z → σ″(z), zero at kinks; `torch.zeros_like` itself where it is zero everywhere, which spares a product.
        kinks: Where σ has no derivative, ascending.
        at_kinks: What `slope` takes as σ′ at each kink.
        from_output: Whether σ(z) determines σ′(z), so that z need not be kept.
        module: Makes PyTorch's module for σ.

    Example:
        >>> relu = activation("relu")
        >>> z = torch.tensor([-2.0, 0.0, 3.0])
        >>> relu.value(z, torch.empty(3))
        tensor([0., 0., 3.])
        >>> activation("relu", at_kink=0.5).slope(torch.ones(3), z)
        tensor([0.0000, 0.5000, 1.0000])
        >>> relu.second(z)
        tensor([0., 0., 0.])
    """

    value: Callable[[Tensor, Tensor], Tensor]
    slope: Callable[[Tensor, Tensor], Tensor]
    second: Callable[[Tensor], Tensor]
    kinks: tuple[float, ...]
    at_kinks: tuple[float, ...]
    from_output: bool
    module: Callable[[], nn.Module]


def _sigmoid_slope(z: Tensor) -> Tensor:
    """s(1 − s) for s = 1/(1 + e^{−z})."""
    return z.sigmoid() * (-z).sigmoid()


def _side_by_side(function: Callable[[Tensor], Tensor]) -> Callable[[Tensor, Tensor], Tensor]:
    """A function with exp or log in it, computed where numbers lie side by side, and laid into `out` from there.

    Along rows that lie apart PyTorch gives the odd ends of each to the C library, whose last bits are those of its
    release; that takes longer, too. Of gelu PyTorch 2.13 ignores the strides of `out`, in float32.
    """
    return lambda z, out: out.copy_(function(z.contiguous()))


# The kernels of PyTorch's own autograd, and so its values at kinks.
ACTIVATIONS: dict[str, Activation] = {
    "relu": Activation(
        value=lambda z, out: _aten.clamp_min.out(z, 0, out=out),
        slope=lambda delta, out: _aten.threshold_backward.grad_input(delta, out, 0, grad_input=delta),
        second=torch.zeros_like,
        kinks=(0.0,),
        at_kinks=(0.0,),
        from_output=True,
        module=nn.ReLU,
    ),
    "leaky_relu": Activation(
        value=lambda z, out: _aten.leaky_relu.out(z, 0.01, out=out),
        slope=lambda delta, out: _aten.leaky_relu_backward.grad_input(delta, out, 0.01, True, grad_input=delta),
        second=torch.zeros_like,
        kinks=(0.0,),
        at_kinks=(0.01,),
        from_output=True,
        module=nn.LeakyReLU,
    ),
    "hardtanh": Activation(
        value=lambda z, out: _aten.hardtanh.out(z, -1, 1, out=out),
        slope=lambda delta, out: _aten.hardtanh_backward.grad_input(delta, out, -1, 1, grad_input=delta),
        second=torch.zeros_like,
        kinks=(-1.0, 1.0),
        at_kinks=(0.0, 0.0),
        from_output=True,
        module=nn.Hardtanh,
    ),
    "gelu": Activation(
        value=_side_by_side(_aten.gelu),
        slope=lambda delta, z: _aten.gelu_backward.grad_input(delta, z, grad_input=delta),
        second=lambda z: (2 - z.square()) * (-0.5 * z.square()).exp() / sqrt(2 * pi),
        kinks=(),
        at_kinks=(),
        from_output=False,
        module=nn.GELU,
    ),
    "silu": Activation(
        value=_side_by_side(_aten.silu),
        slope=lambda delta, z: _aten.silu_backward.grad_input(delta, z, grad_input=delta),
        second=lambda z: _sigmoid_slope(z) * (2 - z * (0.5 * z).tanh()),
        kinks=(),
        at_kinks=(),
        from_output=False,
        module=nn.SiLU,
    ),
    "elu": Activation(
        value=_side_by_side(_aten.elu),
        slope=lambda delta, z: _aten.elu_backward.grad_input(delta, 1, 1, 1, False, z, grad_input=delta),
        second=lambda z: torch.where(z > 0, 0, z.clamp(max=0).exp()),
        kinks=(),
        at_kinks=(),
        from_output=False,
        module=nn.ELU,
    ),
    "sigmoid": Activation(
        value=_side_by_side(_aten.sigmoid),
        slope=lambda delta, out: _aten.sigmoid_backward.grad_input(delta, out, grad_input=delta),
        second=lambda z: -_sigmoid_slope(z) * (0.5 * z).tanh(),
        kinks=(),
        at_kinks=(),
        from_output=True,
        module=nn.Sigmoid,
    ),
    "tanh": Activation(
        value=lambda z, out: _aten.tanh.out(z, out=out),
        slope=lambda delta, out: _aten.tanh_backward.grad_input(delta, out, grad_input=delta),
        second=lambda z: 2 * z.tanh() * (z.tanh().square() - 1),
        kinks=(),
        at_kinks=(),
        from_output=True,
        module=nn.Tanh,
    ),
}


def softplus(beta: float) -> Activation:
    """log(1 + e^{βz})/β, a smoothed ReLU that is at most log(2)/β above it."""
    # Beyond βz = 40 it is z to the last bit of a double; PyTorch's own 20 leaves an error of 2e-9/β.
    return Activation(
        value=_side_by_side(lambda z: _aten.softplus(z, beta, 40)),
        slope=lambda delta, z: _aten.softplus_backward.grad_input(delta, z, beta, 40, grad_input=delta),
        second=lambda z: beta * _sigmoid_slope(beta * z),
        kinks=(),
        at_kinks=(),
        from_output=False,
        module=partial(nn.Softplus, beta, 40),
    )


def activation(name: str, at_kink: float | None = None) -> Activation:
    """The activation of this name: a key of `ACTIVATIONS`, or softplus_<β> with a positive number β.

    Args:
        name: For example `relu` or `softplus_10`.
        at_kink: What backward passes take as derivative at every kink. None is the convention of PyTorch's autograd: 0
            for ReLU and hardtanh, the slope .01 for leaky ReLU. A number, be it that of the convention, is taken on a
            path of its own, which is the same for all numbers: networks that differ in it alone round alike.

    Raises:
        ValueError: if there is no such activation, or if it has no kink to which a value could be given.
    """
    smoothing = re.fullmatch(r"softplus_(\d*\.?\d+(?:e[+-]?\d+)?)", name)
    if smoothing and 0 < float(smoothing[1]) < float("inf"):
        found = softplus(float(smoothing[1]))
    elif name in ACTIVATIONS:
        found = ACTIVATIONS[name]
    else:
        raise ValueError(f"no activation {name!r}; there are {', '.join(ACTIVATIONS)} and softplus_<positive number>")
    if at_kink is None:
        return found
    if not found.kinks:
        raise ValueError(f"{name} is smooth: at_kink must be None, not {at_kink}")

    def slope(delta: Tensor, z: Tensor) -> Tensor:
        # Between kinks z serves as well as σ(z); at them σ(z) does not tell whether z lies there or beyond.
        there = z == found.kinks[0]
        for kink in found.kinks[1:]:
            there |= z == kink
        chosen = delta * at_kink
        return torch.where(there, chosen, found.slope(delta, z), out=delta)

    return replace(found, slope=slope, at_kinks=(at_kink,) * len(found.kinks), from_output=False)
