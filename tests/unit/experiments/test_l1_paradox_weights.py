"""Networks weight by weight: what is in a bin, what is kept of a run, and sums against a plain loop."""

import numpy as np
import pandas as pd
import pytest
import torch

from ndgm.experiments.l1_paradox_weights import EDGES, OWNER, binned, layers_of, of_data, problem, runs_of, weights

TABLE = "l1_paradox_weights"
DATA = {"digits": (64, 32, 10), "mnist": (784, 16, 10)}
"""Widths of the networks of each data set at the smoke scale."""


def short(smoke, data):
    """Settings of a data set, with a few steps."""
    settings = smoke.settings(TABLE, data)
    return settings | {"data": {data: settings["data"][data] | {"first_steps": 30, "steps": 20}}}


@pytest.fixture(scope="module", params=DATA)
def data(request):
    """Name of a data set."""
    return request.param


@pytest.fixture(scope="module")
def found(smoke, data):
    return weights(short(smoke, data), smoke.inputs(TABLE, data))


def test_all_data_of_the_config_are_here(smoke):
    assert set(DATA) == set(smoke.config["l1_paradox"]["weights"]["data"])


def test_every_weight_is_in_one_bin_and_no_bias_is(found, data):
    inputs, hidden, outputs = DATA[data]
    counts = found.table.groupby(["design", "penalty", "seed", "layer"])["count"].sum().unstack("layer")
    assert (counts[1] == inputs * hidden).all() and (counts[2] == hidden * outputs).all()
    assert found.table["bin"].between(0, len(EDGES)).all() and (found.table["data"] == data).all()


def test_all_runs_have_ends_and_the_rows_are_those_of_the_subgradient_method(smoke, found, data):
    runs = runs_of(of_data(smoke.settings(TABLE, data)))
    assert set(found.ends) == set(runs["run"])
    methods = runs.set_index("run")["method"]
    assert {run: len(end) for run, end in found.ends.items()} == {
        run: 2 if methods[run] == "subgradient" else 1 for run in methods.index
    }
    assert set(found.table["run"]) == set(methods.index[methods == "subgradient"])
    assert ("ista" in set(methods)) == smoke.settings(TABLE, data)["data"][data]["proximal"]


def test_layers_of_parameters():
    np.testing.assert_array_equal(layers_of((2, 3, 1)), [1] * 6 + [0] * 3 + [2] * 3 + [0])


@pytest.mark.parametrize("design", ["full_batch", "minibatch"])
def test_norms_are_those_of_a_plain_loop(smoke, found, data, design):
    settings = of_data(short(smoke, data))
    runs = runs_of(settings)
    rows = runs[(runs["design"] == design) & (runs["method"] == "subgradient")]
    split = smoke.inputs(TABLE, data).samples[OWNER][settings["split"]]
    objective, w = problem(settings, split, design, rows)
    step, penalty = settings["step_size"], torch.tensor(rows["penalty"].to_numpy())[:, None] * objective.weights
    total = torch.zeros_like(w)
    for done in range(50):
        objective.draw()
        total += w.abs() if done >= 30 else 0
        w = w - step * (objective.loss.subgradient(w) + penalty * torch.copysign(torch.ones(()).double(), w))
    expected = (total / 20 * objective.weights).sum(1)
    table = found.table[found.table["design"] == design]
    np.testing.assert_allclose(table.groupby("run")["modulus"].sum(), expected, rtol=1e-9)
    # The balance of squares holds on any stretch of any run.
    norms = table.groupby("run")[["modulus", "balance_modulus"]].sum()
    np.testing.assert_allclose(norms["balance_modulus"], norms["modulus"], rtol=1e-9)


def test_states_and_sums_by_hand():
    """Four weights of one layer and a bias, ηλ = 0.1: σ = 0, g = 0.05λ, g = 0.5λ, and one whose mean moves."""
    layer = np.array([1, 1, 1, 1, 0])
    found = {
        "mean": np.array([0.02, 0.05, -0.05, 0.3, 9]),
        "earlier": np.array([0.02, 0.05, -0.05, 0.4, 9]),
        "modulus": np.array([0.05, 0.06, 0.07, 0.3, 9]),
        "sign": np.array([0, 0.5, -0.45, 1, 1]),
        "gradient": np.array([0, -0.05, 0.5, -1, 0]),
        "variance": np.array([0, 0.05, 0.5, 0.5, 9]) ** 2,
        "inner": np.zeros(5),
        "square": np.ones(5),
        "first": np.zeros(5),
        "last": np.zeros(5),
    }
    run = {"run": 3, "design": "full_batch", "method": "subgradient", "penalty": 1.0, "step_size": 0.1, "seed": 0}
    table = binned(layer, found, pd.Series(run), 10).set_index("state")
    assert table["count"].to_dict() == {"locked": 1, "near_half": 1, "turning": 1, "moving": 1}
    assert table["on_kink"].to_dict() == {"locked": 0, "near_half": 1, "turning": 1, "moving": 1}
    assert table["crossing"].to_dict() == {"locked": 1, "near_half": 1, "turning": 1, "moving": 0}
    assert table.loc["near_half", "law_modulus"] == pytest.approx(0.05**2 / 0.2 + 0.05)
    assert table.loc["moving", "law_modulus"] == pytest.approx(0.3)
    assert table.loc["turning", "noisy_modulus"] == pytest.approx(0.1 * (1 + 0.25 - 0.25) / 2 + 0.5 * 0.05)
    assert table.loc["turning", "noisy_mean"] == pytest.approx(0.1 * 0.5 * (0.5 + 0.25 / 0.75))
    assert table.loc["near_half", "over_width"] == pytest.approx(0.5) and table.loc["near_half", "bin"] == 16
    assert table["balance_modulus"].to_numpy() == pytest.approx(0.05)
