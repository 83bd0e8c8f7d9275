"""Networks on pictures, trained once: what attacks are tried on."""

import numpy as np
import pandas as pd
import torch

from ndgm.data.kinds import Samples, Split
from ndgm.engine.activations import activation
from ndgm.engine.descent import Schedule
from ndgm.engine.networks import Networks
from ndgm.experiments.adversarial_spectrum_pictures import OWNER
from ndgm.experiments.ensembles import Plan, Problem, column, generators
from ndgm.experiments.grids import grid
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.experiments.network_losses import first_parameters, network_loss, tensors


def networks(settings: Settings, inputs: Inputs) -> Plan:
    """One network a seed, each with a start and batches of its own."""
    part, device = settings["part"], settings["device"]
    asked = settings["data"][part]
    pictures = inputs.samples[OWNER][part]
    centre, scale = standard(pictures)
    samples = Samples((pictures.train_inputs - centre) / scale, pictures.train_targets)
    widths = (samples.inputs.shape[1], *asked["hidden"], samples.targets.shape[1])
    runs = grid(
        experiment=[settings["experiment"]], design=[part], method=[settings["method"]], seed=range(settings["seeds"])
    ).assign(step_size=asked["step_size"])

    def build(rows: pd.DataFrame) -> Problem:
        objective = network_loss(
            Networks(widths, activation(settings["activation"])),
            *tensors(samples, torch.float64, device),
            len(rows),
            settings,
            loss="cross_entropy",
            batch_size=str(settings["batch_size"]),
            draws=generators(settings, "batches", rows["seed"]),
            kinks=False,
        )
        starts = [
            first_parameters(settings["root_seed"], settings["experiment"], f"start of {widths}", widths, seed)
            for seed in rows["seed"]
        ]
        schedule = Schedule(asked["steps"], (asked["steps"],), 0)
        start = torch.tensor(np.stack(starts), device=device)
        return Problem(objective, start, column(rows, "step_size", device), schedule)

    return Plan(runs, build, ["method"])


def standard(pictures: Split) -> tuple[float, float]:
    """Mean and standard deviation over all pixels of the pictures that are trained on."""
    return float(pictures.train_inputs.mean()), float(pictures.train_inputs.std())
