"""Worst cases, held against functions that attain them, against each other, and against what PEPit certified."""

import json
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

from ndgm.engine.objectives.max_affine import ResistingOracle
from ndgm.theory.certificates import CRITERIA, certify, rounded_up
from ndgm.theory.worst_cases import (
    STEP_RULES,
    best_point_bound,
    constant,
    inverse_square_root,
    last_point_worst_case,
    linearly_decaying,
    lower_bound,
    smooth_worst_case,
    smooth_worst_width,
    textbook_bound,
)

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "reference/certificates.json"
STEPS = range(1, 31)
ROWS = json.loads(REFERENCE.read_text())["rows"]
CERTIFIED = {(row["rule"], row["criterion"], row["steps"]): row["worst_case"] for row in ROWS}
# Certified values are rounded up to 6 significant digits, which adds at most 1e-5, and 1e-7 before that.
ROUNDING = 1.01e-5


def certified(rule, criterion):
    return np.array([CERTIFIED[rule, criterion, steps] for steps in STEPS])


def assert_exact(values, closed_form):
    """Rounded up, the closed form is what PEPit certified: not below it, and not above it by more than rounding."""
    closed_form = np.array(closed_form)
    assert (values > closed_form).all()
    np.testing.assert_allclose(values, closed_form, rtol=ROUNDING)


def gaps_under_resistance(step_sizes):
    """f − f* of the resisting function at x₀ … x_N, with x₀ = 0, and at their average."""
    oracle = ResistingOracle(len(step_sizes))
    points = [torch.zeros(1, len(step_sizes) + 1, dtype=torch.float64)]
    for step_size in step_sizes:
        points.append(points[-1] - step_size * oracle.subgradient(points[-1]))
    points = torch.cat([*points, torch.cat(points).mean(0, keepdim=True)])
    return oracle.measure(points, points)["objective"].numpy() - oracle.lowest


def gaps_under_absolute_value(step_sizes):
    """|x| at x₀ … x_N, with x₀ = 1, and at their average."""
    points = [1.0]
    for step_size in step_sizes:
        points.append(points[-1] - step_size * np.sign(points[-1]))
    return np.abs([*points, np.mean(points)])


def test_the_table_is_complete():
    assert set(CERTIFIED) == set(product(STEP_RULES, CRITERIA, STEPS))


@pytest.mark.parametrize(("rule", "criterion"), list(product(STEP_RULES, CRITERIA)))
def test_nothing_beats_the_lower_bound(rule, criterion):
    bounds = np.array([lower_bound(steps) for steps in STEPS])
    assert (certified(rule, criterion) >= bounds).all()


@pytest.mark.parametrize(
    ("rule", "criterion"),
    [("constant", "best"), ("constant", "average"), ("linearly_decaying", "best"), ("linearly_decaying", "last")],
)
def test_four_attain_the_lower_bound(rule, criterion):
    assert_exact(certified(rule, criterion), [lower_bound(steps) for steps in STEPS])


@pytest.mark.parametrize(
    ("rule", "exact_up_to"), [("constant", 30), ("inverse_square_root", 3), ("linearly_decaying", 0)]
)
def test_best_point_bound_is_exact_for_few_long_steps_and_above_otherwise(rule, exact_up_to):
    bounds = np.array([best_point_bound(STEP_RULES[rule](steps)) for steps in STEPS])
    assert_exact(certified(rule, "best")[:exact_up_to], bounds[:exact_up_to])
    assert (certified(rule, "best")[exact_up_to:] < bounds[exact_up_to:]).all()


def test_last_point_of_constant_steps():
    exact = [last_point_worst_case(constant(steps)[0], steps) for steps in STEPS]
    assert_exact(certified("constant", "last"), exact)


@pytest.mark.parametrize("rule", STEP_RULES)
def test_one_step_is_a_constant_step(rule):
    # So all nine are known for N = 1; below h = R/(2M) the worst function for the average is M|x|.
    h = STEP_RULES[rule](1)[0]
    assert_exact(certified(rule, "last")[:1], [last_point_worst_case(h, 1)])
    assert_exact(certified(rule, "average")[:1], [textbook_bound(h, 1) if h >= 0.5 else 1 - h / 2])


