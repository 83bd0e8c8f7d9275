"""Claims on what a kink in the activation or in the loss costs networks."""

import numpy as np
import pandas as pd

from ndgm.decide.claim import Evidence, claim
from ndgm.decide.selection import diverged, select
from ndgm.decide.statistics import MissingValue, equivalence, order, within
from ndgm.decide.steps_to_target import steps_to_target
from ndgm.store.run_tables import last_rows
from ndgm.theory.convergence import power_law_exponent

KINKED_AND_SMOOTH = [("relu", "gelu"), ("relu", "silu"), ("leaky_relu", "elu"), ("hardtanh", "tanh")]
"""Each activation with a kink beside one of the same shape without."""

FEWER = 0.1
"""Share of the steps that counts as faster: for less, nobody would choose an activation."""

PROBLEM = ["design", "problem", "batch_size"]


@claim(figure="convergence_networks", kind="finding", test=order(smallest=FEWER), unit="steps")
def convergence_networks_interpolated(convergence_networks: pd.DataFrame) -> Evidence:
    """Smooth networks converge faster (v1) where the data can be interpolated: a network with a kinked activation needs
    a tenth more steps or more to a target loss than one with a smooth activation of the same shape, each at its own
    best step size.
    """
    return _steps_of_pairs(convergence_networks[convergence_networks["problem"] == "interpolated"])


@claim(figure="convergence_networks", kind="finding", test=order(smallest=FEWER), unit="steps")
def convergence_networks_not_interpolated(convergence_networks: pd.DataFrame) -> Evidence:
    """Smooth networks converge faster (v1) where the data cannot be interpolated, for noisy labels or the absolute
    loss: a network with a kinked activation needs a tenth more steps or more to a target loss than its smooth
    partner.
    """
    return _steps_of_pairs(convergence_networks[convergence_networks["problem"] != "interpolated"])


@claim(figure="convergence_networks", kind="finding", test=equivalence(0.25), unit="(exponent)")
def convergence_networks_floor(convergence_floors: pd.DataFrame) -> Evidence:
    r"""A kink of the loss at the solution explains the floor of networks: with the absolute loss and full batches every
    activation, kinked or smooth, hovers above where a decaying step takes it, by a gap proportional to $\eta$.
    """
    floors = held_above_decayed(convergence_floors[convergence_floors["problem"] == "absolute"])
    floors = floors.unstack("part_of_best_step")
    if floors.shape[1] < 2:
        raise MissingValue("floors at fewer than two step sizes")
    exponent = pd.Series(np.nan, floors.index)
    there = (floors > 0).all(axis=1)
    exponent[there] = power_law_exponent(floors.columns, floors[there])
    return Evidence(exponent, 1.0, compared="predicted")


@claim(figure="convergence_networks", kind="finding", test=order(), unit="(difference of losses)")
def convergence_networks_softplus(convergence_kink_value: pd.DataFrame) -> Evidence:
    r"""Softplus$_\beta$ approaches ReLU monotonically: from the same start with the same steps, the loss of the network
    with the smaller $\beta$ is further from that of the ReLU network.
    """
    ends = last_rows(select(convergence_kink_value, dtype="float64"))
    relu = select(ends, activation="relu", at_kink="0.0").set_index([*PROBLEM, "seed"])["objective"]
    ends = ends.set_index([*PROBLEM, "activation", "seed"])
    names = [name for name in ends.index.unique("activation") if name.startswith("softplus_")]
    if len(names) < 2:
        raise MissingValue("fewer than two softplus activations")
    names.sort(key=lambda name: float(name.removeprefix("softplus_")))
    distances = [(ends["objective"].xs(name, level="activation") - relu).abs() for name in names]
    steps = [f"{name} to {after}" for name, after in zip(names, names[1:], strict=False)]
    further, nearer = (pd.concat(part, keys=steps, names=["beta"]) for part in (distances[:-1], distances[1:]))
    return Evidence(further, nearer, compared="other arm")


