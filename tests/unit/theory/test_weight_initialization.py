"""The mean field and its neighbours against closed forms, plain random networks and Monte Carlo with its error."""

from itertools import islice

import numpy as np
import pytest
from scipy import integrate, special, stats

from ndgm.theory.weight_initialization import (
    Unit,
    activation_variance,
    critical_gain,
    fixed_point,
    formula_gain,
    gaussian_mean,
    kinked_gain,
    linearised_variance,
    next_variance,
    relu_ratio,
    relu_spread,
    susceptibility,
    variances,
)

RELU = Unit(lambda z: np.maximum(z, 0), lambda z: np.where(z > 0, 1.0, 0.0), (0.0,))
SIGMOID = Unit(special.expit, lambda z: special.expit(z) * special.expit(-z))
ERF = Unit(special.erf, lambda z: 2 / np.sqrt(np.pi) * np.exp(-np.square(z)))
TANH = Unit(np.tanh, lambda z: 1 - np.tanh(z) ** 2)
GELU = Unit(lambda z: z * stats.norm.cdf(z), lambda z: stats.norm.cdf(z) + z * stats.norm.pdf(z))
SOFTPLUS = Unit(lambda z: np.logaddexp(0, z), special.expit)
HARDTANH = Unit(lambda z: np.clip(z, -1, 1), lambda z: np.where(np.abs(z) < 1, 1.0, 0.0), (-1.0, 1.0))
ELU = Unit(lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))), lambda z: np.exp(np.minimum(z, 0)))
UNITS = {"relu": RELU, "sigmoid": SIGMOID, "tanh": TANH, "gelu": GELU, "softplus": SOFTPLUS, "hardtanh": HARDTANH}


@pytest.mark.parametrize("q", [1e-9, 1e-3, 0.3, 1.0, 7.0, 1e3, 1e6])
def test_quadrature_gives_closed_forms(q):
    assert gaussian_mean(np.ones_like, q) == pytest.approx(1, rel=1e-14)
    assert gaussian_mean(lambda x: x**4, q) == pytest.approx(3 * q**2, rel=1e-13)
    assert next_variance(q, 2.0, RELU) == pytest.approx(q, rel=1e-14)
    assert susceptibility(q, 2.0, RELU) == pytest.approx(1, rel=1e-14)
    # E erf(√q z)² = (2/π)arcsin(2q/(1 + 2q)), and E of its squared slope (4/π)/√(1 + 4q). Williams (1997).
    assert next_variance(q, 1.0, ERF) == pytest.approx(2 / np.pi * np.arcsin(2 * q / (1 + 2 * q)), rel=1e-12)
    assert susceptibility(q, 1.0, ERF) == pytest.approx(4 / np.pi / np.sqrt(1 + 4 * q), rel=1e-12)
    # The squared slope of hardtanh is the share of z between its kinks.
    assert susceptibility(q, 1.0, HARDTANH) == pytest.approx(special.erf(1 / np.sqrt(2 * q)), rel=1e-12)


def test_a_rule_with_a_node_at_the_kink_is_wrong():
    """What the panels are for."""
    x, w = np.polynomial.hermite_e.hermegauss(101)
    hermite = w @ np.square(RELU.slope(x)) / w.sum()
    assert abs(hermite - 0.5) > 0.01 and abs(gaussian_mean(RELU.slope, 1.0, RELU.kinks) - 0.5) < 1e-14
    # Without the kink the panels would end at 0 anyway; away from 0 they are what helps.
    step = Unit(lambda z: np.where(z > 0.7, 1.0, 0.0), np.zeros_like, (0.7,))
    assert gaussian_mean(step.value, 1.0, step.kinks) == pytest.approx(stats.norm.sf(0.7), rel=1e-13)
    assert gaussian_mean(step.value, 1.0) != pytest.approx(stats.norm.sf(0.7), rel=1e-4)


