"""Two classes of samples for logistic regression."""

from typing import Any

import numpy as np


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
