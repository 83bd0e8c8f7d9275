"""Weights of networks under an L1 penalty, at penalties that leave the networks accurate."""

import numpy as np
import pandas as pd

from ndgm.decide.claim import Evidence
from ndgm.decide.selection import nonempty, select
from ndgm.decide.statistics import MissingValue

ACCURATE = 0.9
"""Mean test accuracy from which a network is called accurate."""

VARYING = ("turning", "near_half")
"""States of weights whose gradient varies and whose mean has settled."""

CELL_OF_LAYER = ["data", "layer", "penalty", "seed"]


def accurate(rows: pd.DataFrame, design: str) -> pd.DataFrame:
    """Rows with one kind of batches, at penalties with an accurate network in the mean over seeds, of all data.

    Raises:
        MissingValue: if there are none of some data.
    """
    rows = select(rows, design=design, method="subgradient")
    by_run = rows.groupby(["data", "penalty", "seed"])["test_accuracy"].first()
    means = by_run.groupby(["data", "penalty"]).mean()
    at = pd.MultiIndex.from_frame(rows[["data", "penalty"]])
    return _of_all_data(rows, at.isin(means.index[means >= ACCURATE]), "that leave a network accurate")


def weights_in_strip(rows: pd.DataFrame, *states: str) -> pd.DataFrame:
    """Rows of weights in some states whose mean is within one step of zero.

    Raises:
        MissingValue: if there are none of some data.
    """
    inside = (rows["over_width"].abs() <= 1) & rows["state"].isin(states)
    return _of_all_data(rows, inside, f"of {' or '.join(states)} weights within a step of zero")


def sums_of(rows: pd.DataFrame, cell: list[str] = CELL_OF_LAYER) -> pd.DataFrame:
    """Sums over the weights of each cell."""
    return rows.groupby(cell).sum(numeric_only=True)


def on_kink(rows: pd.DataFrame, *states: str, cell: list[str] = CELL_OF_LAYER) -> pd.Series:
    """Share of the weights in some states, of accurate networks with full batches, that see the rounded kink."""
    found = sums_of(weights_in_strip(accurate(rows, "full_batch"), *states), cell)
    return found["on_kink"] / found["count"]


def norm_by_law(rows: pd.DataFrame) -> Evidence:
    """L1 norm of weights in the strip of accurate networks with full batches, beside the law's.

    Its table has the standard deviation of their gradients over the penalty, the mean over these weights, and the share
    of weights in the strip that are left out because their means still move; both to two digits.
    """
    rows = accurate(rows, "full_batch")
    inside = weights_in_strip(rows, *VARYING)
    found = sums_of(inside)
    noise = np.average(inside["noise_over_penalty"], weights=inside["count"])
    moving = rows.loc[(rows["state"] == "moving") & (rows["over_width"].abs() <= 1), "count"].sum()
    said = {"noise": noise, "moving": moving / (moving + inside["count"].sum())}
    table = pd.DataFrame({name: [float(f"{value:.2g}")] for name, value in said.items()}, index=["strip"])
    return Evidence(found["modulus"], found["law_modulus"], compared="predicted", table=table)


def of_rule(rows: pd.DataFrame, rule: str, value: str) -> pd.Series:
    """A column of the networks that were pruned by a rule, by data, batches, penalty and seed, where accurate.

    Raises:
        MissingValue: if there are none of some data with some kind of batches.
    """
    cells = ["data", "design", "penalty"]
    whole = rows[rows["rule"] == "none"].groupby(cells)["accuracy"].mean()
    rows = nonempty(rows[rows["rule"] == rule], f"pruned by the rule {rule}")
    kept = pd.MultiIndex.from_frame(rows[cells]).isin(whole.index[whole >= ACCURATE])
    rows = _of_all_data(rows, kept, "that leave a network accurate")
    return rows.set_index([*cells, "seed"])[value].astype(float)


def beside_proximal(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of pruned networks on data on which proximal networks were trained, too."""
    zeros = nonempty(rows[rows["rule"] == "zeros"], "of proximal networks")
    return rows[rows["data"].isin(zeros["data"])]


def worst_overlaps(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Overlap of the strip and of each threshold with the proximal networks, at the penalty where it is least."""
    names = [rule for rule in rows["rule"].unique() if rule.startswith("below_")]
    rules = {name.removeprefix("below_"): of_rule(rows, name, "overlap") for name in names}
    by_strip, by_threshold = (
        pd.concat(overlaps, names=["threshold"]).groupby(["threshold", "data", "design", "seed"]).min()
        for overlaps in (dict.fromkeys(rules, of_rule(rows, "strip", "overlap")), rules)
    )
    return by_strip, by_threshold


def crossing_weights(rows: pd.DataFrame) -> pd.DataFrame:
    """Sums over the weights of accurate networks with mini-batches that cross their kink, whose gradient varies.

    Raises:
        MissingValue: if there are none of some data.
    """
    rows = accurate(rows, "minibatch")
    return sums_of(_of_all_data(rows, rows["state"].isin(VARYING) & (rows["crossing"] > 0), "of weights that cross"))


def kinks_where(ends: pd.DataFrame, where: str) -> pd.DataFrame:
    """Ends of RMSProp on one kink where a query holds, by arithmetic, value of sign(0), noise and seed."""
    ends = nonempty(ends.query(where), "of that kind")
    return ends.set_index(["arithmetic", "sign_of_zero", "noise", "seed"])


def _of_all_data(rows: pd.DataFrame, kept: pd.Series | np.ndarray, of: str) -> pd.DataFrame:
    """Rows that are kept, of which there have to be some of all data with all batches: no statement leaves one out."""
    for (data, design), kept_here in pd.Series(kept, rows.index).groupby([rows["data"], rows["design"]]):
        if not kept_here.any():
            raise MissingValue(f"no runs {of}: {data}, {design}")
    return rows[kept]
