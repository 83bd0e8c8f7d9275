"""Claims on spurious minima of students and teachers (part D of the companions)."""

import numpy as np
import pandas as pd

from ndgm.decide.claim import Evidence, claim
from ndgm.decide.selection import ends_of, nonempty, select
from ndgm.decide.statistics import MissingValue, at_most, order, within
from ndgm.theory.convergence import power_law_exponent
from ndgm.theory.spurious_minima import FLAT, LIMITS, gradient
from ndgm.theory.spurious_minima_families import PUBLISHED

COORDINATES = ["regular_own", "regular_other", "regular_last", "odd_other", "odd_own"]
"""Columns of a minimum's coordinates, in the order of `Symmetric.coordinates`."""

FAMILIES = ["A", "I", "II"]
"""Families with as many neurons as the teacher."""

GLOBAL = 1e-6
"""Largest loss of what counts as the global minimum: the smallest of a spurious one is four orders larger."""

ARRIVED = 1e-5
"""Length of the gradient at which a descent that is not at the global minimum counts as ended."""

FAR = 1e4, 1e6
"""Numbers of teacher neurons from which limits and exponents are taken."""

DIMENSIONS = {"A": 5.76381273}
"""Fractional dimensions that are known; of others, the solution of one system of equations takes their place."""

TEACHER_LIMIT = 0.25 - 1 / (2 * np.pi)
"""Eigenvalue of the exterior square at the global minimum, for every k."""

FALL = {"A": -0.5, "I": -0.5, "II": -1.0}
"""Exponent in k of how far that eigenvalue of a family is from it."""


@claim(figure="spurious_minima_spectra", kind="finding", test=within(1e-10), unit="(weight or loss/weight)")
def spurious_minima_published_point(spurious_minima: pd.DataFrame) -> Evidence:
    r"""The published point with $k = 7$, its neurons read as columns, is critical, and its five numbers are those of
    the minimum of type II to all their ten digits.
    """
    rows = select(spurious_minima, family="II")
    here = nonempty(rows[rows["teacher_neurons"] == PUBLISHED.teacher], "of type II at k = 7")[COORDINATES].iloc[0]
    k = int(PUBLISHED.teacher)
    index = pd.MultiIndex.from_product([[*COORDINATES, "largest_gradient"], [k]], names=["quantity", "teacher_neurons"])
    left = float(np.abs(gradient(PUBLISHED.matrix(), np.eye(k))).max())
    measured = pd.Series([*here, left], index)
    return Evidence(measured, pd.Series([*PUBLISHED.coordinates, 0.0], index), "predicted", over="teacher_neurons")


@claim(figure="spurious_minima_spectra", kind="identity", test=within(1e-12), unit="(loss/weight²)")
def spurious_minima_global_spectrum(spurious_minima: pd.DataFrame) -> Evidence:
    r"""At the global minimum the Hessian has the eigenvalues $\tfrac14 \pm \tfrac{1}{2\pi}$, and those of a $2 \times
    2$ and of a $3 \times 3$ matrix: every eigenvalue of the dense Hessian is one of them.
    """
    rows = _by_eigenvalue(select(spurious_minima, family="global"))
    return Evidence(rows["dense_deviation"], 0.0, "predicted", over="teacher_neurons")


@claim(figure="spurious_minima_spectra", kind="finding", test=within(0.0), unit="(multiplicity)")
def spurious_minima_multiplicities(spurious_minima: pd.DataFrame) -> Evidence:
    r"""At the minima of types A, I and II each eigenvalue of the dense Hessian comes as often as the irreducible
    representations of $S_k$ or $S_{k-1}$ say, and no two of their eigenvalues agree to $10^{-8}$.
    """
    rows = _by_eigenvalue(_critical(select(spurious_minima, family=FAMILIES)))
    return Evidence(
        rows["dense_multiplicity"].astype(float),
        rows["multiplicity"].astype(float),
        "predicted",
        over="teacher_neurons",
    )


