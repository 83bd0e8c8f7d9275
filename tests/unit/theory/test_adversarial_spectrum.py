"""Statistics of spectra on matrices made by hand; blind spots and noise by what defines them."""

import numpy as np
import pytest
from scipy import linalg

from ndgm.theory.adversarial_spectrum import (
    SMALLEST,
    invisible_perturbation,
    leading_subspaces,
    noisy_tail,
    projected_tails,
    relative_values,
    statistics,
    tail,
    tail_change,
)


def with_values(rng, values):
    """A matrix with given singular values and random singular vectors."""
    left, right = (linalg.qr(rng.standard_normal((len(values),) * 2))[0] for _ in range(2))
    return left @ np.diag(values) @ right


def test_statistics_of_given_singular_values_are_means_over_channels():
    rng = np.random.default_rng(0)
    spectra = np.array([[8.0, 4.0, 2.0, 1.0], [10.0, 1.0, 0.1, 0.01]])
    found = statistics(np.stack([with_values(rng, values) for values in spectra])[np.newaxis])
    assert found.smallest == pytest.approx([(np.log(1 / 8) + np.log(0.001)) / 2], rel=1e-10)
    assert found.slope == pytest.approx([(np.log(1 / 4) + np.log(0.01)) / 2], rel=1e-10)
    shares = [5 / 85, 0.0101 / 101.0101]
    assert found.tail == pytest.approx([np.log(shares).mean()], rel=1e-10)


def test_second_difference_of_matrices_made_by_hand():
    checkerboard = np.array([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 1.0]])  # every difference is ±2
    plane = np.add.outer(np.arange(3.0), 2 * np.arange(3.0))  # every difference is 0
    found = statistics(np.stack([checkerboard, plane])[:, np.newaxis])
    assert found.second_difference == pytest.approx([np.log(4), np.log(SMALLEST**2)])


def test_scale_and_turns_change_no_spectral_statistic():
    rng = np.random.default_rng(1)
    pictures = rng.uniform(size=(3, 2, 6, 6))
    turned = 0.3 * np.swapaxes(pictures, -2, -1)[..., ::-1, :]
    for one, other in zip(statistics(pictures)[:3], statistics(turned)[:3], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10)


def test_an_empty_border_counts_as_the_smallest_value_and_not_as_rounding():
    picture = np.zeros((1, 1, 8, 8))
    picture[..., 1:7, 1:7] = np.random.default_rng(2).uniform(size=(6, 6))
    assert statistics(picture).smallest == pytest.approx([np.log(SMALLEST)])
    np.testing.assert_array_equal(relative_values(picture)[0, 0, 6:], SMALLEST)
    np.testing.assert_array_equal(relative_values(np.zeros((3, 3))), [1, SMALLEST, SMALLEST])
    assert all(np.isfinite(each).all() for each in statistics(np.zeros((1, 1, 4, 4))))


@pytest.mark.parametrize("n", [5, 8, 28, 32])
@pytest.mark.parametrize("share", [0.1, 0.99])
def test_an_invisible_perturbation_leaves_the_tail_and_is_as_long_as_asked(n, share):
    rng = np.random.default_rng(n)
    matrix = rng.uniform(size=(n, n))
    added = invisible_perturbation(matrix, rng.standard_normal((n // 2, n // 2)), share)
    values, after = (linalg.svdvals(each) for each in (matrix, matrix + added))
    assert linalg.norm(added, 2) == pytest.approx(share * (values[n // 2 - 1] - values[n // 2]))
    np.testing.assert_allclose(after[n // 2 :], values[n // 2 :], atol=1e-12 * values[0])
    assert np.abs(after[: n // 2] - values[: n // 2]).max() > 1e-4 * share
    assert tail_change(matrix, matrix + added) < 1e-12


def test_a_perturbation_anywhere_else_or_too_long_is_seen():
    rng = np.random.default_rng(3)
    matrix = rng.uniform(size=(8, 8))
    added = invisible_perturbation(matrix, -np.eye(4), 0.9)
    assert tail_change(matrix, matrix + 4 * added) > 1e-3  # leading values have fallen below the tail
    assert tail_change(matrix, matrix + 1e-3 * rng.standard_normal((8, 8))) > 1e-6
    with pytest.raises(ValueError, match="share is 1.0, not between 0 and 1"):
        invisible_perturbation(matrix, np.eye(4), 1.0)


@pytest.mark.parametrize(("n", "size"), [(8, 0.5), (28, 0.1), (32, 0.02)])
def test_random_signs_add_their_floor_to_the_tail(n, size):
    rng = np.random.default_rng(n)
    matrix = with_values(rng, np.geomspace(10, 0.01, n))
    signs = rng.choice([-1.0, 1.0], (2000, n, n))
    found = projected_tails(matrix, matrix + size * signs)
    expected = np.square(linalg.svdvals(matrix)[n // 2 :]).sum() + size**2 * (n - n // 2) ** 2
    assert noisy_tail(matrix, size) == pytest.approx(expected)
    assert found.mean() == pytest.approx(expected, abs=5 * found.std() / np.sqrt(len(found)))
    assert noisy_tail(matrix, 0.0) == tail(matrix) == pytest.approx(projected_tails(matrix, matrix[None])[0], rel=1e-9)


def test_leading_subspaces_hold_the_best_approximation():
    rng = np.random.default_rng(4)
    matrices = rng.standard_normal((3, 2, 8, 8))
    left, right = leading_subspaces(matrices)
    kept = left @ np.swapaxes(left, -2, -1) @ matrices @ right @ np.swapaxes(right, -2, -1)
    rest = np.square(matrices - kept).sum((-2, -1))
    np.testing.assert_allclose(rest, np.square(linalg.svdvals(matrices.reshape(6, 8, 8))[:, 4:]).sum(1).reshape(3, 2))
