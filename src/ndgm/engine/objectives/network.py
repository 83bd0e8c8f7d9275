"""Losses of fully connected networks, for an ensemble of runs."""

from collections.abc import Callable, Iterable
from itertools import repeat
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ndgm.engine.networks import Layer, Networks, Tape, with_ones
from ndgm.engine.objectives.batches import Batches
from ndgm.engine.objectives.objective import Averages, Objective


class Loss(NamedTuple):
    """A function of outputs f(x) and targets y, over their last axis.

    Attributes:
        value: (f(x), y) → loss.
        slope: (f(x), y) → subgradient with respect to f(x), which it is overwritten with.
        bend: (slope, y, u) → what the slope changes by, to first order, when f(x) changes by u.
    """

    value: Callable[[Tensor, Tensor], Tensor]
    slope: Callable[[Tensor, Tensor], Tensor]
    bend: Callable[[Tensor, Tensor, Tensor], Tensor]


def _bend_of_cross_entropy(slope: Tensor, y: Tensor, u: Tensor) -> Tensor:
    """(diag(p) − ppᵀ)u, with p = softmax(f(x)) = slope + y."""
    change = (slope + y) * u
    return change - (slope + y) * change.sum(-1, keepdim=True)


# Outputs lie in memory with the samples of one output together, where a softmax over the last axis takes six times as
# long as one over the last but one of their transpose. sign(0) = 0.
LOSSES = {
    "squared": Loss(
        lambda f, y: 0.5 * (f - y).square().sum(-1),
        lambda f, y: f.sub_(y),
        lambda slope, y, u: u,
    ),
    "absolute": Loss(
        lambda f, y: (f - y).abs().sum(-1),
        lambda f, y: f.sub_(y).sign_(),
        lambda slope, y, u: torch.zeros_like(u),
    ),
    "cross_entropy": Loss(
        lambda f, y: f.logsumexp(-1) - (f * y).sum(-1),
        lambda f, y: f.copy_(f.mT.softmax(-2).mT).sub_(y),
        _bend_of_cross_entropy,
    ),
    "logistic": Loss(
        lambda f, y: torch.nn.functional.softplus(-y * f, threshold=40).sum(-1),
        lambda f, y: f.mul_(y).neg_().sigmoid_().mul_(-y),
        lambda slope, y, u: -slope * (y + slope) * u,
    ),
}


