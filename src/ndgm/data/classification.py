"""Two classes of samples for logistic regression."""

import numpy as np

from ndgm.data.kinds import Classes
from ndgm.data.principal_components import principal_components
from ndgm.data.tables import digits_table


def two_classes(rng: np.random.Generator, *, samples: int, features: int, wrong: float) -> Classes:
    """Gaussian inputs with the sign of a random linear function as label, a share of the labels wrong."""
    inputs = rng.standard_normal((samples, features))
    labels = np.sign(inputs @ rng.standard_normal(features))
    labels[rng.permutation(samples)[: round(wrong * samples)]] *= -1
    return signed_rows(inputs, labels)


def breast_cancer(rng: np.random.Generator, *, components: int | None = None) -> Classes:
    """Tumours, 569 of 30 features, benign ones with label 1; columns by `scaled_columns`, nothing is random.

    Source: Street, Wolberg and Mangasarian (1993), scikit-learn's copy.
    """
    from sklearn.datasets import load_breast_cancer

    inputs, labels = load_breast_cancer(return_X_y=True)
    return signed_rows(scaled_columns(inputs, components), 2.0 * labels - 1)


def zeros_and_eights(rng: np.random.Generator, *, components: int | None = None) -> Classes:
    """Pictures of a 0 or an 8, 352 of 52 pixels that are not constant, an 8 with label 1; columns by `scaled_columns`.

    Nothing is random. Source: Alpaydin and Kaynak (1998), scikit-learn's copy.
    """
    inputs, classes = digits_table()
    chosen = np.isin(classes, [0, 8])
    return signed_rows(scaled_columns(inputs[chosen], components), 2.0 * (classes[chosen] == 8) - 1)


def scaled_columns(inputs: np.ndarray, components: int | None) -> np.ndarray:
    """Columns that are not constant, with mean 0 and variance 1, or their first principal components, scaled alike.

    Args:
        inputs: Shape (n, features).
        components: How many principal components are kept; all columns where it is None.
    """
    inputs = inputs[:, inputs.std(0) > 0].astype(np.float64)
    inputs = (inputs - inputs.mean(0)) / inputs.std(0)
    if components is None:
        return inputs
    return principal_components(inputs)[0][:, :components] * np.sqrt(len(inputs))


def signed_rows(inputs: np.ndarray, labels: np.ndarray) -> Classes:
    """Inputs and a 1 for the intercept, each row times its label ±1."""
    return Classes(np.column_stack([inputs, np.ones(len(inputs))]) * labels[:, None])
