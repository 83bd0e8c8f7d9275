"""The LASSO with its kinks rounded off, against torch's own Huber loss, its proximal map and the LASSO."""

import torch
from convex_functions import (
    DESIGNS,
    FEATURES,
    RUNS,
    SAMPLES,
    WIDTHS,
    assert_is,
    assert_is_convex,
    column,
    huber,
    normal,
    points,
)
from torch.nn.functional import softshrink

from ndgm.engine.objectives.lasso import Lasso
from ndgm.engine.objectives.smoothed import SmoothedLasso

PENALTIES = column(0.1, 0.5, 1, 2, 0.3, 0.7)
GRAM, CORRELATION = DESIGNS["shared"].T @ DESIGNS["shared"] / SAMPLES, normal(FEATURES, seed=4)


def smoothed():
    return SmoothedLasso(GRAM, CORRELATION, PENALTIES, WIDTHS)


def plain(w):
    smooth = 0.5 * torch.einsum("ri,ij,rj->r", w, GRAM, w) - w @ CORRELATION
    return smooth + PENALTIES[:, 0] * huber(w, WIDTHS).sum(1)


def test_it_is_its_formula_and_convex():
    assert_is(smoothed(), plain)
    assert_is_convex(smoothed())


def test_subgradients_at_kinks():
    # sign(0) = 0, with δ = 0 and δ > 0.
    assert (smoothed().subgradient(torch.zeros(RUNS, FEATURES, dtype=torch.float64)) == -CORRELATION).all()


def test_no_width_is_the_lasso_bit_by_bit():
    no_width, lasso = SmoothedLasso(GRAM, CORRELATION, PENALTIES, 0 * WIDTHS), Lasso(GRAM, CORRELATION, PENALTIES)
    for w in points():
        assert torch.equal(no_width.subgradient(w), lasso.subgradient(w))
        assert torch.equal(no_width.smooth_gradient(w), lasso.smooth_gradient(w))
        torch.testing.assert_close(no_width.value(w), lasso.value(w), rtol=1e-14, atol=1e-14)


def test_shrink_is_the_proximal_map():
    # v = prox(w) iff v + tλ·h_δ′(v) = w; without a width it is torch's own soft thresholding.
    amount = column(0.1, 0.3, 0.5, 1, 2, 3)
    threshold = amount * PENALTIES
    for w in points():
        v = smoothed().shrink(w.clone(), amount)
        for run in range(RUNS):
            t, width = threshold[run].item(), WIDTHS[run].item()
            if width:
                back = v[run] + t * torch.clamp(v[run] / width, -1, 1)
                torch.testing.assert_close(back, w[run], rtol=1e-13, atol=1e-13)
            else:
                torch.testing.assert_close(v[run], softshrink(w[run], t), rtol=1e-14, atol=1e-15)


def test_smoothed_absolute_value_by_hand():
    # A = 0, b = 0, d = 1: 2·h_.5, at and around its joints.
    nothing = torch.zeros(1, 1, dtype=torch.float64)
    w = column(0.25, 0.5, -0.5, 1.0, -3.0)
    absolute = SmoothedLasso(nothing, nothing[0], torch.full_like(w, 2.0), torch.full_like(w, 0.5))
    assert absolute.subgradient(w).flatten().tolist() == [1, 2, -2, 2, -2]
    assert absolute.penalty_subgradient(w).flatten().tolist() == [1, 2, -2, 2, -2]
    assert absolute.value(w).tolist() == [0.125, 0.5, 0.5, 1.5, 5.5]


def test_measured_l1_norm():
    for w in points():
        torch.testing.assert_close(smoothed().measure(w, w)["l1_norm"], w.abs().sum(1), rtol=1e-14, atol=0)
