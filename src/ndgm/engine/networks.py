"""Ensembles of fully connected networks with stacked parameters; forward and backward passes written by hand.

Inputs and activations carry a column of ones, and a layer is one matrix with the biases as last row: one product gives
pre-activations with their bias, one product gives the gradient of weights and biases. Passes write into buffers that
the next pass overwrites, and never wait for the device.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import pi, sqrt
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

_aten = torch.ops.aten


@dataclass(frozen=True)
class Activation:
    """An elementwise function σ.

    Attributes:
        apply: Writes σ(z) to its second argument.
        backward: Overwrites its first argument δ with δ·σ′(z); its second is σ(z) if `from_output`, else z.
        kinks: Where σ has no derivative, ascending.
        at_kink: What `backward` takes as σ′ there; None if there are no kinks.
        from_output: Whether σ(z) tells σ′(z), so that z need not be kept.
        second: σ″(z); None if it is zero wherever σ has one.
    """

    apply: Callable[[Tensor, Tensor], Tensor]
    backward: Callable[[Tensor, Tensor], Tensor]
    kinks: tuple[float, ...] = ()
    at_kink: float | None = None
    from_output: bool = False
    second: Callable[[Tensor], Tensor] | None = None


def _sigmoid_slope(z: Tensor) -> Tensor:
    """s(1 − s) for s = 1/(1 + e^{−z})."""
    return z.sigmoid() * (-z).sigmoid()


# The kernels of PyTorch's own autograd, and so its values at kinks.
ACTIVATIONS = {
    "relu": Activation(
        lambda z, out: _aten.clamp_min.out(z, 0, out=out),
        lambda delta, out: _aten.threshold_backward.grad_input(delta, out, 0, grad_input=delta),
        kinks=(0.0,),
        at_kink=0.0,
        from_output=True,
    ),
    "leaky_relu": Activation(
        lambda z, out: _aten.leaky_relu.out(z, 0.01, out=out),
        lambda delta, out: _aten.leaky_relu_backward.grad_input(delta, out, 0.01, True, grad_input=delta),
        kinks=(0.0,),
        at_kink=0.01,
        from_output=True,
    ),
    "hardtanh": Activation(
        lambda z, out: _aten.hardtanh.out(z, -1, 1, out=out),
        lambda delta, out: _aten.hardtanh_backward.grad_input(delta, out, -1, 1, grad_input=delta),
        kinks=(-1.0, 1.0),
        at_kink=0.0,
        from_output=True,
    ),
    "gelu": Activation(
        lambda z, out: out.copy_(_aten.gelu(z)),  # PyTorch 2.13 ignores the strides of `out` here, in float32.
        lambda delta, z: _aten.gelu_backward.grad_input(delta, z, grad_input=delta),
        second=lambda z: (2 - z.square()) * (-0.5 * z.square()).exp() / sqrt(2 * pi),
    ),
    "silu": Activation(
        lambda z, out: _aten.silu.out(z, out=out),
        lambda delta, z: _aten.silu_backward.grad_input(delta, z, grad_input=delta),
        second=lambda z: _sigmoid_slope(z) * (2 - z * (0.5 * z).tanh()),
    ),
    "elu": Activation(
        lambda z, out: _aten.elu.out(z, out=out),
        lambda delta, z: _aten.elu_backward.grad_input(delta, 1, 1, 1, False, z, grad_input=delta),
        second=lambda z: torch.where(z > 0, 0, z.clamp(max=0).exp()),
    ),
    "tanh": Activation(
        lambda z, out: _aten.tanh.out(z, out=out),
        lambda delta, out: _aten.tanh_backward.grad_input(delta, out, grad_input=delta),
        from_output=True,
        second=lambda z: 2 * z.tanh() * (z.tanh().square() - 1),
    ),
}


def softplus(beta: float) -> Activation:
    """log(1 + e^{βz})/β, a smoothed ReLU that is at most log(2)/β above it."""
    # Beyond βz = 40 it is z to the last bit of a double; PyTorch's own 20 leaves an error of 2e-9/β.
    return Activation(
        lambda z, out: _aten.softplus.out(z, beta, 40, out=out),
        lambda delta, z: _aten.softplus_backward.grad_input(delta, z, beta, 40, grad_input=delta),
        second=lambda z: beta * _sigmoid_slope(beta * z),
    )


def activation(name: str, at_kink: float | None = None) -> Activation:
    """The activation of this name: a key of `ACTIVATIONS`, or softplus_<β> with a positive number β.

    Args:
        name: For example `relu` or `softplus_10`.
        at_kink: What backward passes take as derivative at every kink. None is the convention of PyTorch's autograd: 0
            for ReLU and hardtanh, the slope .01 for leaky ReLU.

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
    if at_kink in (None, found.at_kink):
        return found
    if not found.kinks:
        raise ValueError(f"{name} is smooth: at_kink must be None, not {at_kink}")

    def backward(delta: Tensor, z: Tensor) -> Tensor:
        # Between kinks z serves as well as σ(z); at them σ(z) does not tell whether z lies there or beyond.
        there = torch.stack([z == kink for kink in found.kinks]).any(0)
        chosen = delta * at_kink
        return torch.where(there, chosen, found.backward(delta, z), out=delta)

    return replace(found, backward=backward, at_kink=at_kink, from_output=False)


