"""Closed forms of orbits, against brute-force iteration, mpmath, the published points of Ricker's map, and by hand."""

import mpmath
import numpy as np
import pytest

from ndgm.theory.edge_of_stability import (
    FAMILIES,
    SCALARS,
    OrbitError,
    amplitude_near_threshold,
    cycle_amplitude,
    cycle_multiplier,
    cycle_sharpness,
    flip_coefficient,
    mean_curvature,
    scalar,
    two_cycle,
    window_end,
)

EVEN = ["absolute", "huber", "pseudo_huber", "log_cosh", "softplus_pair", "power_1.25", "power_1.5", "power_1.75"]
SMOOTH = ["pseudo_huber", "log_cosh", "softplus_pair", "linex", "tilted_softplus_0.3", "tilted_pseudo_huber_0.6"]
ABOVE = [1.01, 1.05, 1.2, 2.0, 3.0]

# The functions as one would write them, with mpmath's own elementary functions; s is the tilt.
FORMULAS = {
    "pseudo_huber": lambda x: mpmath.sqrt(1 + x**2),
    "log_cosh": lambda x: mpmath.log(mpmath.cosh(x)),
    "softplus_pair": lambda x: mpmath.log(1 + mpmath.exp(x)) + mpmath.log(1 + mpmath.exp(-x)),
    "linex": lambda x: mpmath.exp(x) - x,
    "tilted_softplus_0.3": lambda x: mpmath.log(1 + mpmath.exp(x)) - mpmath.mpf("0.3") * x,
    "tilted_pseudo_huber_0.6": lambda x: mpmath.sqrt(1 + x**2) - mpmath.mpf("0.6") * x,
}
MINIMISERS = {"tilted_softplus_0.3": mpmath.log(mpmath.mpf(3) / 7), "tilted_pseudo_huber_0.6": mpmath.mpf(3) / 4}


def unit(name):
    """The threshold, and 2 where every step is above it."""
    return scalar(name).threshold or 2.0


def descend(name, step_size, starts, steps):
    """The last two iterates."""
    slope, x = scalar(name).slope, np.array(starts, dtype=float)
    for _ in range(steps):
        before, x = x, x - step_size * slope(x)
    return before, x


@pytest.mark.parametrize("name", SMOOTH)
def test_derivatives_are_those_of_the_formula(name):
    function, formula, minimiser = scalar(name), FORMULAS[name], MINIMISERS.get(name, mpmath.mpf(0))
    with mpmath.workdps(40):
        for x in (-3.0, -0.4, 0.0, 0.7, 2.5):
            slope, curvature = (float(mpmath.diff(formula, minimiser + x, n)) for n in (1, 2))
            assert float(function.slope(np.array(x))) == pytest.approx(slope, rel=1e-13, abs=1e-15)
            assert float(function.curvature(np.array(x))) == pytest.approx(curvature, rel=1e-13)
        found = [function.lipschitz, function.third, function.fourth]
        expected = [float(mpmath.diff(formula, minimiser, n)) for n in (2, 3, 4)]
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)
        # Even functions have the same slope, with the other sign, on the other side; the others do not.
        sides = function.slope(np.array([0.7])) + function.slope(np.array([-0.7]))
        assert (abs(sides[0]) < 1e-15) == function.even


@pytest.mark.parametrize("name", EVEN)
@pytest.mark.parametrize("ratio", ABOVE)
def test_descent_from_every_start_ends_on_the_cycle(name, ratio):
    step_size = ratio * unit(name)
    starts = 2 * np.random.default_rng(0).standard_normal(100)
    before, last = descend(name, step_size, starts, 4_000)
    # At 1.01 a cycle's distance falls by 1 − 2ν = .96 a step, which leaves nothing but rounding.
    np.testing.assert_allclose(np.abs(last - before) / 2, cycle_amplitude(name, step_size), rtol=1e-10)
    curvature = scalar(name).curvature
    sharpness = step_size / 2 * (curvature(before) + curvature(last)) / 2
    np.testing.assert_allclose(sharpness, cycle_sharpness(name, step_size), rtol=1e-9, atol=1e-14)
    assert (sharpness < 1).all()


