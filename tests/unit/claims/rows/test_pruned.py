"""Shares of small weights, and pairs of networks, on tables by hand."""

import pandas as pd
import pytest

from ndgm.claims.rows.pruned import accuracies, change_over_decades, partner_in, proximal_pairs, share_below
from ndgm.decide.statistics import MissingValue

THRESHOLDS = pd.DataFrame(
    [("threshold", "ista", at, share) for at, share in ((0.01, 0.5), (0.1, 0.5), (1.0, 0.6))]
    + [("threshold", "subgradient", at, share) for at, share in ((0.01, 0.1), (0.1, 0.2), (1.0, 0.6))],
    columns=["rule", "method", "at", "sparsity"],
).assign(seed=0)
PAIR = pd.DataFrame(
    {
        "rule": "as_ista",
        "method": ["ista", "subgradient"],
        "at": 0.5,
        "sparsity": 0.5,
        "accuracy": [0.9, 0.8],
        "seed": 0,
    }
)


def test_changes_over_decades():
    change = change_over_decades(share_below(THRESHOLDS)).unstack("method")
    assert change["subgradient"].tolist() == pytest.approx([0.1, 0.4])
    assert change["ista"].tolist() == pytest.approx([0.0, 0.1])
    with pytest.raises(MissingValue, match="below one step"):
        share_below(THRESHOLDS[THRESHOLDS["at"] == 1])


def test_pairs_of_a_proximal_method_and_its_partner():
    pairs = proximal_pairs(pd.concat([THRESHOLDS, PAIR]))
    assert set(pairs) == {"ista"} and partner_in(pairs["ista"], "ista") == "subgradient"
    evidence = accuracies(PAIR)
    assert evidence.measured.tolist() == [0.9] and evidence.reference.tolist() == [0.8]
    with pytest.raises(MissingValue, match="no network to compare ista with"):
        proximal_pairs(PAIR[PAIR["method"] == "ista"])
    with pytest.raises(MissingValue, match="accurate enough"):
        proximal_pairs(THRESHOLDS)
