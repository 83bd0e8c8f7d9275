"""Designs, inputs and targets: generated ones, and real tables that scikit-learn ships."""

import re
import tarfile
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ndgm.files import InputError, write_atomically


class Regression(NamedTuple):
    """Standardised design Z, shape (n, d), and target y, shape (n,): every column has mean 0 and variance 1."""

    design: np.ndarray
    target: np.ndarray


class Samples(NamedTuple):
    """Inputs of a network, shape (n, features), of mean 0 and variance 1 over all; and targets, shape (n, outputs)."""

    inputs: np.ndarray
    targets: np.ndarray


class Weights(NamedTuple):
    """Parameters of trained networks, shape (runs, parameters), sorted by run."""

    weights: np.ndarray


def standardised(design: np.ndarray, target: np.ndarray) -> Regression:
    """Centre and scale every column of the design, and the target."""
    return Regression((design - design.mean(0)) / design.std(0), (target - target.mean()) / target.std())


def gaussian(
    rng: np.random.Generator, *, samples: int, features: int, nonzeros: int, noise: float, correlation: float = 0.0
) -> Regression:
    """Sparse linear model y = Zw + noise·ε on Gaussian rows whose columns i, j correlate as correlation^|i−j|.

    The first `nonzeros` of a random order of the weights are ±1 in turn, the others 0.
    """
    position = np.arange(features)
    covariance = correlation ** np.abs(position[:, None] - position)
    design = rng.standard_normal((samples, features)) @ np.linalg.cholesky(covariance).T
    weights = np.zeros(features)
    weights[rng.permutation(features)[:nonzeros]] = (-1.0) ** np.arange(nonzeros)
    return standardised(design, design @ weights + noise * rng.standard_normal(samples))


def diabetes(*, quadratic: bool = False) -> Regression:
    """The diabetes table, 442 patients and 10 features; `quadratic` adds 45 products and 9 squares (not sex²).

    Source: Efron, Hastie, Johnstone and Tibshirani (2004), where the expansion to 64 columns is used too.
    """
    from sklearn.datasets import load_diabetes

    table = load_diabetes(scaled=False)
    design = table.data.astype(np.float64)
    if quadratic:
        # Centred first: products of raw columns would be almost collinear with the columns.
        main = standardised(design, table.target).design
        sex = table.feature_names.index("sex")
        products = [main[:, i] * main[:, j] for i, j in combinations(range(main.shape[1]), 2)]
        squares = [main[:, i] ** 2 for i in range(main.shape[1]) if i != sex]
        design = np.column_stack([main, *products, *squares])
    return standardised(design, table.target)


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
            records = b"".join(files.extractfile(name).read() for name in members)
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


def class_targets(classes: np.ndarray, smoothing: float) -> np.ndarray:
    """One-hot targets of ten classes, with the share `smoothing` of each spread evenly over all."""
    return (1 - smoothing) * np.eye(10)[classes] + smoothing / 10


def _contrast(pictures: np.ndarray) -> np.ndarray:
    """Pictures less their mean, for what all pictures share would only slow the training, with variance 1 over all."""
    pictures = pictures - pictures.mean(0)
    return pictures / pictures.std()


def split_digits(rng: np.random.Generator, *, test: int) -> tuple[Samples, Samples]:
    """All handwritten digits at random cut in two: those to train on, and `test` others.

    Both are centred and scaled as the former are; targets are one-hot classes. Source: as for `digits`.
    """
    from sklearn.datasets import load_digits

    table = load_digits()
    rows = rng.permutation(len(table.data))
    first = table.data[rows[test:]]
    centre, scale = first.mean(0), (first - first.mean(0)).std()
    train, rest = (
        Samples((table.data[part] - centre) / scale, np.eye(10)[table.target[part]])
        for part in (rows[test:], rows[:test])
    )
    return train, rest


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


SAMPLERS = {"digits": digits, "teacher": teacher, "cifar10": cifar10}


def labelled_gaussian(rng: np.random.Generator, *, samples: int, features: int, wrong: float) -> np.ndarray:
    """Gaussian inputs with the sign of a random linear function as label, a share of them wrong; see `signed_rows`."""
    inputs = rng.standard_normal((samples, features))
    labels = np.sign(inputs @ rng.standard_normal(features))
    labels[rng.permutation(samples)[: round(wrong * samples)]] *= -1
    return signed_rows(inputs, labels)