@claim(figure="spurious_minima_spectra", kind="identity", test=within(1e-12), unit="(loss/weight²)")
def spurious_minima_reduction(spurious_minima: pd.DataFrame) -> Evidence:
    r"""At all symmetric minima, those with one neuron more among them, the eigenvalues of the blocks that Schur's lemma
    leaves are those of the dense Hessian.
    """
    rows = nonempty(spurious_minima[spurious_minima["family"] != "global"], "of spurious minima")
    return Evidence(_by_eigenvalue(rows)["dense_deviation"], 0.0, "predicted", over="teacher_neurons")


@claim(figure="spurious_minima_spectra", kind="finding", test=within(1e-6), unit="(fractional dimension)")
def spurious_minima_saddle_to_minimum(spurious_minima_dimensions: pd.DataFrame) -> Evidence:
    r"""For real $k$, type A turns from saddles into minima at the known fractional dimension, and type I at that which
    solves the equations of gradient and eigenvalue together.
    """
    rows = select(spurious_minima_dimensions, family=["A", "I"]).set_index(["experiment", "family"])
    known = rows.index.get_level_values("family").map(DIMENSIONS)
    reference = pd.Series(known, rows.index, dtype=float).fillna(rows["joint_dimension"])
    return Evidence(
        rows["fractional_dimension"], reference, "predicted", over="family", table=rows.droplevel("experiment")
    )


@claim(figure="spurious_minima_losses", kind="finding", test=within(1e-3), unit="(loss)")
def spurious_minima_limits(spurious_minima_large: pd.DataFrame) -> Evidence:
    r"""As $k$ grows, the losses of types A and I tend to $\tfrac12 - 1/\pi$, and $k$ times that of type II to
    $\tfrac12 - 2/\pi^2$: where the line through their values at $k = 10^4$ and $10^6$, against $k^{-1/2}$, meets 0.
    """
    measured = {}
    for family, rows in _far(spurious_minima_large).groupby("family"):
        k, loss = rows[["teacher_neurons", "loss"]].to_numpy(dtype=float).T
        (here, there), (one, other) = 1 / np.sqrt(k), loss * k if family == "II" else loss
        measured[str(family)] = float((other * here - one * there) / (here - there))
    return _of_families(measured, LIMITS)


@claim(figure="spurious_minima_spectra", kind="finding", test=within(0.02), unit="(exponent)")
def spurious_minima_spectra_coincide(spurious_minima_large: pd.DataFrame) -> Evidence:
    r"""The eigenvalue of the exterior square, which comes about $k^2/2$ times, tends to that at the global minimum,
    $\tfrac14 - \tfrac{1}{2\pi}$: like $k^{-1/2}$ at types A and I, and like $1/k$ at type II.
    """
    measured = {}
    for family, rows in _far(spurious_minima_large).groupby("family"):
        gap = (rows["exterior_eigenvalue"] - TEACHER_LIMIT).abs().to_numpy()
        measured[str(family)] = float(power_law_exponent(rows["teacher_neurons"].to_numpy(dtype=float), gap))
    return _of_families(measured, FALL)


@claim(figure="spurious_minima_spectra", kind="finding", test=within(0.0), unit="(directions)")
def spurious_minima_one_neuron(spurious_minima_splits: pd.DataFrame) -> Evidence:
    r"""One neuron turns every minimum of types A, I and II into a saddle, whichever neuron is split: in exactly $k - 1$
    directions the loss is curved downwards.
    """
    rows = select(spurious_minima_splits, family=FAMILIES)
    cell = ["family", "split_neuron", "share", "teacher_neurons"]
    measured = rows.groupby(cell)["negative"].first().astype(float)
    reference = pd.Series(measured.index.get_level_values("teacher_neurons") - 1.0, measured.index)
    return Evidence(measured, reference, "predicted", over="teacher_neurons")


