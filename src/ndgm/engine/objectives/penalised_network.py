"""Losses of networks with an L1 penalty on their weights, for an ensemble of runs."""

import torch
from torch import Tensor

from ndgm.engine.objectives.network import NetworkLoss
from ndgm.engine.objectives.objective import Objective

SMALL = range(1, 9)
"""The powers k for which weights with |w| < 10⁻ᵏ are counted."""


class PenalisedNetwork(Objective):
    """f(w) + λ·Σ|w| with f the loss of a network, exact or on mini-batches, and the sum over its weights, not biases.

    Gradients are written into the buffer of the loss, which the next call overwrites.

    Args:
        loss: f, over the whole ensemble.
        penalty: λ of each run, shape (runs, 1); zero is no penalty.
        test: The loss on pictures that are not trained on, or None.
    """

    averaged = ("l1_norm", "gradient", "squared_gradient")

    def __init__(self, loss: NetworkLoss, penalty: Tensor, test: NetworkLoss | None = None) -> None:
        self.loss = loss
        self.test = test
        self.penalty = penalty
        mask = penalty.new_zeros(1, loss.networks.parameters)
        for layer in loss.networks.layers(mask):
            layer.weights.fill_(1)
        self.penalties = penalty * mask  # of each parameter, shape (runs, P)
        self._sign = torch.empty_like(self.penalties)
        self._buffer = torch.empty_like(self.penalties)

    def draw(self) -> None:
        """The batches of the next gradient, if it is one of mini-batches."""
        self.loss.draw()

    def gradient(self, w: Tensor) -> Tensor:
        """Gradient of the loss alone."""
        return self.loss.gradient(w)

    def subgradient(self, w: Tensor) -> Tensor:
        """Gradient of the loss plus λ·sign(w) on weights, with sign(0) = 0."""
        return self.gradient(w).addcmul_(torch.sign(w, out=self._sign), self.penalties)

    def penalty_subgradient(self, w: Tensor) -> Tensor:
        """Subgradient λ·sign(w) of the penalty alone, with sign(0) = 0."""
        return torch.mul(torch.sign(w, out=self._sign), self.penalties, out=self._buffer)

    def shrink(self, w: Tensor, amount: Tensor) -> Tensor:
        """Proximal map of amount·penalty: weights with |w| ≤ amount·λ become exactly zero. Overwrites `w`."""
        threshold = torch.mul(amount, self.penalties, out=self._buffer)
        return w.sub_(torch.clamp(w, -threshold, threshold, out=self._sign))

    def measure(self, w: Tensor, before: Tensor) -> dict[str, Tensor]:
        """What is recorded of iterates `w`.

        `objective` is loss plus penalty, over all samples trained on; `train_accuracy` and `test_accuracy` are shares
        of pictures whose largest output is that of their class; for each layer k = 1, 2, … `l1_norm_k`, and how many
        weights are exactly zero, `zeros_k`, or smaller than 10⁻ʲ, `below_1e-j_k`. What is named without k is over all.
        """
        w = self.solution(w)
        loss, accuracy = self.loss.loss_and_accuracy(w)
        measured = {"train_accuracy": accuracy}
        if self.test:
            measured["test_accuracy"] = self.test.loss_and_accuracy(w)[1]
        layers = [layer.weights.flatten(1).abs() for layer in self.loss.networks.layers(w)]
        for number, weights in enumerate(layers, 1):
            measured[f"l1_norm_{number}"] = weights.sum(1)
            measured[f"zeros_{number}"] = (weights == 0).sum(1).to(w.dtype)
            measured |= {f"below_1e-{power}_{number}": (weights < 10.0**-power).sum(1).to(w.dtype) for power in SMALL}
        for name in ("l1_norm", "zeros"):
            measured[name] = sum(measured[f"{name}_{number}"] for number in range(1, len(layers) + 1))
        return {"objective": loss + self._penalty(w, measured["l1_norm"]), **measured}

    def solution(self, w: Tensor) -> Tensor:
        """The parameters of the networks that iterates stand for, shape (runs, P): here they are the same."""
        return w

    def accumulate(self, w: Tensor, g: Tensor, sums: dict[str, Tensor]) -> None:
        """Add |w|, h and h² to running sums, with h the gradient of the loss alone."""
        # Not into the buffer, which may hold the subgradient of the penalty that a decoupled rule is about to take.
        smooth = torch.addcmul(g, self._sign, self.penalties, value=-1)
        sums["l1_norm"].add_(w.abs())
        sums["gradient"].add_(smooth)
        sums["squared_gradient"].addcmul_(smooth, smooth)

    def means(self, sums: dict[str, Tensor], steps: int) -> dict[str, Tensor]:
        """For each layer k: `mean_l1_norm_k`, and per weight, in the mean over the layer, two moments of the gradient.

        `mean_gradient_square_k` is that of (Eh)² and `mean_gradient_variance_k` that of σ² = Eh² − (Eh)², with E over
        steps and h the gradient of the loss alone. `mean_l1_norm` is that of all layers.
        """
        means = {
            name: [layer.weights.flatten(1) / steps for layer in self.loss.networks.layers(total)]
            for name, total in sums.items()
        }
        found = {}
        for number, (norm, first, second) in enumerate(zip(*means.values(), strict=True), 1):
            found[f"mean_l1_norm_{number}"] = norm.sum(1)
            found[f"mean_gradient_square_{number}"] = first.square().mean(1)
            found[f"mean_gradient_variance_{number}"] = (second - first.square()).mean(1)
        return found | {"mean_l1_norm": sum(norm.sum(1) for norm in means["l1_norm"])}

    def _penalty(self, w: Tensor, l1_norm: Tensor) -> Tensor:
        return self.penalty[:, 0] * l1_norm


