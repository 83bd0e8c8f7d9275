"""Two-layer ReLU networks along rays, where they are piecewise linear, so that their zeros are exact."""

import torch
from torch import Tensor


def along_ray(preactivations: Tensor, slopes: Tensor, weights: Tensor, bias: Tensor, distance: Tensor) -> Tensor:
    """Output Σu·relu(a − t·b) + c of each run at each distance t.

    Args:
        preactivations: a of each unit at the start of the ray, shape (runs, units).
        slopes: b, by which they fall along the ray, shape (runs, units).
        weights: Output weights u, shape (runs, units).
        bias: Output bias c, shape (runs, 1).
        distance: t, shape (runs, distances).

    Returns:
        Shape (runs, distances).
    """
    units = torch.baddbmm(preactivations.unsqueeze(1), distance.unsqueeze(2), slopes.unsqueeze(1), alpha=-1).relu_()
    return torch.bmm(units, weights.unsqueeze(2)).squeeze(2) + bias


def first_zero(preactivations: Tensor, slopes: Tensor, weights: Tensor, bias: Tensor) -> Tensor:
    """Smallest t ≥ 0 at which the output along the ray is zero, shape (runs,); NaN where there is none.

    The output is linear between two kinks t = a/b: the zero lies before the first kink with the other sign, or behind
    the last one. Arguments are those of `along_ray`.

    Example:
        >>> a, b, u = torch.tensor([[1.0, -1.0]]), torch.tensor([[1.0, -1.0]]), torch.tensor([[1.0, -2.0]])
        >>> first_zero(a, b, u, torch.tensor([[0.5]]))  # ½ + relu(1 − t) − 2·relu(t − 1)
        tensor([1.2500])
    """
    kinks = preactivations / slopes
    kinks = torch.where(kinks > 0, kinks, torch.inf).sort(1).values  # a kink behind the start, or none where b = 0
    last = torch.where(kinks.isfinite(), kinks, 0).amax(1, keepdim=True)
    # A point behind the last kink, so that the slope there is known too.
    ends = torch.cat([torch.zeros_like(last), torch.where(kinks.isfinite(), kinks, last), 2 * last + 1], 1)
    outputs = along_ray(preactivations, slopes, weights, bias, ends)
    signed = outputs * outputs[:, :1].sign()
    change = torch.where(ends.diff(dim=1) > 0, signed.diff(dim=1), 0)
    flipped = signed[:, 1:] <= 0
    flipped[:, -1] |= change[:, -1] < 0  # behind the last kink it falls for ever
    place = flipped.to(torch.uint8).argmax(1, keepdim=True)
    start, width, height, fall = (
        values.gather(1, place).squeeze(1) for values in (ends, ends.diff(dim=1), signed, -change)
    )
    found = start + width * height / fall
    return torch.where(flipped.any(1) & (fall > 0), found, torch.where(signed[:, 0] == 0, 0, torch.nan))
