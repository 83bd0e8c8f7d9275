"""Two-layer networks on data in the first coordinates of R^d, attacked in the others: what is recorded of them."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from ndgm.engine.networks import Layer, with_ones
from ndgm.engine.objectives.objective import Averages, Objective
from ndgm.engine.objectives.partly_trained import PartlyTrained
from ndgm.engine.rays import first_zero
from ndgm.theory.subspace_attack import Point, flip_distance

Measure = Callable[[Tensor], dict[str, Tensor]]


class Recorded(Objective):
    """A partly trained network of which something else is recorded.

    Args:
        network: What is trained.
        measured: From iterates to quantities, each of shape (runs,).
    """

    def __init__(self, network: PartlyTrained, measured: Measure) -> None:
        self.network = network
        self.measured = measured

    def draw(self) -> None:
        """Draw the batches of the next gradients."""
        self.network.draw()

    def value(self, w: Tensor) -> Tensor:
        """The objective of the network."""
        return self.network.value(w)

    def subgradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """Subgradient of the network's objective."""
        return self.network.subgradient(w)

    def smooth_gradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """Gradient of its loss."""
        return self.network.smooth_gradient(w)

    def penalty_subgradient(self, w: Tensor) -> Tensor:
        """Gradient of its penalty."""
        return self.network.penalty_subgradient(w)

    def measure(self, w: Tensor, before: Tensor) -> dict[str, Tensor]:
        """The objective, and what else is recorded."""
        return {"objective": self.value(w), **self.measured(w)}


def against_start(network: PartlyTrained, start: Tensor, subspace: int) -> Measure:
    """Off-subspace weights beside those of the start: how many differ, their factors, and the largest.

    Args:
        network: What is trained.
        start: First parameters, shape (runs, P).
        subspace: Dimensions of the subspace, which are the first coordinates.
    """

    def off_subspace(w: Tensor) -> Tensor:
        return network.loss.networks.layers(w)[0].weights[:, subspace:].flatten(1)

    def measured(w: Tensor) -> dict[str, Tensor]:
        now, then = off_subspace(w), off_subspace(start)
        factor = now / then
        return {
            "moved": (now != then).sum(1).to(w.dtype),
            "smallest_factor": factor.amin(1),
            "largest_factor": factor.amax(1),
            "largest_weight": now.abs().amax(1),
            "largest_at_start": then.abs().amax(1),
        }

    return measured


class OffSubspaceAttack:
    """Attacks on an ensemble of two-layer ReLU networks f along the off-subspace part g of ∇f at a point.

    Attributes:
        point: x₀ of each run, shape (runs, d).
        output: f(x₀), shape (runs,).
        gradient_norm: ‖g‖, shape (runs,).
        preactivations: a of each unit at x₀, shape (runs, units).
        weights: Output weights u, shape (runs, units).
        bias: Output bias c, shape (runs, 1).
    """

    def __init__(self, network: PartlyTrained, w: Tensor, point: Tensor, subspace: int) -> None:
        """Attack networks at a point each.

        Args:
            network: What was trained.
            w: Its parameters, shape (runs, P).
            point: x₀, shape (runs, d).
            subspace: Dimensions of the subspace.
        """
        networks, layers = network.loss.networks, network.loss.networks.layers(w)
        tape = networks.tape(len(w), 1, w, keep=True)
        outputs = networks.forward(layers, with_ones(point.unsqueeze(1)), tape)
        gradient = networks.input_gradient(layers, tape, torch.ones_like(outputs))[:, 0]
        gradient[:, :subspace] = 0
        self.point = point
        self.output = outputs[:, 0, 0]
        self.gradient_norm = torch.linalg.vector_norm(gradient, dim=1)
        self.preactivations = tape.preactivations[0][:, 0].clone()
        self.weights = layers[1].weights[..., 0]
        self.bias = layers[1].biases[..., 0]
        self._direction = gradient / self.gradient_norm.unsqueeze(1)
        self._first: Layer = layers[0]

    def slopes(self, direction: Tensor) -> Tensor:
        """By how much each pre-activation falls along x₀ − t·direction, shape (runs, units)."""
        return torch.bmm(direction.unsqueeze(1), self._first.weights)[:, 0]

    @property
    def downhill(self) -> Tensor:
        """Direction sign(f(x₀))·g/‖g‖, shape (runs, d): against it |f| falls fastest off the subspace."""
        return self._direction * self.output.sign().unsqueeze(1)

    def flip(self, direction: Tensor) -> Tensor:
        """Smallest t with f(x₀ − t·direction) = 0, shape (runs,); NaN where there is none."""
        return first_zero(self.preactivations, self.slopes(direction), self.weights, self.bias)

    def active(self) -> Tensor:
        """U, the sum of u² over the units that are active at x₀, shape (runs,)."""
        return (self.weights.square() * (self.preactivations > 0)).sum(1)

    def points(self, variance: np.ndarray) -> list[Point]:
        """What theory has to know of each run, with the variance of its off-subspace weights."""
        parts = (self.preactivations, self.weights, self.bias[:, 0], self.gradient_norm)
        arrays = [np.array(each.tolist()) for each in parts]
        return [Point(a, u, float(c), float(g), float(v)) for a, u, c, g, v in zip(*arrays, variance, strict=True)]


