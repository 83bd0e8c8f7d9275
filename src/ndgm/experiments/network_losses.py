"""What experiments on networks share: where the networks of a seed start, and losses on full and mini-batches."""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from ndgm.data.kinds import Samples
from ndgm.engine.activations import activation
from ndgm.engine.initialization import HE, LAWS, Initialization
from ndgm.engine.networks import Networks
from ndgm.engine.objectives.network import MinibatchNetworkLoss, NetworkLoss
from ndgm.experiments.inputs import Settings
from ndgm.store.provenance import generator

FULL_BATCH = "full"


@cache
def first_parameters(
    root_seed: int,
    experiment: str,
    component: str,
    widths: tuple[int, ...],
    seed: int,
    initialization: Initialization | tuple[Initialization, ...] = HE,
) -> np.ndarray:
    """First parameters of the networks of a seed, whatever their activation, shape (P,); laws as for `Networks`."""
    rng = generator(root_seed, experiment, component, seed)
    return Networks(widths, activation("relu")).initial([rng], initialization)[0]


@cache
def first_biases(root_seed: int, experiment: str, component: str, widths: tuple[int, ...], seed: int) -> np.ndarray:
    """Gaussian biases of the networks of a seed, of length one in the mean square; zero for weights, shape (P,)."""
    rng = generator(root_seed, experiment, component, seed)
    networks = Networks(widths, activation("relu"))
    first = torch.zeros(1, networks.parameters, dtype=torch.float64)
    for layer in networks.layers(first):
        layer.biases.copy_(torch.tensor(LAWS["normal"](rng, tuple(layer.biases.shape))))
    return first[0].numpy()


def tensors(data: Samples, dtype: torch.dtype, device: str) -> tuple[Tensor, Tensor]:
    """Inputs and targets of a network on a device."""
    return torch.tensor(data.inputs, dtype=dtype, device=device), torch.tensor(data.targets, dtype=dtype, device=device)


def network_loss(
    networks: Networks,
    x: Tensor,
    y: Tensor,
    runs: int,
    settings: Settings,
    *,
    loss: str = "squared",
    batch_size: str = FULL_BATCH,
    draws: list[np.random.Generator] | None = None,
    kinks: bool = True,
) -> NetworkLoss:
    """Loss of an ensemble over all samples, or over mini-batches.

    Args:
        networks: The architecture.
        x: Inputs, shape (n, in).
        y: Targets, shape (n, out), which are classes where there are several outputs.
        runs: Size of the ensemble.
        settings: `runs_at_once` and `samples_at_once`.
        loss: As for `NetworkLoss`.
        batch_size: Samples in a batch, or `full`.
        draws: Generator of the batches of each block of runs; not used with full batches.
        kinks: As for `NetworkLoss`.
    """
    options = {name: settings[name] for name in ("runs_at_once", "samples_at_once")}
    options |= {"loss": loss, "classes": y.shape[1] > 1, "kinks": kinks}
    if batch_size == FULL_BATCH:
        return NetworkLoss(networks, x, y, runs, **options)
    return MinibatchNetworkLoss(networks, x, y, runs, int(batch_size), draws or [], **options)
