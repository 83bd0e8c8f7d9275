"""Symmetric minima of students and teachers in closed form: a table of them, what a split neuron does, and large k."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from ndgm.experiments.inputs import Inputs, Settings
from ndgm.store.files import InputError
from ndgm.theory import spurious_minima
from ndgm.theory.spurious_minima import (
    Array,
    global_spectrum,
    hessian,
    kink_curvature,
    split,
    split_curvature,
    split_direction,
)
from ndgm.theory.spurious_minima_families import Symmetric
from ndgm.theory.spurious_minima_search import (
    balanced_loss,
    followed,
    fractional_dimension,
    joint_dimension,
    minimum,
)

GLOBAL = "global"
"""The family of the teacher itself."""

SPLIT_NEURONS = {"A": {"regular": 0}, "I": {"regular": 0, "odd": -1}, "II": {"regular": 0, "odd": -1}}
"""Neurons of the families with k of them that are not each other's image, by family and kind."""

SAME = 1e-8
"""Distance at which two eigenvalues count as one."""

NEGATIVE = -1e-9
"""What is below counts as negative, and not as a rounded 0."""

BRACKETS = {"A": (5.0, 6.0), "I": (6.0, 7.0)}
"""Numbers of teacher neurons between which a family turns from saddles into minima."""

COORDINATES = ("regular_own", "regular_other", "regular_last", "odd_other", "odd_own", "second_other", "second_own")
"""Columns for a regular neuron at its own coordinate, at another one and at the last, and for odd neurons."""


def minima(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """The table of minima: one row for each eigenvalue of the Hessian.

    The eigenvalue comes from the isotypic reduction, or from the closed form at the global minimum. Beside it is what
    the dense Hessian says: how many of its eigenvalues lie within `SAME`, and how far the furthest of these is.

    Raises:
        InputError: if a family has no minimum there.
    """
    rows = [
        row
        for family, teachers in settings["families"].items()
        for k in sorted(teachers)
        for row in _of_minimum(family, k, f"{settings['experiment']}.minima.families.{family}")
    ]
    return _table(settings, rows)


def _of_minimum(family: str, k: int, key: str) -> Iterator[dict[str, Any]]:
    """Rows of one minimum."""
    if family == GLOBAL:
        point, spectrum = np.eye(k), sorted(global_spectrum(k).items())
        coordinates = [1.0, 0.0, 0.0, 0.0, 1.0]
    else:
        found = minimum_of(family, k, key)
        point, spectrum = found.matrix(), [(value, round(times)) for value, times in found.spectrum()]
        coordinates = _coordinates(found)
    dense = np.linalg.eigvalsh(hessian(point, np.eye(k)))
    shared = {
        "family": family,
        "teacher_neurons": k,
        "neurons": len(point),
        "loss": 0.0 if family == GLOBAL else float(spurious_minima.loss(point, np.eye(k))),
        "gradient_norm": float(np.linalg.norm(spurious_minima.gradient(point, np.eye(k)))),
        **dict.fromkeys(COORDINATES, np.nan),
        **dict(zip(COORDINATES, coordinates, strict=False)),
    }
    ranks = np.cumsum([0, *(times for _, times in spectrum)])
    for number, (value, times) in enumerate(spectrum):
        yield {
            **shared,
            "eigenvalue": value,
            "multiplicity": times,
            "dense_multiplicity": int((np.abs(dense - value) <= SAME).sum()),
            "dense_deviation": float(np.abs(dense[ranks[number] : ranks[number + 1]] - value).max()),
        }


def minimum_of(family: str, k: int, key: str) -> Symmetric:
    """The minimum of a family at k.

    Raises:
        InputError: naming the key of the config, if it is a saddle there.
    """
    point = minimum(family, k)
    if (lowest := point.spectrum()[0].value) <= 0:
        raise InputError(f"{key}: {family} has no minimum at {k}: the Hessian has the eigenvalue {lowest:.3g}")
    return point


def _coordinates(point: Symmetric) -> list[float]:
    """Numbers by `COORDINATES`; where all neurons are alike, those of the last one stand for an odd one."""
    a, b, *last = point.regular
    return [a, b, *(last or [b, b, a]), *(number for pair in point.odd for number in pair)]


def splits(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """Each neuron of every minimum with k of them cut in two, in several shares: a row for each curvature of its kink.

    Raises:
        InputError: if a family has no minimum there.
    """
    rows = [
        row
        for family, neurons in SPLIT_NEURONS.items()
        for k in sorted(settings["families"].get(family, []))
        for point in [minimum_of(family, k, f"spurious_minima.minima.families.{family}").matrix()]
        for name, at in neurons.items()
        for share in settings["shares"]
        for row in _of_split(point, at % k, share, {"family": family, "teacher_neurons": k, "split_neuron": name})
    ]
    return _table(settings, rows)


def _of_split(point: Array, at: int, share: float, names: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Rows of one neuron that is split: eigenvalues μ of its kink's curvature, and curvatures of the loss there."""
    teacher = np.eye(point.shape[1])
    values, vectors = np.linalg.eigh(kink_curvature(point, teacher)[at])
    apart = split(point, at, share)
    h = hessian(apart, teacher)
    along = split_direction(vectors.T, len(point), at).reshape(len(values), -1)
    curvatures = np.einsum("ua,ab,ub->u", along, h, along)
    predicted = split_curvature(values, share)
    negative = int((np.linalg.eigvalsh(h) < NEGATIVE).sum())
    left = float(np.linalg.norm(spurious_minima.gradient(apart, teacher)))
    for group in np.split(np.arange(len(values)), np.flatnonzero(np.diff(values) > SAME) + 1):
        yield {
            **names,
            "share": share,
            "kink_curvature": float(values[group].mean()),
            "multiplicity": len(group),
            "split_curvature": float(curvatures[group].mean()),
            "curvature_error": float(np.abs(curvatures - predicted)[group].max()),
            "negative": negative,
            "gradient_norm": left,
        }


def large(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """Families with k neurons at large k: loss and eigenvalue of the exterior square."""
    ks = sorted(settings["teachers"])
    rows = [
        {
            "family": family,
            "teacher_neurons": point.teacher,
            "loss": balanced_loss(point),
            "exterior_eigenvalue": point.blocks().exterior,
            "largest_gradient": float(np.abs(point.gradient()).max()),
        }
        for family in SPLIT_NEURONS
        for point in followed(family, ks)
    ]
    return _table(settings, rows)


def dimensions(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """Real k at which a family turns from saddles into minima, by bisection and from one system of equations."""
    rows = [
        {
            "family": family,
            "fractional_dimension": fractional_dimension(family, *bracket),
            "joint_dimension": joint_dimension(family, bracket[1]),
        }
        for family, bracket in BRACKETS.items()
    ]
    return _table(settings, rows)


def _table(settings: Settings, rows: list[dict[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame(rows)
    table.insert(0, "experiment", settings["experiment"])
    return table
