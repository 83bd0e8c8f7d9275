"""Pruning: which networks are chosen, and how many weights each rule leaves."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import erf

from ndgm.data.kinds import Weights
from ndgm.experiments.l1_paradox_pruning import SWEEP, accurate_enough, pruning
from ndgm.store.files import InputError

TABLE = "l1_paradox_pruning"
METHODS = ["ista", "subgradient", "adam"]
COUNT = 64 * 32 + 32 * 10


def trained():
    """Two penalties and seeds of each method; all are accurate at the first penalty, and only ISTA at the second."""
    rows = [
        {
            "design": "minibatch",
            "run": run,
            "method": method,
            "seed": seed,
            "penalty": penalty,
            "step_size": 0.1,
            "activation": "relu",
            "step": 150,
            "zeros": 1_000 + seed if method == "ista" else 0,
            "weights": COUNT,
            "test_accuracy": 0.9 if penalty < 0.1 or method == "ista" else 0.2,
        }
        for run, (method, penalty, seed) in enumerate(
            (method, penalty, seed) for method in METHODS for penalty in (0.01, 0.1) for seed in (0, 1)
        )
    ]
    return pd.DataFrame(rows)


def pruned_networks(smoke, **changed):
    rng = np.random.default_rng(0)
    weights = rng.standard_normal((len(trained()), 65 * 32 + 33 * 10)).astype("f4")
    reads = {f"{SWEEP}.parquet": trained(), f"{SWEEP}.npz": Weights(weights)}
    return pruning(smoke.settings(TABLE) | changed, replace(smoke.inputs(TABLE), reads=reads))


@pytest.fixture(scope="module")
def table(smoke):
    return pruned_networks(smoke)


def test_each_method_is_pruned_at_its_largest_penalty_that_is_accurate_enough(table):
    assert table.groupby("method")["penalty"].unique().map(list).to_dict() == {
        "ista": [0.1],
        "subgradient": [0.01],
        "adam": [0.01],
    }
    assert table.attrs == {"penalties": {"adam": 0.01, "ista": 0.1, "subgradient": 0.01}, "methods_left_out": []}


def test_as_many_weights_are_left_as_the_rule_says(smoke, table):
    kept = table[table["rule"] == "kept"]
    assert set(kept["at"]) == set(smoke.settings(TABLE)["kept"])
    np.testing.assert_allclose(kept["sparsity"], 1 - np.round(kept["at"] * COUNT) / COUNT, rtol=1e-12)
    # As many as the ISTA network of the same seed keeps, also for the method with the same steps, not for Adam.
    partner = table[table["rule"] == "as_ista"]
    assert set(partner["method"]) == {"ista", "subgradient"}
    np.testing.assert_allclose(partner["sparsity"], (1_000 + partner["seed"]) / COUNT, rtol=1e-12)


def test_partners_are_those_of_the_settings(smoke):
    table = pruned_networks(smoke, partners={"ista": "adam", "proximal_adam": "adam"}, kept=[1.0])
    pairs = table[table["rule"].str.startswith("as_")].groupby("rule")["method"].unique().map(sorted).to_dict()
    assert pairs == {"as_ista": ["adam", "ista"]}


def test_a_threshold_is_in_units_of_step_size_times_penalty(table):
    below = table[table["rule"] == "threshold"]
    # Weights are standard Gaussian: the share below a size is known, up to five standard errors of a share.
    expected = erf(below["at"] * below["step_size"] * below["penalty"] / np.sqrt(2))
    assert np.abs(below["sparsity"] - expected).max() < 5 * np.sqrt(0.25 / COUNT)


def test_a_method_without_an_accurate_network_is_left_out():
    runs = trained()
    chosen, penalties = accurate_enough(
        runs.assign(test_accuracy=runs["test_accuracy"].where(runs["seed"] == 0, 0)), 0.4
    )
    assert set(penalties) == set(METHODS) and set(chosen["seed"]) == {0, 1}
    inaccurate = runs["test_accuracy"].where(runs["method"] != "adam", 0.1)
    chosen, penalties = accurate_enough(runs.assign(test_accuracy=inaccurate), 0.5)
    assert set(penalties) == set(chosen["method"]) == {"ista", "subgradient"}
    with pytest.raises(InputError, match="l1_paradox.pruning.accuracy: no method has a mean test accuracy of 0.99"):
        accurate_enough(runs, 0.99)
