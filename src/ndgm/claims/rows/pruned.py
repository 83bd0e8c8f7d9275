"""Networks without their smallest weights: shares of small weights, and proximal networks beside their partners."""

import pandas as pd

from ndgm.decide.claim import Evidence
from ndgm.decide.statistics import MissingValue


def share_below(pruned: pd.DataFrame) -> pd.Series:
    """Share of the weights that are smaller than a threshold in steps ηλ, by method, threshold and seed.

    Raises:
        MissingValue: if no threshold below one step was tried.
    """
    found = pruned[pruned["rule"] == "threshold"]
    found = found.assign(at=[float(f"{at:.6g}") for at in found["at"]])  # as written, without what a grid rounds
    if not (found["at"] < 1).any():
        raise MissingValue("no threshold below one step")
    return found.set_index(["method", "at", "seed"])["sparsity"]


def change_over_decades(share: pd.Series) -> pd.Series:
    """How much larger a share is at ten times a threshold, for each threshold of which that is one step at most.

    Raises:
        MissingValue: if no two thresholds are a decade apart.
    """
    at_ten_times = share.unstack(["method", "seed"])
    at_ten_times.index = [float(f"{at / 10:.6g}") for at in at_ten_times.index]
    change = (at_ten_times.rename_axis("at") - share.unstack(["method", "seed"])).loc[:0.1].dropna(how="all")
    if change.empty:
        raise MissingValue("no decade of thresholds up to one step")
    return change.stack(["method", "seed"], future_stack=True).dropna()


def proximal_pairs(pruned: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Networks pruned to what a proximal method keeps, by that method: its own and those of its partner.

    Raises:
        MissingValue: if there are none, or a partner is missing.
    """
    rows = pruned[pruned["rule"].str.startswith("as_")]
    if rows.empty:
        raise MissingValue("no proximal network is accurate enough")
    pairs = {rule.removeprefix("as_"): part.set_index(["method", "seed"]) for rule, part in rows.groupby("rule")}
    for name, part in pairs.items():
        if part.index.unique("method").size != 2:
            raise MissingValue(f"no network to compare {name} with")
    return pairs


def accuracies(pruned: pd.DataFrame) -> Evidence:
    """Test accuracy of proximal networks beside that of their partners, pruned to as many weights."""
    pairs = proximal_pairs(pruned)
    proximal = {name: rows["accuracy"].xs(name, level="method") for name, rows in pairs.items()}
    plain = {name: rows["accuracy"].xs(partner_in(rows, name), level="method") for name, rows in pairs.items()}
    return arms(proximal, plain)


def arms(measured: dict[str, pd.Series], other: dict[str, pd.Series]) -> Evidence:
    """Evidence that compares two networks of each pair, by the proximal method of the pair."""
    return Evidence(pd.concat(measured, names=["proximal"]), pd.concat(other, names=["proximal"]), compared="other arm")


def partner_in(pair: pd.DataFrame, proximal: str) -> str:
    """The partner of a proximal method in their pair."""
    return next(method for method in pair.index.unique("method") if method != proximal)