class Layer(NamedTuple):
    """Views of one layer's parameters, or of their gradient: biases are the last row of `matrix`, weights the others.

    Shapes are (runs, in + 1, out), (runs, in, out) and (runs, 1, out).
    """

    matrix: Tensor
    weights: Tensor
    biases: Tensor


@dataclass
class Tape:
    """Buffers of a pass over some runs and samples.

    Attributes:
        preactivations: z of each hidden layer, shape (runs, samples, units); overwritten by σ(z) unless they are kept.
        activations: σ(z) and a column of ones, shape (runs, samples, units + 1).
        deltas: Gradient with respect to z.
        outputs: Shape (runs, samples, out). In memory the samples of one output lie together, as in `last_gradient`,
            because products are several times faster with few rows than with few columns.
        last_gradient: Gradient of the last layer, transposed, shape (runs, out, units + 1).
        inputs: What the last forward pass began with, shape (runs, samples, in + 1).
    """

    preactivations: list[Tensor]
    activations: list[Tensor]
    deltas: list[Tensor]
    outputs: Tensor
    last_gradient: Tensor
    inputs: Tensor | None = None


def with_ones(x: Tensor) -> Tensor:
    """`x` and a column of ones."""
    return torch.cat([x, x.new_ones(*x.shape[:-1], 1)], -1)