@pytest.mark.parametrize("name", ["linex", "tilted_softplus_0.3", "tilted_pseudo_huber_0.6"])
@pytest.mark.parametrize("ratio", [1.01, 1.1, 1.2])
def test_descent_near_the_minimiser_of_an_asymmetric_function_ends_on_its_cycle(name, ratio):
    step_size = ratio * unit(name)
    points = descend(name, step_size, [0.01, -0.02], 4_000)
    np.testing.assert_allclose(np.sort(points, axis=0)[::-1, 0], two_cycle(scalar(name), step_size), rtol=1e-9)
    np.testing.assert_allclose(np.abs(points[1] - points[0]) / 2, cycle_amplitude(name, step_size), rtol=1e-9)


@pytest.mark.parametrize("ratio", ABOVE)
def test_closed_forms_are_roots_to_fifty_digits(ratio):
    with mpmath.workdps(50):
        eta = mpmath.mpf(2 * ratio)
        near = cycle_amplitude("log_cosh", float(eta))
        p = mpmath.findroot(lambda p: mpmath.tanh(p) / p - 2 / eta, near)
        assert near == pytest.approx(float(p), rel=1e-14)
        assert cycle_sharpness("log_cosh", float(eta)) == pytest.approx(float(eta / 2 * mpmath.sech(p) ** 2), rel=1e-12)
        # log(1+eˣ) + log(1+e⁻ˣ) is twice log cosh(x/2): twice the amplitude at twice the step, and the same sharpness.
        assert cycle_amplitude("softplus_pair", 2 * float(eta)) == pytest.approx(float(2 * p), rel=1e-14)
        # e^(x₊) + e^(x₋) = 2 on eˣ − x: so x₊ − x₋ = 2η tanh((x₊ − x₋)/2), that of log cosh; and ℓ'' has mean 1.
        assert cycle_amplitude("linex", float(eta)) == pytest.approx(float(p), rel=1e-13)
        assert cycle_sharpness("linex", float(eta)) == pytest.approx(ratio, rel=1e-13)


@pytest.mark.parametrize("name", ["pseudo_huber", "power_1.25", "power_1.5", "power_1.75"])
def test_formulas_agree_with_the_root(name):
    for step_size in unit(name) * np.array(ABOVE):
        high, low = two_cycle(scalar(name), step_size)
        assert high == pytest.approx(-low, rel=1e-12)
        assert cycle_amplitude(name, step_size) == pytest.approx(high, rel=1e-12)


def test_sharpness_in_closed_form():
    steps = np.array([2.1, 3.0, 9.0])
    np.testing.assert_allclose(cycle_sharpness("pseudo_huber", steps), 4 / steps**2, rtol=1e-12)
    for exponent in (1.25, 1.5, 1.75):
        np.testing.assert_allclose(cycle_sharpness(f"power_{exponent}", steps), exponent - 1, rtol=1e-12)
    assert (cycle_sharpness("absolute", steps) == 0).all() and (cycle_sharpness("huber", steps) == 0).all()


@pytest.mark.parametrize("name", [*SMOOTH, "power_1.25", "power_1.75"])
def test_multiplier_is_what_two_steps_do_to_a_small_distance(name):
    for ratio in (1.05, 1.3, 2.0):
        step_size = ratio * unit(name)
        high, _ = two_cycle(scalar(name), step_size)
        _, moved = descend(name, step_size, [high - 1e-5 * high, high + 1e-5 * high], 2)
        factor = (moved[1] - moved[0]) / (2e-5 * high)
        # A central difference is off by the third derivative of two steps times 1e-10.
        assert cycle_multiplier(name, step_size) == pytest.approx(factor, rel=1e-6, abs=1e-7)


def test_cycles_of_kinks_neither_attract_nor_repel():
    assert cycle_multiplier("absolute", [0.1, 5.0]).tolist() == [1, 1] and cycle_multiplier("huber", 2.5) == 1
    # From the same distance to the lattice, both keep it.
    for name, step_size in (("absolute", 0.25), ("huber", 4.0)):
        before, last = descend(name, step_size, [1.4375, 1.375], 1_001)
        assert abs(last[1] - last[0]) == 0.0625 and np.abs(last - before).tolist() == [step_size] * 2


