"""Claims on wide two-layer networks: what the kernel says of them, what a kink gives, and what crossing it costs."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ndgm.decide.claim import Evidence, claim
from ndgm.decide.selection import ends_of, none_diverged, nonempty, select
from ndgm.decide.statistics import MissingValue, equivalence, order
from ndgm.decide.steps_to_target import steps_to_share
from ndgm.theory.convergence import power_law_exponent
from ndgm.theory.overparameterization import decay_rate

KINKED = "relu"
"""The activation with a kink; all others of the experiments are smooth."""

WIDE, WIDER = 1024, 4096
"""Fewest units for which the gradient bound, and moves and paths, are claimed."""

BOUND = 0.95
"""Share of the kernel's smallest eigenvalue that the gradient keeps."""

SEPARATIONS = [0.4, 0.2]
"""Distances of two points at which claims on crossed kinks are made, the middle ones of those that are trained.

At 0.8 draws of the units differ by more than crossings cost; at 0.1 every width that is trained has a predicted deficit
above `FIRST_ORDER`.
"""

LATE = 1e-2, 1e-4
"""Shares of the first loss between which the late rate is taken."""

BELOW_ROUNDING = 1e-12, 1e-20
"""Shares of the first loss between which all but the slowest direction are forgotten, and rounding is still far."""

EQUAL_DEFICIT = 0.4
"""Deficit at which widths are compared: the largest that does not depend on how an empty gap ends."""

FIRST_ORDER = 0.4
"""Largest predicted deficit of which the first order in the width is claimed."""

CLOSE = 0.1
"""Largest distance at which a network of 1,000 units leaves the gap empty long before it has trained."""


@claim(figure="overparameterization_kernel", kind="finding", test=order(smallest=0), unit="(loss/weight²)")
def overparameterization_gradient_bound(overparameterization_spheres: pd.DataFrame) -> Evidence:
    r"""With 1,024 units or more the gradient keeps its bound all the way: at every step $\lVert g \rVert^2/(2L)$ is
    more than the smallest eigenvalue $\lambda_{\min}$ of the kernel less the margin of 5 %.
    """
    runs = _wide(overparameterization_spheres, WIDE)
    return Evidence(runs["least_gradient_ratio"], BOUND * runs["kernel_eigenvalue"], compared="predicted")


@claim(figure="overparameterization", kind="finding", test=equivalence(0.1), unit="(exponent)")
def overparameterization_gradient_kinked(overparameterization_start: pd.DataFrame) -> Evidence:
    r"""Of two points with opposite labels at a distance $\varphi$, the gradient of a ReLU network at its start, $\lVert
    g_0 \rVert^2/(2L)$, has the first power of $\varphi$.
    """
    runs = select(overparameterization_start, activation=KINKED)
    return Evidence(_exponents(_at_start(runs), "separation"), 1.0, compared="predicted")


@claim(figure="overparameterization", kind="finding", test=equivalence(0.05), unit="(exponent)")
def overparameterization_gradient_smooth(overparameterization_start: pd.DataFrame) -> Evidence:
    r"""With a smooth activation, whichever it is, that gradient has the second power of $\varphi$."""
    runs = nonempty(overparameterization_start[overparameterization_start["activation"] != KINKED], "that are smooth")
    return Evidence(_exponents(_at_start(runs), "separation"), 2.0, compared="predicted")


# An expectation over units, exact for ReLU and to leading order for the others, of which the runs hold 20,000.
@claim(figure="overparameterization", kind="identity", test=equivalence(0.05), unit="times the closed form")
def overparameterization_gradient_closed_form(overparameterization_start: pd.DataFrame) -> Evidence:
    r"""In the geometric mean over distances that gradient is $\tfrac12 - \cos\theta\,(\pi - \theta)/(2\pi)$ for ReLU,
    $\theta = 2\arcsin(\varphi/2)$, and $\tfrac12 \varphi^2 (E\,\sigma''^2 + E\,\sigma'^2)$ for a smooth activation.
    """
    ratio = _at_start(overparameterization_start, over_closed_form=True)
    measured = np.exp(np.log(ratio).groupby(["activation", "units", "seed"]).mean())
    return Evidence(measured, 1.0, compared="predicted")


@claim(figure="overparameterization_kernel", kind="finding", test=equivalence(0.02), unit="times the kernel's")
def overparameterization_trajectory(overparameterization_spheres: pd.DataFrame) -> Evidence:
    r"""With 4,096 units or more, the distance of the weights from their start and the length of their path are those of
    the kernel, $\lVert W_T - W_0 \rVert^2 = \sum_i (1 - (1 - \eta l_i)^T)^2 c_i/l_i$ and $\sum_t \eta \sqrt{r_t^\top H
    r_t}$.
    """
    return _over_kernel(_wide(overparameterization_spheres, WIDER))


