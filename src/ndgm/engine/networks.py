"""Ensembles of fully connected networks with stacked parameters; forward and backward passes written by hand.

Inputs and activations carry a column of ones, and a layer is one matrix with the biases as last row: one product gives
pre-activations with their bias, one product gives the gradient of weights and biases. Passes write into buffers that
the next pass overwrites, and never wait for the device.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ndgm.engine.activations import Activation
from ndgm.engine.initialization import HE, Initialization


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
        inputs: What the last forward pass began with, shape (runs, samples, in + 1); empty before the first.
    """

    preactivations: list[Tensor]
    activations: list[Tensor]
    deltas: list[Tensor]
    outputs: Tensor
    last_gradient: Tensor
    inputs: Tensor


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

    def initial(
        self,
        generators: Sequence[np.random.Generator],
        initialization: Initialization | Sequence[Initialization] = HE,
    ) -> np.ndarray:
        """First parameters, one run per generator, shape (runs, P), in float64.

        Biases are zero, so that a sample that is zero begins at the kink of ReLU in every layer. The law is that for
        ReLU unless another one is given, whatever the activation, so that a seed starts all of them at the same point.

        Args:
            generators: One a run.
            initialization: Law of all weights, or of those of each layer.

        Raises:
            ValueError: if there is not one law for each layer.
        """
        laws = [initialization] * len(self._shapes) if isinstance(initialization, Initialization) else initialization
        runs = [
            [
                np.vstack([law.weights(generator, rows - 1, columns), np.zeros(columns)])
                for law, (rows, columns) in zip(laws, self._shapes, strict=True)
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
        return Tape(preactivations, activations, deltas, outputs, last_gradient, like.new_empty(0))

    def forward(self, layers: list[Layer], inputs: Tensor, tape: Tape) -> Tensor:
        """Outputs, shape (runs, samples, out); they and all that comes before them are left on the tape.

        Args:
            layers: Parameters.
            inputs: `with_ones` of the inputs, shape (samples, in + 1), or with the runs or a 1 in front.
            tape: Where to write.
        """
        tape.inputs = source = inputs.expand(len(tape.outputs), -1, -1)
        for layer, z, out in zip(layers, tape.preactivations, tape.activations, strict=False):
            self.activation.value(torch.bmm(source, layer.matrix, out=z), out[..., :-1])
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
                output = source[..., :-1]
                self.activation.slope(delta, output if self.activation.from_output else tape.preactivations[depth - 1])

    def input_gradient(self, layers: list[Layer], tape: Tape, slopes: Tensor) -> Tensor:
        """Gradient of Σ loss over samples with respect to every input, for the forward pass that the tape holds.

        Args:
            layers: Parameters.
            tape: What the forward pass left behind; its `deltas` are overwritten.
            slopes: ∂loss/∂outputs of every sample, shape (runs, samples, out); ones give ∇f of a single output.

        Returns:
            Shape (runs, samples, in).
        """
        delta = slopes
        for depth in range(len(layers) - 1, 0, -1):
            delta = torch.bmm(delta, layers[depth].weights.mT, out=tape.deltas[depth - 1])
            output = tape.activations[depth - 1][..., :-1]
            self.activation.slope(delta, output if self.activation.from_output else tape.preactivations[depth - 1])
        return torch.bmm(delta, layers[0].weights.mT)
