"""Kinds of data on disk: named arrays, by whose names a file's kind is recognised."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ndgm.store.arrays import read_arrays
from ndgm.store.files import InputError


class Regression(NamedTuple):
    """Standardised design Z, shape (n, d), and target y, shape (n,): every column has mean 0 and variance 1."""

    design: np.ndarray
    target: np.ndarray

    def fits(self) -> bool:
        """Whether there is one target for each row of the design."""
        return self.design.ndim == 2 and self.target.shape == self.design.shape[:1]


class Classes(NamedTuple):
    """M of logistic regression, shape (n, d): each row an input and a 1 for the intercept, times its label ±1."""

    signed: np.ndarray

    def fits(self) -> bool:
        """Whether samples lie in rows."""
        return self.signed.ndim == 2


class Samples(NamedTuple):
    """Inputs of a network, shape (n, features), of mean 0 and variance 1 over all; and targets, shape (n, outputs)."""

    inputs: np.ndarray
    targets: np.ndarray

    def fits(self) -> bool:
        """Whether there is one row of targets for each row of inputs."""
        return self.inputs.ndim == self.targets.ndim == 2 and len(self.inputs) == len(self.targets)


class Split(NamedTuple):
    """Samples that networks are trained on, and others that they are tested on; inputs may be pixels as they are."""

    train_inputs: np.ndarray
    train_targets: np.ndarray
    test_inputs: np.ndarray
    test_targets: np.ndarray

    @property
    def train(self) -> Samples:
        """Samples to train on."""
        return Samples(self.train_inputs, self.train_targets)

    @property
    def test(self) -> Samples:
        """Samples to test on."""
        return Samples(self.test_inputs, self.test_targets)

    def fits(self) -> bool:
        """Whether both parts are samples of the same inputs and outputs."""
        shapes = [(data.inputs.shape[1:], data.targets.shape[1:]) for data in (self.train, self.test)]
        return self.train.fits() and self.test.fits() and shapes[0] == shapes[1]


class Weights(NamedTuple):
    """Parameters of trained networks, shape (runs, parameters), sorted by run."""

    weights: np.ndarray

    def fits(self) -> bool:
        """Whether networks lie in rows."""
        return self.weights.ndim == 2


Data = Regression | Classes | Samples | Split | Weights
KINDS: tuple[type[Data], ...] = (Regression, Classes, Samples, Split, Weights)


def read_data(path: Path) -> Data:
    """Data of an `.npz` file, of the kind that has just these arrays.

    Raises:
        InputError: if the file is missing, truncated or holds something else.
    """
    arrays = read_arrays(path)
    for kind in KINDS:
        if arrays.keys() == set(kind._fields):
            data = kind(**arrays)
            if not data.fits():
                raise InputError(f"{path}: {' and '.join(arrays)} do not fit together; remove it and run again")
            if wrong := _wrong_numbers(arrays):
                raise InputError(
                    f"{path}: expected finite numbers that are not all 0, and {wrong}; remove it and run again"
                )
            return data
    raise InputError(f"{path}: {', '.join(arrays) or 'no arrays'}: not a kind of data; remove it and run again")


def _wrong_numbers(arrays: Mapping[str, np.ndarray]) -> str:
    """What is wrong with the numbers of some data, or nothing."""
    for name, array in arrays.items():
        if array.size == 0:
            return f"{name} is empty"
        if array.dtype.kind not in "biuf":
            return f"{name} holds no numbers"
        if not np.isfinite(array).all():
            return f"{name} has one that is not finite"
        if name != "weights" and not array.any():  # a large penalty makes weights 0
            return f"{name} is 0 everywhere"
    return ""
