"""Descent of students of a teacher: from minima with one and with two neurons added, and from random starts."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from ndgm.engine.descent import Schedule, Target
from ndgm.engine.initialization import LAWS
from ndgm.engine.objectives.teacher_student import TeacherStudent
from ndgm.experiments.ensembles import Plan, Problem, column, generators
from ndgm.experiments.grids import grid, numbered
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.experiments.spurious_minima import NEGATIVE, SPLIT_NEURONS
from ndgm.store.files import InputError
from ndgm.store.provenance import generator
from ndgm.store.run_tables import last_rows
from ndgm.theory.spurious_minima import Array, global_spectrum, hessian, kink_curvature, split, split_direction
from ndgm.theory.spurious_minima_search import minimum

REACHED = 1e-9
"""Loss at which a run counts as arrived at the global minimum, and stops."""

AT_REST = 1e-4
"""Length of the gradient below which the Hessian is looked at."""


class Certified(TeacherStudent):
    """A population loss of which the smallest eigenvalue of the Hessian is recorded too.

    It is NaN far from critical points, and at the global minimum, where units may have the length 0.
    """

    def measure(self, w: Tensor, before: Tensor) -> dict[str, Tensor]:
        """Loss, length of the gradient, and smallest eigenvalue."""
        measured = super().measure(w, before)
        asked = (measured["gradient_norm"] < AT_REST) & (measured["objective"] > REACHED)
        students, teacher = self.neurons(w)[asked].cpu().numpy(), self.teacher.cpu().numpy()
        smallest = torch.full_like(measured["objective"], torch.nan)
        smallest[asked] = w.new_tensor([np.linalg.eigvalsh(hessian(each, teacher))[0] for each in students])
        return measured | {"smallest_eigenvalue": smallest}


def after_one(settings: Settings, inputs: Inputs) -> Plan:
    """One neuron of each family is cut in halves, which are pushed apart along random directions of its kink."""
    runs = numbered(
        grid(
            experiment=[settings["experiment"]],
            method=["heavy_ball"],
            design=[family],
            split_neuron=list(neurons),
            teacher_neurons=settings["teachers"],
            seed=range(settings["seeds"]),
        )
        for family, neurons in SPLIT_NEURONS.items()
    )
    points = {(family, k): minimum(family, k).matrix() for family in SPLIT_NEURONS for k in settings["teachers"]}
    starts = {}
    for chain in chains(runs):
        at = SPLIT_NEURONS[chain.design][chain.split_neuron]
        starts[chain.run] = pushed(points[chain.design, chain.teacher_neurons], at, chain, settings)
    return _descents(settings, runs, starts)


def after_two(settings: Settings, inputs: Inputs) -> Plan:
    """From where these ended, the neuron whose kink is most negatively curved is cut and pushed apart in turn.

    Runs that ended at the global minimum stay there: their first neuron is cut, and not pushed.

    Raises:
        InputError: if a run with one neuron more diverged.
    """
    before = inputs.found["spurious_minima_one"]
    ends = last_rows(before.table).set_index("run")
    runs = ends[["experiment", "method", "design", "split_neuron", "teacher_neurons", "seed"]].reset_index()
    runs["experiment"] = settings["experiment"]
    if lost := int((ends["stopped_because"] == "diverged").sum()):
        raise InputError(f"spurious_minima.chains: {lost} of {len(ends)} runs diverged; the steps are too long")
    starts = {}
    for chain, loss in zip(chains(runs), ends["objective"], strict=True):
        k = chain.teacher_neurons
        point = before.ends[chain.run].reshape(k + 1, k)
        if loss <= REACHED:
            starts[chain.run] = split(point, 0)
        else:
            steepest = int(np.linalg.eigvalsh(kink_curvature(point, np.eye(k)))[:, 0].argmin())
            starts[chain.run] = pushed(point, steepest, chain, settings)
    return _descents(settings, runs, starts)


class Chain(NamedTuple):
    """A run from a spurious minimum: number, family of the minimum, which neuron was split first, k and seed."""

    run: int
    design: str
    split_neuron: str
    teacher_neurons: int
    seed: int


def chains(runs: pd.DataFrame) -> list[Chain]:
    """The rows of a table of runs."""
    return [Chain(*row) for row in runs[list(Chain._fields)].itertuples(index=False)]


def pushed(point: Array, at: int, chain: Chain, settings: Settings) -> Array:
    """A point whose neuron is cut in halves, pushed apart along a random unit direction of negative curvature.

    Where its kink is curved downwards nowhere, the direction is that of the least curvature.
    """
    at, teacher = at % len(point), np.eye(point.shape[1])
    values, vectors = np.linalg.eigh(kink_curvature(point, teacher)[at])
    downhill = vectors[:, : max((values < NEGATIVE).sum(), 1)]
    rng = generator(settings["root_seed"], settings["experiment"], f"{chain.design} {chain.split_neuron}", chain.seed)
    drawn = rng.standard_normal(len(values))[: downhill.shape[1]]
    along = downhill @ (drawn / np.linalg.norm(drawn))
    return split(point, at) + settings["push"] * split_direction(along, len(point), at)


def _descents(settings: Settings, runs: pd.DataFrame, starts: dict[int, Array]) -> Plan:
    """Runs from given points near a minimum, shape (n, k) each, which no law of initialization draws."""
    runs = runs.assign(neurons=[len(starts[run]) for run in runs["run"]])
    runs["step_size"] = _step_sizes(settings, runs)

    def build(rows: pd.DataFrame) -> Problem:
        points = np.stack([starts[run] for run in rows["run"]])
        return _problem(settings, Certified, rows, points)

    return Plan(runs, build, ["teacher_neurons"])


def random_starts(settings: Settings, inputs: Inputs) -> Plan:
    """Students of as many neurons as the teacher and of some more, from normal starts of variance 1/k.

    The first k neurons of a seed's start are the same, however many there are.
    """
    runs = numbered(
        grid(
            experiment=[settings["experiment"]],
            method=["heavy_ball"],
            design=[f"{k} teacher neurons"],
            teacher_neurons=[k],
            neurons=[k + added for added in settings["added"]],
            seed=range(settings["seeds"]),
        )
        for k in settings["teachers"]
    )
    runs["step_size"] = _step_sizes(settings, runs)

    def build(rows: pd.DataFrame) -> Problem:
        k, n = int(rows["teacher_neurons"].iloc[0]), int(rows["neurons"].iloc[0])
        return _problem(settings, TeacherStudent, rows, normal_starts(settings, k, n, rows["seed"]))

    return Plan(runs, build, ["teacher_neurons", "neurons"])


def normal_starts(settings: Settings, k: int, neurons: int, seeds: Iterable[int]) -> Array:
    """Starts of seeds, shape (seeds, n, k), of the registry's normal law with gain 1.

    They are drawn neuron after neuron. `Initialization.weights` draws input after input, so that all neurons would
    change with their number.
    """
    draws = generators(settings, f"start of {k}", seeds)
    return np.stack([LAWS["normal"](rng, (neurons, k)) for rng in draws]) / np.sqrt(k)


def _step_sizes(settings: Settings, runs: pd.DataFrame) -> pd.Series:
    """Steps in parts of k/(n·λ), λ the largest eigenvalue at the global minimum of k neurons, which grows like n."""
    sharpness = runs["teacher_neurons"].map({k: max(global_spectrum(k)) for k in settings["teachers"]})
    return settings["step_size_times_sharpness"] * runs["teacher_neurons"] / (runs["neurons"] * sharpness)


def _problem(settings: Settings, objective: type[TeacherStudent], rows: pd.DataFrame, points: Array) -> Problem:
    """An ensemble from given points, which stops where all of it is at the global minimum."""
    device = settings["device"]
    return Problem(
        objective(torch.eye(points.shape[2], dtype=torch.float64, device=device)),
        torch.tensor(points, device=device).flatten(1),
        column(rows, "step_size", device),
        Schedule.even(settings["steps"], settings["recorded_steps"]),
        Target(np.full(len(rows), REACHED)),
    )