class Networks:
    """Fully connected networks of one architecture: activated hidden layers and a linear output.

    The parameters of an ensemble are one tensor of shape (runs, P), for each layer the weights (in, out), then the
    biases (out). Passes are fastest if a run lies together in memory.

    Args:
        widths: Of inputs, of each hidden layer and of outputs, for example (64, 100, 100, 10).
        activation: σ of the hidden layers.

    Attributes:
        parameters: P, the number of parameters of one network.
    """

    def __init__(self, widths: Sequence[int], activation: Activation) -> None:
        if len(widths) < 3:
            raise ValueError(f"widths must name inputs, hidden layers and outputs, not {widths}")
        self.widths = tuple(widths)
        self.activation = activation
        self._shapes = [(ins + 1, outs) for ins, outs in zip(widths, widths[1:], strict=False)]
        self._sizes = [rows * columns for rows, columns in self._shapes]
        self.parameters = sum(self._sizes)

    def initial(self, generators: Sequence[np.random.Generator]) -> np.ndarray:
        """First parameters, one run per generator, shape (runs, P), in float64.

        Weights are Gaussian with variance 2/in, and biases zero: the rule for ReLU, kept for every activation, so that
        a seed starts all of them at the same point. A sample that is zero begins at the kink of ReLU in every layer.

        Source: He, Zhang, Ren and Sun (2015), Delving Deep into Rectifiers.
        """
        runs = [
            [
                np.vstack([generator.standard_normal((rows - 1, columns)) * sqrt(2 / (rows - 1)), np.zeros(columns)])
                for rows, columns in self._shapes
            ]
            for generator in generators
        ]
        return np.stack([np.concatenate([matrix.ravel() for matrix in run]) for run in runs])

    def layers(self, w: Tensor) -> list[Layer]:
        """Views of parameters or gradients of shape (runs, P)."""
        matrices = [part.unflatten(1, shape) for part, shape in zip(w.split(self._sizes, 1), self._shapes, strict=True)]
        return [Layer(matrix, matrix[:, :-1], matrix[:, -1:]) for matrix in matrices]

    def tape(self, runs: int, samples: int, like: Tensor, keep: bool = False) -> Tape:
        """Buffers for passes over `runs` × `samples`, of the type and on the device of `like`.

        Args:
            runs: Networks in a pass.
            samples: Inputs of each.
            like: Any tensor.
            keep: Whether pre-activations are wanted after the pass; otherwise they may be overwritten.
        """
        hidden = self.widths[1:-1]
        activations = [like.new_ones(runs, samples, units + 1) for units in hidden]
        if self.activation.from_output and not keep:
            preactivations = [buffer[..., :-1] for buffer in activations]
        else:
            preactivations = [like.new_empty(runs, samples, units) for units in hidden]
        deltas = [like.new_empty(runs, samples, units) for units in hidden]
        outputs = like.new_empty(runs, self.widths[-1], samples).mT
        last_gradient = like.new_empty(runs, self.widths[-1], hidden[-1] + 1)
        return Tape(preactivations, activations, deltas, outputs, last_gradient)

    def forward(self, layers: list[Layer], inputs: Tensor, tape: Tape) -> Tensor:
        """Outputs, shape (runs, samples, out); they and all that comes before them are left on the tape.

        Args:
            layers: Parameters.
            inputs: `with_ones` of the inputs, shape (samples, in + 1), or with the runs or a 1 in front.
            tape: Where to write.
        """
        tape.inputs = source = inputs.expand(len(tape.outputs), -1, -1)
        for layer, z, out in zip(layers, tape.preactivations, tape.activations, strict=False):
            self.activation.apply(torch.bmm(source, layer.matrix, out=z), out[..., :-1])
            source = out
        torch.bmm(layers[-1].matrix.mT, source.mT, out=tape.outputs.mT)
        return tape.outputs

    def backward(
        self,
        layers: list[Layer],
        tape: Tape,
        slopes: Tensor,
        gradient: list[Layer],
        scale: float = 1.0,
        add: bool = False,
    ) -> None:
        """Write the gradient of scale·Σ loss over samples, for the forward pass that the tape holds.

        Args:
            layers: Parameters.
            tape: What the forward pass left behind.
            slopes: ∂loss/∂outputs of every sample, shape (runs, samples, out).
            gradient: Where to write.
            scale: Factor on the whole.
            add: Whether to add to what stands there.
        """
        delta = slopes
        for depth in reversed(range(len(layers))):
            source = tape.activations[depth - 1] if depth else tape.inputs
            into = gradient[depth].matrix
            if delta is slopes:
                product = torch.bmm(delta.mT, source, out=tape.last_gradient).mT
                torch.add(into, product, alpha=scale, out=into) if add else torch.mul(product, scale, out=into)
            else:
                torch.baddbmm(into, source.mT, delta, beta=int(add), alpha=scale, out=into)
            if depth:
                delta = torch.bmm(delta, layers[depth].weights.mT, out=tape.deltas[depth - 1])
                told = source[..., :-1] if self.activation.from_output else tape.preactivations[depth - 1]
                self.activation.backward(delta, told)
