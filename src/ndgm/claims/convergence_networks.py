"""Claims on what a kink in the activation or in the loss costs networks."""

import numpy as np
import pandas as pd

from ndgm.decide.claim import Evidence, claim
from ndgm.decide.selection import diverged, nonempty, select
from ndgm.decide.statistics import MissingValue, equivalence, order, within
from ndgm.decide.steps_to_target import steps_to_target
from ndgm.store.run_tables import last_rows

KINKED_AND_SMOOTH = [("relu", "gelu"), ("relu", "silu"), ("leaky_relu", "elu"), ("hardtanh", "tanh")]
"""Each activation with a kink beside one of the same shape without."""

PAPERS_PAIR = ("relu", "tanh")
"""The networks that the paper's first version compared, as secondary reports have it; their shapes differ."""

FEWER = 0.1
"""Share of the steps that counts as faster: for less, nobody would choose an activation."""

PROBLEM = ["design", "problem", "batch_size"]


@claim(figure="convergence_networks", kind="finding", test=order(smallest=FEWER), unit="steps")
def convergence_networks_interpolated(convergence_networks: pd.DataFrame) -> Evidence:
    """Smooth networks converge faster (v1) where the data can be interpolated: a network with a kinked activation needs
    a tenth more steps or more to a target loss than one with a smooth activation of the same shape, each at its own
    best step size.
    """
    return _steps_of_pairs(convergence_networks[convergence_networks["problem"] == "interpolated"], KINKED_AND_SMOOTH)


@claim(figure="convergence_networks", kind="finding", test=order(smallest=FEWER), unit="steps")
def convergence_networks_not_interpolated(convergence_networks: pd.DataFrame) -> Evidence:
    """Smooth networks converge faster (v1) where the data cannot be interpolated, for noisy labels or the absolute
    loss: a network with a kinked activation needs a tenth more steps or more to a target loss than its smooth
    partner.
    """
    return _steps_of_pairs(convergence_networks[convergence_networks["problem"] != "interpolated"], KINKED_AND_SMOOTH)


@claim(figure="convergence_networks", kind="finding", test=order(smallest=FEWER), unit="steps")
def convergence_networks_tanh(convergence_networks: pd.DataFrame) -> Evidence:
    """Networks with tanh converge faster than with ReLU, the pair that the paper's first version is reported to
    compare: on every problem, fitted or not, ReLU needs a tenth more steps or more to a target loss, each at its own
    best step size.
    """
    return _steps_of_pairs(convergence_networks, [PAPERS_PAIR])


@claim(figure="convergence_networks_kinks", kind="finding", test=equivalence(0.25), unit="(loss per best step size)")
def convergence_networks_floor(convergence_floors: pd.DataFrame) -> Evidence:
    r"""With the absolute loss and full batches every activation, kinked or smooth, hovers at a level that rises in
    proportion to the step size: from the same start and after the same time $\eta k$, it rises as much per step size
    between $\eta/2$ and $\eta$ as between $\eta/4$ and $\eta/2$, $\eta$ being the best step size.
    """
    levels = _levels(convergence_floors, least=3)
    parts = levels.columns.to_numpy()
    slopes = levels.diff(axis=1).iloc[:, 1:] / np.diff(parts)
    upper, lower = slopes.iloc[:, 1:], slopes.iloc[:, :-1].abs()  # a level that falls is no floor
    return Evidence(_long(upper), _long(lower.set_axis(upper.columns, axis=1)), compared="other arm")


@claim(figure="convergence_networks_kinks", kind="finding", test=order(), unit="(loss)")
def convergence_networks_floor_rises(convergence_floors: pd.DataFrame) -> Evidence:
    r"""With the absolute loss and full batches there is a floor: from the same start and after the same time $\eta k$,
    every activation, kinked or smooth, hovers at a level that is higher by more than 1 % for each longer one of the
    step sizes.
    """
    levels = _levels(convergence_floors, least=2)
    longer, shorter = levels.iloc[:, 1:], levels.iloc[:, :-1]
    return Evidence(_long(longer), _long(shorter.set_axis(longer.columns, axis=1)), compared="other arm")


