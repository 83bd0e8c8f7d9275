"""Designs and targets, held against scikit-learn and the generating law."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits
from sklearn.preprocessing import PolynomialFeatures

from ndgm.data.networks import SAMPLERS, digits, teacher
from ndgm.data.regression import diabetes, gaussian, load_design, without_signal
from ndgm.store.files import InputError


def assert_standardised(data):
    columns = np.column_stack([data.design, data.target])
    np.testing.assert_allclose(columns.mean(0), 0, atol=1e-13)
    np.testing.assert_allclose(columns.std(0), 1, rtol=1e-13)


@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_gaussian_columns_correlate_as_stated(correlation):
    samples, features = 20_000, 6
    data = gaussian(
        np.random.default_rng(1), samples=samples, features=features, nonzeros=3, noise=1.0, correlation=correlation
    )
    assert_standardised(data)
    expected = np.array([[correlation ** abs(i - j) for j in range(features)] for i in range(features)])
    measured = data.design.T @ data.design / samples
    # Five standard errors of a correlation, (1 − ρ²)/√n, over 15 pairs; none on the diagonal.
    assert (np.abs(measured - expected) <= 5 * (1 - expected**2) / np.sqrt(samples) + 1e-12).all()


@pytest.mark.parametrize("nonzeros", [0, 1, 4, 9])
def test_gaussian_without_noise_has_the_stated_weights(nonzeros):
    features = 9
    rng = np.random.default_rng(2)
    data = gaussian(rng, samples=2_000, features=features, nonzeros=nonzeros, noise=0.0 if nonzeros else 1.0)
    weights = np.linalg.lstsq(data.design, data.target)[0]
    if not nonzeros:
        assert np.abs(weights).max() < 5 / np.sqrt(2_000)
        return
    # Standardising rescales: all weights are ±1/√nonzeros, give or take the columns' sample scales.
    large = np.abs(weights) > 1e-10
    assert large.sum() == nonzeros
    np.testing.assert_allclose(np.abs(weights[large]), 1 / np.sqrt(nonzeros), rtol=0.15)
    assert abs(np.sign(weights[large]).sum()) == nonzeros % 2
    np.testing.assert_allclose(data.design @ weights, data.target, atol=1e-10)


def test_noise_of_the_target():
    rng = np.random.default_rng(3)
    data = gaussian(rng, samples=20_000, features=8, nonzeros=4, noise=3.0)
    residual = data.target - data.design @ np.linalg.lstsq(data.design, data.target)[0]
    # Of the target's variance, 4 + 3², the noise is 9/13; its standard error is below √(2/n) relative.
    assert residual.var() == pytest.approx(9 / 13, rel=5 * np.sqrt(2 / 20_000))


def test_support_is_in_random_places():
    rng = np.random.default_rng(4)
    data = [gaussian(rng, samples=40, features=6, nonzeros=2, noise=0.0) for _ in range(10)]
    supports = {tuple(np.flatnonzero(np.abs(np.linalg.lstsq(*one)[0]) > 1e-10)) for one in data}
    assert len(supports) > 3


def test_diabetes_is_scikit_learns_table():
    data, table = diabetes(), load_diabetes()
    assert_standardised(data)
    # Scaled by scikit-learn, columns have mean 0 and length 1.
    np.testing.assert_allclose(data.design / np.sqrt(442), table.data, atol=1e-12)
    assert np.corrcoef(data.target, table.target)[0, 1] == pytest.approx(1, rel=1e-12)


def test_quadratic_diabetes_is_the_expansion_to_64_columns_without_the_square_of_sex():
    data, table = diabetes(quadratic=True), load_diabetes()
    assert_standardised(data)
    expansion = PolynomialFeatures(2, include_bias=False).fit(table.data, table.feature_names)
    names = expansion.get_feature_names_out(table.feature_names)
    expected = expansion.transform(table.data)[:, names != "sex^2"]
    assert data.design.shape == expected.shape == (442, 64)
    correlations = np.corrcoef(data.design.T, expected.T)[:64, 64:]
    # Each column of ours is one of theirs, and each of theirs is there once.
    matches = correlations > 1 - 1e-10
    assert (matches.sum(0) == 1).all() and (matches.sum(1) == 1).all()


def test_without_signal_nothing_correlates_and_the_design_stays():
    drawn = gaussian(np.random.default_rng(0), samples=30, features=5, nonzeros=2, noise=0.5)
    for data in (drawn, diabetes(quadratic=True)):
        silent = without_signal(data)
        assert_standardised(silent)
        np.testing.assert_allclose(silent.design, data.design, atol=1e-12)
        np.testing.assert_allclose(silent.design.T @ silent.target / len(silent.target), 0, atol=1e-12)


@pytest.mark.parametrize(("samples", "features"), [(10, 10), (10, 9), (10, 20)])
def test_a_design_that_fits_exactly_leaves_no_noise(samples, features):
    # The residual was rounding, which standardising blew up to a target of variance one.
    data = gaussian(np.random.default_rng(5), samples=samples, features=features, nonzeros=2, noise=1.0)
    with pytest.raises(InputError, match=f"{features} features fit {samples} samples exactly"):
        without_signal(data)


def rows_and_classes(data):
    """Which rows of scikit-learn's table the inputs are, and the classes that the targets say."""
    table = load_digits()
    levels = np.diff(np.sort(data.inputs, axis=0), axis=0)
    apart = (data.inputs - data.inputs[0]) / levels[levels > 1e-9].min()  # in levels of grey, 0 to 16
    np.testing.assert_allclose(apart, apart.round(), atol=1e-9)
    apart, pictures = apart.round().astype(int), table.data.astype(int)
    place = {picture.tobytes(): row for row, picture in enumerate(pictures)}
    assert len(place) == len(pictures)
    # Pixels are known up to what all pictures share, so the first one is sought with which all others are in the table.
    first = next(first for first in pictures if all((first + other).tobytes() in place for other in apart))
    rows = np.array([place[(first + other).tobytes()] for other in apart])
    centred = table.data[rows] - table.data[rows].mean(0)
    np.testing.assert_allclose(data.inputs, centred / centred.std(), atol=1e-12)
    return rows, data.targets.argmax(1)


