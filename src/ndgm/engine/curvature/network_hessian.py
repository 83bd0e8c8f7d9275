"""Products with the Hessian of the loss of networks, for an ensemble of runs."""

from typing import NamedTuple

import torch
from torch import Tensor

from ndgm.engine.networks import Layer, Networks, write
from ndgm.engine.objectives.network import Loss, NetworkLoss


class NetworkHessian:
    """H = ∇²f of a `NetworkLoss` at given iterates, as products with directions.

    At a kink σ′ is the value that the activation takes there, and σ″ is zero. Where no sample sits on a kink, H is the
    Hessian of the smooth piece of f around w.

    Args:
        objective: f.
        w: Iterates, shape (runs, P).

    Source: Pearlmutter (1994), Fast exact multiplication by the Hessian.
    """

    def __init__(self, objective: NetworkLoss, w: Tensor) -> None:
        self._pieces = [
            [_Piece(objective.networks, objective.loss, layers, *samples) for samples in objective.samples]
            for layers in objective.parts(w)
        ]
        self._objective = objective
        self._scale = 1 / len(objective.target)

    def __matmul__(self, directions: Tensor) -> Tensor:
        """H times a direction of each run, shape (runs, P)."""
        products = torch.empty_like(directions)
        parts = map(self._objective.parts, (directions, products))
        for pieces, along, into in zip(self._pieces, *parts, strict=True):
            for number, piece in enumerate(pieces):
                piece.product(along, into, self._scale, add=number > 0)
        return products


class _Hidden(NamedTuple):
    """What a hidden layer contributes: h = σ(z) with ones, σ′(z), δ = ∂loss/∂z, and σ″(z)·∂loss/∂h or None."""

    source: Tensor
    slope: Tensor
    delta: Tensor
    bend: Tensor | None


class _Piece:
    """Hessian of the sum of losses over some samples, for some of the runs, linearised once for many products."""

    def __init__(self, networks: Networks, loss: Loss, layers: list[Layer], inputs: Tensor, target: Tensor) -> None:
        tape = networks.tape(len(layers[0].matrix), inputs.shape[-2], inputs, keep=True)
        outputs = networks.forward(layers, inputs, tape)
        self.layers, self.loss, self.target = layers, loss, target
        self.tape = tape
        self.slope = loss.slope(outputs, target)
        self.hidden: list[_Hidden] = []
        activation, delta = networks.activation, self.slope
        for layer, z, source in zip(layers[:0:-1], tape.preactivations[::-1], tape.activations[::-1], strict=True):
            below = torch.bmm(delta, layer.weights.mT)
            bend = None if activation.second is torch.zeros_like else activation.second(z).mul_(below)
            slope = activation.slope(torch.ones_like(z), source[..., :-1] if activation.from_output else z)
            delta = below.mul_(slope)
            self.hidden.insert(0, _Hidden(source, slope, delta, bend))

    def product(self, along: list[Layer], into: list[Layer], scale: float, add: bool) -> None:
        """Write scale·Hv to `into`, or add it to what stands there, for the direction v = `along`.

        Forward, ż and ḣ are the derivatives of z and h along v; backward, u is that of δ. The output layer is computed
        with samples in rows, as in `Networks`.
        """
        z_dots: list[Tensor] = []
        h_dots: list[Tensor] = []
        for depth, hidden in enumerate(self.hidden):
            matrix = along[depth].matrix
            if depth:
                z_dot = torch.bmm(self.hidden[depth - 1].source, matrix)
                z_dot.baddbmm_(h_dots[-1], self.layers[depth].weights)
            else:
                z_dot = self.tape.times(matrix, torch.empty_like(hidden.slope))
            z_dots.append(z_dot)
            h_dots.append(z_dot * hidden.slope)

        source = self.hidden[-1].source
        outputs_dot = torch.bmm(along[-1].matrix.mT, source.mT).baddbmm_(self.layers[-1].weights.mT, h_dots[-1].mT).mT
        u, delta = self.loss.bend(self.slope, self.target, outputs_dot), self.slope
        of_last = torch.bmm(u.mT, source)
        of_last[..., :-1].baddbmm_(delta.mT, h_dots[-1])
        write(into[-1].matrix, of_last.mT, scale, add)

        for depth in reversed(range(len(self.hidden))):
            hidden = self.hidden[depth]
            u = torch.bmm(u, self.layers[depth + 1].weights.mT).baddbmm_(delta, along[depth + 1].weights.mT)
            u.mul_(hidden.slope)
            if hidden.bend is not None:
                u.addcmul_(hidden.bend, z_dots[depth])
            delta = hidden.delta
            if depth:
                product = torch.bmm(self.hidden[depth - 1].source.mT, u)
                product[:, :-1].baddbmm_(h_dots[depth - 1].mT, delta)
            else:
                product = self.tape.transposed_times(u)
            write(into[depth].matrix, product, scale, add)
