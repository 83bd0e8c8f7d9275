"""Random deep networks at the smoke scale: what a seed decides, and where the numbers follow exactly."""

import numpy as np
import pandas as pd
import pytest

from ndgm.experiments import weight_initialization
from ndgm.experiments.weight_initialization import WEIGHTS
from ndgm.store.files import InputError

HALVING, SPREAD, WIDE = (f"weight_initialization_{name}" for name in ("halving", "spread", "wide"))


def test_gains_scale_the_same_networks(smoke):
    table = smoke.experiment(HALVING)
    assert set(table["gain"]) == {1.0, 2.0} and set(table["law"]) == {"normal", "uniform", "rademacher"}
    small, large = (table[table["gain"] == gain].set_index(["law", "seed", "layer"])["norm_ratio"] for gain in (1, 2))
    layer = small.index.get_level_values("layer")
    np.testing.assert_allclose(large / small, 2.0**layer, rtol=1e-12)
    np.testing.assert_allclose(table["predicted_norm_ratio"], (table["gain"] / 2) ** table["layer"], rtol=1e-15)


def test_the_mean_halves_within_its_error(smoke):
    """Of 80 networks of 64 units: one layer changes a squared length by a factor of variance 5/64."""
    table = smoke.experiment(HALVING)
    first = table[(table["layer"] == 1) & (table["gain"] == 1.0)].groupby("law")["norm_ratio"].mean()
    assert (abs(first / 0.5 - 1) < 5 * np.sqrt(5 / 64 / 80)).all()


def test_as_many_networks_as_there_are_weights(smoke):
    table, settings = smoke.experiment(SPREAD), smoke.settings(SPREAD)
    networks = table.groupby("units")["networks"].first()
    assert networks.to_dict() == {width: settings["weights"] // width**2 for width in settings["widths"]}
    narrow = smoke.experiment(SPREAD, weights=1, widths=[16])
    assert set(narrow["networks"]) == {1}


@pytest.mark.parametrize(
    ("table", "columns"), [(HALVING, ["law", "seed", "layer", "gain"]), (SPREAD, ["seed", "layer"])]
)
def test_how_many_are_held_at_once_changes_nothing_but_the_last_bits(smoke, monkeypatch, table, columns):
    some = {"widths": [32]} if table == SPREAD else {"laws": ["uniform"]}
    whole = smoke.experiment(table, **some)
    monkeypatch.setattr(weight_initialization, "WEIGHTS", WEIGHTS // 50)
    pd.testing.assert_frame_equal(smoke.experiment(table, **some), whole, rtol=1e-12)


def test_a_further_seed_changes_no_other(smoke):
    for table in (HALVING, SPREAD, WIDE):
        few, more = (smoke.experiment(table, seeds=seeds) for seeds in (2, 3))
        common = more[more["seed"] < 2].drop(columns="run").reset_index(drop=True)
        by = [name for name in ("law", "units", "activation", "initialization", "gain", "seed", "layer") if name in few]
        one, other = (each.sort_values(by, ignore_index=True) for each in (few.drop(columns="run"), common))
        pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_seeds_and_root_seeds_differ(smoke):
    for table, column in ((HALVING, "norm_ratio"), (WIDE, "activation_variance")):
        rows = smoke.experiment(table, seeds=2)
        last = rows[rows["layer"] == rows["layer"].max()]
        assert last[column].nunique() >= len(last) // 2
        other = smoke.experiment(table, seeds=2, root_seed=1)
        assert (other[column] != rows[column]).mean() > 0.9


def test_layers_of_wide_networks_are_near_infinite_ones(smoke):
    """Some thousand pre-activations with a spread of layers of 128: within a fifth."""
    table, settings = smoke.experiment(WIDE), smoke.settings(WIDE)
    assert set(table["activation"]) == set(settings["activations"])
    for name in ("preactivation_variance", "activation_variance"):
        mean = table.groupby(["activation", "initialization", "layer"])[[name, f"predicted_{name}"]].mean()
        np.testing.assert_allclose(mean[name], mean[f"predicted_{name}"], rtol=0.2)
    start = table[table["layer"] == 0]
    assert (start["predicted_preactivation_variance"] == 1).all()
    assert table["layer"].max() == settings["layers"]


@pytest.mark.parametrize(
    ("table", "changed"),
    [
        (HALVING, {"gains": [8.0], "layers": 600}),
        (HALVING, {"gains": [1e-6], "layers": 60}),
        (HALVING, {"width": 1, "layers": 400}),
        (SPREAD, {"widths": [1], "layers": 500}),
        (WIDE, {"activations": {"relu": {"gains": [0.5], "signals": 2}}, "layers": 600}),
        (WIDE, {"activations": {"relu": {"gains": [1e6], "signals": 2}}, "layers": 80}),
        (WIDE, {"activations": {"elu": {"gains": [1e6], "signals": 2}}, "layers": 1000}),
    ],
)
def test_a_depth_that_leaves_the_range_of_doubles_is_one_line(smoke, table, changed):
    """Each passes the schema and once ended in an OverflowError, in 0/0 or in a variance of zero."""
    with pytest.raises(InputError, match=r"weight_initialization.* layers .* leave the range of double precision"):
        smoke.experiment(table, **changed)


def test_the_deepest_networks_within_the_range_of_doubles_are_finite(smoke):
    table = smoke.experiment(HALVING, gains=[1.0, 4.0], layers=452, networks=1, width=32, seeds=2)
    assert np.isfinite(table.select_dtypes("number")).all(axis=None)
