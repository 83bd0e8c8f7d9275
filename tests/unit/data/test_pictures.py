"""Pictures split in two: pixels of the tables, between 0 and 1, none twice, and their shape."""

import numpy as np
import pytest

from ndgm.data.pictures import as_matrices, cifar10_pictures, digit_pictures, mnist_pictures, split_pictures
from ndgm.data.tables import digits_table, mnist_table
from ndgm.store.files import InputError

GREY = [(digit_pictures, digits_table, 8, 16), (mnist_pictures, mnist_table, 28, 255)]


@pytest.mark.parametrize(("source", "table", "side", "white"), GREY)
def test_pictures_are_those_of_the_table_each_with_its_class(source, table, side, white):
    split = source(np.random.default_rng(3), train=200, test=90)
    assert split.fits() and [len(half.inputs) for half in (split.train, split.test)] == [200, 90]
    pixels, classes = table()
    pixels = (pixels * (255 / white)).round().astype(np.uint8)
    known = {picture.tobytes(): label for picture, label in zip(pixels, classes, strict=True)}
    found = np.concatenate([split.train_inputs, split.test_inputs])
    levels = (found * 255).round().astype(np.uint8)
    np.testing.assert_array_equal(levels / 255, found)  # exactly multiples of 1/255
    assert [known[picture.tobytes()] for picture in levels] == [
        *split.train_targets.argmax(1),
        *split.test_targets.argmax(1),
    ]
    assert len({picture.tobytes() for picture in levels}) == 290  # so no picture is in both parts
    assert as_matrices(found).shape == (290, 1, side, side)
    np.testing.assert_array_equal(as_matrices(found)[5, 0, 2], found[5, 2 * side : 3 * side])


def test_colour_pictures_have_their_channels_one_after_the_other(tmp_path, archive, records):
    table = records(12)
    path = archive(tmp_path / "a.tar.gz", {"x/data_batch_1.bin": table.tobytes()})
    split = cifar10_pictures(np.random.default_rng(0), file=path, train=8, test=4)
    rows = np.random.default_rng(0).permutation(12)
    np.testing.assert_array_equal(split.test_inputs, table[rows[8:], 1:] / 255)
    np.testing.assert_array_equal(split.test_targets.argmax(1), table[rows[8:], 0])
    matrices = as_matrices(split.test_inputs)
    assert matrices.shape == (4, 3, 32, 32)
    np.testing.assert_array_equal(matrices[0, 2, 1], split.test_inputs[0, 2 * 1024 + 32 : 2 * 1024 + 64])
    with pytest.raises(InputError, match="a.tar.gz: not the binary version of CIFAR-10 with 13 pictures or more"):
        cifar10_pictures(np.random.default_rng(0), file=path, train=8, test=5)


def test_which_pictures_is_decided_by_the_generator():
    one, same, other = (digit_pictures(np.random.default_rng(seed), train=20, test=10) for seed in (1, 1, 2))
    for array, again in zip(one, same, strict=True):
        np.testing.assert_array_equal(array, again)
    assert (one.train_inputs != other.train_inputs).any()


def test_what_does_not_fit_is_said():
    with pytest.raises(InputError, match="3 and 2 pictures are more than the 4 that there are"):
        split_pictures(np.random.default_rng(0), np.zeros((4, 9)), np.zeros(4, dtype=int), 3, 2)
    with pytest.raises(ValueError, match="10 pixels are no square picture"):
        as_matrices(np.zeros((2, 10)))
