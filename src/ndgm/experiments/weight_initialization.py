"""Random deep networks that are never trained: how large a signal stays in them, beside closed forms."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import chain, islice
from math import log2, sqrt
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ndgm.engine.activations import activation
from ndgm.engine.deep_signals import deep_signals
from ndgm.engine.initialization import Initialization
from ndgm.experiments.initial_gains import gain_of, unit_of
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.store.files import InputError
from ndgm.store.provenance import generator
from ndgm.theory.weight_initialization import (
    activation_variance,
    relu_ratio,
    relu_spread,
    susceptibility,
    variances,
)

WEIGHTS = 4_000_000
"""Weights at most that are held at once, unless one network has more."""
DOUBLINGS = 1000
"""How often a number near 1 can be doubled or halved and still be a double, nearly."""


def halving(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """ReLU networks whose weights follow several laws: the mean squared length of a signal in every layer."""
    return _relu(settings, [settings])


def spread(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """ReLU networks of several widths with normal weights: how much the squared length of a signal differs."""
    ensembles = [
        {
            "laws": ["normal"],
            "gains": [2.0],
            **settings,
            "width": width,
            "networks": max(settings["weights"] // width**2, 1),
        }
        for width in settings["widths"]
    ]
    return _relu(settings, ensembles)


def wide(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """Wide networks of every activation: variances in every layer, beside those of infinitely wide ones.

    Each seed draws the weights of one network; signals of it see these with signs flipped, so that each of them sees a
    random network of its own (`deep_signals`).
    """
    for name, arm in settings["activations"].items():
        for gain in arm["gains"]:  # before anything is drawn: what is predicted may leave the range of doubles
            _predicted(name, gain_of(name, gain), settings["layers"] + 1)
    most = max(arm["signals"] for arm in settings["activations"].values())
    tables = []
    for seed in range(settings["seeds"]):
        drawn = _network(settings, {**settings, "signals": most}, "normal", 0, seed)
        weights, start, signs = (torch.from_numpy(array).to(settings["device"]) for array in drawn)
        for name, arm in settings["activations"].items():
            some = start[: arm["signals"]], signs[:, : arm["signals"]]
            tables += [_variances(weights, *some, name, gain).assign(seed=seed) for gain in arm["gains"]]
    return _numbered(settings, tables)


def _relu(settings: Settings, ensembles: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Rows of ReLU networks, a row for each ensemble, law, gain, seed and layer."""
    for ensemble in ensembles:
        _check_range(ensemble)
    tables = []
    for ensemble in ensembles:
        for law in ensemble["laws"]:
            for seed in range(settings["seeds"]):
                squares = _squared_lengths(settings, ensemble, law, seed)
                tables += [_moments(ensemble, gain, squares).assign(law=law, seed=seed) for gain in ensemble["gains"]]
    return _numbered(settings, tables)


def _check_range(ensemble: Mapping[str, Any]) -> None:
    """Refuse a depth after which squared lengths, those of gain 1 or their spread are no doubles."""
    width, layers = ensemble["width"], ensemble["layers"]
    for gain in ensemble["gains"]:
        a_layer = max(abs(log2(gain)), abs(log2(gain / 2)), 1.0) + log2(1 + 5 / width)
        if layers * a_layer > DOUBLINGS:
            raise InputError(
                f"weight_initialization: {layers} layers of {width} ReLU units with gain {gain:g} leave the range of "
                f"double precision; the deepest that stay in it have {int(DOUBLINGS / a_layer)}"
            )


def _squared_lengths(settings: Settings, ensemble: Mapping[str, Any], law: str, seed: int) -> np.ndarray:
    """‖h_l‖²/‖h_0‖² of all signals of all networks of a seed, shape (networks × signals, layers), for gain 1."""
    found = []
    for arrays in _drawn(settings, ensemble, law, seed):
        weights, start, signs = (torch.from_numpy(array).to(settings["device"]) for array in arrays)
        layers = deep_signals(weights, activation("relu"), start, signs)
        squares = torch.stack([h.square().sum(2).flatten() for _, h in layers], 1)
        found.append((squares / start.square().sum(2).flatten().unsqueeze(1)).cpu().numpy())
    return np.concatenate(found)


