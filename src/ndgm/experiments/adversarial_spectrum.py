"""Spectra of attacked pictures, and of clean ones with random signs of the same length."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ndgm.data.kinds import Split
from ndgm.data.pictures import as_matrices
from ndgm.engine.activations import activation
from ndgm.engine.attacks import Sizes, TrainedNetworks, Victims, as_stored, attacked
from ndgm.engine.networks import Networks
from ndgm.experiments.adversarial_spectrum_networks import standard
from ndgm.experiments.adversarial_spectrum_pictures import OWNER
from ndgm.experiments.grids import headed
from ndgm.experiments.inputs import Found, Inputs, Settings
from ndgm.store.provenance import generator, seed_sequence
from ndgm.theory.adversarial_spectrum import leading_subspaces, relative_values, statistics

NETWORKS = "adversarial_spectrum_networks"
CLEAN = "clean"
QUARTILES = (0.25, 0.5, 0.75)


def attacks(settings: Settings, inputs: Inputs) -> Found:
    """Every attack on every network: a row for each picture, as it was found and as a file would hold it.

    What later experiments may use, by the place of the attack: the pictures as files would hold them, attacked and with
    random signs, and whether the attack succeeded, shape (2, networks, pictures, features) and one more feature.
    """
    pictures = inputs.samples[OWNER][settings["part"]]
    asked = settings["data"][settings["part"]]
    x, classes = pictures.test_inputs[: asked["pictures"]], pictures.test_targets[: asked["pictures"]].argmax(1)
    target = _target(settings, inputs, pictures, x, classes)
    count = settings["networks"]["seeds"]
    sizes = Sizes(
        *(asked[name] for name in ("largest_change", "length", "subspace_length")),
        *(settings[name] for name in ("steps", "search_steps", "binary_search_steps")),
    )
    tables, ends = [], {}
    for place, name in enumerate(settings["attacks"]):
        seed = int(seed_sequence(settings["root_seed"], settings["experiment"], name).generate_state(1)[0])
        found = attacked(name, target, sizes, seed)
        signs = generator(settings["root_seed"], settings["experiment"], f"signs beside {name}").choice(
            [-1.0, 1.0], (count * len(x), x.shape[1])
        )
        for bits, one in _as_found_and_stored(target, found, torch.tensor(signs, device=found.device)):
            tables.append(_rows(settings, name, bits, one, len(x)))
        ends[place] = np.stack([np.column_stack([each, one.succeeded]) for each in (one.pictures, one.noisy)])
    table = pd.concat(tables, ignore_index=True)
    return Found(table.sort_values(["seed", "attack", "bits", "picture"], ignore_index=True), ends)


def curves(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """Quartiles of each singular value over clean pictures, attacked ones, and ones with random signs of that size."""
    part = settings["part"]
    clean = inputs.samples[OWNER][part].test_inputs[: settings["data"][part]["pictures"]]
    ends = inputs.found["adversarial_spectrum_attacks"].ends
    arms = {CLEAN: clean}
    for place, name in enumerate(settings["attacks"]):
        found, noisy = ends[place]
        succeeded = found[:, -1] > 0
        arms |= {name: found[succeeded, :-1], f"signs of {name}": noisy[succeeded, :-1]}
    tables = [_quartiles(settings, name, pictures) for name, pictures in arms.items() if len(pictures)]
    return pd.concat(tables, ignore_index=True)


class AttackedPictures(NamedTuple):
    """Pictures of all networks after an attack, as NumPy arrays with networks · pictures rows.

    Attributes:
        pictures: Attacked ones.
        noisy: The clean ones with random signs of as much length.
        right: Whether the clean picture is taken for its class.
        succeeded: Whether it is, and the attacked one is not.
        empty: Whether the attack gave a picture of zeros, which is no success.
        length: Of the change.
    """

    pictures: np.ndarray
    noisy: np.ndarray
    right: np.ndarray
    succeeded: np.ndarray
    empty: np.ndarray
    length: np.ndarray


def _as_found_and_stored(target: Victims, found: Tensor, signs: Tensor) -> Iterator[tuple[str, AttackedPictures]]:
    """An attack's pictures as they were found, and then in 8 bits."""
    length = (found - target.pictures).norm(dim=1)
    size = length / target.pictures.shape[1] ** 0.5
    noisy = (target.pictures + size.unsqueeze(1) * signs).clamp(0, 1)
    right = target.networks.takes_for(target.pictures) == target.classes
    empty = (found == 0).all(1) & (target.pictures != 0).any(1)
    for bits, one, other in (("as found", found, noisy), ("8 bits", as_stored(found), as_stored(noisy))):
        succeeded = right & ~empty & (target.networks.takes_for(one) != target.classes)
        parts = (one, other, right, succeeded, empty, (one - target.pictures).norm(dim=1))
        yield bits, AttackedPictures(*(each.cpu().numpy() for each in parts))


def _rows(settings: Settings, attack: str, bits: str, one: AttackedPictures, pictures: int) -> pd.DataFrame:
    """Rows of an attack: statistics of attacked pictures, and the main one of noisy pictures."""
    networks = len(one.right) // pictures
    named = {"seed": np.repeat(range(networks), pictures), "attack": attack, "bits": bits}
    measured = {name: getattr(one, name) for name in ("right", "succeeded", "empty", "length")}
    found = statistics(as_matrices(one.pictures))._asdict()
    noisy = {"noisy_smallest": statistics(as_matrices(one.noisy)).smallest}
    columns = {**named, "picture": np.tile(range(pictures), networks), **measured, **found, **noisy}
    return headed(pd.DataFrame(columns), settings["experiment"], settings["part"])


def _target(settings: Settings, inputs: Inputs, pictures: Split, x: np.ndarray, classes: np.ndarray) -> Victims:
    """Networks with the pictures that each of them sees, and the subspaces of these."""
    part, device, count = settings["part"], settings["device"], settings["networks"]["seeds"]
    widths = (x.shape[1], *settings["networks"]["data"][part]["hidden"], pictures.train_targets.shape[1])
    architecture = Networks(widths, activation(settings["networks"]["activation"]))
    weights = torch.tensor(inputs.reads[f"{NETWORKS}_{part}.npz"].weights, device=device)
    left, right = leading_subspaces(as_matrices(x))

    def of_all(array: np.ndarray) -> Tensor:
        each = torch.tensor(array, device=device)
        return each.repeat(count, *[1] * (each.dim() - 1))

    networks = TrainedNetworks(architecture, weights, *standard(pictures))
    return Victims(networks, of_all(x), of_all(classes), of_all(left), of_all(right))


def _quartiles(settings: Settings, name: str, pictures: np.ndarray) -> pd.DataFrame:
    """Quartiles of sᵢ/s₁, the mean over channels of each picture, over pictures."""
    values = np.exp(np.log(relative_values(as_matrices(pictures))).mean(1))
    low, median, high = np.quantile(values, QUARTILES, axis=0)
    place = np.arange(1, values.shape[1] + 1)
    columns = {"attack": name, "place": place, "pictures": len(pictures)}
    quartiles: Mapping[str, np.ndarray] = {"value_low": low, "value": median, "value_high": high}
    return headed(pd.DataFrame({**columns, **quartiles}), settings["experiment"], settings["part"])
