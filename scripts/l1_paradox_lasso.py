"""Run gradient methods on one LASSO problem, over methods, steps, penalties and seeds: one sweep for each table."""

import torch

from ndgm.data.regression import read_regression
from ndgm.engine.descent import Schedule
from ndgm.engine.objectives.lasso import Lasso
from ndgm.experiments.ensembles import Problem, column, grid, log_spaced, start_directions
from ndgm.experiments.training import deterministic_torch, remove_finished_ensembles, train
from ndgm.pipeline.programs import argument_parser, program
from ndgm.theory.lasso import Quadratic


def train_sweep(problem, settings, out):
    """Train one sweep over the problem and write its table."""
    device = settings["device"]
    runs = grid(
        experiment=[settings["experiment"]],
        design=[arguments.design.stem.removeprefix("lasso_")],
        method=settings["methods"],
        step_size_times_lipschitz=settings["step_sizes_times_lipschitz"],
        penalty_over_max=log_spaced(**settings["penalties_over_max"]),
        seed=range(settings["seeds"]),
    )
    runs["step_size"] = runs["step_size_times_lipschitz"] / problem.lipschitz
    runs["penalty"] = runs["penalty_over_max"] * problem.penalty_max

    gram = torch.tensor(problem.A, device=device)
    correlation = torch.tensor(problem.b, device=device)
    schedule = Schedule.halving(settings["steps"], settings["recorded_steps"])
    directions = start_directions(settings["root_seed"], settings["seeds"], problem.dimension)

    def build(part):
        """The LASSO at each run's penalty, from a start of about unit length that its seed decides."""
        lasso = Lasso(gram, correlation, column(part, "penalty", device))
        start = torch.tensor(directions[part["seed"]].T, device=device).T  # in the layout that the LASSO is quickest in
        return Problem(lasso, start, column(part, "step_size", device), schedule)

    train(settings, [arguments.design], out, say, runs, build, together=["method"])


arguments = argument_parser(__doc__, "design", many=("out",)).parse_args()
with program(arguments) as say:
    deterministic_torch(arguments.settings[0]["device"])
    problem = Quadratic.from_data(*read_regression(arguments.design))
    for settings, out in zip(arguments.settings, arguments.out, strict=True):
        train_sweep(problem, settings, out)
    remove_finished_ensembles(arguments.out)