def _drawn(settings: Settings, ensemble: Mapping[str, Any], law: str, seed: int) -> Iterator[list[np.ndarray]]:
    """What `_network` draws for the networks of a seed, some networks at a time."""
    width, layers, networks = ensemble["width"], ensemble["layers"], ensemble["networks"]
    at_once = max(WEIGHTS // (layers * width**2), 1)
    for first in range(0, networks, at_once):
        numbers = range(first, min(first + at_once, networks))
        each = [_network(settings, ensemble, law, number, seed) for number in numbers]
        yield [np.stack(arrays) for arrays in zip(*each, strict=True)]


def _network(
    settings: Settings, sizes: Mapping[str, Any], law: str, number: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights of gain 1 of one network, normal signals of variance 1, and signs, as `deep_signals` has them.

    Shapes are (layers, units, units), (signals, units) and (layers, signals, units).
    """
    width, layers, signals = sizes["width"], sizes["layers"], sizes["signals"]
    rng = generator(settings["root_seed"], settings["experiment"], f"{law}, width {width}, network {number}", seed)
    weights = Initialization(law, gain=1.0).weights(rng, layers, width, width)
    start = rng.standard_normal((signals, width))
    return weights, start, 2 * rng.integers(2, size=(layers, signals, width), dtype=np.int8) - 1


def _moments(ensemble: Mapping[str, Any], gain: float, squares: np.ndarray) -> pd.DataFrame:
    """First and second moment over networks, in every layer: ReLU passes a factor on, so a gain s scales by s^l."""
    layer = np.arange(1, squares.shape[1] + 1)
    ratio = squares * gain**layer
    expected = np.array([relu_ratio(gain, number) for number in layer])
    return pd.DataFrame(
        {
            "activation": "relu",
            "units": ensemble["width"],
            "gain": gain,
            "networks": ensemble["networks"],
            "layer": layer,
            "norm_ratio": ratio.mean(0),
            "predicted_norm_ratio": expected,
            "squared_norm_ratio": np.square(ratio / expected).mean(0),
            "predicted_squared_norm_ratio": [relu_spread(ensemble["width"], number) for number in layer],
        }
    )


def _variances(weights: Tensor, start: Tensor, signs: Tensor, name: str, wanted: str | float) -> pd.DataFrame:
    """Variances of pre-activations and activations in every layer, from 0, whose pre-activations have variance 1."""
    chosen, gain = activation(name), gain_of(name, wanted)
    first = chosen.value(start, torch.empty_like(start))
    later = deep_signals(weights.unsqueeze(0), chosen, first.unsqueeze(0), signs, sqrt(gain))
    found = np.array(
        [(z.square().mean().item(), h.var(correction=0).item()) for z, h in chain([(start, first)], later)]
    )
    return pd.DataFrame(
        {
            "activation": name,
            "initialization": str(wanted),
            "gain": gain,
            "layer": range(len(found)),
            "preactivation_variance": found[:, 0],
            "activation_variance": found[:, 1],
            **_predicted(name, gain, len(found)),
        }
    )


@cache
def _predicted(name: str, gain: float, layers: int) -> dict[str, list[float]]:
    """What infinitely wide layers give, from pre-activations of variance 1 in the first of them.

    Raises:
        InputError: if a variance leaves the range of doubles on the way.
    """
    unit = unit_of(name)
    try:
        with np.errstate(over="raise", invalid="raise"):
            expected = list(islice(variances(1.0, gain, unit), layers))
            return {
                "predicted_preactivation_variance": expected,
                "predicted_activation_variance": [activation_variance(q, unit) for q in expected],
                "predicted_susceptibility": [susceptibility(q, gain, unit) for q in expected],
            }
    except (ArithmeticError, ValueError) as fault:
        raise InputError(
            f"weight_initialization.wide: {layers - 1} layers of {name} with gain {gain:g} leave the range of double "
            "precision"
        ) from fault


def _numbered(settings: Settings, tables: list[pd.DataFrame]) -> pd.DataFrame:
    """One table, with the columns that every table begins with; each part of it is a run."""
    table = pd.concat([each.assign(run=run) for run, each in enumerate(tables)], ignore_index=True)
    head = {
        "experiment": settings["experiment"],
        "run": table.pop("run"),
        "design": "random",
        "seed": table.pop("seed"),
    }
    return pd.concat([pd.DataFrame(head), table], axis=1)
