"""Solve one LASSO problem exactly along its path, and say what a constant step should keep hovering at."""

import numpy as np
import pandas as pd

from ndgm.data.regression import read_regression
from ndgm.pipeline.programs import argument_parser, program
from ndgm.store.run_tables import write_table
from ndgm.theory.l1_paradox import away_from_breakpoints, floor_rate, turning_point
from ndgm.theory.lasso import Quadratic, lasso_path, solve_lasso

CURVE_POINTS = 400  # so that the closed form can be drawn as a curve between the penalties that were run

arguments = argument_parser(__doc__, "design", "out").parse_args()
with program(arguments) as say:
    settings = arguments.settings
    sweeps = [settings["lasso"], settings["turning_point"]]
    grids = [sweep["penalties_over_max"] for sweep in sweeps]
    curve = {
        "low": min(grid["low"] for grid in grids),
        "high": max(grid["high"] for grid in grids),
        "count": CURVE_POINTS,
    }
    penalties_over_max = np.unique(
        np.concatenate([np.geomspace(grid["low"], grid["high"], grid["count"]) for grid in [*grids, curve]])
    )
    steps_times_lipschitz = sorted({step for sweep in sweeps for step in sweep["step_sizes_times_lipschitz"]})

    problem = Quadratic.from_data(*read_regression(arguments.design))
    path = lasso_path(problem)
    solution = solve_lasso(problem, penalties_over_max * problem.penalty_max)
    table = pd.concat(
        pd.DataFrame(
            {
                "experiment": "l1_paradox_exact",
                "design": arguments.design.stem.removeprefix("lasso_"),
                "step_size_times_lipschitz": step,
                "penalty_over_max": penalties_over_max,
                "step_size": step / problem.lipschitz,
                "penalty": solution.penalty,
                "dimension": problem.dimension,
                "exact_l1_norm": solution.l1_norm,
                "exact_zeros": problem.dimension - solution.support.sum(1),
                "predicted_l1_norm": solution.l1_norm + step / problem.lipschitz * floor_rate(problem, solution),
                "away_from_breakpoints": away_from_breakpoints(problem, solution, step / problem.lipschitz),
                "predicted_turning_point_over_max": turning_point(path, step / problem.lipschitz) / problem.penalty_max,
                "relative_gap": solution.relative_gap,
                "kkt_violation": solution.kkt_violation,
            }
        )
        for step in steps_times_lipschitz
    )
    write_table(arguments.out, table)
    say(f"{arguments.out.stem}: {len(penalties_over_max)} penalties, largest gap {solution.relative_gap.max():.1e}")