class FactoredNetwork(PenalisedNetwork):
    """The same penalty without a kink: f(u⊙v) + (λ/2)·(Σu² + Σv²), whose minimum over all u⊙v = w is f(w) + λ·Σ|w|.

    Iterates are u and v side by side, shape (runs, 2P); a bias is its u, and its v stays 1.

    Source: Ziyin and Wang (2023), spred: Solving L1 penalty with SGD; Hoff (2017).
    """

    averaged = ()

    def __init__(self, loss: NetworkLoss, penalty: Tensor, test: NetworkLoss | None = None) -> None:
        super().__init__(loss, penalty, test)
        self._weights = self.penalties.new_zeros(1, loss.networks.parameters)
        for layer in loss.networks.layers(self._weights):
            layer.weights.fill_(1)
        self._product = torch.empty_like(self.penalties)
        self._both = torch.empty(len(penalty), 2 * loss.networks.parameters, dtype=penalty.dtype, device=penalty.device)

    def means(self, sums: dict[str, Tensor], steps: int) -> dict[str, Tensor]:
        """None: what is averaged belongs to weights that hover about a kink, and factors have none."""
        return {}

    def start(self, w: Tensor) -> Tensor:
        """Factors of `w`: u = sign(w)·√|w| and v = √|w|, where u² + v² is least; u = w and v = 1 for biases."""
        root = w.abs().sqrt()
        bias = 1 - self._weights
        return torch.cat([w.sign() * root * self._weights + w * bias, root * self._weights + bias], 1)

    def solution(self, w: Tensor) -> Tensor:
        """The weights u⊙v."""
        return torch.mul(*w.chunk(2, 1))

    def gradient(self, w: Tensor) -> Tensor:
        """Gradient with respect to u and v; nothing of it has a kink but the network."""
        u, v = w.chunk(2, 1)
        h = self.loss.gradient(torch.mul(u, v, out=self._product))
        to_u, to_v = self._both.chunk(2, 1)
        torch.mul(h, v, out=to_u).addcmul_(u, self.penalties)
        torch.mul(h, u, out=to_v).mul_(self._weights).addcmul_(v, self.penalties)
        return self._both

    def subgradient(self, w: Tensor) -> Tensor:
        """The same."""
        return self.gradient(w)