@claim(figure="convergence_networks", kind="finding", test=within(0), unit="(change of the loss)")
def convergence_networks_value_double(convergence_kink_value: pd.DataFrame) -> Evidence:
    """In double precision the value taken for the derivative of ReLU at its kink changes no run."""
    return _by_value_at_kink(convergence_kink_value, "float64")


@claim(figure="convergence_networks", kind="finding", test=within(0), unit="(change of the loss)")
def convergence_networks_value_single(convergence_kink_value: pd.DataFrame) -> Evidence:
    """In single precision the value taken for the derivative of ReLU at its kink changes no run."""
    return _by_value_at_kink(convergence_kink_value, "float32")


def held_above_decayed(runs: pd.DataFrame) -> pd.Series:
    """Floors: mean loss in the last quarter of the steps in which the step size is held, above that after its decay.

    Indexed by problem, activation, part of the best step size, and seed.
    """
    held = runs.groupby("design")["step"].transform("max") // 2
    window = runs[(runs["step"] > held - held // 4) & (runs["step"] <= held)]
    cell = [*PROBLEM, "activation", "part_of_best_step", "seed"]
    return window.groupby(cell)["objective"].mean() - last_rows(runs).set_index(cell)["objective"]


def _steps_of_pairs(runs: pd.DataFrame) -> Evidence:
    """Steps to the target of kinked activations beside those of their smooth partners, at their best step sizes."""
    runs = select(runs, activation={name for pair in KINKED_AND_SMOOTH for name in pair})
    edge = runs[runs["at_edge"]]
    if len(edge):
        cells = edge[[*PROBLEM, "activation"]].drop_duplicates()
        raise MissingValue(f"best step at the edge of the grid, in {len(cells)} cells")
    first = runs.groupby(["design", "run"]).first()
    reached = pd.concat({design: steps_to_target(part) for design, part in runs.groupby("design")}, names=["design"])
    if missed := _unreached(first, reached):
        raise MissingValue(f"neither of a pair reaches its target in half of the seeds, in {missed} cells")
    unreached = 2 * runs["step"].max()  # ranks above every number of steps
    steps = first.assign(steps=reached.replace(np.inf, unreached), diverged=diverged(runs).astype(int)).reset_index()
    steps = steps.set_index([*PROBLEM, "activation", "seed"])[["steps", "diverged"]]
    names = [f"{kinked} and {smooth}" for kinked, smooth in KINKED_AND_SMOOTH]
    kinked, smooth = (
        pd.concat([steps.xs(pair[side], level="activation") for pair in KINKED_AND_SMOOTH], keys=names, names=["pair"])
        for side in (0, 1)
    )
    return Evidence(
        kinked["steps"],
        smooth["steps"],
        compared="other arm",
        horizon=float(runs["step"].max()),
        diverged=kinked["diverged"] + smooth["diverged"],
    )


def _unreached(runs: pd.DataFrame, reached: pd.Series) -> int:
    """Number of cells in which the median run of neither activation of a pair reaches its target."""
    never = np.isinf(runs.assign(steps=reached).groupby([*PROBLEM, "activation"])["steps"].median()).unstack()
    return int(sum((never[kinked] & never[smooth]).sum() for kinked, smooth in KINKED_AND_SMOOTH))


def _by_value_at_kink(runs: pd.DataFrame, dtype: str) -> Evidence:
    """Change of the loss at the end that each value at the kink makes, against autograd's value, zero."""
    relu = select(runs, dtype=dtype, activation="relu")
    ends = last_rows(relu).set_index(["at_kink", *PROBLEM, "seed"])["objective"]
    usual = ends.xs("0.0", level="at_kink")
    others = ends.drop("0.0", level="at_kink")
    change = others - usual.reindex(others.index.droplevel("at_kink")).set_axis(others.index)
    return Evidence(change, 0.0, compared="predicted")
