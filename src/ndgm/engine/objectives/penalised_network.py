"""Losses of networks with an L1 penalty on their weights, for an ensemble of runs."""

import torch
from torch import Tensor

from ndgm.engine.objectives.network import NetworkLoss
from ndgm.engine.objectives.objective import Average, Averages, Objective

SMALL = range(1, 9)
"""The powers k for which weights with |w| < 10⁻ᵏ are counted."""


class PenalisedNetwork(Objective):
    """f(w) + λ·Σ|w| with f the loss of a network, exact or on mini-batches, and the sum over its weights, not biases.

    At w = 0 the subgradient of λ|w| is λ, a choice within the subdifferential [−λ, λ]; at −0 it is −λ. Rounding decides
    whether an iterate lands on 0: where no noise moves a weight, shrinking steps drive it there, exactly so if products
    are rounded before they are added. The choice 0, which is PyTorch's, would hold it for ever, and norms would depend
    on the processor. With ±λ the next step leaves, so that only passing through 0 is a matter of rounding.

    Gradients are written into the buffer of the loss, which the next call overwrites.

    Args:
        loss: f, over the whole ensemble.
        penalty: λ ≥ 0 of each run, shape (runs, 1); zero is no penalty.
        test: The loss on pictures that are not trained on, or None.

    Attributes:
        weights: 1 for the weights among the parameters and 0 for the biases, shape (1, P).
        penalties: λ of each parameter, zero for biases, shape (runs, P).
    """

    averaged = {
        "l1_norm": Average.PER_WEIGHT,
        "gradient": Average.PER_WEIGHT,
        "squared_gradient": Average.PER_WEIGHT,
    }

    def __init__(self, loss: NetworkLoss, penalty: Tensor, test: NetworkLoss | None = None) -> None:
        self.loss = loss
        self.test = test
        self.penalty = penalty
        self.weights = penalty.new_zeros(1, loss.networks.parameters)
        for layer in loss.networks.layers(self.weights):
            layer.weights.fill_(1)
        self.penalties = penalty * self.weights
        self._penalty_gradient = torch.empty_like(self.penalties)
        self._scratch = torch.empty_like(self.penalties)

    def draw(self) -> None:
        """Draw the batches of the next gradients, if they are of mini-batches."""
        self.loss.draw()

    def value(self, w: Tensor) -> Tensor:
        """f(w) + λ·Σ|w| over all samples trained on, shape (runs,)."""
        return self.loss.value(w) + self.penalty[:, 0] * sum(self._l1_norms(w))

    def smooth_gradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """Gradient of the loss alone; adds the terms of the whole objective to `averages`."""
        h = self.loss.subgradient(w)
        if averages:
            self._average(w, h + self.penalty_subgradient(w), averages)
        return h

    def subgradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """Gradient h of the loss plus λ·sign(w) on weights, with sign(0) = 1. Averaged are |w|, h and h²."""
        g = self.loss.subgradient(w).add_(torch.copysign(self.penalties, w, out=self._scratch))
        if averages:
            self._average(w, g, averages)
        return g

    def penalty_subgradient(self, w: Tensor) -> Tensor:
        """Subgradient λ·sign(w) of the penalty alone, with sign(0) = 1."""
        return torch.copysign(self.penalties, w, out=self._penalty_gradient)

    def shrink(self, w: Tensor, amount: Tensor) -> Tensor:
        """Proximal map of amount·penalty, written over `w`: weights with |w| ≤ amount·λ become exactly zero."""
        threshold = torch.mul(amount, self.penalties, out=self._penalty_gradient)
        return w.sub_(torch.clamp(w, -threshold, threshold, out=self._scratch))

    def measure(self, w: Tensor, before: Tensor) -> dict[str, Tensor]:
        """What is recorded of iterates `w`.

        `objective` is loss plus penalty, over all samples trained on; `train_accuracy` and `test_accuracy` are shares
        of pictures whose largest output is that of their class; for each layer k = 1, 2, … `l1_norm_k`, and how many
        weights are exactly zero, `zeros_k`, or smaller than 10⁻ʲ, `below_1e-j_k`. What is named without k is over all.
        `held` is how many weights the last step left at exactly zero: they are zero at `before` too.
        """
        loss, accuracy = self.loss.loss_and_accuracy(w)
        measured = {"train_accuracy": accuracy}
        if self.test:
            measured["test_accuracy"] = self.test.loss_and_accuracy(w)[1]
        layers = [layer.weights.flatten(1).abs() for layer in self.loss.networks.layers(w)]
        for number, (weights, l1_norm) in enumerate(zip(layers, self._l1_norms(w), strict=True), 1):
            measured[f"l1_norm_{number}"] = l1_norm
            measured[f"zeros_{number}"] = (weights == 0).sum(1).to(w.dtype)
            measured |= {f"below_1e-{power}_{number}": (weights < 10.0**-power).sum(1).to(w.dtype) for power in SMALL}
        for name in ("l1_norm", "zeros"):
            first, *others = (measured[f"{name}_{number}"] for number in range(1, len(layers) + 1))
            measured[name] = sum(others, first)
        measured["held"] = (self.weights * ((w == 0) & (before == 0))).sum(1)
        return {"objective": loss + self.penalty[:, 0] * measured["l1_norm"], **measured}

    def means(self, averages: Averages, steps: int) -> dict[str, Tensor]:
        """For each layer k: `mean_l1_norm_k`, and per weight, in the mean over the layer, two moments of the gradient.

        `mean_gradient_square_k` is that of (Eh)² and `mean_gradient_variance_k` that of σ² = Eh² − (Eh)², with E over
        steps and h the gradient of the loss alone. `mean_l1_norm` is that of all layers.
        """
        means = {
            name: [layer.weights.flatten(1) / steps for layer in self.loss.networks.layers(total)]
            for name, total in averages.per_weight.items()
        }
        found = {}
        for number, (norm, first, second) in enumerate(zip(*means.values(), strict=True), 1):
            found[f"mean_l1_norm_{number}"] = norm.sum(1)
            found[f"mean_gradient_square_{number}"] = first.square().mean(1)
            found[f"mean_gradient_variance_{number}"] = (second - first.square()).mean(1)
        return found | {"mean_l1_norm": sum(norm.sum(1) for norm in means["l1_norm"])}

    def _l1_norms(self, w: Tensor) -> list[Tensor]:
        """L1 norm of the weights of each layer, each of shape (runs,)."""
        return [layer.weights.flatten(1).abs().sum(1) for layer in self.loss.networks.layers(w)]

    def _average(self, w: Tensor, g: Tensor, averages: Averages) -> None:
        sums = averages.per_weight
        sums["l1_norm"].add_(w.abs())
        # The penalty is taken off g again: the buffer of h is where g may have been written.
        h = g - torch.copysign(self.penalties, w, out=self._scratch)
        sums["gradient"].add_(h)
        sums["squared_gradient"].addcmul_(h, h)