@pytest.mark.parametrize("rule", STEP_RULES)
@pytest.mark.parametrize("steps", [1, 2, 5, 12, 30])
@pytest.mark.parametrize("gaps_under", [gaps_under_resistance, gaps_under_absolute_value])
def test_no_function_does_worse_than_certified(rule, steps, gaps_under):
    gaps = gaps_under(STEP_RULES[rule](steps))
    worst = {"best": gaps[:-1].min(), "last": gaps[-2], "average": gaps[-1]}
    assert all(worst[criterion] <= CERTIFIED[rule, criterion, steps] for criterion in CRITERIA)


@pytest.mark.parametrize("rule", STEP_RULES)
def test_the_best_point_is_never_worse_than_the_last_or_the_average(rule):
    assert (certified(rule, "best") <= certified(rule, "last") * (1 + ROUNDING)).all()
    assert (certified(rule, "best") <= certified(rule, "average") * (1 + ROUNDING)).all()


def test_textbook_bound_is_smallest_at_the_constant_rule():
    for steps in STEPS:
        step_size = constant(steps, lipschitz=3.0, distance=2.0)[0]
        bounds = textbook_bound(step_size * np.array([0.999, 1.0, 1.001]), steps, lipschitz=3.0, distance=2.0)
        assert bounds[1] == pytest.approx(lower_bound(steps, lipschitz=3.0, distance=2.0), rel=1e-14)
        assert bounds[1] < min(bounds[0], bounds[2])


def test_textbook_bound_is_never_below_the_certified_values():
    for criterion in ("best", "average"):
        bounds = np.array([textbook_bound(constant(steps)[0], steps) for steps in STEPS])
        assert (bounds >= certified("constant", criterion) * (1 - ROUNDING)).all()


@pytest.mark.parametrize("steps", [1, 4, 20])
def test_best_point_bound_is_the_textbook_bound_with_a_free_last_step(steps):
    step_sizes = np.random.default_rng(steps).uniform(0.1, 1, steps)
    last = np.linspace(0, 3, 300_001)
    bounds = (2.0**2 + 3.0**2 * ((step_sizes**2).sum() + last**2)) / (2 * (step_sizes.sum() + last))
    assert best_point_bound(step_sizes, lipschitz=3.0, distance=2.0) == pytest.approx(bounds.min(), rel=1e-9)
    assert best_point_bound(constant(steps)) == pytest.approx(lower_bound(steps), rel=1e-13)


def test_last_point_of_one_step_by_hand():
    # s₁ = 2: R²/(8h) + hM², smallest at h = R/(M√8), the only step of the linearly decaying rule.
    np.testing.assert_allclose(last_point_worst_case([0.5, 1.0, 2.0], 1), [0.75, 1.125, 2.0625], rtol=1e-15)
    assert last_point_worst_case(linearly_decaying(1)[0], 1) == pytest.approx(lower_bound(1), rel=1e-15)
    # Below h = R/(4M) the worst function is M|x|; there both branches are equal.
    np.testing.assert_allclose(last_point_worst_case([0.1, 0.25], 1), [0.9, 0.75], rtol=1e-15)


@pytest.mark.parametrize("rule", STEP_RULES)
def test_step_rules_scale_with_distance_over_lipschitz(rule):
    step_sizes = STEP_RULES[rule](6, lipschitz=4.0, distance=2.0)
    np.testing.assert_allclose(step_sizes, STEP_RULES[rule](6) / 2, rtol=1e-15)
    assert step_sizes.shape == (6,)


def test_step_rules_by_hand():
    np.testing.assert_allclose(constant(3), [0.5, 0.5, 0.5], rtol=1e-15)
    np.testing.assert_allclose(inverse_square_root(4), [1, 1 / np.sqrt(2), 1 / np.sqrt(3), 0.5], rtol=1e-15)
    np.testing.assert_allclose(linearly_decaying(3), [3 / 8, 2 / 8, 1 / 8], rtol=1e-15)


