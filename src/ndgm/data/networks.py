"""Inputs and targets that networks are trained on."""

import numpy as np

from ndgm.data.kinds import Samples, Split
from ndgm.data.tables import cifar10_table, digits_table, mnist_table


def digits(rng: np.random.Generator, *, samples: int, wrong: float, smoothing: float = 0.0) -> Samples:
    """Handwritten digits of 8 × 8 pixels, a random subset; targets are those of `class_targets`, a share of them wrong.

    Source: scikit-learn's copy of the test set of Alpaydin and Kaynak (1998), 1,797 pictures.
    """
    pixels, classes = digits_table()
    return _subset(rng, pixels, classes, samples, wrong, smoothing)


def mnist(rng: np.random.Generator, *, samples: int, wrong: float, smoothing: float = 0.0) -> Samples:
    """Handwritten digits of 28 × 28 pixels, a random subset of 5,000; targets as those of `digits`.

    Source: `mnist_table`.
    """
    pixels, classes = mnist_table()
    return _subset(rng, pixels, classes, samples, wrong, smoothing)


def cifar10(rng: np.random.Generator, *, file: str, samples: int, smoothing: float = 0.0) -> Samples:
    """Colour pictures of 32 × 32 pixels, a random subset of the 50,000 for training; targets by `class_targets`.

    Args:
        rng: Chooses the subset.
        file: Path of `cifar-10-binary.tar.gz`.
        samples: Size of the subset.
        smoothing: As for `class_targets`.

    Raises:
        InputError: if the archive is missing, is something else or holds fewer pictures.
    """
    pixels, classes = cifar10_table(file, samples)
    rows = rng.permutation(len(pixels))[:samples]
    return Samples(_contrast(pixels[rows].astype(np.float64)), class_targets(classes[rows], smoothing))


def teacher(rng: np.random.Generator, *, samples: int, features: int, units: int, noise: float) -> Samples:
    """Gaussian inputs, and the output of a random network of one hidden layer plus noise·ε.

    One half of the teacher's units are ReLU and the other tanh, so that neither kind of student has its activation. Its
    output is scaled to mean 0 and variance 1 before noise is added.
    """
    inputs = rng.standard_normal((samples, features))
    before = inputs @ rng.standard_normal((features, units)) / np.sqrt(features) + rng.standard_normal(units)
    kinked = np.arange(units) < units // 2
    output = np.where(kinked, np.maximum(before, 0), np.tanh(before)) @ rng.standard_normal((units, 1))
    output = (output - output.mean()) / output.std()
    return Samples((inputs - inputs.mean()) / inputs.std(), output + noise * rng.standard_normal((samples, 1)))


def split_digits(rng: np.random.Generator, *, test: int) -> Split:
    """All handwritten digits at random cut in two: those to train on, and `test` others.

    Both are centred and scaled as the former are; targets are one-hot classes. Source: as for `digits`.
    """
    pixels, classes = digits_table()
    return _split(rng, pixels, classes, test)


def split_mnist(rng: np.random.Generator, *, test: int) -> Split:
    """All 5,000 handwritten digits of 28 × 28 pixels, cut in two as `split_digits` cuts. Source: `mnist_table`."""
    pixels, classes = mnist_table()
    return _split(rng, pixels, classes, test)


def class_targets(classes: np.ndarray, smoothing: float) -> np.ndarray:
    """One-hot targets of ten classes, with the share `smoothing` of each spread evenly over all."""
    return (1 - smoothing) * np.eye(10)[classes] + smoothing / 10


def _contrast(pictures: np.ndarray) -> np.ndarray:
    """Pictures less their mean, for what all pictures share would only slow the training, with variance 1 over all."""
    pictures = pictures - pictures.mean(0)
    return pictures / pictures.std()


def _subset(
    rng: np.random.Generator, pixels: np.ndarray, classes: np.ndarray, samples: int, wrong: float, smoothing: float
) -> Samples:
    """A random subset of a table of pictures, a share of its classes wrong."""
    rows = rng.permutation(len(pixels))[:samples]
    classes = classes[rows].astype(np.int64)
    mistaken = rng.permutation(samples)[: round(wrong * samples)]
    classes[mistaken] = (classes[mistaken] + rng.integers(1, 10, size=len(mistaken))) % 10
    return Samples(_contrast(pixels[rows].astype(np.float64)), class_targets(classes, smoothing))


def _split(rng: np.random.Generator, pixels: np.ndarray, classes: np.ndarray, test: int) -> Split:
    """A table of pictures split in two at random, both centred and scaled as those to train on are."""
    rows = rng.permutation(len(pixels))
    first = pixels[rows[test:]]
    centre, scale = first.mean(0), (first - first.mean(0)).std()
    parts = [((pixels[part] - centre) / scale, np.eye(10)[classes[part]]) for part in (rows[test:], rows[:test])]
    return Split(*parts[0], *parts[1])
