"""Holm's correction of p values for their number."""

from collections.abc import Sequence

import numpy as np


def holm(p_values: Sequence[float]) -> list[float]:
    """P values adjusted for their number m by Holm's rule: max over j ≤ i of min(1, (m − j + 1)·p₍ⱼ₎) for the i-th.

    Source: Holm (1979).
    """
    p = np.asarray(p_values, dtype=float)
    smallest_first = p.argsort()
    adjusted = np.minimum(1, np.maximum.accumulate(p[smallest_first] * np.arange(len(p), 0, -1)))
    return adjusted[smallest_first.argsort()].tolist()
