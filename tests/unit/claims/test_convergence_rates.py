"""The rates that claims on the cures are decided by, on gaps of a known rate."""

import numpy as np
import pytest
from claims_on_made_up_tables import STEPS, change, claims_of, copied_for_each_test, why_inconclusive
from made_up_convergence import CURES, DECAYING, lawful

import ndgm.claims.convergence  # noqa: F401  (registers its claims)

CLAIMS = claims_of("convergence")
tables = copied_for_each_test(lawful)


@pytest.mark.parametrize("order", [0.5, 1, 2])
def test_a_method_that_never_gets_there_is_not_said_to_be_linear(order, tables):
    change(tables[CURES], "objective", "method == 'polyak'", lambda rows: rows["step"] ** -float(order))
    assert why_inconclusive("convergence_polyak_rate", tables).endswith("runs have no value")


def test_rates_of_a_linear_method_and_of_one_of_order_k_to_the_p(tables):
    gather = CLAIMS["convergence_polyak_rate"].gather
    change(tables[CURES], "objective", "method == 'polyak'", lambda rows: 10 ** (-0.02 * rows["step"]))
    rates = gather(tables[CURES])
    np.testing.assert_allclose(rates.measured, 0.02, rtol=1e-12)
    np.testing.assert_allclose(rates.reference, 0.01, rtol=1e-12)
    # Nine decades take 1000 steps at p = 3; interpolation between recorded steps costs a few percent.
    change(tables[CURES], "objective", "method == 'polyak'", lambda rows: rows["step"] ** -3.0)
    rates = gather(tables[CURES])
    np.testing.assert_allclose(rates.measured / (2 * rates.reference), np.log(2) / np.log(500), rtol=0.05)


def test_a_gap_that_is_proportional_to_the_step_has_its_rate(tables):
    change(tables[CURES], "objective", DECAYING, lambda rows: 3 * 1e-6 ** ((rows["step"] - STEPS / 2) / (STEPS / 2)))
    rates = CLAIMS["convergence_geometric_rate"].gather(tables[CURES])
    np.testing.assert_allclose(rates.measured, 6 / (STEPS / 2), rtol=1e-12)
    np.testing.assert_allclose(rates.reference, 6 / (STEPS / 2), rtol=1e-12)
