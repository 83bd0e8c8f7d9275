"""Random functions that are the largest of linear ones."""

import numpy as np


def slopes_around_zero(rng: np.random.Generator, pieces: int, features: int) -> np.ndarray:
    """Random slopes of length 1, shape (pieces, features), whose convex hull holds 0: their maximum is minimal at 0."""
    slopes = rng.standard_normal((pieces, features))
    slopes[:-1] /= np.linalg.norm(slopes[:-1], axis=1, keepdims=True)
    slopes[-1] = -slopes[:-1].sum(0)
    slopes[-1] /= np.linalg.norm(slopes[-1])
    return slopes
