"""Functions of one weight, ½Lw² − bw + λ|w|, for an ensemble of runs."""

import torch
from torch import Tensor

from ndgm.engine.objectives.l1_penalised import L1Penalised


class OneWeight(L1Penalised):
    """½Lw² − bw + λ|w|: a parabola, a kink with a tilt, or both; every run has its own.

    Args:
        curvature: L ≥ 0 of each run, shape (runs, 1).
        tilt: b of each run, shape (runs, 1).
        penalty: λ ≥ 0 of each run, shape (runs, 1).
    """

    counts_zeros = False

    def __init__(self, curvature: Tensor, tilt: Tensor, penalty: Tensor) -> None:
        super().__init__(penalty, torch.empty_like(penalty))
        self._minus_tilt = -tilt
        self.curvature = curvature
        self.tilt = tilt

    def _smooth_value(self, w: Tensor) -> Tensor:
        return (w * (self.curvature * w / 2 - self.tilt)).sum(1)

    def _smooth_gradient(self, w: Tensor) -> Tensor:
        return torch.addcmul(self._minus_tilt, w, self.curvature, out=self._gradient)
