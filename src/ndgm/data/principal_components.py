"""Principal components whose signs every linear algebra library agrees on."""

import numpy as np


def principal_components(centred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Left singular vectors in the columns of a matrix, and singular values, in descending order.

    Of each vector and its negative, it is the one that grows with the largest column of its component.

    Args:
        centred: Samples whose columns have mean 0, shape (n, features).

    Returns:
        Shapes (n, k) and (k,), with k the smaller of n and the features.
    """
    left, values, right = np.linalg.svd(centred, full_matrices=False)
    return left * np.sign(right[np.arange(len(right)), np.abs(right).argmax(1)]), values
