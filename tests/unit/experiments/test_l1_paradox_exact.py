"""Exact solutions, held against scikit-learn, at the penalties that are run."""

import numpy as np
from sklearn.linear_model import Lasso

from ndgm.experiments.l1_paradox_exact import CURVE_POINTS, exact, penalties


def test_penalties_are_those_of_the_grid_and_of_a_curve_over_it():
    found = penalties({"low": 0.1, "high": 8.0, "count": 7})
    assert (np.diff(found) > 0).all() and found[0] == 0.1 and found[-1] == 8.0
    assert set(np.geomspace(0.1, 8.0, 7)) <= set(found)
    assert CURVE_POINTS <= len(found) <= CURVE_POINTS + 7


def test_solutions_are_those_of_scikit_learn(smoke):
    table = exact(smoke.settings("l1_paradox_exact", "diabetes"), smoke.inputs("l1_paradox_exact", "diabetes"))
    data = smoke.inputs("l1_paradox_exact", "diabetes").samples["l1_paradox"]["diabetes"]
    step = table["step_size_times_lipschitz"].min()
    for _, row in table[table["step_size_times_lipschitz"] == step].iloc[::60].iterrows():
        found = Lasso(alpha=row["penalty"], fit_intercept=False, tol=1e-12, max_iter=10**6).fit(*data).coef_
        np.testing.assert_allclose(row["exact_l1_norm"], np.abs(found).sum(), atol=1e-7)
        assert row["exact_zeros"] == (found == 0).sum()
    assert table.attrs["largest_relative_gap"] == table["relative_gap"].max() < 1e-12
    # To first order the floor is proportional to the step: what it adds doubles with it.
    one, other = (part.set_index("penalty_over_max") for _, part in table.groupby("step_size_times_lipschitz"))
    ratio = other["step_size"].iloc[0] / one["step_size"].iloc[0]
    added = [part["predicted_l1_norm"] - part["exact_l1_norm"] for part in (one, other)]
    np.testing.assert_allclose(added[1], ratio * added[0], rtol=1e-6, atol=1e-14)
    # Above λ_max the law to second order is the first-order floor and ηA_ii/3 of each weight's, a few percent.
    above = one[one.index > 1.2]
    assert np.abs(above["law_second_order_l1_norm"] / above["predicted_l1_norm"] - 1).max() < 0.05
