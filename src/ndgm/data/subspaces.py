"""Samples that lie in a linear subspace."""

import numpy as np

from ndgm.data.kinds import Samples
from ndgm.data.principal_components import principal_components
from ndgm.data.tables import digits_table


def halves_of_digits(rng: np.random.Generator, *, samples: int, components: int) -> Samples:
    """Handwritten digits in their leading principal components, a random subset; 0 to 4 against 5 to 9, as −1 and 1.

    Components are in descending order, those of the subset, with variance 1 over all; the first few of them are the
    subset in a subspace of as many dimensions.

    Args:
        rng: Chooses the subset.
        samples: Its size.
        components: How many are kept.

    Source: scikit-learn's copy of the test set of Alpaydin and Kaynak (1998), 1,797 pictures of 64 pixels.
    """
    pixels, classes = digits_table()
    rows = rng.permutation(len(pixels))[:samples]
    left, values = principal_components(pixels[rows] - pixels[rows].mean(0))
    inputs = (left * values)[:, :components]
    return Samples(inputs / inputs.std(), np.where(classes[rows] >= 5, 1.0, -1.0)[:, np.newaxis])


def zero_padded(inputs: np.ndarray, components: int, dimension: int) -> np.ndarray:
    """The first components of inputs in a space of `dimension`, all others zero, with mean norm √dimension.

    Args:
        inputs: Shape (n, features).
        components: How many are taken, at most `features`.
        dimension: Of the space, at least as many.
    """
    padded = np.zeros((len(inputs), dimension))
    padded[:, :components] = inputs[:, :components]
    return padded * np.sqrt(dimension) / np.linalg.norm(padded, axis=1).mean()