class NetworkLoss(Objective):
    """Mean over samples of ½‖f(x) − y‖² (`squared`) or ‖f(x) − y‖₁ (`absolute`), f a network of each run.

    With `cross_entropy` it is −⟨y, log softmax f(x)⟩, for targets y that are distributions; with `logistic` it is
    log(1 + e^{−yf(x)}), for targets ±1.

    Gradients are written into one buffer that the next call overwrites. A processor is fastest with one or two thousand
    samples at once over all runs, so that what a product leaves behind is still in its cache; a device with all.

    Args:
        networks: The architecture.
        x: Inputs, shape (n, in).
        y: Targets, shape (n, out).
        runs: Size of the ensemble.
        loss: A key of `LOSSES`.
        classes: Whether targets are one-hot classes, so that accuracy means something.
        kinks: Whether `measure` records distances to kinks too, which takes a pass over every pre-activation.
        runs_at_once: Networks in one batched product; all where it is None.
        samples_at_once: Samples in one product, at most; all where it is None.

    Raises:
        ValueError: if there is no such loss.
    """

    def __init__(
        self,
        networks: Networks,
        x: Tensor,
        y: Tensor,
        runs: int,
        *,
        loss: str = "squared",
        classes: bool = False,
        kinks: bool = True,
        runs_at_once: int | None = None,
        samples_at_once: int | None = None,
    ) -> None:
        if loss not in LOSSES:
            raise ValueError(f"no loss {loss!r}; there are {', '.join(LOSSES)}")
        self.networks = networks
        self.inputs = with_ones(x)
        self.target = y.T.contiguous().T  # in the layout of outputs
        self.loss = LOSSES[loss]
        self.classes = classes
        self.kinks = kinks
        self.runs_at_once = runs_at_once or runs
        count = -(-len(x) // (samples_at_once or len(x)))
        self.samples = list(zip(self.inputs.tensor_split(count), self.target.tensor_split(count), strict=True))
        self._gradient = x.new_empty(runs, networks.parameters)
        self._into = self.parts(self._gradient)
        self._viewed = self._gradient
        self._layers = self._into
        self._tapes: dict[tuple, Tape] = {}

    def value(self, w: Tensor) -> Tensor:
        """Loss of each run over all samples, shape (runs,)."""
        return torch.cat([self._value(self._outputs(layers)) for layers in self.parts(w)])

    def subgradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """Gradient, with the activation's derivative at its kinks and sign(0) = 0."""
        return self._gradient_over(w, repeat(self.samples))

    def value_and_subgradient(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """Loss of each run over all samples, shape (runs,), and its gradient, from one pass."""
        values = w.new_zeros(len(w))
        return values, self._gradient_over(w, repeat(self.samples), values)

    def input_gradient(self, w: Tensor) -> Tensor:
        """Gradient of the loss of every sample with respect to its input, shape (runs, n, in)."""
        parts = []
        for layers in self.parts(w):
            pieces = []
            for inputs, target in self.samples:
                tape = self._tape(layers, inputs)
                slopes = self.loss.slope(self.networks.forward(layers, inputs, tape), target)
                pieces.append(self.networks.input_gradient(layers, tape, slopes))
            parts.append(torch.cat(pieces, 1))
        return torch.cat(parts)

    def outputs(self, w: Tensor) -> Tensor:
        """Outputs f(x) for all samples, shape (runs, n, out)."""
        return torch.cat([self._outputs(layers) for layers in self.parts(w)])

    def loss_and_accuracy(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """Loss and accuracy of each run over all samples, each of shape (runs,)."""
        parts = [self._outputs(layers) for layers in self.parts(w)]
        return torch.cat([self._value(part) for part in parts]), torch.cat([self._accuracy(part) for part in parts])

    def measure(self, w: Tensor, before: Tensor) -> dict[str, Tensor]:
        """What is recorded of iterates `w`, over all samples.

        `objective` is the loss, and `accuracy`, if targets are classes, the fraction of samples whose largest output is
        that of their class. With `kinks`, z being the pre-activations of all hidden layers, z₀ those at `before`, and
        with 0 in place of the kinks of a smooth activation:

        `sign_flips` the fraction of (sample, unit, kink) where just one of z and z₀ is greater than the kink;
        `distance_to_kink` the lower median over (sample, unit) of |z − nearest kink| / |z − z₀|: zero at a kink, else
            infinite where nothing moved;
        `near_kink` the fraction of (sample, unit) with |z − nearest kink| ≤ |z − z₀|.
        """
        if not self.kinks:
            loss, accuracy = self.loss_and_accuracy(w)
            return {"objective": loss, "accuracy": accuracy} if self.classes else {"objective": loss}
        parts = [self._measure(*pair) for pair in zip(self.parts(w), self.parts(before), strict=True)]
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}

    def _gradient_over(
        self, w: Tensor, data: Iterable[list[tuple[Tensor, Tensor]]], values: Tensor | None = None
    ) -> Tensor:
        """Mean gradient over (inputs, targets) in pieces, one list of pieces for each part of the ensemble.

        The mean loss is added to `values`, shape (runs,).
        """
        if w is not self._viewed:  # Methods mostly overwrite their iterates; views cost as much as a small product.
            self._viewed, self._layers = w, self.parts(w)
        sums = repeat(None) if values is None else values.split(self.runs_at_once)
        for layers, into, pieces, value in zip(self._layers, self._into, data, sums, strict=False):
            scale = 1 / sum(inputs.shape[-2] for inputs, _ in pieces)
            for number, (inputs, target) in enumerate(pieces):
                tape = self._tape(layers, inputs)
                outputs = self.networks.forward(layers, inputs, tape)
                if value is not None:
                    value.add_(self.loss.value(outputs, target).sum(1), alpha=scale)
                self.networks.backward(layers, tape, self.loss.slope(outputs, target), into, scale, add=number > 0)
        return self._gradient

    def _measure(self, layers: list[Layer], layers_before: list[Layer]) -> dict[str, Tensor]:
        outputs, z = self._evaluate(layers)
        _, z_before = self._evaluate(layers_before)
        moved = (z - z_before).abs_()
        kinks = self.networks.activation.kinks or (0.0,)
        distance = torch.stack([(z - kink).abs_() for kink in kinks]).amin(0)
        flips = torch.stack([(z > kink) != (z_before > kink) for kink in kinks])
        relative = (distance / moved).masked_fill_(distance == 0, 0)
        measured = {
            "objective": self._value(outputs),
            "sign_flips": flips.to(z.dtype).mean((0, 2)),
            "distance_to_kink": torch.stack([run.median() for run in relative]),
            "near_kink": (distance <= moved).to(z.dtype).mean(1),
        }
        if self.classes:
            measured["accuracy"] = self._accuracy(outputs)
        return measured

    def _outputs(self, layers: list[Layer]) -> Tensor:
        """Outputs over all samples, shape (runs, n, out)."""
        passes = (self.networks.forward(layers, inputs, self._tape(layers, inputs)) for inputs, _ in self.samples)
        return torch.cat([outputs.clone() for outputs in passes], 1)

    def _evaluate(self, layers: list[Layer]) -> tuple[Tensor, Tensor]:
        """Outputs, shape (runs, n, out), and all pre-activations, shape (runs, n·units), over all samples."""
        outputs, z = [], []
        for inputs, _ in self.samples:
            tape = self._tape(layers, inputs, keep=True)
            outputs.append(self.networks.forward(layers, inputs, tape).clone())
            z += [buffer.flatten(1).clone() for buffer in tape.preactivations]
        return torch.cat(outputs, 1), torch.cat(z, 1)

    def _value(self, outputs: Tensor) -> Tensor:
        return self.loss.value(outputs, self.target).mean(1)

    def _accuracy(self, outputs: Tensor) -> Tensor:
        return (outputs.argmax(-1) == self.target.argmax(-1)).to(outputs.dtype).mean(1)

    def parts(self, w: Tensor) -> list[list[Layer]]:
        """Views of the layers of parameters or gradients, shape (runs, P), for each part that is computed at once."""
        return [self.networks.layers(part) for part in w.split(self.runs_at_once)]

    def _tape(self, layers: list[Layer], inputs: Tensor, keep: bool = False) -> Tape:
        key = len(layers[0].matrix), inputs.shape[-2], keep
        if key not in self._tapes:
            self._tapes[key] = self.networks.tape(*key[:2], like=self.inputs, keep=keep)
        return self._tapes[key]


class MinibatchNetworkLoss(NetworkLoss):
    """A `NetworkLoss` with mini-batch gradients: each step draws `batch_size` samples with replacement.

    Runs come in blocks of consecutive rows, one block per generator; the runs of a block see the same batches. Values
    and what is measured are over all samples.

    Args:
        networks: The architecture.
        x: Inputs, shape (n, in).
        y: Targets, shape (n, out).
        runs: Size of the ensemble, blocks·runs_per_block.
        batch_size: Samples in a batch.
        generators: NumPy generator of each block.
        **others: As for `NetworkLoss`.
    """

    def __init__(
        self,
        networks: Networks,
        x: Tensor,
        y: Tensor,
        runs: int,
        batch_size: int,
        generators: list[np.random.Generator],
        **others: Any,
    ) -> None:
        super().__init__(networks, x, y, runs, **others)
        self.batches = Batches(len(y), batch_size, generators, y.device)

    def draw(self) -> None:
        """Draw the batches of the next gradients."""
        self.batches.draw()

    def value_and_subgradient(self, w: Tensor) -> tuple[Tensor, Tensor]:
        """Loss over all samples, shape (runs,), and the gradient on those that were drawn: two passes."""
        return self.value(w), self.subgradient(w)

    def subgradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """Mini-batch gradient on the samples that were drawn."""
        runs_per_block = len(w) // len(self.batches.rows)
        if runs_per_block % self.runs_at_once == 0:  # All runs of a part see one batch, which is looked up once.
            parts = self.batches.rows.repeat_interleave(runs_per_block // self.runs_at_once, 0)
        else:
            parts = self.batches.rows.repeat_interleave(runs_per_block, 0).split(self.runs_at_once)
        return self._gradient_over(w, ([(self.inputs[rows], self.target[rows])] for rows in parts))
