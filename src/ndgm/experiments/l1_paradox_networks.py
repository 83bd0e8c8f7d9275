"""Networks under an L1 penalty on handwritten digits, over methods, penalties and seeds."""

import numpy as np
import pandas as pd
import torch

from ndgm.data.kinds import Samples
from ndgm.engine.activations import activation
from ndgm.engine.descent import Schedule
from ndgm.engine.networks import Networks
from ndgm.engine.objectives.penalised_network import FactoredNetwork, PenalisedNetwork
from ndgm.experiments.ensembles import Plan, Problem, column
from ndgm.experiments.grids import grid, log_spaced
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.experiments.network_losses import first_parameters, network_loss, tensors
from ndgm.experiments.penalties import penalty_by
from ndgm.store.provenance import generator

OWNER = "l1_paradox_networks"
"""Owner of the samples; draws are made under its name, so networks of one seed start alike and see the same batches."""


def networks(settings: Settings, inputs: Inputs) -> Plan:
    """One sweep: every method of it without a penalty and with each of the grid, for every seed."""
    split, sweep = inputs.samples[OWNER]["split"], settings["sweeps"][settings["part"]]
    samples = Samples(*(array[: sweep.get("samples")] for array in split.train))
    widths = (samples.inputs.shape[1], *settings["hidden"], samples.targets.shape[1])
    architecture = Networks(widths, activation(sweep["activation"]))
    device, single = settings["device"], torch.float32

    def build(rows: pd.DataFrame) -> Problem:
        x, y = tensors(samples, single, device)
        loss = network_loss(
            architecture, x, y, len(rows), settings, batch_size=str(sweep["batch_size"]), draws=draws(rows)
        )
        test_loss = network_loss(architecture, *tensors(split.test, single, device), len(rows), settings)
        penalty, step_size = (column(rows, name, device).float() for name in ("penalty", "step_size"))
        each = [first_parameters(settings["root_seed"], OWNER, "start", widths, seed) for seed in rows["seed"]]
        start = torch.tensor(np.stack(each), dtype=single, device=device)
        schedule = Schedule.halving(settings["steps"], settings["recorded_steps"])
        if rows["penalty_by"].iloc[0] == "factors":
            factored = FactoredNetwork(loss, penalty, test_loss)
            return Problem(factored, factored.start(start), step_size, schedule)
        return Problem(PenalisedNetwork(loss, penalty, test_loss), start, step_size, schedule)

    def draws(rows: pd.DataFrame) -> list[np.random.Generator]:
        component = f"batches of {sweep['batch_size']}"
        return [generator(settings["root_seed"], OWNER, component, seed) for seed in rows["seed"].unique()]

    def parameters(end: np.ndarray) -> np.ndarray:
        """Parameters of a network, which are the product where it was trained as two factors side by side."""
        return end if len(end) == architecture.parameters else np.multiply(*np.split(end, 2))

    penalties = [0.0, *log_spaced(**sweep["penalties"])]
    runs = runs_of_sweep(settings, penalties, widths)
    return Plan(runs, build, ["method"], block=len(penalties), parameters=parameters)


def runs_of_sweep(settings: Settings, penalties: list[float], widths: tuple[int, ...]) -> pd.DataFrame:
    """Runs of one sweep, with the number of weights of each layer and of all."""
    sweep = settings["sweeps"][settings["part"]]
    runs = grid(
        experiment=[settings["experiment"]],
        design=[settings["part"]],
        activation=[sweep["activation"]],
        batch_size=[str(sweep["batch_size"])],
        dtype=["float32"],
        method=sweep["methods"],
        seed=range(settings["seeds"]),
        penalty=penalties,
    )
    runs["penalty_by"] = runs["method"].map(penalty_by)
    runs["step_size"] = runs["method"].map(settings["step_sizes"])
    for number, (ins, outs) in enumerate(zip(widths, widths[1:], strict=False), 1):
        runs[f"weights_{number}"] = ins * outs
    return runs.assign(weights=runs.filter(regex=r"^weights_\d").sum(axis=1))
