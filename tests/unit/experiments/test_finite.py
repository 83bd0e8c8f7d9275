"""A number that is not finite where it should be is found, and those that have no meaning are passed over."""

import numpy as np
import pandas as pd
import pytest

from ndgm.experiments.finite import check_finite
from ndgm.store.files import InputError


def runs(**changes) -> pd.DataFrame:
    """Two runs of three recorded steps, with one value of one column changed at a row."""
    table = pd.DataFrame(
        {
            "experiment": "lasso",
            "design": "gaussian",
            "run": [0, 0, 0, 1, 1, 1],
            "method": "subgradient",
            "step_size": [0.1] * 3 + [0.2] * 3,
            "step": [0, 5, 10] * 2,
            "l1_norm": 1.0,
            "zeros": 2.0,
            "distance_to_kink": 1.0,
            "mean_l1_norm": [np.nan, np.nan, 1.0] * 2,
            "stopped_because": "finished",
        }
    )
    for name, (row, value) in changes.items():
        table.loc[row, name] = value
    return table


@pytest.mark.parametrize(
    "changes", [{}, {"zeros": (0, np.nan)}, {"distance_to_kink": (4, np.nan)}, {"distance_to_kink": (4, np.inf)}]
)
def test_what_has_no_meaning_is_passed_over(changes):
    check_finite(runs(**changes))


def test_only_what_is_said_to_be_undefined_is_missing_where_it_has_no_meaning():
    table = runs(zeros=(4, np.nan))
    check_finite(table, ["zeros"])
    with pytest.raises(InputError, match="lasso: zeros is nan"):
        check_finite(table, ["l1_norm"])
    table.loc[4, "zeros"] = np.inf
    with pytest.raises(InputError, match="lasso: zeros is inf"):
        check_finite(table, ["zeros"])


def test_divergence_is_data():
    table = runs(zeros=(5, np.inf), l1_norm=(5, np.inf), mean_l1_norm=(5, np.nan))
    table.loc[3:, "stopped_because"] = "diverged"
    check_finite(table)


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"zeros": (4, np.nan)}, "zeros is nan"),
        ({"zeros": (4, -np.inf)}, "zeros is -inf"),
        ({"zeros": (3, np.inf)}, "zeros is inf"),
        ({"l1_norm": (4, np.nan)}, "l1_norm is nan"),
        ({"l1_norm": (4, np.inf)}, "l1_norm is inf"),
        ({"mean_l1_norm": (5, np.nan)}, "mean_l1_norm is nan"),
        ({"mean_l1_norm": (5, np.inf)}, "mean_l1_norm is inf"),
    ],
)
def test_the_factors_of_the_run_are_named(changes, what):
    ((row, _),) = changes.values()
    run = "design gaussian, run 1, method subgradient, step_size 0.2"
    line = f"lasso: {what} where it should be finite: {run}, step {[0, 5, 10][row - 3]}"
    with pytest.raises(InputError) as fault:
        check_finite(runs(**changes))
    assert str(fault.value) == line


def test_a_factor_is_finite_too():
    with pytest.raises(InputError, match="lasso: step_size is nan where it should be finite: design gaussian, run 1"):
        check_finite(runs(step_size=(4, np.nan)))


def test_averages_that_no_run_of_the_ensemble_has_are_not_missed():
    check_finite(runs().assign(mean_l1_norm=np.nan))


def test_a_table_without_steps():
    exact = pd.DataFrame({"experiment": "exact", "design": "gaussian", "penalty": [1.0, np.nan]})
    with pytest.raises(InputError, match="exact: penalty is nan where it should be finite: design gaussian$"):
        check_finite(exact)