@claim(figure="spurious_minima_spectra", kind="identity", test=within(1e-10), unit="(loss/weight²)")
def spurious_minima_splitting(spurious_minima_splits: pd.DataFrame) -> Evidence:
    r"""Where a neuron $w_i$ is split into $t w_i$ and $(1 - t) w_i$, the curvature along $(u, -u)/\sqrt2$ is $\mu(1/t +
    1/(1 - t))/2$ for each eigenvector $u$ of $M_i$, the curvature at its kink, with eigenvalue $\mu$.
    """
    cell = ["family", "split_neuron", "share", "teacher_neurons"]
    return Evidence(
        nonempty(spurious_minima_splits).groupby(cell)["curvature_error"].max(), 0.0, "predicted", over=cell[-1]
    )


@claim(figure="spurious_minima_losses", kind="finding", test=at_most(GLOBAL), unit="(loss)")
def spurious_minima_no_new_minimum(spurious_minima_one: pd.DataFrame) -> Evidence:
    r"""One neuron generates no new spurious minimum: from every minimum that one neuron has turned into a saddle,
    descent ends at the global minimum.
    """
    return Evidence(_ends(spurious_minima_one)["objective"], 0.0, "predicted", table=_ended(spurious_minima_one))


@claim(figure="spurious_minima_losses", kind="finding", test=at_most(GLOBAL), unit="(loss)")
def spurious_minima_after_two(spurious_minima_two: pd.DataFrame) -> Evidence:
    """From where descent with one neuron more has ended, descent with a second one ends at the global minimum."""
    return Evidence(_ends(spurious_minima_two)["objective"], 0.0, "predicted", table=_ended(spurious_minima_two))


@claim(figure="spurious_minima_losses", kind="finding", test=within(1e-9), unit="(loss)")
def spurious_minima_split_family(spurious_minima: pd.DataFrame, spurious_minima_one: pd.DataFrame) -> Evidence:
    r"""Where the odd neuron of type II is split, descent ends in a family of strict minima with $k + 1$ neurons and the
    symmetry $S_{k-1}$, found in seven coordinates.
    """
    ends = _ends(select(spurious_minima_one, design="II", split_neuron="odd"))
    family = _critical(select(spurious_minima, family="II_split"))
    strict = family.groupby("teacher_neurons").filter(lambda each: each["eigenvalue"].min() > 0)
    losses = nonempty(strict, "of strict minima").groupby("teacher_neurons")["loss"].first()
    known = ends.index.get_level_values("teacher_neurons").map(losses)
    return Evidence(ends["objective"], pd.Series(known, ends.index, dtype=float), "predicted")


@claim(figure="spurious_minima_losses", kind="finding", test=order(), unit="(1: spurious, 0: not)")
def spurious_minima_starts_one(spurious_minima_starts: pd.DataFrame) -> Evidence:
    """Fewer random starts end in a spurious minimum with $k + 1$ neurons than with $k$: of those that end differently,
    most do so with $k$ alone.
    """
    return _fewer(spurious_minima_starts, 0)


@claim(figure="spurious_minima_losses", kind="finding", test=order(), unit="(1: spurious, 0: not)")
def spurious_minima_starts_two(spurious_minima_starts: pd.DataFrame) -> Evidence:
    """Fewer random starts end in a spurious minimum with $k + 2$ neurons than with $k + 1$: of those that end
    differently, most do so with $k + 1$ alone.
    """
    return _fewer(spurious_minima_starts, 1)


