"""Run the mini-batch subgradient method on one LASSO problem without signal, over batch sizes, penalties and seeds."""

import torch

from ndgm.data.regression import read_regression, without_signal
from ndgm.engine.descent import Schedule
from ndgm.engine.objectives.lasso import MinibatchLasso
from ndgm.experiments.ensembles import Problem, column, grid, log_spaced, start_directions
from ndgm.experiments.training import deterministic_torch, remove_finished_ensembles, train
from ndgm.pipeline.programs import argument_parser, program
from ndgm.store.provenance import generator
from ndgm.theory.l1_paradox import minibatch_noise, noisy_turning_point
from ndgm.theory.lasso import Quadratic

arguments = argument_parser(__doc__, "design", "out").parse_args()
with program(arguments) as say:
    deterministic_torch(arguments.settings["device"])
    settings = arguments.settings
    device = settings["device"]
    penalties = settings["penalties_over_noise"]
    data = without_signal(read_regression(arguments.design))
    problem = Quadratic.from_data(*data)

    runs = grid(
        experiment=[settings["experiment"]],
        design=[arguments.design.stem.removeprefix("lasso_")],
        method=["subgradient"],
        batch_size=settings["batch_sizes"],
        step_size_times_lipschitz=settings["step_sizes_times_lipschitz"],
        seed=range(settings["seeds"]),
        penalty_over_noise=log_spaced(**penalties),
    )
    noise = {size: noisy_turning_point(minibatch_noise(*data, size)) for size in settings["batch_sizes"]}
    runs["noise"] = runs["batch_size"].map(noise)
    runs["dimension"] = problem.dimension
    runs["step_size"] = runs["step_size_times_lipschitz"] / problem.lipschitz
    runs["penalty"] = runs["penalty_over_noise"] * runs["noise"]

    design, target = (torch.tensor(array, device=device) for array in data)

    schedule = Schedule.halving(settings["steps"], settings["recorded_steps"])
    directions = start_directions(settings["root_seed"], settings["seeds"], problem.dimension)

    def build(part):
        """The noisy LASSO; runs of one seed see the same batches, and start within the floor."""
        batch_size = int(part["batch_size"].iloc[0])
        component = f"batches of {batch_size}"
        draws = [
            generator(settings["root_seed"], settings["experiment"], component, seed) for seed in part["seed"].unique()
        ]
        step_size = column(part, "step_size", device)
        start = torch.tensor(directions[part["seed"]].T, device=device).T * step_size * column(part, "noise", device)
        lasso = MinibatchLasso(design, target, column(part, "penalty", device), batch_size, draws)
        return Problem(lasso, start, step_size, schedule)

    together = ["method", "batch_size", "step_size_times_lipschitz"]
    train(settings, [arguments.design], arguments.out, say, runs, build, together, block=penalties["count"])
    remove_finished_ensembles([arguments.out])