@claim(figure="convergence_networks_kinks", kind="finding", test=order(), unit="(difference of losses)")
def convergence_networks_softplus(convergence_kink_value: pd.DataFrame) -> Evidence:
    r"""Softplus$_\beta$ approaches ReLU monotonically: from the same start with the same steps, the loss of the network
    with the smaller $\beta$ is further from that of the ReLU network.
    """
    ends = last_rows(select(convergence_kink_value, dtype="float64"))
    ends = ends[ends["bias_scale"] == 0]
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


@claim(figure="convergence_networks_kinks", kind="finding", test=within(0), unit="(change of the loss)")
def convergence_networks_value_double(convergence_kink_value: pd.DataFrame) -> Evidence:
    """In double precision the value taken for the derivative of ReLU at its kink changes no run whose biases start at
    zero, as is usual.
    """
    return _by_value_at_kink(convergence_kink_value, "float64", biases=False)


@claim(figure="convergence_networks_kinks", kind="finding", test=within(0), unit="(change of the loss)")
def convergence_networks_value_single(convergence_kink_value: pd.DataFrame) -> Evidence:
    """In single precision the value taken for the derivative of ReLU at its kink changes no run whose biases start at
    zero, as is usual.
    """
    return _by_value_at_kink(convergence_kink_value, "float32", biases=False)


@claim(
    figure="convergence_networks_kinks",
    kind="finding",
    test=within(0),
    unit="(change of the loss)",
    derived_from="convergence_networks_value_double",
)
def convergence_networks_value_biases_double(convergence_kink_value: pd.DataFrame) -> Evidence:
    """In double precision the value taken for the derivative of ReLU at its kink changes no run whose biases start at
    small random numbers.
    """
    return _by_value_at_kink(convergence_kink_value, "float64", biases=True)


@claim(
    figure="convergence_networks_kinks",
    kind="finding",
    test=within(0),
    unit="(change of the loss)",
    derived_from="convergence_networks_value_single",
)
def convergence_networks_value_biases_single(convergence_kink_value: pd.DataFrame) -> Evidence:
    """In single precision the value taken for the derivative of ReLU at its kink changes no run whose biases start at
    small random numbers.
    """
    return _by_value_at_kink(convergence_kink_value, "float32", biases=True)


@claim(
    figure="convergence_networks_kinks",
    kind="finding",
    test=within(0),
    unit="(whether the run changes)",
    derived_from="convergence_networks_value_double",
)
def convergence_networks_value_cause(convergence_kink_value: pd.DataFrame) -> Evidence:
    """Samples exactly on kinks at the start are what makes the value at the kink act: in double precision it changes
    those runs with biases of zero that start with a pre-activation on the kink, and no others.
    """
    change, on_kink = _changes(convergence_kink_value, "float64", biases=False)
    return Evidence(
        (change != 0).astype(float).where(change.notna()), (on_kink > 0).astype(float), compared="predicted"
    )


def levels_of(runs: pd.DataFrame) -> pd.Series:
    """Mean loss over the later half of the steps of each run, by problem, activation, part of best step, and seed."""
    last = runs.groupby(["design", "run"])["step"].transform("max")
    cell = [*PROBLEM, "activation", "part_of_best_step", "seed"]
    return runs[runs["step"] > last / 2].groupby(cell)["objective"].agg(lambda losses: losses.mean(skipna=False))


def _levels(runs: pd.DataFrame, least: int) -> pd.DataFrame:
    """Levels with the absolute loss, with a column for each part of the best step size."""
    levels = levels_of(runs[runs["problem"] == "absolute"]).unstack("part_of_best_step")
    if levels.shape[1] < least:
        raise MissingValue(f"levels at fewer than {least} step sizes")
    return levels


def _long(levels: pd.DataFrame) -> pd.Series:
    """Values with the part of the best step size as last level of the index, gaps among them."""
    return levels.T.unstack()


