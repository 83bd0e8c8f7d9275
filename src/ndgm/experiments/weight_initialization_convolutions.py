"""Convolutional networks on pictures, in the setting of the author's script, from weights of several variances.

The script is for Keras, and passes `scale` to `VarianceScaling(mode="fan_in", distribution="normal")`. What is known of
it is followed: nine convolutions and a softmax layer, sigmoid, RMSProp with its step and decay, batches and epochs. The
rest is ours: convolutions are padded, for without padding so many leave no pixel; pictures have mean 0 and variance 1,
and none is changed at random; biases and the softmax layer start as Keras has them by default.

Keras cuts normal weights off at two standard deviations. Today's divides what is left by its standard deviation, so
that `scale` is N times the variance, and so it is here; its first versions did not, and had .77 of it.
"""

import numpy as np
import pandas as pd
import torch

from ndgm.data.pictures import as_matrices
from ndgm.engine.convolutions import KERNEL, Convolutions
from ndgm.engine.descent import Schedule
from ndgm.engine.initialization import Initialization
from ndgm.engine.objectives.batches import ShuffledBatches
from ndgm.engine.objectives.convolutional_loss import ConvolutionalLoss
from ndgm.experiments.ensembles import Plan, Problem, column, generators
from ndgm.experiments.grids import grid
from ndgm.experiments.initial_gains import gain_of
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.store.files import InputError
from ndgm.store.provenance import generator

GLOROT = "glorot"
"""What the config says for Xavier's variance 2/(N + M), M the inputs of the next layer that a unit goes to.

Source: Glorot and Bengio (2010), equation 12.
"""


def convolutions(settings: Settings, inputs: Inputs) -> Plan:
    """Every first variance, over seeds; runs of a seed see the same batches from the same draws.

    Raises:
        InputError: if there are fewer pictures than a batch has.
    """
    part, device, single = settings["part"], settings["device"], torch.float32
    samples = inputs.samples["weight_initialization"][part]
    pictures = as_matrices(samples.inputs)
    count, colours, side, _ = pictures.shape
    networks = Convolutions(tuple(settings["channels"]), colours, side, samples.targets.shape[1])
    steps_of_epoch = count // settings["batch_size"]
    if not steps_of_epoch:
        key = "weight_initialization.convolutions.batch_size"
        raise InputError(f"{key}: {settings['batch_size']} is more than the {count} pictures of {part}")
    x, y = (torch.tensor(array, dtype=single, device=device) for array in (pictures, samples.targets))
    runs = runs_of(settings)

    def build(rows: pd.DataFrame) -> Problem:
        draws = generators(settings, "batches", rows["seed"].unique())
        objective = ConvolutionalLoss(
            networks,
            x,
            y,
            ShuffledBatches(count, settings["batch_size"], draws, x.device),
            samples_at_once=settings["samples_at_once"],
        )
        arms = zip(rows["seed"], rows["initialization"], strict=True)
        first = np.stack([start(settings, networks, seed, wanted) for seed, wanted in arms])
        recorded = tuple(steps_of_epoch * epoch for epoch in range(settings["data"][part]["epochs"] + 1))
        step_size = column(rows, "step_size", device).to(single)
        schedule = Schedule(recorded[-1], recorded, 0)
        return Problem(objective, torch.tensor(first, dtype=single, device=device), step_size, schedule)

    return Plan(runs, build, ["method"], block=len(settings["initializations"]))


def runs_of(settings: Settings) -> pd.DataFrame:
    """Runs: those of a seed one after the other."""
    return grid(
        experiment=[settings["experiment"]],
        design=[settings["part"]],
        dtype=["float32"],
        method=[settings["method"]],
        step_size=[settings["step_size"]],
        seed=range(settings["seeds"]),
        initialization=[str(wanted) for wanted in settings["initializations"]],
    )


def start(settings: Settings, networks: Convolutions, seed: int, wanted: str) -> np.ndarray:
    """First parameters, shape (P,): those of a seed at every variance, but for a factor on each convolution's weights.

    Args:
        settings: Root seed and name of the experiment.
        networks: The architecture.
        seed: Of the run.
        wanted: Gain of the convolutions: a number, `formula` or `glorot`.
    """
    rng = generator(settings["root_seed"], settings["experiment"], "start", seed)
    *convolved, (ins, outs) = networks.shapes
    laws = [Initialization("truncated_normal", gain_of_layer(wanted, *shape)) for shape in convolved]
    laws.append(Initialization("uniform", glorot_gain(ins, outs)))
    weights = [law.weights(rng, *shape) for law, shape in zip(laws, networks.shapes, strict=True)]
    return np.concatenate([part for matrix in weights for part in (matrix.T.ravel(), np.zeros(matrix.shape[1]))])


def gain_of_layer(wanted: str, ins: int, outs: int) -> float:
    """The gain s of a convolution whose weights have variance s/N.

    Args:
        wanted: A number, `formula` or `glorot`.
        ins: N, the inputs of a unit.
        outs: Channels that it makes.
    """
    return glorot_gain(ins, outs * KERNEL**2) if wanted == GLOROT else gain_of("sigmoid", wanted)


def glorot_gain(ins: int, outs: int) -> float:
    """The gain 2N/(N + M) with which the variance of weights is 2/(N + M)."""
    return 2 * ins / (ins + outs)
