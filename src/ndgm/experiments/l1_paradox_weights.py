"""Networks under an L1 penalty that leaves them accurate, weight by weight, with full batches and with mini-batches."""

from collections.abc import Mapping
from dataclasses import fields

import numpy as np
import pandas as pd
import torch

from ndgm.data.kinds import Samples, Split
from ndgm.engine.activations import activation
from ndgm.engine.descent import Schedule, descend
from ndgm.engine.methods import METHODS
from ndgm.engine.networks import Networks
from ndgm.engine.objectives.penalised_network import PenalisedNetwork
from ndgm.engine.weight_means import WeightMeans, weight_means
from ndgm.experiments.ensembles import column
from ndgm.experiments.grids import grid
from ndgm.experiments.inputs import Found, Inputs, Settings
from ndgm.experiments.network_losses import FULL_BATCH, first_parameters, network_loss, tensors
from ndgm.store.provenance import generator
from ndgm.theory.one_weight import noisy_mean, noisy_modulus

OWNER = "l1_paradox_networks"
"""Owner of the samples; draws are made under its name, so networks of one seed start as they do there."""

ACTIVATION, LOSS = "relu", "cross_entropy"
"""Of the networks: outputs are logits of the classes."""

NEAR = 0.1
"""How far from the seen kink, in units of its slope, a mean sign may be to lie on it."""

SETTLED = 0.1
"""By how much the mean over the first half of the steps may differ from that over all, in widths ηλ."""

LOCKED = 1e-6
"""Standard deviation of a gradient, in units of the penalty, up to which it is that of rounding: nothing stirs it."""

TURNING = 0.1
"""Mean gradient, in units of the penalty, from which on a weight's rotation number (λ + g)/(2λ) is off one half."""

CROSSING = 0.9
"""Largest mean sign of a weight that crosses its kink all the time."""

EDGES = np.linspace(-1, 1, 21)
"""Ends of the bins of m/(ηλ); what is beyond the strip is in two bins of its own."""


def weights(settings: Settings, inputs: Inputs) -> Found:
    """What weights do on average, in bins of their mean, and where networks end.

    The ends are the last iterate of each run and, below it, the mean of its weights; of a proximal run the iterate.
    """
    settings = of_data(settings)
    split, runs = inputs.samples[OWNER][settings["split"]], runs_of(settings)
    tables, layer = [], layers_of(widths_of(settings, split))
    ends: dict[int, np.ndarray] = {}
    for (design, method), rows in runs.groupby(["design", "method"], sort=False):
        objective, start = problem(settings, split, str(design), rows)
        step_size = column(rows, "step_size", settings["device"])
        first_steps, steps = settings["first_steps"], settings["steps"]
        if METHODS[str(method)].rests:
            schedule = Schedule(first_steps + steps, (first_steps + steps,), first_steps + steps)
            trace = descend(objective, METHODS[str(method)], start, step_size, schedule)
            ends |= {run: end[None] for run, end in zip(rows["run"], trace.iterates, strict=True)}
            continue
        found = weight_means(objective, METHODS[str(method)], start, step_size, first_steps=first_steps, steps=steps)
        by_name = {each.name: getattr(found, each.name).cpu().numpy() for each in fields(WeightMeans)}
        accuracies = objective.measure(found.last, found.first)
        for place, (_, row) in enumerate(rows.iterrows()):
            of_run = {name: values[place] for name, values in by_name.items()}
            ends[row["run"]] = np.stack([of_run["last"], of_run["mean"]])
            accuracy = {name: float(accuracies[name][place]) for name in ("train_accuracy", "test_accuracy")}
            tables.append(binned(layer, of_run, row, steps).assign(**accuracy))
    table = pd.concat(tables, ignore_index=True)
    table.insert(0, "data", settings["part"])
    table.insert(0, "experiment", settings["experiment"])
    return Found(table, ends)


def of_data(settings: Settings) -> Settings:
    """Settings with those that the data of this part have for themselves beside the others."""
    return {**settings, **settings["data"][settings["part"]]}


def runs_of(settings: Settings) -> pd.DataFrame:
    """Runs of the subgradient method with both batches, and of its proximal partner where that is asked for."""
    runs = grid(
        design=["full_batch", "minibatch"],
        method=["subgradient", "ista"] if settings["proximal"] else ["subgradient"],
        penalty=settings["penalties"],
        seed=range(settings["seeds"]),
    )
    return runs.assign(step_size=settings["step_size"])


