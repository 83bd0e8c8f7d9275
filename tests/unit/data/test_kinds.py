"""Data written to a file and read back as what they are, and files that are damaged or something else."""

import zipfile

import numpy as np
import pytest

from ndgm.data.kinds import KINDS, Classes, Regression, Samples, Split, Weights, read_data
from ndgm.store.arrays import write_arrays, write_data
from ndgm.store.files import InputError


def example(kind):
    """Small data of a kind: as many rows in every array, so that they fit together."""
    rng = np.random.default_rng(0)
    return kind(*(rng.standard_normal(9 if name == "target" else (9, 3)) for name in kind._fields))


@pytest.mark.parametrize("kind", KINDS)
def test_written_data_are_read_back_and_their_bytes_are_fixed(tmp_path, kind):
    data = example(kind)
    write_data(tmp_path / "one.npz", data)
    write_data(tmp_path / "two.npz", example(kind))
    back = read_data(tmp_path / "one.npz")
    assert type(back) is kind and back.fits()
    for found, written in zip(back, data, strict=True):
        np.testing.assert_array_equal(found, written, strict=True)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_data_are_an_input_error_that_names_the_file(damaged, tmp_path, kind):
    path = tmp_path / "data.npz"
    data = example(kind)
    write_data(path, data)
    refused = 0
    for content in damaged(path.read_bytes()):
        path.write_bytes(content)
        try:
            found = read_data(path)
        except InputError as fault:
            assert str(path) in str(fault) and "\n" not in str(fault)
            refused += 1
        else:
            # What is not the arrays may change unnoticed, such as a file date inside the archive.
            for array, written in zip(found, data, strict=True):
                np.testing.assert_array_equal(array, written)
    assert refused > 40


def test_other_files_are_input_errors(tmp_path):
    path = tmp_path / "other.npz"
    with pytest.raises(InputError, match="other.npz: no such file"):
        read_data(path)
    np.savez(path)
    with pytest.raises(InputError, match="other.npz: no arrays: not a kind of data"):
        read_data(path)
    np.savez(path, design=np.ones((3, 2)), inputs=np.ones((3, 2)))
    with pytest.raises(InputError, match="other.npz: design, inputs: not a kind of data"):
        read_data(path)
    with path.open("wb") as file:
        np.save(file, np.ones(3))
    with pytest.raises(InputError, match="other.npz"):
        read_data(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("design.npy", "text")
        archive.writestr("target.npy", "text")
    with pytest.raises(InputError, match="other.npz"):
        read_data(path)


def test_no_kind_is_taken_for_another():
    names = [frozenset(kind._fields) for kind in KINDS]
    assert len(set(names)) == len(KINDS)


def test_halves_of_a_split():
    split = Split(*(np.full((rows, 2), rows) for rows in (5, 5, 3, 3)))
    assert split.train.inputs.shape == split.train.targets.shape == (5, 2)
    assert split.test.inputs.shape == split.test.targets.shape == (3, 2)


@pytest.mark.parametrize(
    "data",
    [
        Regression(np.ones((3, 2)), np.ones(4)),
        Regression(np.ones((3, 2)), np.ones((3, 1))),
        Regression(np.ones(3), np.ones(3)),
        Samples(np.ones((3, 2)), np.ones((4, 1))),
        Samples(np.ones((3, 2)), np.ones(3)),
        Samples(np.ones(3), np.ones((3, 1))),
        Samples(np.ones((3, 2, 2)), np.ones((3, 1))),
        Split(np.ones((3, 2)), np.ones((3, 1)), np.ones((4, 2)), np.ones((3, 1))),
        Split(np.ones((3, 2)), np.ones((3, 1)), np.ones((4, 5)), np.ones((4, 1))),
        Classes(np.ones(3)),
        Weights(np.ones((3, 2, 2))),
    ],
)
def test_shapes_that_do_not_fit_together_are_an_input_error(tmp_path, data):
    path = tmp_path / "wrong.npz"
    write_data(path, data)
    with pytest.raises(InputError, match="wrong.npz: .* do not fit together"):
        read_data(path)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (lambda design: 0 * design, "design is 0 everywhere"),
        (lambda design: design[:0], "design is empty"),
        (lambda design: design + np.inf, "design has one that is not finite"),
        (lambda design: design.astype(str), "design holds no numbers"),
    ],
    ids=["zero", "empty", "infinite", "text"],
)
def test_arrays_of_the_right_shape_and_the_wrong_numbers(tmp_path, change, wrong):
    design = change(np.arange(6.0).reshape(3, 2))
    write_arrays(tmp_path / "data.npz", {"design": design, "target": np.ones(len(design))})
    with pytest.raises(InputError, match=f"data.npz: expected finite numbers that are not all 0, and {wrong}; remove"):
        read_data(tmp_path / "data.npz")
