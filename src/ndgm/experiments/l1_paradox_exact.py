"""The LASSO solved exactly along its path, and the norm that a constant step keeps, to first order and by the law."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ndgm.experiments.grids import log_spaced
from ndgm.experiments.input_faults import faults_of
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.theory.l1_paradox import away_from_breakpoints, hovering_l1_norm, turning_point
from ndgm.theory.lasso import LassoSolution, Quadratic, lasso_path, solve_lasso
from ndgm.theory.rounded_lasso import mean_weights, second_order_l1_norm

CURVE_POINTS = 400
"""Penalties at which the closed form can be drawn as a curve between those that are run."""


def exact(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """Exact and predicted L1 norms on one design, at all penalties and steps that are run and on a curve.

    Raises:
        InputError: naming the design, if a solution of it cannot be certified.
    """
    with faults_of(f"samples.l1_paradox.{settings['part']}"):
        return norms(settings, inputs)


def norms(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """The table of `exact`."""
    run = settings["lasso"]
    penalties_over_max = penalties(run["penalties_over_max"])
    problem = Quadratic.from_data(*inputs.samples["l1_paradox"][settings["part"]])
    path = lasso_path(problem)
    solution = solve_lasso(problem, penalties_over_max * problem.penalty_max)
    tables = [
        pd.DataFrame(
            {
                "experiment": settings["experiment"],
                "design": settings["part"],
                "step_size_times_lipschitz": step,
                "penalty_over_max": penalties_over_max,
                "step_size": step / problem.lipschitz,
                "penalty": solution.penalty,
                "dimension": problem.dimension,
                "exact_l1_norm": solution.l1_norm,
                "exact_zeros": problem.dimension - solution.support.sum(1),
                "predicted_l1_norm": hovering_l1_norm(problem, solution, step / problem.lipschitz),
                "law_second_order_l1_norm": law_norms(problem, solution, step / problem.lipschitz),
                "away_from_breakpoints": away_from_breakpoints(problem, solution, step / problem.lipschitz),
                "predicted_turning_point_over_max": turning_point(path, step / problem.lipschitz) / problem.penalty_max,
                "relative_gap": solution.relative_gap,
                "kkt_violation": solution.kkt_violation,
            }
        )
        for step in sorted(run["step_sizes_times_lipschitz"])
    ]
    table = pd.concat(tables, ignore_index=True)
    table.attrs["largest_relative_gap"] = float(solution.relative_gap.max())
    return table


def law_norms(problem: Quadratic, solution: LassoSolution, step_size: float) -> np.ndarray:
    """L1 norm of the LASSO rounded off over one step, to second order, at each penalty of a solution."""
    pairs = zip(solution.penalty, solution.weights, strict=True)
    means = [mean_weights(problem, float(penalty), step_size, start) for penalty, start in pairs]
    found = zip(means, solution.penalty, strict=True)
    return np.array([second_order_l1_norm(problem, mean, float(penalty), step_size) for mean, penalty in found])


def penalties(grid: Mapping[str, Any]) -> np.ndarray:
    """Penalties of a grid, and `CURVE_POINTS` from the lowest to the highest, ascending."""
    return np.unique(np.concatenate([log_spaced(**grid), log_spaced(**{**grid, "count": CURVE_POINTS})]))
