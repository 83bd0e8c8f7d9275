"""Designs and targets of linear models, held against scikit-learn and the generating law."""

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.preprocessing import PolynomialFeatures

from ndgm.data.regression import (
    autoregressive,
    csv,
    diabetes,
    diabetes_quadratic,
    duplicated,
    gaussian,
    orthogonal,
    standardised,
    without_signal,
)
from ndgm.store.files import InputError


def assert_standardised(data):
    columns = np.column_stack([data.design, data.target])
    np.testing.assert_allclose(columns.mean(0), 0, atol=1e-13)
    np.testing.assert_allclose(columns.std(0), 1, rtol=1e-13)


RNG = np.random.default_rng(0)  # where nothing is drawn


@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_columns_correlate_as_stated(correlation):
    samples, features = 20_000, 6
    sizes = {"samples": samples, "features": features, "nonzeros": 3, "noise": 1.0}
    data = autoregressive(np.random.default_rng(1), **sizes, correlation=correlation)
    assert_standardised(data)
    expected = np.array([[correlation ** abs(i - j) for j in range(features)] for i in range(features)])
    measured = data.design.T @ data.design / samples
    # Five standard errors of a correlation, (1 − ρ²)/√n, over 15 pairs; none on the diagonal.
    assert (np.abs(measured - expected) <= 5 * (1 - expected**2) / np.sqrt(samples) + 1e-12).all()


def test_gaussian_columns_are_those_without_correlation():
    sizes = {"samples": 30, "features": 4, "nonzeros": 2, "noise": 1.0}
    one = gaussian(np.random.default_rng(6), **sizes)
    other = autoregressive(np.random.default_rng(6), **sizes, correlation=0.0)
    np.testing.assert_array_equal(one.design, other.design)
    np.testing.assert_array_equal(one.target, other.target)


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
    data, table = diabetes(RNG), load_diabetes()
    assert_standardised(data)
    # Scaled by scikit-learn, columns have mean 0 and length 1.
    np.testing.assert_allclose(data.design / np.sqrt(442), table.data, atol=1e-12)
    assert np.corrcoef(data.target, table.target)[0, 1] == pytest.approx(1, rel=1e-12)


def test_quadratic_diabetes_is_the_expansion_to_64_columns_without_the_square_of_sex():
    data, table = diabetes_quadratic(RNG), load_diabetes()
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
    for data in (drawn, diabetes_quadratic(RNG)):
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


def test_orthogonal_columns_have_no_sample_correlation():
    data = orthogonal(np.random.default_rng(7), samples=40, features=30, nonzeros=3, noise=1.0)
    assert_standardised(data)
    np.testing.assert_allclose(data.design.T @ data.design / 40, np.eye(30), atol=1e-13)


def test_duplicated_columns_come_twice():
    data = duplicated(np.random.default_rng(8), samples=40, features=6, nonzeros=3, noise=1.0)
    assert_standardised(data)
    np.testing.assert_array_equal(data.design[:, :3], data.design[:, 3:])


@pytest.mark.parametrize(("make", "features"), [(orthogonal, 40), (duplicated, 5)])
def test_columns_that_there_cannot_be_are_said(make, features):
    with pytest.raises(InputError, match=f"{features} columns"):
        make(RNG, samples=40, features=features, nonzeros=3, noise=1.0)


def test_a_table_of_your_own_is_scikit_learns_where_that_is_in_it(tmp_path):
    table = load_diabetes(scaled=False, as_frame=True).frame
    table.to_csv(tmp_path / "mine.csv", index=False)
    found, theirs = csv(RNG, file=str(tmp_path / "mine.csv")), diabetes(RNG)
    np.testing.assert_allclose(found.design, theirs.design, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.target, theirs.target, rtol=0, atol=1e-12)


def test_names_and_truth_values_are_what_they_say(tmp_path):
    """As pandas writes a table of indicators; a column may be called what pandas takes for no value."""
    (tmp_path / "mine.csv").write_text("NA, null,y\nTrue,1,3\nFalse, 2,4\nTrue,7,9\n")
    found = csv(RNG, file=str(tmp_path / "mine.csv"))
    wanted = standardised(np.array([[1.0, 1], [0, 2], [1, 7]]), np.array([3.0, 4, 9]))
    np.testing.assert_array_equal(found.design, wanted.design)
    np.testing.assert_array_equal(found.target, wanted.target)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (None, "no such file"),
        ("", "not a table of comma-separated values (No columns to parse from file)"),
        ("a,b\n1,2\n1,2,3,4\n", "not a table of comma-separated values (Error tokenizing data."),
        ("1.5,2\n3,4\n5,7\n", "column 1 is named 1.5, a number: the first line names the columns"),
        ("a,\n3,4\n5,7\n", "column 2 has no name: the first line names the columns"),
        (" ,b\n3,4\n5,7\n", "column 1 has no name: the first line names the columns"),
        ("a,b\n3,4\n5\n", "row 2, column b: nothing is not a finite number"),
        ("a,b\n3,4\nNA,7\n", "row 2, column a: NA is not a finite number"),
        ("a,b\n1,0\n-1,0\n2,1\n-2,1\n", "the target correlates with no column"),
        ("a,b\n", "0 rows of 2 columns are no design with a target"),
        ("a\n1\n2\n", "2 rows of 1 columns are no design with a target"),
        ("a,b\n1,2\n3,four\n", "row 2, column b: four is not a finite number"),
        ("a,b\n1,\n3,4\n", "row 1, column b: nothing is not a finite number"),
        ("a,b\n1,2\ninf,4\n", "row 2, column a: inf is not a finite number"),
        ("a,b,c\n1,5,2\n2,5,4\n", "all numbers of column 2 are equal"),
        ("a,b\n1,4\n3,4\n", "all numbers of the target are equal"),
        ("a,b,c\n1,1e200,2\n2,5,4\n", "column 2 has numbers up to 1e+200, too large to be scaled"),
        ("a,b\n1e-200,1\n2e-200,5\n4e-200,3\n", "column 1 has numbers up to 4e-200, too small to be scaled"),
        ("a,b\n1,-1e160\n2,5\n", "the target has numbers up to 1e+160, too large to be scaled"),
        ('a,b\n1,2\n3,"f\nour"\n', "row 2, column b: f our is not a finite number"),
        (f"a,b\n1,2\n3,{'9' * 400}\n", f"row 2, column b: {'9' * 80} is not a finite number"),
    ],
)
def test_a_table_that_is_no_design_is_told_by_its_file(tmp_path, text, fault):
    file = tmp_path / "mine.csv"
    if text is not None:
        file.write_text(text)
    with pytest.raises(InputError) as told:
        csv(RNG, file=str(file))
    assert str(told.value).startswith(f"{file}: {fault}")


@pytest.mark.parametrize("value", [0.0, 7.3, -1e9])
def test_what_has_no_scale_is_named(value):
    design, target = np.column_stack([np.arange(7.0), np.full(7, value)]), np.arange(7.0)
    with pytest.raises(InputError, match="all numbers of column 2 are equal"):
        standardised(design, target)
    with pytest.raises(InputError, match="all numbers of the target are equal"):
        standardised(design[:, :1], np.full(7, value))
