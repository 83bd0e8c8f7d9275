"""Deep networks on handwritten digits, trained from weights of several gains."""

import numpy as np
import pandas as pd
import torch

from ndgm.engine.activations import activation
from ndgm.engine.descent import Schedule
from ndgm.engine.initialization import Initialization
from ndgm.engine.networks import Networks
from ndgm.experiments.ensembles import Plan, Problem, column, generators
from ndgm.experiments.grids import grid, numbered
from ndgm.experiments.initial_gains import gain_of
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.experiments.network_losses import first_parameters, network_loss, tensors

OUTPUT = Initialization("normal", gain=1.0)
"""What the formula says of the last layer, which is linear."""


def training(settings: Settings, inputs: Inputs) -> Plan:
    """Every activation at its depths, from every gain; runs of a seed see the same batches from the same draws."""
    samples = inputs.samples["weight_initialization"]["digits"]
    ins, outs = samples.inputs.shape[1], samples.targets.shape[1]
    device, single = settings["device"], torch.float32

    def build(rows: pd.DataFrame) -> Problem:
        row = rows.iloc[0]
        arm, depth = settings["activations"][row["activation"]], int(row["hidden_layers"])
        widths = (ins, *[settings["width"]] * depth, outs)
        objective = network_loss(
            Networks(widths, activation(row["activation"])),
            *tensors(samples, single, device),
            len(rows),
            settings,
            loss="cross_entropy",
            batch_size=str(settings["batch_size"]),
            draws=generators(settings, "batches", rows["seed"]),
            kinks=False,
        )
        starts = [start(settings, widths, seed, gain) for seed, gain in zip(rows["seed"], rows["gain"], strict=True)]
        schedule = Schedule(arm["steps"], (arm["steps"],), 0)
        step_size = column(rows, "step_size", device).to(single)
        return Problem(objective, torch.tensor(np.stack(starts), dtype=single, device=device), step_size, schedule)

    return Plan(runs_of(settings), build, ["activation", "hidden_layers", "method"])


def start(settings: Settings, widths: tuple[int, ...], seed: int, gain: float) -> np.ndarray:
    """First parameters: those of a seed at every gain, but for a factor on the weights of hidden layers."""
    laws = (*[Initialization("normal", gain)] * (len(widths) - 2), OUTPUT)
    return first_parameters(settings["root_seed"], settings["experiment"], f"start of {widths}", widths, seed, laws)


def runs_of(settings: Settings) -> pd.DataFrame:
    """Runs of all activations."""
    grids = [
        grid(
            experiment=[settings["experiment"]],
            design=["digits"],
            activation=[name],
            hidden_layers=arm["hidden_layers"],
            dtype=["float32"],
            method=[settings["method"]],
            step_size=[arm["step_size"]],
            seed=range(settings["seeds"]),
            initialization=[str(wanted) for wanted in arm["gains"]],
        ).assign(gain=lambda rows, name=name, arm=arm: rows["initialization"].map(_gains(name, arm["gains"])))
        for name, arm in settings["activations"].items()
    ]
    return numbered(grids)


def _gains(name: str, wanted: list[str | float]) -> dict[str, float]:
    """Gain of an activation by what the config calls it."""
    return {str(each): gain_of(name, each) for each in wanted}
