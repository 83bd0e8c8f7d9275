"""CIFAR-10 from archives in the format of the binary version, made up here; and smoothed labels."""

from pathlib import Path

import numpy as np
import pytest

from ndgm.data.networks import cifar10, class_targets, digits
from ndgm.store.files import InputError

FOLDER = "cifar-10-batches-bin"
FIRST = f"{FOLDER}/data_batch_1.bin"
PIXELS = 3 * 32 * 32


def records(batch, count=8):
    """Pictures whose first three pixels tell the batch, the place and the class."""
    rng = np.random.default_rng(batch)
    pixels = rng.integers(256, size=(count, PIXELS), dtype=np.uint8)
    classes = rng.integers(10, size=(count, 1), dtype=np.uint8)
    pixels[:, 0], pixels[:, 1], pixels[:, 2] = 10 * batch, np.arange(count), 20 * classes[:, 0]
    return np.concatenate([classes, pixels], 1)


@pytest.fixture
def whole(tmp_path, archive):
    """Five batches in another order than that of their names, the test batch, and a text."""
    contents = {f"{FOLDER}/data_batch_{batch}.bin": records(batch).tobytes() for batch in (3, 1, 5, 2, 4)}
    contents |= {f"{FOLDER}/test_batch.bin": records(9).tobytes(), f"{FOLDER}/batches.meta.txt": b"airplane\n"}
    return archive(tmp_path / "cifar-10-binary.tar.gz", contents)


def test_all_pictures_for_training_and_no_others(whole):
    data = cifar10(np.random.default_rng(0), file=whole, samples=40)
    assert data.inputs.shape == (40, PIXELS) and data.targets.shape == (40, 10)
    np.testing.assert_allclose(data.inputs.mean(0), 0, atol=1e-13)
    assert data.inputs.std() == pytest.approx(1, rel=1e-13)
    table = np.concatenate([records(batch) for batch in range(1, 6)])[np.random.default_rng(0).permutation(40)]
    pixels = table[:, 1:].astype(float)
    np.testing.assert_allclose(data.inputs, (pixels - pixels.mean(0)) / (pixels - pixels.mean(0)).std(), rtol=1e-12)
    np.testing.assert_array_equal(data.targets.argmax(1), table[:, 0])


def test_the_subset_is_decided_by_the_generator(whole):
    one, same, other = (cifar10(np.random.default_rng(seed), file=whole, samples=7) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.inputs, same.inputs)
    assert (one.inputs != other.inputs).any()


@pytest.mark.parametrize(
    ("contents", "samples"),
    [
        ({}, 1),
        ({FIRST: records(1).tobytes()[:-1]}, 1),
        ({FIRST: records(1).tobytes()}, 9),
        ({FIRST: (records(1) + 10).tobytes()}, 1),
    ],
    ids=["empty", "cut off", "too few", "no classes"],
)
def test_an_archive_of_something_else(tmp_path, archive, contents, samples):
    path = archive(tmp_path / "other.tar.gz", contents)
    with pytest.raises(InputError, match="other.tar.gz: not the binary version of CIFAR-10") as fault:
        cifar10(np.random.default_rng(0), file=path, samples=samples)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("keep", [0, 10, 0.5])
def test_a_file_that_is_no_archive(tmp_path, whole, keep):
    content = Path(whole).read_bytes()
    path = tmp_path / "half.tar.gz"
    path.write_bytes(content[: int(keep * len(content)) if keep < 1 else keep])
    with pytest.raises(InputError, match="half.tar.gz: not the binary version of CIFAR-10"):
        cifar10(np.random.default_rng(0), file=str(path), samples=1)


def test_an_archive_that_is_not_there(tmp_path):
    with pytest.raises(InputError, match="none.tar.gz: no such file; .* from https://"):
        cifar10(np.random.default_rng(0), file=str(tmp_path / "none.tar.gz"), samples=1)


def test_smoothed_labels():
    classes = np.array([3, 0, 9])
    np.testing.assert_array_equal(class_targets(classes, 0.0), np.eye(10)[classes])
    smoothed = class_targets(classes, 0.4)
    np.testing.assert_allclose(smoothed.sum(1), 1, rtol=1e-15)
    np.testing.assert_allclose(smoothed[0], [0.04] * 3 + [0.64] + [0.04] * 6, rtol=1e-14)


def test_digits_are_smoothed_as_asked_and_otherwise_the_same():
    plain, smoothed = (digits(np.random.default_rng(0), samples=20, wrong=0.5, smoothing=s) for s in (0.0, 0.3))
    np.testing.assert_array_equal(plain.inputs, smoothed.inputs)
    np.testing.assert_allclose(smoothed.targets, 0.7 * plain.targets + 0.03, rtol=1e-14)