@pytest.mark.parametrize("q", [0.05, 1.0, 30.0])
@pytest.mark.parametrize("name", UNITS)
def test_means_are_those_of_samples(name, q):
    unit, samples = UNITS[name], 400_000
    z = np.sqrt(q) * np.random.default_rng(11).standard_normal(samples)
    for found, values in (
        (next_variance(q, 3.0, unit), 3 * np.square(unit.value(z))),
        (susceptibility(q, 3.0, unit), 3 * np.square(unit.slope(z))),
        (activation_variance(q, unit), np.square(unit.value(z) - unit.value(z).mean())),
    ):
        # Five standard errors.
        assert found == pytest.approx(values.mean(), abs=5 * values.std() / np.sqrt(samples) + 1e-12)


def test_gains_of_the_formula():
    assert formula_gain(0.5, 0.25) == pytest.approx(12.8, rel=1e-15)
    assert formula_gain(0.0, 1.0) == 1 and formula_gain(0.0, 0.5) == 4
    assert formula_gain(np.log(2), 0.5) / 2 == pytest.approx(1.35, abs=5e-3)
    assert np.sqrt(formula_gain(0.5, 0.25)) == pytest.approx(3.5777, abs=5e-5)  # 3.6 is a standard deviation
    assert kinked_gain(0.0, 1.0) == 2
    # The gain at which a kinked line keeps a normal signal, from samples: the error of a mean of 400,000 squares.
    z = np.random.default_rng(0).standard_normal(400_000)
    kept = np.square(np.where(z > 0, 1.5 * z, -0.3 * z))
    assert kinked_gain(-0.3, 1.5) == pytest.approx(1 / kept.mean(), rel=5 * kept.std() / kept.mean() / 632)


def test_the_formula_is_the_unit_variance_of_a_linearised_sigmoid():
    gain = formula_gain(0.5, 0.25)
    assert linearised_variance(gain, 1.0, 0.5, 0.25) == pytest.approx(1, rel=1e-15)
    # From samples: activations of variance Var and mean g(0) make pre-activations of variance s(Var + g(0)²).
    z = np.random.default_rng(0).standard_normal(1_000_000) * np.sqrt(gain * (0.3 + 0.25))
    assert linearised_variance(gain, 0.3, 0.5, 0.25) == pytest.approx((0.5 + z / 4).var(), rel=5 * np.sqrt(2) / 1000)


def by_quadpack(function, q):
    """E f(√q z) by SciPy's adaptive quadrature."""
    return integrate.quad(lambda z: function(np.sqrt(q) * z) * stats.norm.pdf(z), -12, 12, epsabs=1e-13)[0]


@pytest.mark.parametrize("gain", [1.0, 12.8])
def test_a_layer_of_sigmoids_keeps_the_fixed_point(gain):
    q = fixed_point(gain, SIGMOID)
    mean, square = (by_quadpack(lambda x, power=power: special.expit(x) ** power, q) for power in (1, 2))
    assert gain * square == pytest.approx(q, rel=1e-10)
    assert activation_variance(q, SIGMOID) == pytest.approx(square - mean**2, rel=1e-10)
    slope = by_quadpack(lambda x: SIGMOID.slope(x) ** 2, q)
    assert susceptibility(q, gain, SIGMOID) == pytest.approx(gain * slope, rel=1e-10)
    path = list(islice(variances(1.0, gain, SIGMOID), 60))
    assert path[0] == 1 and path[-1] == pytest.approx(q, rel=1e-6)
    assert activation_variance(1e4, SIGMOID) < 0.25


def test_gains_at_which_gradients_are_kept():
    """For erf, χ and q* are closed forms: s(4/π)/√(1 + 4q) = 1 together with q = s(2/π)arcsin(2q/(1 + 2q))."""
    gain = critical_gain(SIGMOID)
    assert susceptibility(fixed_point(gain, SIGMOID), gain, SIGMOID) == pytest.approx(1, rel=1e-12)
    assert gain > 4 * formula_gain(0.5, 0.25)
    # A sigmoid is nearly (1 + erf(z√π/4))/2, whose fixed point for a shifted unit is found by plain iteration.
    near = Unit(
        lambda z: (1 + special.erf(np.sqrt(np.pi) * z / 4)) / 2, lambda z: np.exp(-np.pi * np.square(z) / 16) / 4
    )
    q = 1.0
    for _ in range(2000):
        mean_square = 1 / 4 + np.arcsin(np.pi * q / 8 / (1 + np.pi * q / 8)) / (2 * np.pi)
        s = 16 * np.sqrt(1 + np.pi * q / 4)  # χ = (s/16)/√(1 + πq/4)
        q = s * mean_square
    assert critical_gain(near) == pytest.approx(s, rel=1e-9)


