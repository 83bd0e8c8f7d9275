"""Weights of networks under an L1 penalty, at penalties that leave the networks accurate."""

import pandas as pd

from ndgm.decide.selection import nonempty, select

ACCURATE = 0.9
"""Mean test accuracy from which a network is called accurate."""

VARYING = ("turning", "near_half")
"""States of weights whose gradient varies and whose mean has settled."""

CELL_OF_LAYER = ["layer", "penalty", "seed"]


def accurate(rows: pd.DataFrame, design: str) -> pd.DataFrame:
    """Rows with one kind of batches, at penalties with an accurate network in the mean over seeds."""
    rows = select(rows, design=design, method="subgradient")
    by_run = rows.groupby(["penalty", "seed"])["test_accuracy"].first()
    means = by_run.groupby("penalty").mean()
    return nonempty(rows[rows["penalty"].isin(means.index[means >= ACCURATE])], "that leave a network accurate")


def in_strip(rows: pd.DataFrame, *states: str) -> pd.DataFrame:
    """Rows of weights in some states whose mean is within one step of zero."""
    inside = rows["over_width"].abs() <= 1
    return nonempty(
        rows[inside & rows["state"].isin(states)], f"of {' or '.join(states)} weights within a step of zero"
    )


def sums_of(rows: pd.DataFrame, cell: list[str] = CELL_OF_LAYER) -> pd.DataFrame:
    """Sums over the weights of each cell."""
    return rows.groupby(cell).sum(numeric_only=True)


def of_rule(rows: pd.DataFrame, rule: str, value: str) -> pd.Series:
    """A column of the networks that were pruned by a rule, by batches, penalty and seed, where they were accurate."""
    cells = ["design", "penalty"]
    whole = rows[rows["rule"] == "none"].groupby(cells)["accuracy"].mean()
    rows = nonempty(rows[rows["rule"] == rule], f"pruned by the rule {rule}").set_index([*cells, "seed"])
    kept = rows.index.droplevel("seed").isin(whole.index[whole >= ACCURATE])
    return nonempty(rows[kept], "that leave a network accurate")[value].astype(float)


def crossing_weights(rows: pd.DataFrame) -> pd.DataFrame:
    """Sums over the weights of accurate networks with mini-batches that cross their kink, whose gradient varies."""
    rows = accurate(rows, "minibatch")
    return sums_of(nonempty(rows[rows["state"].isin(VARYING) & (rows["crossing"] > 0)], "of weights that cross"))


def kinks_where(ends: pd.DataFrame, where: str) -> pd.DataFrame:
    """Ends of RMSProp on one kink where a query holds, by arithmetic, value of sign(0), noise and seed."""
    ends = nonempty(ends.query(where), "of that kind")
    return ends.set_index(["arithmetic", "sign_of_zero", "noise", "seed"])
