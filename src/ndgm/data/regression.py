"""Designs and targets of linear models."""

from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ndgm.store.arrays import read_data
from ndgm.store.files import InputError


class Regression(NamedTuple):
    """Standardised design Z, shape (n, d), and target y, shape (n,): every column has mean 0 and variance 1."""

    design: np.ndarray
    target: np.ndarray


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


def read_regression(path: Path) -> Regression:
    """Read Z and y from an `.npz` file.

    Raises:
        InputError: if the file is missing, truncated or holds something else.
    """
    data = read_data(path, Regression)
    if data.design.ndim != 2 or data.target.shape != data.design.shape[:1]:
        raise InputError(f"{path}: design and target do not fit together; remove it and run again")
    return data
