"""Random slopes, held against the condition for a minimum at 0."""

import numpy as np
import pytest
from scipy.optimize import linprog

from ndgm.data.max_affine import slopes_around_zero


@pytest.mark.parametrize(("pieces", "features"), [(4, 2), (12, 5)])
def test_slopes_of_length_one_whose_convex_hull_holds_zero(pieces, features):
    slopes = slopes_around_zero(np.random.default_rng(4), pieces, features)
    assert slopes.shape == (pieces, features)
    np.testing.assert_allclose(np.linalg.norm(slopes, axis=1), 1, rtol=1e-14)
    # Weights of a convex combination that is 0, which is what makes the largest linear function minimal at 0.
    weights = linprog(np.zeros(pieces), A_eq=np.vstack([slopes.T, np.ones(pieces)]), b_eq=[*[0] * features, 1])
    assert weights.status == 0
    # At a corner: in every direction the largest one rises.
    directions = np.random.default_rng(5).standard_normal((200, features))
    assert ((directions @ slopes.T).max(1) > 0).all()
