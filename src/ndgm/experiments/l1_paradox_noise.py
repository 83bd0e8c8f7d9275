"""The mini-batch subgradient method on the LASSO without signal, over batch sizes, penalties and seeds."""

import pandas as pd
import torch

from ndgm.data.regression import without_signal
from ndgm.engine.descent import Schedule
from ndgm.engine.objectives.lasso import MinibatchLasso
from ndgm.experiments.ensembles import Plan, Problem, column, generators, starts
from ndgm.experiments.grids import grid, log_spaced
from ndgm.experiments.input_faults import faults_of
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.theory.l1_paradox import minibatch_noise, noisy_turning_point
from ndgm.theory.lasso import Quadratic


def noise(settings: Settings, inputs: Inputs) -> Plan:
    """Penalties in units of the gradient noise of each batch size, on one design whose exact solution is zero."""
    with faults_of(f"samples.l1_paradox.{settings['part']}"):
        data = without_signal(inputs.samples["l1_paradox"][settings["part"]])
    problem = Quadratic.from_data(*data)
    runs = grid(
        experiment=[settings["experiment"]],
        design=[settings["part"]],
        method=["subgradient"],
        batch_size=settings["batch_sizes"],
        step_size_times_lipschitz=settings["step_sizes_times_lipschitz"],
        seed=range(settings["seeds"]),
        penalty_over_noise=log_spaced(**settings["penalties_over_noise"]),
    )
    sizes = {size: noisy_turning_point(minibatch_noise(*data, size)) for size in settings["batch_sizes"]}
    runs["noise"] = runs["batch_size"].map(sizes)
    runs["dimension"] = problem.dimension
    runs["step_size"] = runs["step_size_times_lipschitz"] / problem.lipschitz
    runs["penalty"] = runs["penalty_over_noise"] * runs["noise"]
    # Within the floor a weight forgets its start in about σ²/λ² steps.
    first = settings["steps"] // 10
    schedule = Schedule(settings["steps"], (first, settings["steps"]), first)
    device = settings["device"]
    design, target = (torch.tensor(array, device=device) for array in data)

    def build(rows: pd.DataFrame) -> Problem:
        """Runs of one seed see the same batches, and start within the floor."""
        batch_size = int(rows["batch_size"].iloc[0])
        draws = generators(settings, f"batches of {batch_size}", rows["seed"].unique())
        step_size = column(rows, "step_size", device)
        start = starts(rows, settings, problem.dimension) * step_size * column(rows, "noise", device)
        objective = MinibatchLasso(design, target, column(rows, "penalty", device), batch_size, draws)
        return Problem(objective, start, step_size, schedule)

    together = ["method", "batch_size", "step_size_times_lipschitz"]
    return Plan(runs, build, together, block=settings["penalties_over_noise"]["count"])
