"""Networks without the weights whose means are within a step of zero."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import erf

from ndgm.engine.pruning import keep_share, sequential
from ndgm.experiments.inputs import Found
from ndgm.experiments.l1_paradox_strip import by_means, removals
from ndgm.experiments.l1_paradox_weights import layers_of, of_data, runs_of

WIDTHS = (64, 32, 10)
COUNT = 64 * 32 + 32 * 10
BY_MEANS, DATA = "l1_paradox_strip", "digits"


@pytest.fixture(scope="module")
def by_rule(smoke):
    """Networks of random weights, whose means are half as large, and proximal networks with a known share of zeros."""
    rng, ends = np.random.default_rng(0), {}
    for row in runs_of(of_data(smoke.settings(BY_MEANS, DATA))).to_dict("records"):
        w = rng.standard_normal(65 * 32 + 33 * 10) * row["step_size"] * row["penalty"]
        ends[row["run"]] = np.stack([w, w / 2]) if row["method"] == "subgradient" else np.where(w < 0, 0, w)[None]
    inputs = replace(smoke.inputs(BY_MEANS, DATA), found={"l1_paradox_weights": Found(pd.DataFrame(), ends)})
    return by_means(smoke.settings(BY_MEANS, DATA), inputs), ends


def test_without_proximal_networks_the_same_weights_are_removed_and_nothing_is_shared(smoke, by_rule):
    table, ends = by_rule
    settings = smoke.settings(BY_MEANS, DATA)
    runs, alone = (
        runs_of(of_data(settings) | {"proximal": proximal}).query("method == 'subgradient'")
        for proximal in (True, False)
    )
    ends = {new: ends[old] for new, old in zip(alone["run"], runs["run"], strict=True)}
    inputs = replace(smoke.inputs(BY_MEANS, DATA), found={"l1_paradox_weights": Found(pd.DataFrame(), ends)})
    told = settings | {"data": {DATA: settings["data"][DATA] | {"proximal": False}}}
    found, columns = by_means(told, inputs), ["design", "penalty", "seed", "rule", "sparsity", "accuracy"]
    of_subgradients = table[table["rule"] != "zeros"].reset_index(drop=True)
    pd.testing.assert_frame_equal(found[columns], of_subgradients[columns])
    assert found["overlap"].isna().all()


def test_the_strip_is_that_of_the_means(smoke, by_rule):
    table, _ = by_rule
    shares = table.groupby("rule")["sparsity"].mean()
    error = 5 * np.sqrt(0.25 / COUNT / (len(table) / 7))
    # |m| ≤ ηλ where a standard Gaussian is within 2; the zeros are half of all.
    assert shares["strip"] == pytest.approx(erf(2 / np.sqrt(2)), abs=error)
    assert shares["magnitude"] == pytest.approx(shares["strip"], rel=1e-12) and shares["none"] == 0
    assert shares["zeros"] == pytest.approx(0.5, abs=error)
    strip = table[table["rule"] == "strip"]["overlap"].mean()
    assert strip == pytest.approx(erf(2 / np.sqrt(2)) / 2 / (erf(2 / np.sqrt(2)) / 2 + 0.5), abs=0.02)
    assert (table[table["rule"] == "zeros"]["overlap"] == 1).all() and (
        table[table["rule"] == "none"]["overlap"] == 0
    ).all()


def test_the_smallest_of_the_last_iterate_are_those_of_pytorch(smoke, by_rule):
    _, ends = by_rule
    row = runs_of(of_data(smoke.settings(BY_MEANS, DATA))).query("method == 'subgradient'").iloc[0].to_dict()
    last, mean = ends[row["run"]]
    penalised = layers_of(WIDTHS) > 0
    removed = removals(last, mean, penalised, row)
    network = sequential(last, WIDTHS, "relu")
    keep_share(network, 1 - removed["magnitude"].sum() / COUNT)
    by_torch = np.concatenate([(module.weight.data.T == 0).flatten() for module in (network[0], network[2])])
    np.testing.assert_array_equal(removed["magnitude"][penalised], by_torch)
    assert not any(rule[~penalised].any() for rule in removed.values())
    np.testing.assert_array_equal(removed["below_1e-3"], penalised & (np.abs(last) < 1e-3))
