"""Names of columns, and what is said of them; tests/pipeline/test_columns.py holds the list against a run."""

import pytest

from ndgm.paper.columns import COLUMNS, described, is_described


@pytest.mark.parametrize(
    ("column", "name"),
    [("zeros_2", "zeros"), ("below_1e-3_12", "below_1e-j"), ("mean_l1_norm_1", "mean_l1_norm"), ("steps", "steps")],
)
def test_a_layer_and_a_power_of_ten_are_left_out(column, name):
    assert described(column) == name and name in COLUMNS


def test_every_column_has_a_meaning_and_a_unit():
    assert all(meaning and unit for meaning, unit in COLUMNS.values())
    assert all(described(name) == name for name in COLUMNS)


def test_a_name_that_no_table_has():
    assert is_described("zeros_2") and not is_described("zeroes")


def test_a_violation_of_optimality_has_no_unit():
    # theory/lasso.py divides it by max(λ, λ_max): scaling a problem leaves it as it is.
    meaning, unit = COLUMNS["kkt_violation"]
    assert r"$\max(\lambda, \lambda_{\max})$" in meaning and unit == "1"
