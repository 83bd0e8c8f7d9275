"""Designs and targets of linear models."""

from itertools import combinations

import numpy as np

from ndgm.data.kinds import Regression
from ndgm.store.files import InputError

LONGEST_SHOWN = 80
"""Characters of a cell that a line shows."""

CONSTANT = 1e-12
"""Standard deviation over the largest modulus up to which numbers count as equal, and correlation that counts as 0."""


def standardised(design: np.ndarray, target: np.ndarray) -> Regression:
    """Centre and scale every column of the design, and the target.

    Raises:
        InputError: naming a column or the target, if all its numbers are equal, or too large or small to be squared.
    """
    for name, numbers in (("the target", target), *((f"column {i}", each) for i, each in enumerate(design.T, 1))):
        largest = np.abs(numbers).max()
        if not largest or (numbers / largest).std() <= CONSTANT:
            raise InputError(f"all numbers of {name} are equal, so that it has no scale")
        if not 1e-150 < largest < 1e150:  # their squares are no numbers any more
            size = "large" if largest > 1 else "small"
            raise InputError(f"{name} has numbers up to {largest:.3g}, too {size} to be scaled")
    return Regression((design - design.mean(0)) / design.std(0), (target - target.mean()) / target.std())


def gaussian(rng: np.random.Generator, *, samples: int, features: int, nonzeros: int, noise: float) -> Regression:
    """Sparse linear model on Gaussian columns that do not correlate; the rest as for `autoregressive`."""
    return autoregressive(rng, samples=samples, features=features, nonzeros=nonzeros, noise=noise, correlation=0.0)


def autoregressive(
    rng: np.random.Generator, *, samples: int, features: int, nonzeros: int, noise: float, correlation: float
) -> Regression:
    """Sparse linear model y = Zw + noise·ε on Gaussian rows whose columns i, j correlate as correlation^|i−j|.

    The first `nonzeros` of a random order of the weights are ±1 in turn, the others 0.
    """
    position = np.arange(features)
    covariance = correlation ** np.abs(position[:, None] - position)
    design = rng.standard_normal((samples, features)) @ np.linalg.cholesky(covariance).T
    return _sparse_model(rng, design, nonzeros, noise)


def orthogonal(rng: np.random.Generator, *, samples: int, features: int, nonzeros: int, noise: float) -> Regression:
    """Sparse linear model, as for `autoregressive`, on columns that do not correlate at all in the sample.

    Raises:
        InputError: if there are not more samples than features.
    """
    if samples <= features:
        raise InputError(f"{features} columns of {samples} samples cannot be orthogonal to each other and centred")
    drawn = rng.standard_normal((samples, features))
    return _sparse_model(rng, np.linalg.qr(drawn - drawn.mean(0))[0] * np.sqrt(samples), nonzeros, noise)


def duplicated(rng: np.random.Generator, *, samples: int, features: int, nonzeros: int, noise: float) -> Regression:
    """Sparse linear model, as for `autoregressive`, on Gaussian columns of which the second half repeats the first.

    Raises:
        InputError: if the number of features is odd.
    """
    if features % 2:
        raise InputError(f"{features} columns cannot be pairs of equal ones")
    drawn = rng.standard_normal((samples, features // 2))
    return _sparse_model(rng, np.hstack([drawn, drawn]), nonzeros, noise)


def diabetes(rng: np.random.Generator) -> Regression:
    """The diabetes table, 442 patients and 10 features; nothing of it is random.

    Source: Efron, Hastie, Johnstone and Tibshirani (2004).
    """
    from sklearn.datasets import load_diabetes

    table = load_diabetes(scaled=False)
    return standardised(table.data.astype(np.float64), table.target)


def diabetes_quadratic(rng: np.random.Generator) -> Regression:
    """The diabetes table with 45 products and 9 squares (not sex²) of its features, 64 columns; nothing is random.

    Source: Efron, Hastie, Johnstone and Tibshirani (2004), where this expansion is used too.
    """
    from sklearn.datasets import load_diabetes

    # Centred first: products of raw columns would be almost collinear with the columns.
    table = load_diabetes(scaled=False)
    main = diabetes(rng).design
    sex = table.feature_names.index("sex")
    products = [main[:, i] * main[:, j] for i, j in combinations(range(main.shape[1]), 2)]
    squares = [main[:, i] ** 2 for i in range(main.shape[1]) if i != sex]
    return standardised(np.column_stack([main, *products, *squares]), table.target)


def csv(rng: np.random.Generator, *, file: str) -> Regression:
    """A table of your own: its first line names its columns, and the last column is the target; nothing is random.

    Args:
        rng: Of no use here.
        file: Path of a file of comma-separated values.

    Raises:
        InputError: naming the file, and row and column where a value is not a finite number; if columns have no names,
            or there is nothing to explain.
    """
    import pandas as pd

    try:
        table = pd.read_csv(file, header=None, dtype=str, keep_default_na=False).fillna("")  # of a line that is short
    except FileNotFoundError:
        raise InputError(f"{file}: no such file") from None
    except (OSError, ValueError) as fault:  # pandas' own errors are ValueErrors
        reason = str(fault).partition("\n")[0]
        raise InputError(f"{file}: not a table of comma-separated values ({reason})") from None
    table = table.apply(lambda column: column.str.strip())
    names, rows = table.iloc[0], table.iloc[1:].replace({"True": "1", "False": "0"})
    for column in np.flatnonzero((names == "") | pd.to_numeric(names, errors="coerce").notna())[:1]:
        told = f"is named {names[column]}, a number" if names[column] else "has no name"
        raise InputError(f"{file}: column {column + 1} {told}: the first line names the columns")
    if len(rows) < 2 or len(names) < 2:
        raise InputError(f"{file}: {len(rows)} rows of {len(names)} columns are no design with a target")
    numbers = rows.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=np.float64)
    for row, column in np.argwhere(~np.isfinite(numbers))[:1]:
        value = " ".join(rows.iloc[row, column].split())[:LONGEST_SHOWN] or "nothing"
        raise InputError(f"{file}: row {row + 1}, column {names[column]}: {value} is not a finite number")
    try:
        data = standardised(numbers[:, :-1], numbers[:, -1])
    except InputError as fault:
        raise InputError(f"{file}: {fault}") from None
    if np.abs(data.design.T @ data.target).max() <= CONSTANT * len(rows):
        raise InputError(f"{file}: the target correlates with no column, so that 0 solves the LASSO at any penalty")
    return data


def without_signal(data: Regression) -> Regression:
    """A design with the residual of least squares as target: b = Zᵀy/n = 0, and w = 0 solves any LASSO.

    Raises:
        InputError: if the design fits the target without residual, as with more features than samples.
    """
    weights = np.linalg.lstsq(data.design, data.target)[0]
    residual = data.target - data.design @ weights
    if residual.std() <= 1e-9 * data.target.std():
        raise InputError(f"{data.design.shape[1]} features fit {len(residual)} samples exactly: no noise is left")
    return standardised(data.design, residual)


def _sparse_model(rng: np.random.Generator, design: np.ndarray, nonzeros: int, noise: float) -> Regression:
    """Response Zw + noise·ε to a design, with weights as of `autoregressive`."""
    samples, features = design.shape
    weights = np.zeros(features)
    weights[rng.permutation(features)[:nonzeros]] = (-1.0) ** np.arange(nonzeros)
    return standardised(design, design @ weights + noise * rng.standard_normal(samples))