def _critical(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows that are given, if all of their points are critical.

    Raises:
        MissingValue: if one is not.
    """
    if (rows["gradient_norm"] > FLAT).any():
        raise MissingValue(f"a gradient of {rows['gradient_norm'].max():.2g} at what should be a minimum")
    return rows


def _by_eigenvalue(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows by family, number of the eigenvalue and k."""
    number = rows.groupby(["family", "teacher_neurons"]).cumcount().rename("number")
    return rows.set_index([rows["family"], number, rows["teacher_neurons"]])


def _far(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of each family at the two k of `FAR`, ascending.

    Newton's method stops at `FLAT`, or where rounding leaves k·1e-15 of the gradient.

    Raises:
        MissingValue: if one is not there, or no critical point.
    """
    rows = select(rows, family=FAMILIES)
    rows = rows[rows["teacher_neurons"].isin(FAR)].sort_values(["family", "teacher_neurons"])
    if len(rows) < len(FAMILIES) * len(FAR):
        raise MissingValue("no families at k = 10,000 and 1,000,000")
    left = rows["largest_gradient"]
    if (left > np.maximum(FLAT, 1e-15 * rows["teacher_neurons"])).any():
        raise MissingValue(f"a gradient of {left.max():.2g} at what should be a critical point")
    return rows


def _of_families(measured: dict[str, float], reference: dict[str, float]) -> Evidence:
    """A number of each family beside the one that is expected."""
    index = pd.MultiIndex.from_product([["large k"], list(measured)], names=["at", "family"])
    expected = pd.Series([reference[family] for family in measured], index)
    return Evidence(pd.Series(list(measured.values()), index), expected, "predicted", over="family")


def _ends(runs: pd.DataFrame) -> pd.DataFrame:
    """Ends of descents by family, split neuron, k and seed.

    Raises:
        MissingValue: if one was still on its way.
    """
    ends = ends_of(runs)
    moving = (ends["objective"] > GLOBAL) & (ends["gradient_norm"] > ARRIVED)
    if moving.any():
        raise MissingValue(f"{moving.sum()} of {len(ends)} runs had not come to rest")
    return ends.set_index(["design", "split_neuron", "teacher_neurons", "seed"])


def _ended(runs: pd.DataFrame) -> pd.DataFrame:
    """Of each family, split neuron and k: how many runs end spuriously, the largest loss, and the smallest eigenvalue.

    At the global minimum that is 0: parts of a neuron may be exchanged.
    """
    ends = _ends(runs)
    spurious = (ends["objective"] > GLOBAL).rename("spurious")
    cells = pd.concat([spurious, ends[["objective", "smallest_eigenvalue"]]], axis=1)
    groups = cells.groupby(["design", "split_neuron", "teacher_neurons"])
    table = groups.agg(spurious=("spurious", "sum"), runs=("spurious", "size"), loss=("objective", "max")).astype(float)
    table["smallest_eigenvalue"] = groups["smallest_eigenvalue"].min().fillna(0.0)
    return table.set_axis([f"{family} {neuron} {k:02d}" for family, neuron, k in table.index])


def _fewer(runs: pd.DataFrame, added: int) -> Evidence:
    """Starts whose end is spurious with one of two numbers of neurons: 1 where it is the smaller one, beside the other.

    Raises:
        MissingValue: if for some k there is no such start, or no runs with so many neurons.
    """
    ends = ends_of(runs)
    spurious = ends.assign(
        added=ends["neurons"] - ends["teacher_neurons"], spurious=(ends["objective"] > GLOBAL).astype(float)
    ).pivot(index=["teacher_neurons", "seed"], columns="added", values="spurious")
    if missing := {added, added + 1} - set(spurious):
        raise MissingValue(f"no runs with {min(missing)} neurons more than the teacher")
    differs = spurious[spurious[added] != spurious[added + 1]]
    if alike := sorted(set(ends["teacher_neurons"]) - set(differs.index.get_level_values("teacher_neurons"))):
        raise MissingValue(f"no start ends differently at k = {', '.join(map(str, alike))}")
    shares = spurious.groupby("teacher_neurons").mean().rename(columns="added_{}".format)
    return Evidence(
        differs[added], differs[added + 1], "other arm", table=shares.set_axis([f"k_{k:02d}" for k in shares.index])
    )
