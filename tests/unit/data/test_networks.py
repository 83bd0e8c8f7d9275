"""Inputs and targets of networks, held against scikit-learn's table and the generating law."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

from ndgm.data.networks import digits, split_digits, teacher


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


def test_the_digits_are_cut_in_two_without_overlap():
    split = split_digits(np.random.default_rng(0), test=360)
    train, test = split.train, split.test
    assert [len(half.inputs) for half in (train, test)] == [1437, 360]
    assert abs(train.inputs.mean()) < 1e-12 and train.inputs.std() == pytest.approx(1)
    raw = np.concatenate([train.inputs, test.inputs])
    assert len(np.unique(raw.round(9), axis=0)) == len(raw)  # no picture is there twice, so none is in both halves
    targets = np.concatenate([train.targets, test.targets])
    assert (targets.sum(0) == np.bincount(load_digits().target)).all()


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
