"""Data written to a file and read back, and files that are damaged or something else."""

import zipfile

import numpy as np
import pytest

from ndgm.data.networks import Samples, read_samples, teacher
from ndgm.data.regression import Regression, gaussian, read_regression
from ndgm.store.arrays import write_data
from ndgm.store.files import InputError


def small():
    return gaussian(np.random.default_rng(0), samples=30, features=5, nonzeros=2, noise=0.5)


def few():
    return teacher(np.random.default_rng(0), samples=30, features=3, units=4, noise=0.5)


FORMATS = {"design": (small, read_regression), "samples": (few, read_samples)}


@pytest.mark.parametrize(("make", "read"), FORMATS.values(), ids=FORMATS)
def test_written_data_are_read_back_and_their_bytes_are_fixed(tmp_path, make, read):
    data = make()
    write_data(tmp_path / "one.npz", data)
    write_data(tmp_path / "two.npz", make())
    back = read(tmp_path / "one.npz")
    assert type(back) is type(data)
    for found, written in zip(back, data, strict=True):
        np.testing.assert_array_equal(found, written, strict=True)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def damaged(whole: bytes):
    """The file truncated at many lengths, with one byte changed in many places, and things it is not."""
    yield from (whole[:length] for length in range(0, len(whole), 41))
    yield whole[:-1]
    for position in range(0, len(whole), 11):
        for bits in (0xFF, 0x01):
            yield whole[:position] + bytes([whole[position] ^ bits]) + whole[position + 1 :]
    yield b"design,target\n1,2\n"
    yield b"\x93NUMPY" + whole


@pytest.mark.parametrize(("make", "read"), FORMATS.values(), ids=FORMATS)
def test_damaged_data_are_an_input_error_that_names_the_file(tmp_path, make, read):
    path = tmp_path / "data.npz"
    data = make()
    write_data(path, data)
    refused = 0
    for content in damaged(path.read_bytes()):
        path.write_bytes(content)
        try:
            found = read(path)
        except InputError as fault:
            assert str(path) in str(fault) and "\n" not in str(fault)
            refused += 1
        else:
            # What is not the arrays may change unnoticed, such as a file date inside the archive.
            for array, written in zip(found, data, strict=True):
                np.testing.assert_array_equal(array, written)
    assert refused > 100


@pytest.mark.parametrize("read", [read_regression, read_samples])
def test_other_files_are_input_errors(tmp_path, read):
    path = tmp_path / "other.npz"
    with pytest.raises(InputError, match="other.npz: no such file"):
        read(path)
    np.savez(path, design=np.ones((3, 2)), inputs=np.ones((3, 2)))
    with pytest.raises(InputError, match="other.npz"):
        read(path)
    with path.open("wb") as file:
        np.save(file, np.ones(3))
    with pytest.raises(InputError, match="other.npz"):
        read(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("design.npy", "text")
        archive.writestr("inputs.npy", "text")
    with pytest.raises(InputError, match="other.npz"):
        read(path)


@pytest.mark.parametrize(("make", "read"), [(small, read_samples), (few, read_regression)])
def test_a_design_is_not_taken_for_samples_nor_samples_for_a_design(tmp_path, make, read):
    path = tmp_path / "other.npz"
    write_data(path, make())
    with pytest.raises(InputError, match="other.npz"):
        read(path)


@pytest.mark.parametrize(
    ("data", "read"),
    [
        (Regression(np.ones((3, 2)), np.ones(4)), read_regression),
        (Regression(np.ones((3, 2)), np.ones((3, 1))), read_regression),
        (Regression(np.ones(3), np.ones(3)), read_regression),
        (Samples(np.ones((3, 2)), np.ones((4, 1))), read_samples),
        (Samples(np.ones((3, 2)), np.ones(3)), read_samples),
        (Samples(np.ones(3), np.ones((3, 1))), read_samples),
        (Samples(np.ones((3, 2, 2)), np.ones((3, 1))), read_samples),
    ],
)
def test_shapes_that_do_not_fit_together_are_an_input_error(tmp_path, data, read):
    path = tmp_path / "wrong.npz"
    write_data(path, data)
    with pytest.raises(InputError, match="wrong.npz: .* do not fit together"):
        read(path)