def labelled_table(source: str, components: int | None = None) -> np.ndarray:
    """A table of two classes, its columns standardised, or its first principal components; see `signed_rows`.

    Args:
        source: `breast_cancer`, 569 tumours of 30 features (Street, Wolberg and Mangasarian, 1993), or `digits`, the
            352 pictures of a 0 or an 8 of `digits`, whose constant pixels are left out.
        components: How many principal components are kept, each scaled to variance 1; all columns where it is None.
    """
    from sklearn import datasets

    inputs, labels = getattr(datasets, f"load_{source}")(return_X_y=True)
    if source == "digits":
        inputs, labels = inputs[np.isin(labels, [0, 8])], labels[np.isin(labels, [0, 8])] == 8
    inputs = inputs[:, inputs.std(0) > 0].astype(np.float64)
    inputs = (inputs - inputs.mean(0)) / inputs.std(0)
    if components is not None:
        left, _, right = np.linalg.svd(inputs, full_matrices=False)
        # Of each component and its negative, the one that grows with its largest column.
        signs = np.sign(right[np.arange(len(right)), np.abs(right).argmax(1)])
        inputs = (left * signs)[:, :components] * np.sqrt(len(inputs))
    return signed_rows(inputs, 2.0 * labels - 1)


def signed_rows(inputs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The M of logistic regression: each row an input and a 1 for the intercept, times its label ±1."""
    return np.column_stack([inputs, np.ones(len(inputs))]) * labels[:, None]


def load_classes(settings: dict[str, Any], rng: np.random.Generator) -> np.ndarray:
    """The M that a block of `tables` in the config asks for."""
    options = {key: value for key, value in settings.items() if key != "source"}
    if settings["source"] == "gaussian":
        return labelled_gaussian(rng, **options)
    return labelled_table(settings["source"], **options)


def slopes_around_zero(rng: np.random.Generator, pieces: int, features: int) -> np.ndarray:
    """Random slopes of length 1, shape (pieces, features), whose convex hull holds 0: their maximum is minimal at 0."""
    slopes = rng.standard_normal((pieces, features))
    slopes[:-1] /= np.linalg.norm(slopes[:-1], axis=1, keepdims=True)
    slopes[-1] = -slopes[:-1].sum(0)
    slopes[-1] /= np.linalg.norm(slopes[-1])
    return slopes


def without_signal(data: Regression) -> Regression:
    """The same design with the residual of least squares as target: b = Zᵀy/n = 0, and w = 0 solves any LASSO.

    Raises:
        InputError: if the design fits the target without residual, as with more features than samples.
    """
    weights = np.linalg.lstsq(data.design, data.target)[0]
    residual = data.target - data.design @ weights
    if residual.std() <= 1e-9 * data.target.std():
        raise InputError(f"{data.design.shape[1]} features fit {len(residual)} samples exactly: no noise is left")
    return standardised(data.design, residual)


def load_design(settings: dict[str, Any], rng: np.random.Generator) -> Regression:
    """The design that a block of `l1_paradox.designs` in the config asks for."""
    options = {key: value for key, value in settings.items() if key != "source"}
    if settings["source"] in ("gaussian", "autoregressive"):
        return gaussian(rng, **options)
    return diabetes(quadratic=settings["source"] == "diabetes_quadratic")


def write_data(path: Path, data: Regression | Samples | Weights) -> None:
    """Write the arrays of a data set to an `.npz` file."""
    with write_atomically(path) as temporary:
        np.savez(temporary, **data._asdict())


def read_regression(path: Path) -> Regression:
    """Read Z and y from an `.npz` file.

    Raises:
        InputError: if the file is missing, truncated or holds something else.
    """
    data = _read(path, Regression)
    if data.design.ndim != 2 or data.target.shape != data.design.shape[:1]:
        raise InputError(f"{path}: design and target do not fit together; remove it and run again")
    return data


def read_samples(path: Path) -> Samples:
    """Read inputs and targets from an `.npz` file.

    Raises:
        InputError: if the file is missing, truncated or holds something else.
    """
    data = _read(path, Samples)
    if data.inputs.ndim != 2 or data.targets.ndim != 2 or len(data.inputs) != len(data.targets):
        raise InputError(f"{path}: inputs and targets do not fit together; remove it and run again")
    return data


def read_weights(path: Path) -> np.ndarray:
    """Read parameters of trained networks, shape (runs, parameters), sorted by run.

    Raises:
        InputError: if the file is missing, truncated or holds something else.
    """
    return _read(path, Weights).weights


def _read(path: Path, kind: type) -> Any:
    try:
        with np.load(path) as arrays:
            return kind(**{name: arrays[name] for name in kind._fields})
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except Exception as fault:  # a damaged archive can end in about ten kinds of them
        raise InputError(f"{path}: truncated or corrupted ({fault}); remove it and run again") from None