@claim(figure="overparameterization_kernel", kind="finding", test=equivalence(0.02), unit="times the kernel's")
def overparameterization_trajectory_digits(overparameterization_digits: pd.DataFrame) -> Evidence:
    """On fifty handwritten digits the widest networks have the kernel's distance and path, too."""
    runs = ends_of(overparameterization_digits).set_index(["design", "units", "seed"])
    return _over_kernel(runs[runs.index.get_level_values("units") == overparameterization_digits["units"].max()])


@claim(figure="overparameterization_kernel", kind="finding", test=equivalence(0.1), unit="(exponent)")
def overparameterization_lazy(overparameterization_spheres: pd.DataFrame) -> Evidence:
    r"""Training is lazy at the rate $m^{-1/2}$: so fall the share of units and points where a sign differs from the
    start, and the largest distance of a unit's weights from it.
    """
    runs = ends_of(overparameterization_spheres).set_index(["design", "units", "seed"])
    measured = {name: _exponents(runs[name], "units") for name in ("flips", "largest_row_move")}
    return Evidence(pd.concat(measured, names=["quantity"]), -0.5, compared="predicted")


@claim(figure="overparameterization", kind="finding", test=equivalence(0.1), unit="(exponent)")
def overparameterization_crossing_costs(overparameterization_pairs: pd.DataFrame) -> Evidence:
    r"""The late rate of a network at two points falls short of the kernel's by a share $\propto m^{-1/2}$: between the
    two widest networks, the exponent is $-\tfrac12$ at each of the distances 0.4 and 0.2.
    """
    deficits = _deficits(overparameterization_pairs)
    widest = [part.index.unique("units").sort_values()[-2:] for _, part in deficits.groupby("separation")]
    names = deficits.index.unique("separation").sort_values()
    measured = [
        _exponents(deficits[deficits.index.isin([name], "separation") & deficits.index.isin(units, "units")], "units")
        for name, units in zip(names, widest, strict=True)
    ]
    return Evidence(pd.concat(measured), -0.5, compared="predicted")


@claim(figure="overparameterization", kind="finding", test=equivalence(0.1), unit="(share of the rate)")
def overparameterization_crossing_law(overparameterization_pairs: pd.DataFrame) -> Evidence:
    r"""Where it is at most 0.4, at the distances 0.4 and 0.2, that share is what the late rate loses if the kinks that
    steps cross take the share $\delta = (2(\cos\theta - \tfrac12)^2 + \tfrac12)/(2\sqrt{2\pi}\,\lambda^2 \sqrt m)$ from
    the eigenvalue.
    """
    small = overparameterization_pairs["predicted_deficit"] <= FIRST_ORDER
    runs = nonempty(overparameterization_pairs[small], "with so small a predicted deficit")
    predicted = runs.groupby(["design", "separation", "units", "seed"])["predicted_deficit"].first()
    measured = _deficits(runs)
    return Evidence(measured, predicted.reindex(measured.index), compared="predicted")


@claim(figure="overparameterization", kind="finding", test=equivalence(0.1), unit="(exponent)")
def overparameterization_narrow_exponent(overparameterization_narrow: pd.DataFrame) -> Evidence:
    r"""A network of 1,000 units loses the first power: the steps to a ten-thousandth of the first loss grow as
    $\varphi^{-2}$, with ReLU as with tanh.
    """
    return Evidence(_exponents(_steps(overparameterization_narrow), "separation"), -2.0, compared="predicted")


@claim(figure="overparameterization", kind="finding", test=equivalence(0.1), unit="steps")
def overparameterization_narrow_law(overparameterization_narrow: pd.DataFrame) -> Evidence:
    r"""What is left to such a ReLU network are the units that are active on both points, half of them: at $\varphi \leq
    0.1$ it needs $2 \log(1/\varepsilon)/(\eta\varphi^2)$ steps to the share $\varepsilon$ of the first loss.
    """
    runs = select(overparameterization_narrow, activation=KINKED)
    runs = nonempty(runs[runs["separation"] <= CLOSE], "at so small a distance")
    steps = _steps(runs)
    cells = runs.groupby(steps.index.names)[["separation", "step_size", "target"]].first().reindex(steps.index)
    predicted = 2 * np.log(1 / cells["target"]) / (cells["step_size"] * cells["separation"] ** 2)
    return Evidence(steps, predicted, compared="predicted")