def test_second_doubling_of_rickers_map():
    # May (1976), table 1: exp[r(1 − N)] has a stable 2-cycle up to r = 2.526 and a stable 4-cycle up to 2.656.
    assert cycle_multiplier("linex", 2.5255) > -1 > cycle_multiplier("linex", 2.5275)
    orbit = [descend("linex", 2.6, [0.1], 4_000 + more)[1][0] for more in range(5)]
    assert abs(orbit[4] - orbit[0]) < 1e-9 < 0.1 < abs(orbit[2] - orbit[0])


@pytest.mark.parametrize("name", SMOOTH)
def test_law_near_the_threshold_is_right_to_leading_order(name):
    function = scalar(name)
    excess = np.array([1e-3, 2e-3])
    law = amplitude_near_threshold(flip_coefficient(function.lipschitz, function.third, function.fourth), excess)
    error = (cycle_amplitude(name, (2 + excess) / function.lipschitz) / law) ** 2 - 1
    # The error of a leading order is proportional to ν: twice as large at twice the ν.
    assert np.abs(error).max() < 1e-3
    assert error[1] / error[0] == pytest.approx(2, rel=1e-2)


def test_law_near_the_threshold_by_hand():
    # log cosh x = x²/2 − x⁴/12: L = 1, ℓ'''' = −2, so c = 2/3 and p² = 3ν/2. With ℓ''' too: 3νL²/(3ℓ'''² − Lℓ'''').
    assert flip_coefficient(1.0, 0.0, -2.0) == pytest.approx(2 / 3)
    assert amplitude_near_threshold(2 / 3, 0.06) == pytest.approx(0.3)
    L, third, fourth, excess = 0.7, -0.4, 0.2, 0.05
    expected = 3 * excess * L**2 / (3 * third**2 - L * fourth)
    assert amplitude_near_threshold(flip_coefficient(L, third, fourth), excess) ** 2 == pytest.approx(expected)


def test_mean_curvature_of_any_sequence():
    # Values and gradients that belong to no function at all.
    rng, step_size, steps = np.random.default_rng(1), 0.3, 50
    values, squared = rng.standard_normal(steps + 1), rng.uniform(0.1, 3, steps)
    curvature = 2 * (np.diff(values) + step_size * squared) / (step_size**2 * squared)
    expected = np.average(curvature, weights=squared)
    found = mean_curvature(step_size, values[0], values[-1], squared.mean(), steps)
    assert found == pytest.approx(expected, rel=1e-13)


@pytest.mark.parametrize("of", [cycle_amplitude, cycle_sharpness, cycle_multiplier])
@pytest.mark.parametrize("name", ["huber", "pseudo_huber", "log_cosh", "softplus_pair", "linex", "tilted_softplus_0.3"])
def test_no_orbit_below_the_threshold(of, name):
    for ratio in (0.5, 1.0):
        with pytest.raises(OrbitError, match="the minimiser attracts"):
            of(name, ratio * unit(name))
    # There descent does go to the minimiser.
    assert np.abs(descend(name, 0.9 * unit(name), [-1.0, 0.5], 2_000)[1]).max() < 1e-12


def test_bad_input():
    for call in (lambda: amplitude_near_threshold(-0.1, 0.1), lambda: amplitude_near_threshold(0.1, 0.0)):
        with pytest.raises(OrbitError, match="positive"):
            call()
    with pytest.raises(ValueError, match="'cosh' is not one of absolute"):
        scalar("cosh")
    with pytest.raises(ArithmeticError, match="do not end there"):
        two_cycle(scalar("kink_aside"), 4.0)  # its slope jumps over the root
    assert {*SCALARS}.isdisjoint(FAMILIES)


@pytest.mark.parametrize("share", [0.01, 0.05, 0.3])
def test_the_window_ends_where_the_sharpness_leaves_the_edge(share):
    assert window_end("pseudo_huber", share) == pytest.approx((1 - share) ** -0.5, rel=1e-9)
    # On log cosh with u = tanh p: p = uη/2 and a sharpness of (η/2)(1 − u²), so that it is p(1 − u²)/u.
    with mpmath.workdps(30):
        at = mpmath.findroot(lambda p: 2 * p / mpmath.sinh(2 * p) - (1 - share), 0.3)
        expected = float(at / mpmath.tanh(at))
    for name in ("log_cosh", "softplus_pair"):
        assert window_end(name, share) == pytest.approx(expected, rel=1e-9)
