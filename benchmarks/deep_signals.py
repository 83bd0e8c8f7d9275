"""A signal through 4,000 random deep networks, against the loop over models that a user would write.

Both draw every weight anew: that takes longest, and the limit is the rate of NumPy's normal draws.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

from ndgm.engine.activations import activation
from ndgm.engine.deep_signals import deep_signals
from ndgm.engine.initialization import HE

WIDTH, LAYERS, NETWORKS = 64, 20, 4000
AT_ONCE, THEIRS = 50, 400
"""Networks of one batched product, and how many theirs are timed on."""


def rows(interleaved, device) -> Iterator[dict]:
    """One row, on the processor alone.

    Args:
        interleaved: Times functions in turn and gives the median seconds of each.
        device: `cpu`.
    """
    signal = torch.ones(AT_ONCE, 1, WIDTH)
    signs = torch.ones(LAYERS, 1, WIDTH)
    rng = np.random.default_rng(0)

    def ours():
        lengths = []
        for _ in range(NETWORKS // AT_ONCE):
            weights = np.stack([HE.weights(rng, LAYERS, WIDTH, WIDTH) for _ in range(AT_ONCE)])
            layers = deep_signals(torch.from_numpy(weights), activation("relu"), signal, signs)
            lengths.append(torch.stack([h.square().sum((1, 2)) for _, h in layers], 1))
        return torch.cat(lengths)

    def theirs():
        return [lengths_of(user_model()) for _ in range(THEIRS)]

    def limit():
        for _ in range(NETWORKS):
            rng.standard_normal((LAYERS, WIDTH, WIDTH))

    seconds = interleaved(ours, theirs, limit)
    our_time, their_time = 1e6 * seconds[0] / NETWORKS, 1e6 * seconds[1] / THEIRS
    yield {
        "name": f"{NETWORKS:,} random networks of {LAYERS} ReLU layers of {WIDTH}, float64, one CPU thread",
        "unit": "µs per network",
        "ours": our_time,
        "theirs": their_time,
        "ratio": their_time / our_time,
        "fraction_of_limit": seconds[2] / seconds[0],
    }


def user_model():
    """One network with He's weights."""
    modules = []
    for _ in range(LAYERS):
        linear = nn.Linear(WIDTH, WIDTH, bias=False)
        nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
        modules += [linear, nn.ReLU()]
    return nn.Sequential(*modules)


@torch.no_grad()
def lengths_of(model):
    """Squared length of a signal of ones after every layer."""
    h, lengths = torch.ones(WIDTH), []
    for module in model:
        h = module(h)
        if isinstance(module, nn.ReLU):
            lengths.append(h.square().sum().item())
    return lengths
