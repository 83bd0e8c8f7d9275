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

NARROW = 64
"""A first layer with fewer units takes one product of all runs: on a processor its products run by run take longer, up
to twice as long, and for wider ones to lay runs side by side takes longer than it spares."""


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
        gradients: Gradient of each layer but the last, shape (runs, in + 1, out).
        last_gradient: That of the last layer, transposed, shape (runs, out, units + 1).
        wide: First layers of all runs side by side, or their gradient, shape (in + 1, runs, units), where they are
            narrow; else empty.
        joint: Pre-activations that they give, or the gradient with respect to these, shape (samples, runs, units).
        inputs: What the last forward pass began with, shape (samples, in + 1) if runs share it, else with the runs in
            front; empty before the first.
    """

    preactivations: list[Tensor]
    activations: list[Tensor]
    deltas: list[Tensor]
    outputs: Tensor
    gradients: list[Tensor]
    last_gradient: Tensor
    wide: Tensor
    joint: Tensor
    inputs: Tensor

    def times(self, matrices: Tensor, out: Tensor) -> Tensor:
        """Inputs times a matrix of each run, shape (runs, in + 1, units), in `out`, shape (runs, samples, units).

        Inputs that runs share take one wide product where the layer is narrow.
        """
        if not self._joins_runs():
            return torch.bmm(self.inputs.expand(len(out), -1, -1), matrices, out=out)
        self.wide.copy_(matrices.transpose(0, 1))
        torch.mm(self.inputs, self.wide.flatten(1), out=self.joint.flatten(1))
        return out.copy_(self.joint.transpose(0, 1))

    def transposed_times(self, deltas: Tensor) -> Tensor:
        """Transposed inputs times deltas of each run, shape (runs, samples, units); shape (runs, in + 1, units)."""
        if not self._joins_runs():
            return torch.bmm(self.inputs.expand(len(deltas), -1, -1).mT, deltas, out=self.gradients[0])
        self.joint.copy_(deltas.transpose(0, 1))
        torch.mm(self.inputs.mT, self.joint.flatten(1), out=self.wide.flatten(1))
        return self.wide.transpose(0, 1)

    def _joins_runs(self) -> bool:
        """Whether one product of all runs takes the place of one product a run."""
        return self.inputs.dim() == 2 and self.wide.numel() > 0


def write(into: Tensor, values: Tensor, scale: float, add: bool) -> None:
    """Write scale·values, or add it to what stands there."""
    if add:
        into.add_(values, alpha=scale)
    else:
        torch.mul(values, scale, out=into)


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
        side_by_side = hidden[0] if hidden[0] < NARROW else 0
        return Tape(
            preactivations,
            activations,
            deltas,
            outputs,
            gradients=[like.new_empty(runs, *shape) for shape in self._shapes[:-1]],
            last_gradient=like.new_empty(runs, self.widths[-1], hidden[-1] + 1),
            wide=like.new_empty(self.widths[0] + 1, runs, side_by_side),
            joint=like.new_empty(samples, runs, side_by_side),
            inputs=like.new_empty(0),
        )

    def forward(self, layers: list[Layer], inputs: Tensor, tape: Tape) -> Tensor:
        """Outputs, shape (runs, samples, out); they and all that comes before them are left on the tape.

        Args:
            layers: Parameters.
            inputs: `with_ones` of the inputs, shape (samples, in + 1), or with the runs in front.
            tape: Where to write.
        """
        tape.inputs = inputs
        for depth, (z, out) in enumerate(zip(tape.preactivations, tape.activations, strict=True)):
            matrix = layers[depth].matrix
            z = torch.bmm(tape.activations[depth - 1], matrix, out=z) if depth else tape.times(matrix, z)
            self.activation.value(z, out[..., :-1])
        torch.bmm(layers[-1].matrix.mT, tape.activations[-1].mT, out=tape.outputs.mT)
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
        for depth in range(len(layers) - 1, 0, -1):
            source = tape.activations[depth - 1]
            if delta is slopes:
                product = torch.bmm(delta.mT, source, out=tape.last_gradient).mT
            else:
                product = torch.bmm(source.mT, delta, out=tape.gradients[depth])
            write(gradient[depth].matrix, product, scale, add)
            delta = torch.bmm(delta, layers[depth].weights.mT, out=tape.deltas[depth - 1])
            output = source[..., :-1]
            self.activation.slope(delta, output if self.activation.from_output else tape.preactivations[depth - 1])
        write(gradient[0].matrix, tape.transposed_times(delta), scale, add)

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
