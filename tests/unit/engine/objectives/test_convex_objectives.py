"""Convex objectives with kinks, against plain formulas, autograd, torch's own Huber loss and what convexity says."""

from math import sqrt

import numpy as np
import pytest
import torch
from torch.nn.functional import huber_loss, softshrink

from ndgm.engine.objectives.absolute_regression import AbsoluteRegression
from ndgm.engine.objectives.lasso import Lasso
from ndgm.engine.objectives.max_affine import MaxAffine, ResistingOracle
from ndgm.engine.objectives.relu_regression import ReluRegression
from ndgm.engine.objectives.smoothed import SmoothedLasso
from ndgm.theory.l1_paradox import stationarity_residual

RUNS, SAMPLES, FEATURES = 6, 40, 5


def normal(*shape, seed=0):
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape))


def column(*values):
    return torch.tensor(values, dtype=torch.float64).unsqueeze(1)


KINKS = column(0, 0.1, 1, 0, 2, 5)
WIDTHS = column(0, 0.01, 0.5, 1, 4, 0)
PENALTIES = column(0.1, 0.5, 1, 2, 0.3, 0.7)
DESIGNS = {"shared": normal(SAMPLES, FEATURES, seed=1), "per_block": normal(3, SAMPLES, FEATURES, seed=1)}
TARGETS = {"shared": normal(SAMPLES, seed=2), "per_block": normal(3, SAMPLES, seed=2)}
SLOPES = normal(RUNS, 7, FEATURES, seed=3)
GRAM, CORRELATION = DESIGNS["shared"].T @ DESIGNS["shared"] / SAMPLES, normal(FEATURES, seed=4)


def huber(x, width):
    """h_δ, from torch's own loss, which is δ·h_δ and has no δ = 0."""
    rows = zip(x, width[:, 0].tolist(), strict=True)
    return torch.stack([huber_loss(r, 0 * r, reduction="none", delta=d) / d if d else r.abs() for r, d in rows])


