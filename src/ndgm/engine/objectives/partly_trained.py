"""Losses of networks some of whose parameters are trained, with a squared L2 penalty on these."""

from collections.abc import Collection

import torch
from torch import Tensor

from ndgm.engine.networks import Networks
from ndgm.engine.objectives.network import NetworkLoss
from ndgm.engine.objectives.objective import Averages, Objective


def of_layers(networks: Networks, trained: Collection[int], like: Tensor) -> Tensor:
    """Mask of the parameters of some layers: 1 for them and 0 for all others, shape (1, P).

    Args:
        networks: The architecture.
        trained: Numbers of the layers, from 0 on; a layer is its weights and biases.
        like: Any tensor of the type and on the device that the mask is wanted on.
    """
    mask = like.new_zeros(1, networks.parameters)
    for number, layer in enumerate(networks.layers(mask)):
        layer.matrix.fill_(float(number in trained))
    return mask


class PartlyTrained(Objective):
    """f(w) + (λ/2)·Σw², with gradients for the parameters that are trained and zero for all others.

    The penalty is on all trained parameters, biases among them, as `weight_decay` of PyTorch's optimisers is: coupled
    where a method asks for the whole subgradient, and decoupled, as in AdamW, where it asks for the penalty's alone.

    Gradients are written into the buffer of the loss, which the next call overwrites.

    Args:
        loss: f, over the whole ensemble.
        trained: 1 for the parameters that are trained and 0 for the others, shape (1, P) or (runs, P).
        penalty: λ ≥ 0 of each run, shape (runs, 1); zero is no penalty.
    """

    def __init__(self, loss: NetworkLoss, trained: Tensor, penalty: Tensor) -> None:
        self.loss = loss
        self.trained = trained
        self.penalties = penalty * trained
        self._penalty_gradient = torch.empty_like(self.penalties)

    def draw(self) -> None:
        """Draw the batches of the next gradients, if they are of mini-batches."""
        self.loss.draw()

    def value(self, w: Tensor) -> Tensor:
        """f(w) + (λ/2)·Σw² over all samples trained on, shape (runs,)."""
        return self.loss.value(w) + (self.penalties * w.square()).sum(1) / 2

    def subgradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """Gradient of the loss plus λw, for trained parameters."""
        return self.smooth_gradient(w).addcmul_(w, self.penalties)

    def smooth_gradient(self, w: Tensor, averages: Averages | None = None) -> Tensor:
        """Gradient of the loss alone, for trained parameters."""
        return self.loss.subgradient(w).mul_(self.trained)

    def penalty_subgradient(self, w: Tensor) -> Tensor:
        """Gradient λw of the penalty alone, for trained parameters."""
        return torch.mul(w, self.penalties, out=self._penalty_gradient)