@claim(figure="overparameterization", kind="finding", test=equivalence(0.125), unit="(exponent)")
def overparameterization_width_separation(overparameterization_pairs: pd.DataFrame) -> Evidence:
    r"""From the distance 0.4 to 0.2 the width at which the late rate falls short by 0.4 grows as $\varphi^{-4}$."""
    deficits = _deficits(overparameterization_pairs)
    cells = deficits.groupby(["design", "separation", "seed"])
    units = cells.apply(lambda part: _units_at(part.index.get_level_values("units"), part.to_numpy()))
    return Evidence(_exponents(units, "separation"), -4.0, compared="predicted")


@claim(figure="overparameterization_kernel", kind="finding", test=equivalence(0.05), unit="steps")
def overparameterization_iterations_rate(overparameterization_iterations: pd.DataFrame) -> Evidence:
    r"""In the end the number of steps is linear in $\log(1/\varepsilon)$: another factor $e$ of accuracy takes
    $1/(-2\log(1 - \eta\lambda_{\min}))$ of them, as the kernel says.
    """
    runs = none_diverged(nonempty(overparameterization_iterations))
    first = runs.groupby(["design", "units", "seed"])[["run", "step_size", "kernel_eigenvalue"]].first()
    early, late = (steps_to_share(runs, share) for share in BELOW_ROUNDING)
    slope = first["run"].map(late - early) / np.log(BELOW_ROUNDING[0] / BELOW_ROUNDING[1])
    return Evidence(slope, 1 / decay_rate(first["kernel_eigenvalue"], first["step_size"]), compared="predicted")


def _wide(runs: pd.DataFrame, units: int) -> pd.DataFrame:
    """Ends of the runs with so many units or more, by design, units and seed."""
    ends = ends_of(runs)
    return nonempty(ends[ends["units"] >= units], "with so many units").set_index(["design", "units", "seed"])


def _over_kernel(ends: pd.DataFrame) -> Evidence:
    """Distance and path at the end over those of the kernel."""
    ratios = {name: ends[name] / ends[f"kernel_{name}"] for name in ("distance", "path")}
    return Evidence(pd.concat(ratios, names=["quantity"]), 1.0, compared="predicted")


def _at_start(runs: pd.DataFrame, *, over_closed_form: bool = False) -> pd.Series:
    """‖g‖²/(2L) at the start, or its ratio to the closed form, by activation, units, separation and seed."""
    ends = ends_of(runs).set_index(["activation", "units", "separation", "seed"])
    ratio = ends["least_gradient_ratio"]  # of the only iterate before the end
    return ratio / ends["predicted_gradient_ratio"] if over_closed_form else ratio


def _steps(runs: pd.DataFrame) -> pd.Series:
    """Steps of each run to its target, by activation, units, separation and seed."""
    runs = none_diverged(nonempty(runs))
    first = runs.groupby(["activation", "units", "separation", "seed"])["run"].first()
    return first.map(steps_to_share(runs, float(runs["target"].iloc[0])))


def _deficits(runs: pd.DataFrame) -> pd.Series:
    """Share by which the late rate of each run falls short of the kernel's, by design, separation, units and seed."""
    runs = none_diverged(nonempty(runs[runs["separation"].isin(SEPARATIONS)], "at these distances"))
    first = runs.groupby(["design", "separation", "units", "seed"])[["run", "step_size", "kernel_eigenvalue"]].first()
    early, late = (steps_to_share(runs, share) for share in LATE)
    rate = np.log(LATE[0] / LATE[1]) / first["run"].map(late - early)
    return 1 - rate / decay_rate(first["kernel_eigenvalue"], first["step_size"])


def _units_at(units: Sequence[int], deficits: np.ndarray) -> float:
    """Units at which the deficit comes down to `EQUAL_DEFICIT`, interpolated on log scales; NaN where it does not."""
    order = np.argsort(units)
    sizes, heights = np.log(np.asarray(units)[order]), deficits[order]
    below = np.flatnonzero(heights <= EQUAL_DEFICIT)
    if not len(below) or not below[0]:
        return np.nan
    near = slice(below[0] - 1, below[0] + 1)
    if heights[below[0]] <= 0:
        return np.nan
    return float(np.exp(np.interp(-np.log(EQUAL_DEFICIT), -np.log(heights[near]), sizes[near])))


def _exponents(values: pd.Series, level: str) -> pd.Series:
    """Exponent of positive values in one level of their index; NaN where there is a gap, or a value is not positive.

    Raises:
        MissingValue: if the level has fewer than two values.
    """
    table = values.unstack(level)
    if table.shape[1] < 2:
        raise MissingValue(f"{len(table.columns)} value of {level}")
    exponents = pd.Series(np.nan, table.index)
    there = (table > 0).all(axis=1)
    if there.any():
        exponents[there] = power_law_exponent(table.columns.to_numpy(dtype=float), table[there])
    return exponents