def wide_network(unit, gain, q, width, layers, rng):
    """Two close inputs in a random network; squared distance and variance of the pre-activations of every layer."""
    first = np.sqrt(q) * rng.standard_normal(width)
    z = np.stack([first, first + 1e-6 * rng.standard_normal(width)], 1)
    for _ in range(layers):
        yield np.square(np.diff(z)).mean(), np.square(z).mean()
        z = rng.standard_normal((width, width)) @ unit.value(z) * np.sqrt(gain / width)


@pytest.mark.parametrize(("unit", "gain"), [(SIGMOID, 12.8), (TANH, 2.0)])
def test_close_inputs_part_by_chi_a_layer(unit, gain):
    q = fixed_point(gain, unit)
    rng, layers, networks = np.random.default_rng(5), 6, 20
    runs = np.array([list(wide_network(unit, gain, q, 400, layers, rng)) for _ in range(networks)])
    ratio = np.log(runs[:, -1, 0] / runs[:, 0, 0]) / (layers - 1)
    # Five standard errors, and what layers of 400 are short of infinite ones, a few over their number.
    assert np.exp(ratio.mean()) == pytest.approx(
        susceptibility(q, gain, unit), rel=5 * ratio.std() / np.sqrt(networks) + 0.01
    )


@pytest.mark.parametrize("width", [6, 16])
def test_relu_layers_halve_and_spread(width):
    rng, networks, layers, gain = np.random.default_rng(3), 40_000, 3, 1.2
    h = np.ones((networks, width, 1))
    for _ in range(layers):
        h = RELU.value(rng.standard_normal((networks, width, width)) @ h * np.sqrt(gain / width))
    ratio = np.square(h).sum((1, 2)) / width
    assert ratio.mean() == pytest.approx(relu_ratio(gain, layers), abs=5 * ratio.std() / np.sqrt(networks))
    squared = np.square(ratio / relu_ratio(gain, layers))
    assert squared.mean() == pytest.approx(relu_spread(width, layers), abs=5 * squared.std() / np.sqrt(networks))


def test_what_has_no_answer_says_so():
    with pytest.raises(ValueError, match="slope at 0"):
        formula_gain(1.0, 0.0)
    with pytest.raises(ValueError, match="must not be 0"):
        kinked_gain(0.0, 0.0)
    with pytest.raises(ValueError, match="positive"):
        gaussian_mean(np.ones_like, 0.0)
    with pytest.raises(ArithmeticError, match="no variance is kept"):
        fixed_point(1.0, RELU)
    with pytest.raises(ArithmeticError, match="no variance is kept"):
        fixed_point(0.5, TANH)
    with pytest.raises(ArithmeticError, match="no gain from"):
        critical_gain(SIGMOID, high=50.0)


def test_far_from_0_shape_decides_and_not_the_slope_at_0():
    """q grows by s/2 a layer for each of ReLU's kind, as samples of one sign have g(z) = z and the others 0."""
    for unit in (GELU, SOFTPLUS):
        assert next_variance(1e8, 4.0, unit) / 1e8 == pytest.approx(2, rel=1e-3)
    # A bounded unit decays at the formula's gain: q → 1/(2l) for tanh(z) ≈ z − z³/3.
    *_, q = islice(variances(1.0, 1.0, TANH), 2001)
    assert q == pytest.approx(1 / 4000, rel=0.01)
    # ELU faster: g(z)² = z² + z³ + … on the left alone, as its second derivative jumps, so q falls by √(2/π)·q^(3/2).
    *_, q = islice(variances(1.0, 1.0, ELU), 2001)
    assert q == pytest.approx(2 * np.pi / 2000**2, rel=0.02)