@pytest.mark.parametrize("steps", [1, 3, 10])
@pytest.mark.parametrize("gamma", [0.1, 0.5, 1.0, 1.5, 1.7, 1.9, 1.99])
def test_gradient_descent_attains_the_smooth_worst_case(gamma, steps):
    smoothness, distance = 3.0, 2.0
    knee = distance / (2 * steps * gamma + 1)

    def huber(x):
        if abs(x) <= knee:
            return smoothness * x**2 / 2, smoothness * x
        return smoothness * knee * (abs(x) - knee / 2), smoothness * knee * np.sign(x)

    def quadratic(x):
        return smoothness * x**2 / 2, smoothness * x

    gaps = []
    for function in (huber, quadratic):
        x = distance
        for _ in range(steps):
            x -= gamma / smoothness * function(x)[1]
        gaps.append(function(x)[0])
    assert max(gaps) == pytest.approx(float(smooth_worst_case(gamma, steps, smoothness, distance)), rel=1e-12)


def test_smooth_worst_case_takes_many_step_sizes():
    np.testing.assert_allclose(smooth_worst_case([0.5, 1.0, 1.9], 1), [1 / 4, 1 / 6, 0.405], rtol=1e-14)


@pytest.mark.parametrize("gamma", [0.2, 1.0, 1.3])
@pytest.mark.parametrize("steps", [1, 4, 9])
def test_the_width_of_the_worst_smooth_function(gamma, steps):
    # Huber's function of curvature 1: descent has the slope of its linear part at x₀ … x_N, and the gap is the worst.
    width = smooth_worst_width(gamma, steps)
    x = 1.0
    for _ in range(steps):
        assert x >= width
        x -= gamma * width
    assert x == pytest.approx((steps * gamma + 1) * width)
    assert width * x - width**2 / 2 == pytest.approx(1 / (4 * steps * gamma + 2), rel=1e-12)
    assert smooth_worst_width(gamma, steps, distance=3.0) == pytest.approx(3 * width)


@pytest.mark.parametrize(
    ("rule", "criterion", "steps"), [*product(STEP_RULES, CRITERIA, [1, 3]), ("constant", "last", 7)]
)
def test_pepit_still_certifies_the_table(rule, criterion, steps):
    pytest.importorskip("PEPit", reason="PEPit is not installed: pip install -c constraints.txt -e .[certify]")
    assert rounded_up(certify(rule, criterion, steps)) == pytest.approx(CERTIFIED[rule, criterion, steps], rel=1e-5)


def test_certificates_do_not_depend_on_what_was_certified_before():
    # PEPit counts points and values in attributes of its classes.
    pytest.importorskip("PEPit", reason="PEPit is not installed: pip install -c constraints.txt -e .[certify]")
    first = certify("constant", "average", 2)
    certify("inverse_square_root", "best", 3)
    assert certify("constant", "average", 2) == first


def test_rounding_is_upwards():
    assert rounded_up(0.5) == rounded_up(0.5 - 1e-9) == 0.500001
    assert rounded_up(1 / 3) == 0.333334
    assert rounded_up(1.23456) == 1.23457


def test_without_pepit_certify_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "PEPit", None)
    with pytest.raises(ImportError, match="PEPit: not installed"):
        certify("constant", "best", 1)


def test_bad_inputs_raise():
    with pytest.raises(ValueError, match="unknown step rule 'optimal'"):
        certify("optimal", "best", 1)
    with pytest.raises(ValueError, match="unknown criterion 'mean'"):
        certify("constant", "mean", 1)
    for steps in (0, -3, 2.0):
        with pytest.raises(ValueError, match="number of steps"):
            certify("constant", "best", steps)
        with pytest.raises(ValueError, match="number of steps"):
            lower_bound(steps)
    with pytest.raises(ValueError, match="distance"):
        constant(3, distance=0.0)
    with pytest.raises(ValueError, match="Lipschitz"):
        linearly_decaying(3, lipschitz=-1.0)
    with pytest.raises(ValueError, match="step size"):
        textbook_bound(0.0, 3)
    with pytest.raises(ValueError, match="step size"):
        best_point_bound([0.1, np.nan])
    with pytest.raises(ValueError, match="step size"):
        last_point_worst_case(-0.1, 3)
    with pytest.raises(ValueError, match="below 2"):
        smooth_worst_case(2.0, 3)
