"""What experiments on two-layer networks with a fixed output layer share: points, starts, losses, ensembles."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ndgm.engine.activations import activation
from ndgm.engine.initialization import Initialization
from ndgm.engine.objectives.two_layer import TwoLayerLoss
from ndgm.experiments.inputs import Settings
from ndgm.store.provenance import generator

OWNER = "overparameterization"


def mirrored_start(root_seed: int, seeds: Iterable[int], inputs: int, units: int) -> np.ndarray:
    """First weights of each run, shape (runs, inputs·units), from N(0, 1); the second half of the units is the first.

    With opposite output weights the two halves cancel, and the network starts as the function 0.
    """
    law, name = Initialization("normal", gain=float(inputs)), f"{units} units of {inputs} inputs"
    halves = [law.weights(generator(root_seed, OWNER, name, seed), inputs, units // 2) for seed in seeds]
    return np.concatenate([halves, halves], axis=2).reshape(len(halves), -1)


def two_layer(settings: Settings, rows: pd.DataFrame, x: np.ndarray, y: np.ndarray) -> tuple[TwoLayerLoss, Tensor]:
    """Loss and start of an ensemble whose runs have the same number of units and the same activation.

    Args:
        settings: `root_seed`, `device`, and `preactivations_at_once`.
        rows: Runs with their `units`, `activation` and `seed`.
        x: Inputs, shape (n, d), or (runs, n, d) where each run has its own.
        y: Targets, shape (n,) or (runs, n).
    """
    device, units = settings["device"], int(rows["units"].iloc[0])
    signs = np.repeat([1.0, -1.0], units // 2) / np.sqrt(units)
    output = torch.tensor(np.tile(signs, (len(rows), 1)), device=device)
    loss = TwoLayerLoss(
        activation(rows["activation"].iloc[0]),
        torch.tensor(x, device=device),
        torch.tensor(y, device=device),
        output,
        networks_at_once(settings, x.shape[-2], units),
    )
    start = mirrored_start(settings["root_seed"], rows["seed"], x.shape[-1], units)
    return loss, torch.tensor(start, device=device)


def networks_at_once(settings: Settings, samples: int, units: int) -> int:
    """How many networks train as one ensemble: as many as have `preactivations_at_once` together, at least one.

    A processor is fastest where what they compute and their weights stay in its cache from one step to the next.
    """
    return max(settings["preactivations_at_once"] // (samples * units), 1)


def points_on_a_sphere(settings: Settings, samples: int, features: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Random inputs of length 1, shape (n, d), and random targets ±1, shape (n,), of a seed."""
    rng = generator(settings["root_seed"], OWNER, f"{samples} points on a sphere in {features} dimensions", seed)
    x = rng.standard_normal((samples, features))
    return x / np.linalg.norm(x, axis=1, keepdims=True), rng.choice([-1.0, 1.0], samples)