def nearest_outputs(network: PartlyTrained, w: Tensor, output: float, count: int) -> list[Tensor]:
    """Samples on whose right side a network is, those with |f(x)| nearest to `output` first, each of shape (runs, d).

    Which they are depends on the network inside the subspace only; where fewer samples are right, others follow.
    """
    loss = network.loss
    signed = loss.outputs(w)[..., 0] * loss.target[:, 0]
    distance = torch.where(signed > 0, (signed - output).abs(), torch.inf)
    order = distance.argsort(dim=1, stable=True)[:, :count]
    return [loss.inputs[:, :-1][place] for place in order.T]


def flips_of_nearest(network: PartlyTrained, subspace: int, output: float, count: int, variance: np.ndarray) -> Measure:
    """Flips along the off-subspace gradient, measured and predicted, at the samples with |f| nearest to `output`.

    Distances are medians over the samples, those that nothing flips being the farthest: NaN where the median is one.

    Args:
        network: What is trained.
        subspace: Dimensions of the subspace.
        output: The size of f that is looked for.
        count: How many samples are attacked in each network.
        variance: Of the off-subspace weights of each run, shape (runs,).
    """

    def measured(w: Tensor) -> dict[str, Tensor]:
        attacks = [
            OffSubspaceAttack(network, w, point, subspace) for point in nearest_outputs(network, w, output, count)
        ]
        nearest, size = attacks[0], torch.stack([attack.output.abs() for attack in attacks])
        flips = torch.stack([attack.flip(attack.downhill) for attack in attacks])
        predicted = torch.stack(
            [w.new_tensor([flip_distance(point) for point in attack.points(variance)]) for attack in attacks]
        )
        right = network.loss.outputs(w)[..., 0] * network.loss.target[:, 0] > 0
        return {
            "accuracy": right.to(w.dtype).mean(1),
            "output": nearest.output.abs(),
            "off_subspace_gradient": nearest.gradient_norm,
            "active": nearest.active(),
            "flip_over_output": middle(flips / size),
            "predicted_flip_over_output": middle(predicted / size),
            "flip_over_predicted": middle(flips / predicted),
        }

    return measured


def middle(values: Tensor) -> Tensor:
    """Median over the first axis, where NaN is more than any number; NaN where the median is."""
    found = values.nan_to_num(nan=torch.inf).sort(0).values[(len(values) - 1) // 2]
    return torch.where(found.isfinite(), found, torch.nan)


def on_a_line(network: PartlyTrained, signs: Tensor) -> Measure:
    """Flips of networks on points of the first axis of the plane, along the off-subspace gradient and at random.

    Off the axis there are two directions only; the random one is drawn anew for each point. Both distances are medians
    over the points, those that nothing flips being the farthest: NaN where the median is one.

    Args:
        network: What is trained.
        signs: Random direction ±1 along the second axis for each run and point, shape (runs, points).
    """

    def measured(w: Tensor) -> dict[str, Tensor]:
        loss = network.loss
        points = loss.inputs[:, :-1]
        attacks = [OffSubspaceAttack(network, w, point.expand(len(w), -1), 1) for point in points]
        along_second_axis = torch.stack([torch.zeros_like(signs), signs], 2).unbind(1)
        random = [attack.flip(direction) for attack, direction in zip(attacks, along_second_axis, strict=True)]
        return {
            "smallest_margin": (loss.outputs(w) * loss.target).amin((1, 2)),
            "flip_distance": middle(torch.stack([attack.flip(attack.downhill) for attack in attacks])),
            "random_flip_distance": middle(torch.stack(random)),
        }

    return measured
