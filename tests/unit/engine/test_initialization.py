"""Laws of first weights, held against the moments and the distribution functions of SciPy."""

import numpy as np
import pytest
from scipy import stats

from ndgm.engine.activations import activation
from ndgm.engine.initialization import HE, LAWS, Initialization
from ndgm.engine.networks import Networks

TRUTHS = {
    "normal": stats.norm(),
    "uniform": stats.uniform(-np.sqrt(3), 2 * np.sqrt(3)),
    "rademacher": stats.rv_discrete(values=((-1, 1), (0.5, 0.5)))(),
    "truncated_normal": stats.truncnorm(-2, 2, scale=1 / 0.87962566103423978),  # the constant of Keras' source
}
"""Each law in SciPy."""


@pytest.mark.parametrize("name", LAWS)
def test_moments_and_distribution_are_those_of_the_law(name):
    draws = LAWS[name](np.random.default_rng(7), (200, 1000)).ravel()
    law = TRUTHS[name]
    assert draws.dtype == np.float64
    for power in (1, 2, 3, 4):  # the error of a mean is that of its terms over √n; for signs even powers are 1
        error = np.sqrt((law.moment(2 * power) - law.moment(power) ** 2) / draws.size)
        assert np.power(draws, power).mean() == pytest.approx(law.moment(power), abs=5 * error + 1e-12)
    for point in (-1.5, -0.5, 0.0, 0.5, 1.5):
        share = law.cdf(point)
        assert (draws <= point).mean() == pytest.approx(share, abs=5 * np.sqrt(share * (1 - share) / draws.size))
    assert law.var() == pytest.approx(1) and law.mean() == pytest.approx(0)


@pytest.mark.parametrize("name", LAWS)
def test_a_gain_scales_the_same_draws(name):
    small, large = (Initialization(name, gain).weights(np.random.default_rng(3), 2, 50, 20) for gain in (1.0, 9.0))
    assert small.shape == (2, 50, 20)
    np.testing.assert_allclose(large, 3 * small, rtol=1e-15)
    # The relative error of a mean square is √(kurtosis − 1) over √n: 0 for signs.
    kurtosis = TRUTHS[name].moment(4)
    assert np.square(small).mean() == pytest.approx(1 / 50, rel=5 * np.sqrt((kurtosis - 1) / small.size) + 1e-12)


def test_a_law_that_is_not_there():
    with pytest.raises(ValueError, match="no law 'cauchy'; there are normal, uniform, rademacher"):
        Initialization("cauchy", 1.0)


def test_each_layer_of_a_network_has_its_own():
    networks = Networks((4, 6, 3), activation("relu"))
    laws = [Initialization("rademacher", 4.0), Initialization("rademacher", 1.5)]
    (w,) = networks.initial([np.random.default_rng(0)], laws)
    first, second = w[: 5 * 6].reshape(5, 6), w[5 * 6 :].reshape(7, 3)
    np.testing.assert_allclose(abs(first[:-1]), 1.0, rtol=1e-15)
    np.testing.assert_allclose(abs(second[:-1]), 0.5, rtol=1e-15)
    assert (first[-1] == 0).all() and (second[-1] == 0).all()
    with pytest.raises(ValueError, match="argument 2 is longer|zip"):
        networks.initial([np.random.default_rng(0)], laws[:1])


def test_networks_start_by_he_unless_told_otherwise():
    """Drawn layer by layer, as NumPy draws them."""
    generator = np.random.default_rng(5)
    by_hand = [generator.standard_normal((ins, outs)) * np.sqrt(2 / ins) for ins, outs in ((4, 6), (6, 3))]
    (w,) = Networks((4, 6, 3), activation("tanh")).initial([np.random.default_rng(5)])
    np.testing.assert_array_equal(w, np.concatenate([np.vstack([a, np.zeros(a.shape[1])]).ravel() for a in by_hand]))
    assert Initialization("normal", 2.0) == HE