def widths_of(settings: Settings, split: Split) -> tuple[int, ...]:
    """Inputs, hidden units and outputs."""
    return split.train_inputs.shape[1], *settings["hidden"], split.train_targets.shape[1]


def problem(settings: Settings, split: Split, design: str, rows: pd.DataFrame) -> tuple[PenalisedNetwork, torch.Tensor]:
    """The penalised loss of an ensemble and its start, in float64: full batches of some pictures, or some of all."""
    full, widths, device = design == "full_batch", widths_of(settings, split), settings["device"]
    architecture = Networks(widths, activation(ACTIVATION))
    samples = Samples(*(array[: settings["full_batch"] if full else None] for array in split.train))
    size = FULL_BATCH if full else str(settings["minibatch"])
    draws = [generator(settings["root_seed"], OWNER, f"batches of {size}", seed) for seed in rows["seed"]]
    x, y = tensors(samples, torch.float64, device)
    loss = network_loss(architecture, x, y, len(rows), settings, loss=LOSS, batch_size=size, draws=draws)
    test = network_loss(architecture, *tensors(split.test, torch.float64, device), len(rows), settings, loss=LOSS)
    starts = [first_parameters(settings["root_seed"], OWNER, "start", widths, seed) for seed in rows["seed"]]
    start = torch.tensor(np.stack(starts), device=device)
    return PenalisedNetwork(loss, column(rows, "penalty", device), test), start


def layers_of(widths: tuple[int, ...]) -> np.ndarray:
    """Number of the layer whose weight a parameter is, 0 for biases, shape (P,)."""
    pairs = enumerate(zip(widths, widths[1:], strict=False), 1)
    return np.concatenate([np.repeat([layer, 0], [ins * outs, outs]) for layer, (ins, outs) in pairs])


def binned(layer: np.ndarray, found: Mapping[str, np.ndarray], row: pd.Series, steps: int) -> pd.DataFrame:
    """Counts, means and sums over the weights of one run, for each layer, state and bin of m/(ηλ).

    Weights are locked where their gradient does not vary, else moving where their mean does, else turning or near half,
    by their rotation number.

    Args:
        layer: As of `layers_of`.
        found: `WeightMeans` of the run by name, each of shape (P,).
        row: The run.
        steps: Steps of the means.
    """
    penalty, step_size = row["penalty"], row["step_size"]
    each = pd.DataFrame({name: values[layer > 0] for name, values in found.items()})
    noise = np.sqrt(each["variance"].clip(lower=0))
    u = each["mean"] / (step_size * penalty)
    moved = (each["earlier"] - each["mean"]).abs() / (step_size * (penalty + noise**2 / penalty))
    crossing = each["gradient"].abs() <= CROSSING * penalty
    ends = (each["first"] ** 2 - each["last"] ** 2) / (2 * step_size * steps)
    one_weight = step_size, penalty, each["gradient"].where(crossing, 0.0), noise
    by_weight = pd.DataFrame(
        {
            "layer": layer[layer > 0],
            "state": np.select(
                [noise <= LOCKED * penalty, moved > SETTLED, each["gradient"].abs() < TURNING * penalty],
                ["locked", "moving", "near_half"],
                "turning",
            ),
            "bin": np.digitize(u, EDGES),
            "count": 1,
            "on_kink": (each["sign"] - u.clip(-1, 1)).abs() <= NEAR,
            "modulus": each["modulus"],
            "law_modulus": np.where(u.abs() <= 1, step_size * penalty * (u**2 + 1) / 2, each["mean"].abs()),
            "balance_modulus": (step_size / 2 * each["square"] - each["inner"] + ends) / penalty,
            "crossing": crossing,
            "crossing_modulus": each["modulus"] * crossing,
            "noisy_modulus": noisy_modulus(*one_weight, each["mean"]) * crossing,
            "crossing_mean": each["mean"].abs() * crossing,
            "noisy_mean": np.abs(noisy_mean(*one_weight)) * crossing,
            "over_width": u,
            "sign": each["sign"],
            "noise_over_penalty": noise / penalty,
        }
    )
    table = by_weight.groupby(["layer", "state", "bin"]).sum().reset_index()
    for name in ("over_width", "sign", "noise_over_penalty"):  # means, where the others are sums
        table[name] /= table["count"]
    head = row[["run", "design", "method", "penalty", "step_size", "seed"]].to_dict()
    return pd.concat([pd.DataFrame(head, index=table.index), table], axis=1)
