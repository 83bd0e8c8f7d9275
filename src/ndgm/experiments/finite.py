"""Numbers of a table that are finite wherever they have a meaning; where one is not, its job stops and says why."""

import numpy as np
import pandas as pd

from ndgm.store.files import InputError

MAY_BE_MISSING = {
    "adaptive_floors": {"first_order_l1_norm"},
    "adaptive_lasso": {"predicted_l1_norm"},
    "convergence_smoothing": {"penalty_over_max"},
    "convergence_worst_cases": {"l1_norm"},
    "edge_of_stability_cycles": {"smoothness"},
    "edge_of_stability_asymmetric": {"smoothness"},
    "edge_of_stability_near_threshold": {"smoothness"},
    "edge_of_stability_max_affine": {"smoothness"},
    "edge_of_stability_logistic": {"smoothness", "predicted_amplitude", "multiplier"},
    "edge_of_stability_separable": {"smoothness"},
    "l1_paradox_floors": {"first_order_l1_norm"},
    "l1_paradox_strip": {"overlap"},
    "spurious_minima": {"second_other", "second_own"},
    "spurious_minima_one": {"smallest_eigenvalue"},
    "spurious_minima_two": {"smallest_eigenvalue"},
    "subspace_attack_flips": {"flip_over_output", "predicted_flip_over_output", "flip_over_predicted"},
    "subspace_attack_scales": {"flip_over_output", "predicted_flip_over_output", "flip_over_predicted"},
    "subspace_attack_seven_points": {"flip_distance", "random_flip_distance"},
}
"""By experiment, columns that are NaN in runs for which they have no meaning.

There is no prediction beyond its range or of another method, and no largest penalty of a problem without one; ‖w‖₁ is
recorded for separable functions alone, the smoothness along a step of length 0 is 0/0, there are networks that nothing
flips, and others that share zeros with no proximal network, few minima have a second odd neuron, and the Hessian is not
looked at where a run moves or a unit may have vanished.
"""

ANYTHING = {"distance_to_kink"}
"""Columns that may be infinite in every experiment: a distance over how far a step moved, where nothing moved."""


def check_finite(table: pd.DataFrame) -> None:
    """Look for numbers that are not finite where they should be, in a table or the rows of one ensemble.

    Rows of runs that diverged may hold anything: divergence is data. The start has no step before it, so what is
    measured along a step is NaN there. Averages stand in the last row of a run, for all runs of an ensemble that
    finished or for none.

    Raises:
        InputError: naming the first such number, and the factors of its row.
    """
    diverged = table.get("stopped_because", pd.Series("", table.index)) == "diverged"
    experiment = table["experiment"].iloc[0] if "experiment" in table else ""
    may_be_missing = MAY_BE_MISSING.get(experiment, set()) | ANYTHING
    started = table.get("step", pd.Series(1, table.index)) > 0
    for name, values in table.select_dtypes("number").items():
        if np.isfinite(values.to_numpy()).all():
            continue
        infinite = np.isinf(values) & (name not in ANYTHING)
        missing = values.isna() & started & (str(name) not in may_be_missing)
        if str(name).startswith("mean_"):
            missing = values.isna() & _ends(table) & values[_ends(table)].notna().any()
        for place in np.flatnonzero((infinite | missing) & ~diverged)[:1]:
            raise InputError(_fault(table, str(name), int(place)))


def _ends(table: pd.DataFrame) -> pd.Series:
    """Whether a row is the last one of a run that finished."""
    if not {"run", "stopped_because"} <= set(table):
        return pd.Series(False, table.index)
    return ~table["run"].duplicated(keep="last") & (table["stopped_because"] == "finished")


def _fault(table: pd.DataFrame, name: str, place: int) -> str:
    """One line: what is not finite, in which experiment, and the factors of its run."""
    row = table.iloc[place]
    measured = table.columns.get_loc("step") if "step" in table else len(table.columns)
    factors = [column for column in table.columns[:measured] if column not in ("experiment", name)]
    where = ", ".join(f"{column} {row[column]}" for column in [*factors, *(["step"] if "step" in table else [])])
    return f"{row.get('experiment', 'table')}: {name} is {row[name]} where it should be finite: {where}"
