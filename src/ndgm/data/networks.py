"""Inputs and targets that networks are trained on."""

import re
import tarfile

import numpy as np

from ndgm.data.kinds import Samples, Split
from ndgm.store.files import InputError


def digits(rng: np.random.Generator, *, samples: int, wrong: float, smoothing: float = 0.0) -> Samples:
    """Handwritten digits of 8 × 8 pixels, a random subset; targets are those of `class_targets`, a share of them wrong.

    Source: scikit-learn's copy of the test set of Alpaydin and Kaynak (1998), 1,797 pictures.
    """
    from sklearn.datasets import load_digits

    table = load_digits()
    rows = rng.permutation(len(table.data))[:samples]
    classes = table.target[rows]
    mistaken = rng.permutation(samples)[: round(wrong * samples)]
    classes[mistaken] = (classes[mistaken] + rng.integers(1, 10, size=len(mistaken))) % 10
    return Samples(_contrast(table.data[rows]), class_targets(classes, smoothing))


def cifar10(rng: np.random.Generator, *, archive: str, samples: int, smoothing: float = 0.0) -> Samples:
    """Colour pictures of 32 × 32 pixels, a random subset of the 50,000 for training; targets by `class_targets`.

    Args:
        rng: Chooses the subset.
        archive: Path of `cifar-10-binary.tar.gz`.
        samples: Size of the subset.
        smoothing: As for `class_targets`.

    Source: Krizhevsky (2009), Learning multiple layers of features from tiny images.

    Raises:
        InputError: if the archive is missing, is something else or holds fewer pictures.
    """
    try:
        with tarfile.open(archive) as files:
            members = sorted(name for name in files.getnames() if re.fullmatch(r".*/data_batch_\d\.bin", name))
            records = b"".join(file.read() for name in members if (file := files.extractfile(name)))
        table = np.frombuffer(records, dtype=np.uint8).reshape(-1, 1 + 3 * 32 * 32)  # a class, then the pixels
    except FileNotFoundError:
        where = "https://www.cs.toronto.edu/~kriz/cifar.html"
        raise InputError(f"{archive}: no such file; it is the binary version of CIFAR-10, from {where}") from None
    except (tarfile.TarError, OSError, EOFError, ValueError) as fault:
        raise InputError(f"{archive}: not the binary version of CIFAR-10 ({fault})") from None
    if len(table) < samples or table[:, 0].max(initial=0) > 9:
        raise InputError(f"{archive}: not the binary version of CIFAR-10 with {samples:,} pictures or more")
    table = table[rng.permutation(len(table))[:samples]]
    return Samples(_contrast(table[:, 1:].astype(np.float64)), class_targets(table[:, 0], smoothing))


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
    from sklearn.datasets import load_digits

    table = load_digits()
    rows = rng.permutation(len(table.data))
    first = table.data[rows[test:]]
    centre, scale = first.mean(0), (first - first.mean(0)).std()
    halves = [
        ((table.data[part] - centre) / scale, np.eye(10)[table.target[part]]) for part in (rows[test:], rows[:test])
    ]
    return Split(*halves[0], *halves[1])


def class_targets(classes: np.ndarray, smoothing: float) -> np.ndarray:
    """One-hot targets of ten classes, with the share `smoothing` of each spread evenly over all."""
    return (1 - smoothing) * np.eye(10)[classes] + smoothing / 10


def _contrast(pictures: np.ndarray) -> np.ndarray:
    """Pictures less their mean, for what all pictures share would only slow the training, with variance 1 over all."""
    pictures = pictures - pictures.mean(0)
    return pictures / pictures.std()