def products(design, w):
    """Zw of each run with the design of its block, shape (runs, n)."""
    designs = design.expand(RUNS, -1, -1) if design.ndim == 2 else design.repeat_interleave(RUNS // len(design), 0)
    return torch.einsum("rnd,rd->rn", designs, w)


def residual(blocks, w):
    target = TARGETS[blocks]
    targets = target if target.ndim == 1 else target.repeat_interleave(RUNS // len(target), 0)
    return products(DESIGNS[blocks], w) - targets


def relu_plain(blocks):
    return lambda w: 0.5 * ((products(DESIGNS[blocks], w).relu() + KINKS) ** 2).mean(1) - KINKS[:, 0] ** 2 / 2


def smoothed_plain(w):
    smooth = 0.5 * torch.einsum("ri,ij,rj->r", w, GRAM, w) - w @ CORRELATION
    return smooth + PENALTIES[:, 0] * huber(w, WIDTHS).sum(1)


def resisting_plain(w):
    return 2 * torch.maximum(w.max(1).values, (w**2).sum(1).sqrt() - 3 * (1 + 1 / sqrt(FEATURES)))


CASES = {
    "relu": (ReluRegression(DESIGNS["shared"], KINKS), relu_plain("shared")),
    "relu_per_block": (ReluRegression(DESIGNS["per_block"], KINKS), relu_plain("per_block")),
    "smoothed": (SmoothedLasso(GRAM, CORRELATION, PENALTIES, WIDTHS), smoothed_plain),
    "absolute": (
        AbsoluteRegression(DESIGNS["shared"], TARGETS["shared"], WIDTHS),
        lambda w: huber(residual("shared", w), WIDTHS).mean(1),
    ),
    "absolute_per_block": (
        AbsoluteRegression(DESIGNS["per_block"], TARGETS["per_block"], WIDTHS),
        lambda w: huber(residual("per_block", w), WIDTHS).mean(1),
    ),
    "max_affine": (
        MaxAffine(SLOPES, -torch.inf),
        lambda w: torch.einsum("rmd,rd->rm", SLOPES, w).max(1).values,
    ),
    "resisting": (ResistingOracle(FEATURES - 1, lipschitz=2.0, radius=3.0), resisting_plain),
}
every_objective = pytest.mark.parametrize(("objective", "plain"), CASES.values(), ids=CASES)


def points():
    """Points near and far, in the memory layout of the loop and in the plain one; some at kinks."""
    for seed, size in enumerate((0.1, 1, 1, 10)):
        w = size * normal(RUNS, FEATURES, seed=10 + seed)
        yield w
        yield w.T.clone(memory_format=torch.contiguous_format).T
    w[:, ::2] = 0
    yield w
    yield torch.zeros_like(w)
    yield torch.ones_like(w)


@every_objective
def test_value_and_subgradient_are_those_of_the_plain_formula(objective, plain):
    for w in list(points())[:8]:  # with probability one away from kinks
        point = w.clone().requires_grad_()
        (expected,) = torch.autograd.grad(plain(point).sum(), point)
        before = w.clone()
        torch.testing.assert_close(objective.subgradient(w), expected, rtol=1e-12, atol=1e-13)
        torch.testing.assert_close(objective.measure(w, w)["objective"], plain(w), rtol=1e-12, atol=1e-13)
        assert torch.equal(w, before)


@every_objective
def test_subgradient_inequality(objective, plain):
    # f(v) ≥ f(w) + ⟨g(w), v − w⟩ for all w and v: g is a subgradient, at kinks too, and f is convex. The terms are up
    # to about 1e3, and rounding leaves some 1e-13 of each.
    for w in points():
        g, value = objective.subgradient(w).clone(), objective.measure(w, w)["objective"]
        for v in points():
            above = objective.measure(v, v)["objective"] - value - (g * (v - w)).sum(1)
            assert (above >= -1e-11).all()


@pytest.mark.parametrize("name", ["relu", "relu_per_block", "absolute", "absolute_per_block", "resisting"])
def test_nothing_is_below_lowest(name):
    objective = CASES[name][0]
    assert all((objective.measure(w, w)["objective"] >= objective.lowest).all() for w in points())


def test_where_lowest_is_attained():
    zero, w = torch.zeros(RUNS, FEATURES, dtype=torch.float64), normal(FEATURES, seed=5)
    relu = CASES["relu"][0]
    assert (relu.measure(zero, zero)["objective"] == relu.lowest).all()
    design = DESIGNS["shared"].round()  # so that the fit is exact
    absolute = AbsoluteRegression(design, design @ w.round(), WIDTHS)
    fit = w.round().expand(RUNS, -1)
    assert (absolute.measure(fit, fit)["objective"] == absolute.lowest).all()
    oracle = ResistingOracle(4, lipschitz=2.0, radius=3.0)
    minimiser = torch.full((1, 5), -3 / sqrt(5), dtype=torch.float64)
    assert oracle.measure(minimiser, minimiser)["objective"].item() == pytest.approx(oracle.lowest, rel=1e-15)


def test_subgradients_at_kinks():
    zero = torch.zeros(RUNS, FEATURES, dtype=torch.float64)
    # relu′(0) = 0, in all rows and in one: the row that is orthogonal to w does not count.
    assert (CASES["relu"][0].subgradient(zero) == 0).all()
    design, w = torch.tensor([[1.0, -1.0], [1.0, 1.0]]).double(), torch.tensor([[2.0, 2.0]]).double()
    assert ReluRegression(design, column(3.0)).subgradient(w).tolist() == [[3.5, 3.5]]
    # sign(0) = 0, with δ = 0 and δ > 0.
    assert (CASES["smoothed"][0].subgradient(zero) == -CORRELATION).all()
    absolute = AbsoluteRegression(design, torch.tensor([0.0, 1.0]).double(), column(0.0))
    assert absolute.subgradient(w).tolist() == [[0.5, 0.5]]
    # The first of equal slopes; the first of equal coordinates, also where the norm's term is as large.
    slopes = torch.tensor([[[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]]]).double()
    assert MaxAffine(slopes, 0.0).subgradient(torch.tensor([[2.0, 2.0]]).double()).tolist() == [[0.0, 1.0]]
    oracle = ResistingOracle(3, lipschitz=2.0, radius=2.0)
    at_tie = torch.tensor([[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, -3.0], [-1.0, 1.0, 1.0, 0.0]]).double()
    assert oracle.subgradient(at_tie).tolist() == [[2, 0, 0, 0], [2, 0, 0, 0], [0, 2, 0, 0]]
    assert oracle.subgradient(torch.tensor([[0.0, 0.0, 0.0, -4.0]]).double()).tolist() == [[0, 0, 0, -2]]


@every_objective
def test_sums_over_steps(objective, plain):
    path = list(points())[1:8:2]
    sums = {name: torch.zeros_like(path[0]) for name in objective.averaged}
    expected = {name: 0.0 for name in objective.averaged}
    for w in path:
        g = objective.subgradient(w)
        direct = {
            "objective": plain(w),
            "l1_norm": torch.linalg.vector_norm(w, 1, dim=1),
            "squared_gradient_norm": torch.linalg.vector_norm(g, dim=1) ** 2,
            "inner_product": torch.linalg.vecdot(w, g),
        }
        expected = {name: total + direct[name] for name, total in expected.items()}
        objective.accumulate(w, g, sums)
    for name, total in expected.items():
        torch.testing.assert_close(sums[name].sum(1), total, rtol=1e-12, atol=1e-12)


def test_measured_norms():
    w = normal(RUNS, FEATURES)
    for objective, _ in CASES.values():
        measured = objective.measure(w, w)
        torch.testing.assert_close(measured["squared_norm"], (w**2).sum(1), rtol=1e-14, atol=0)
        if "l1_norm" in objective.averaged:
            torch.testing.assert_close(measured["l1_norm"], w.abs().sum(1), rtol=1e-14, atol=0)


def test_no_width_is_the_lasso_bit_by_bit():
    smoothed, lasso = SmoothedLasso(GRAM, CORRELATION, PENALTIES, 0 * WIDTHS), Lasso(GRAM, CORRELATION, PENALTIES)
    for w in points():
        assert torch.equal(smoothed.subgradient(w), lasso.subgradient(w))
        assert torch.equal(smoothed.gradient(w), lasso.gradient(w))


def test_shrink_is_the_proximal_map():
    # v = prox(w) iff v + tλ·h_δ′(v) = w; without a width it is torch's own soft thresholding.
    smoothed, amount = CASES["smoothed"][0], column(0.1, 0.3, 0.5, 1, 2, 3)
    threshold = amount * PENALTIES
    for w in points():
        v = smoothed.shrink(w.clone(), amount)
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
    smoothed = SmoothedLasso(nothing, nothing[0], torch.full_like(w, 2.0), torch.full_like(w, 0.5))
    assert smoothed.subgradient(w).flatten().tolist() == [1, 2, -2, 2, -2]
    assert smoothed.measure(w, w)["objective"].tolist() == [0.125, 0.5, 0.5, 1.5, 5.5]


def test_the_size_of_the_kink_only_rescales():
    # Doubling is exact in floating point, so the runs agree bit by bit.
    start, step_size = normal(RUNS, FEATURES, seed=6), column(0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
    ends = []
    for scale in (1.0, 2.0):
        objective, w = ReluRegression(DESIGNS["shared"], torch.full_like(KINKS, scale)), scale * start
        for _ in range(300):
            w = w - step_size * objective.subgradient(w)
        ends.append((w, objective.measure(w, w)["objective"]))
    assert torch.equal(ends[1][0], 2 * ends[0][0]) and torch.equal(ends[1][1], 4 * ends[0][1])
    assert (ends[0][1] > 0).all()


def test_a_kink_makes_a_floor_proportional_to_the_step():
    # 100 × 20 Gaussian designs, 20,000 steps: without a kink the gap vanishes, with one it stays at about 1e-2.
    kink, step_size = column(*3 * [0.0, 1.0, 1.0]), column(*3 * [0.1, 0.1, 0.01])
    objective = ReluRegression(normal(3, 100, 20, seed=7), kink)
    w = start = (normal(9, 20, seed=8) / sqrt(20)).T.clone(memory_format=torch.contiguous_format).T
    steps, average_from = 20_000, 10_000
    w, sums = w.clone(), {name: torch.zeros_like(w) for name in objective.averaged}
    for step in range(steps):
        g = objective.subgradient(w)
        if step == average_from:
            start = w.clone()
        if step >= average_from:
            objective.accumulate(w, g, sums)
        w.addcmul_(g, step_size, value=-1)
    mean = {name: (total.sum(1) / (steps - average_from)).numpy() for name, total in sums.items()}
    final = objective.measure(w, w)["objective"].view(3, 3)
    # The linear rate depends on the design; three others reached 1e-60 to 1e-123.
    assert (final[:, 0] < 1e-50).all()
    floor = mean["objective"].reshape(3, 3)[:, 1:]
    assert ((floor[:, 0] > 5e-3) & (floor[:, 0] < 2e-2)).all()
    # The floor is c²(Φη + O(η²)); with ηL about .2 the second term is a few percent.
    np.testing.assert_allclose(floor[:, 0] / floor[:, 1], 10, rtol=0.1)
    # The identity, to rounding over 10,000 steps; and ½⟨w, g⟩ ≤ f ≤ ⟨w, g⟩, at the upper end for short steps.
    residual = stationarity_residual(
        penalty=0.0,
        step_size=step_size[:, 0].numpy(),
        l1_norm=0.0,
        squared_subgradient=mean["squared_gradient_norm"],
        inner_product=mean["inner_product"],
        squared_norm_decrease=((start**2).sum(1) - (w**2).sum(1)).numpy() / (steps - average_from),
    )
    assert (residual < 1e-11).all()
    share = (mean["objective"] / mean["inner_product"]).reshape(3, 3)[:, 1:]
    assert ((share > 0.5) & (share < 1)).all() and (share[:, 1] > 0.99).all()


@pytest.mark.parametrize("steps", [5, 20, 100])
def test_no_method_beats_the_resisting_oracle(steps):
    oracle, bound = ResistingOracle(steps, lipschitz=2.0, radius=3.0), 6 / sqrt(steps + 1)
    assert oracle.lowest == pytest.approx(-bound, rel=1e-15)
    # Rows: the optimal constant step, a step ten times as long, 1/√k, heavy ball, and Adam-like scaled steps.
    w, velocity, squares = (torch.zeros(5, steps + 1, dtype=torch.float64) for _ in range(3))
    for k in range(steps):
        assert (oracle.measure(w, w)["objective"] >= -1e-15).all()
        g = oracle.subgradient(w)
        velocity, squares = 0.9 * velocity + g, squares + g**2
        step = 1.5 / sqrt(steps + 1) * g
        step[1], step[2], step[3] = 10 * step[1], g[2] / sqrt(k + 1), 0.1 * velocity[3]
        step[4] = g[4] / (squares[4].sqrt() + 1e-8)
        w = w - step
    gap = oracle.measure(w, w)["objective"] - oracle.lowest
    assert (gap >= bound * (1 - 1e-14)).all()
    # The first attains it.
    assert gap[0].item() == pytest.approx(bound, rel=1e-14)