class FactoredNetwork(Objective):
    """L1 penalty without a kink: f(u⊙v) + (λ/2)·Σ(u² + v²), whose minimum over all u⊙v = w is f(w) + λ·Σ|w|.

    Iterates are u and v side by side, shape (runs, 2P); a bias is its u, and its v stays 1. Nothing is averaged:
    averages belong to weights that hover about a kink.

    Args:
        loss: f, over the whole ensemble.
        penalty: λ of each run, shape (runs, 1); zero is no penalty.
        test: The loss on pictures that are not trained on, or None.

    Source: Ziyin and Wang (2023), spred: Solving L1 penalty with SGD; Hoff (2017).
    """

    def __init__(self, loss: NetworkLoss, penalty: Tensor, test: NetworkLoss | None = None) -> None:
        self.network = PenalisedNetwork(loss, penalty, test)
        self._product = torch.empty_like(self.network.penalties)
        self._both = penalty.new_empty(len(penalty), 2 * loss.networks.parameters)

    def start(self, w: Tensor) -> Tensor:
        """Factors of `w`: u = sign(w)·√|w| and v = √|w|, where u² + v² is least; u = w and v = 1 for biases."""
        root = w.abs().sqrt()
        bias = 1 - self.network.weights
        return torch.cat([w.sign() * root * self.network.weights + w * bias, root * self.network.weights + bias], 1)

    def solution(self, w: Tensor) -> Tensor:
        """The parameters u⊙v of the networks, shape (runs, P)."""
        return torch.mul(*w.chunk(2, 1))

    def draw(self) -> None:
        """Draw the batches of the next gradients, if they are of mini-batches."""
        self.network.draw()

    def value(self, w: Tensor) -> Tensor:
        """f(u⊙v) + (λ/2)·Σ(u² + v²) over all samples trained on, shape (runs,)."""
        squares = sum(factor.square() for factor in w.chunk(2, 1))
        return self.network.loss.value(self.solution(w)) + (self.network.penalties * squares).sum(1) / 2

    def subgradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """Gradient with respect to u and v; nothing of it has a kink but the network."""
        u, v = w.chunk(2, 1)
        h = self.network.smooth_gradient(torch.mul(u, v, out=self._product))
        to_u, to_v = self._both.chunk(2, 1)
        torch.mul(h, v, out=to_u).addcmul_(u, self.network.penalties)
        torch.mul(h, u, out=to_v).mul_(self.network.weights).addcmul_(v, self.network.penalties)
        return self._both

    def measure(self, w: Tensor, before: Tensor) -> dict[str, Tensor]:
        """What `PenalisedNetwork` records of the weights u⊙v; its `objective`, with Σ|w|, is at most `value`."""
        return self.network.measure(self.solution(w), self.solution(before))
