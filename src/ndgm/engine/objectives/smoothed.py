"""The LASSO with its kinks rounded off, ½wᵀAw − bᵀw + λ·Σh_δ(wᵢ), for an ensemble of runs."""

import torch
from torch import Tensor

from ndgm.engine.objectives.lasso import Lasso


def huber_slope(x: Tensor, width: Tensor, out: Tensor) -> Tensor:
    """Derivative of Huber's h_δ, clip(x/δ, −1, 1), written into `out`; with δ = 0 it is sign(x), and sign(0) = 0."""
    # The smallest normal number stands for δ = 0: divided by it, 0 is 0 and every other normal number is beyond ±1.
    return torch.div(x, width.clamp_min(torch.finfo(x.dtype).tiny), out=out).clamp_(-1, 1)


def huber(x: Tensor, slope: Tensor, width: Tensor) -> Tensor:
    """Huber's h_δ(x) = s(x − δs/2) from its slope s: x²/(2δ) where |x| ≤ δ, |x| − δ/2 beyond."""
    return slope * (x - width * slope / 2)


class SmoothedLasso(Lasso):
    """½wᵀAw − bᵀw + λ·Σh_δ(wᵢ) with Huber's h_δ(w) = w²/(2δ) where |w| ≤ δ, |w| − δ/2 beyond.

    With δ = 0 it is the LASSO. With A = 0, b = 0 and d = 1 it is λ|w| with its kink rounded off.

    Args:
        gram: A, shape (d, d).
        correlation: b, shape (d,).
        penalty: λ of each run, shape (runs, 1).
        width: δ ≥ 0 of each run, shape (runs, 1).

    Source: Huber (1964), Robust estimation of a location parameter.
    """

    counts_zeros = False

    def __init__(self, gram: Tensor, correlation: Tensor, penalty: Tensor, width: Tensor) -> None:
        super().__init__(gram, correlation, penalty)
        self.width = width

    def value(self, w: Tensor) -> Tensor:
        """½wᵀAw − bᵀw + λ·Σh_δ(wᵢ), shape (runs,)."""
        penalised = huber(w, huber_slope(w, self.width, torch.empty_like(w)), self.width).sum(1)
        return self._smooth_value(w) + self.penalty[:, 0] * penalised

    def shrink(self, w: Tensor, amount: Tensor) -> Tensor:
        """Proximal map of t·Σh_δ with t = amount·λ: w − t·clip(w/(t + δ), −1, 1), written over `w`."""
        threshold = amount * self.penalty
        return w.addcmul_(huber_slope(w, threshold + self.width, self._scratch), threshold, value=-1)

    def _slope(self, w: Tensor, out: Tensor) -> Tensor:
        return huber_slope(w, self.width, out)