# Of 100 a share of 0.29 is 28.999999999999996 in floating point.
@pytest.mark.parametrize(
    ("samples", "wrong", "mistakes"), [(100, 0.0, 0), (200, 0.2, 40), (30, 1.0, 30), (100, 0.29, 29)]
)
def test_digits_are_scikit_learns_with_a_share_of_wrong_classes(samples, wrong, mistakes):
    data = digits(np.random.default_rng(7), samples=samples, wrong=wrong)
    assert data.inputs.shape == (samples, 64) and data.targets.shape == (samples, 10)
    np.testing.assert_allclose(data.inputs.mean(0), 0, atol=1e-13)
    assert data.inputs.std() == pytest.approx(1, rel=1e-13)
    assert set(np.unique(data.targets)) == {0.0, 1.0} and (data.targets.sum(1) == 1).all()
    rows, classes = rows_and_classes(data)
    assert len(set(rows)) == samples
    assert (classes != load_digits().target[rows]).sum() == mistakes


def test_a_wrong_class_is_any_other_and_wrong_pictures_are_any():
    samples = 1797
    rows, classes = rows_and_classes(digits(np.random.default_rng(8), samples=samples, wrong=1.0))
    np.testing.assert_array_equal(np.sort(rows), np.arange(samples))
    shifts = np.bincount((classes - load_digits().target[rows]) % 10, minlength=10)
    # Five standard errors of a count with nine places to fall.
    assert shifts[0] == 0 and np.abs(shifts[1:] - samples / 9).max() < 5 * np.sqrt(samples * 8) / 9
    rows, classes = rows_and_classes(digits(np.random.default_rng(8), samples=samples, wrong=0.5))
    mistaken = classes != load_digits().target[rows]
    # Of the first half of the pictures about a half are wrong, not all or none: five hypergeometric standard errors.
    assert abs(mistaken[: samples // 2].mean() - 0.5) < 5 * np.sqrt(0.25 / samples)
    # The classes themselves do not say which are wrong.
    assert np.abs(np.bincount(classes[mistaken], minlength=10) - samples / 20).max() < 5 * np.sqrt(samples / 20)


def test_a_random_subset_of_the_digits_does_not_depend_on_the_share_that_is_wrong():
    clean, noisy = (digits(np.random.default_rng(9), samples=50, wrong=wrong) for wrong in (0.0, 0.4))
    np.testing.assert_array_equal(clean.inputs, noisy.inputs)
    assert (clean.targets != noisy.targets).any(1).sum() == 20
    other = digits(np.random.default_rng(10), samples=50, wrong=0.0)
    assert set(rows_and_classes(other)[0]) != set(rows_and_classes(clean)[0])


OPTIONS = {
    "digits": {"samples": 60, "wrong": 0.3},
    "teacher": {"samples": 60, "features": 5, "units": 4, "noise": 0.3},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_samples_are_decided_by_the_generator(name):
    one, same, other = (SAMPLERS[name](np.random.default_rng(seed), **OPTIONS[name]) for seed in (10, 10, 11))
    for array, again, another in zip(one, same, other, strict=True):
        np.testing.assert_array_equal(array, again)
        assert array.shape == another.shape and (array != another).any()


@pytest.mark.parametrize(("samples", "features", "units"), [(40, 1, 1), (500, 8, 8), (30, 50, 3)])
def test_a_teacher_without_noise(samples, features, units):
    data = teacher(np.random.default_rng(12), samples=samples, features=features, units=units, noise=0.0)
    assert data.inputs.shape == (samples, features) and data.targets.shape == (samples, 1)
    for array in data:
        assert array.mean() == pytest.approx(0, abs=1e-13) and array.std() == pytest.approx(1, rel=1e-13)


def kinks(x, y):
    """Number of places where the slope of a function, known at many points, jumps."""
    order = np.argsort(x)[::20]  # neighbours so near that their difference is rounding are left out
    x, y = x[order], y[order]
    slope = np.diff(y) / np.diff(x)
    # A smooth unit bends its slope between neighbours by little. A kink changes one or two differences of slopes.
    jumps = np.flatnonzero(np.abs(np.diff(slope)) > 0.1)
    return int((np.diff(jumps, prepend=-9) > 1).sum())


def test_a_teacher_is_a_function_of_its_inputs_and_half_of_its_units_have_a_kink():
    found = {1: [], 2: [], 4: []}
    for units, seed in [(units, seed) for units in found for seed in range(8)]:
        x, y = teacher(np.random.default_rng(seed), samples=200_000, features=1, units=units, noise=0.0)
        x, y = x[:, 0], y[:, 0]
        inner = np.abs(x) < 2
        found[units].append(kinks(x[inner], y[inner]))
    # A kink may be out of sight, or too flat, or beside another one.
    assert {units: max(counts) for units, counts in found.items()} == {1: 0, 2: 1, 4: 2}


def test_noise_of_a_teacher_is_independent_and_adds_its_variance():
    samples, noise = 20_000, 0.5
    clean, noisy = (
        teacher(np.random.default_rng(13), samples=samples, features=4, units=6, noise=size) for size in (0.0, noise)
    )
    np.testing.assert_array_equal(clean.inputs, noisy.inputs)
    added = (noisy.targets - clean.targets)[:, 0]
    # Five standard errors: of a variance √(2/n) relative, of a mean and of a correlation 1/√n.
    error = 5 / np.sqrt(samples)
    assert added.var() == pytest.approx(noise**2, rel=np.sqrt(2) * error)
    assert abs(added.mean()) < noise * error
    assert np.abs(np.corrcoef(added, np.column_stack([clean.targets, clean.inputs]).T)[0, 1:]).max() < error
    assert noisy.targets.var() == pytest.approx(1 + noise**2, rel=2 * error)


def test_teachers_of_two_generators_are_independent():
    samples, features = 20_000, 4
    options = {"samples": samples, "features": features, "units": 6, "noise": 0.0}
    one, other = (teacher(np.random.default_rng(seed), **options) for seed in (14, 15))
    columns = np.column_stack([one.inputs, other.inputs])
    # Five standard errors of a correlation of Gaussian columns that have none.
    assert np.abs(np.corrcoef(columns.T) - np.eye(2 * features)).max() < 5 / np.sqrt(samples)
    # The networks differ too, not only what goes into them.
    slopes = [np.linalg.lstsq(data.inputs, data.targets)[0][:, 0] for data in (one, other)]
    assert abs(np.dot(*slopes) / np.prod(np.linalg.norm(slopes, axis=1))) < 0.99


def test_load_design_passes_the_config_on():
    sizes = {"samples": 50, "features": 4, "nonzeros": 2, "noise": 1.0}
    made = load_design({"source": "autoregressive", "correlation": 0.99, **sizes}, np.random.default_rng(6))
    assert made.design.shape == (50, 4)
    assert np.corrcoef(made.design.T)[0, 1] > 0.9
    assert abs(np.corrcoef(load_design({"source": "gaussian", **sizes}, np.random.default_rng(6)).design.T)[0, 1]) < 0.7
    assert load_design({"source": "diabetes"}, None).design.shape == (442, 10)
    assert load_design({"source": "diabetes_quadratic"}, None).design.shape == (442, 64)