def _steps_of_pairs(runs: pd.DataFrame, pairs: list[tuple[str, str]]) -> Evidence:
    """Steps to the target of kinked activations beside those of their smooth partners, at their best step sizes.

    An activation without a step size that takes all tuning seeds to the target has none that counts: it is slower than
    one that has.
    """
    runs = select(runs, activation={name for pair in pairs for name in pair})
    edge = runs[runs["at_edge"]]
    if len(edge):
        cells = edge[[*PROBLEM, "activation"]].drop_duplicates()
        raise MissingValue(f"best step at the edge of the grid, in {len(cells)} cells")
    first = runs.groupby(["design", "run"]).first()
    reached = pd.concat({design: steps_to_target(part) for design, part in runs.groupby("design")}, names=["design"])
    reached = reached.where(first["all_reach"], np.inf)
    if missed := _unreached(first, reached, pairs):
        raise MissingValue(f"neither of a pair reaches its target in half of the seeds, in {missed} cells")
    unreached = 2 * runs["step"].max()  # ranks above every number of steps
    steps = first.assign(steps=reached.replace(np.inf, unreached), diverged=diverged(runs).astype(int)).reset_index()
    steps = steps.set_index([*PROBLEM, "activation", "seed"])[["steps", "diverged"]]
    names = [f"{kinked} and {smooth}" for kinked, smooth in pairs]
    kinked, smooth = (
        pd.concat([steps.xs(pair[side], level="activation") for pair in pairs], keys=names, names=["pair"])
        for side in (0, 1)
    )
    horizon = float(runs["step"].max())
    return Evidence(
        kinked["steps"],
        smooth["steps"],
        compared="other arm",
        horizon=horizon,
        unordered=(kinked["steps"] > horizon) & (smooth["steps"].reindex(kinked.index) > horizon),
        diverged=kinked["diverged"] + smooth["diverged"],
    )


def _unreached(runs: pd.DataFrame, reached: pd.Series, pairs: list[tuple[str, str]]) -> int:
    """Number of cells in which the median run of neither activation of a pair reaches its target."""
    never = np.isinf(runs.assign(steps=reached).groupby([*PROBLEM, "activation"])["steps"].median()).unstack()
    return int(sum((never[kinked] & never[smooth]).sum() for kinked, smooth in pairs))


def _by_value_at_kink(runs: pd.DataFrame, dtype: str, *, biases: bool) -> Evidence:
    """Change of the loss at the end that each value at the kink makes, against autograd's value, zero.

    The table counts seeds over all problems: those that any value changes, those that start on a kink, those that
    change though they do not, and all.
    """
    change, on_kink = _changes(runs, dtype, biases=biases)
    seeds = change.index.droplevel("at_kink")
    changed, there = ((part != 0).groupby(seeds).any() for part in (change, on_kink))
    counts = {"changed": changed, "on_kink": there, "changed_elsewhere": changed & ~there, "all": changed | True}
    table = pd.DataFrame({name: [int(part.sum())] for name, part in counts.items()}, index=["seeds"])
    return Evidence(change, 0.0, compared="predicted", table=table)


def _changes(runs: pd.DataFrame, dtype: str, *, biases: bool) -> tuple[pd.Series, pd.Series]:
    """Change of the loss at the end by value at the kink, and the share of pre-activations that start on a kink.

    Between the start and itself nothing moves, so what is near a kink there is on it.
    """
    relu = select(runs, dtype=dtype, activation="relu")
    relu = nonempty(relu[(relu["bias_scale"] > 0) == biases], "with biases that start at random" if biases else "")
    runs_by = ["at_kink", *PROBLEM, "bias_scale", "seed"]
    start = relu[relu["step"] == 0].set_index(runs_by)["near_kink"]
    ends = last_rows(relu).set_index(runs_by)["objective"]
    usual = ends.xs("0.0", level="at_kink")
    others = ends.drop("0.0", level="at_kink")
    change = others - usual.reindex(others.index.droplevel("at_kink")).set_axis(others.index)
    return change, start.reindex(others.index)
