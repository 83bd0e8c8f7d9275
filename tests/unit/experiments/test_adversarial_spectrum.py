"""Attacked pictures and their spectra: rows that belong together, what counts as a success, and noise beside it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from ndgm.data.kinds import Weights
from ndgm.engine import attacks as engine
from ndgm.experiments.adversarial_spectrum import attacks, curves
from ndgm.experiments.adversarial_spectrum_pictures import OWNER
from ndgm.experiments.ensembles import sweep
from ndgm.experiments.finite import check_finite
from ndgm.theory.adversarial_spectrum import statistics

TABLE, PICTURES = "adversarial_spectrum_attacks", 24
NAMES = ["fgsm", "pgd", "carlini_wagner"]


@pytest.fixture(scope="session")
def trained(smoke, tmp_path_factory):
    plan = smoke.experiment("adversarial_spectrum_networks", "digits")
    found = sweep(plan.ensembles(9), plan.build, tmp_path_factory.mktemp("networks"), experiment="networks")
    return Weights(np.stack(list(found.ends.values())))


@pytest.fixture
def inputs(smoke, trained):
    return replace(smoke.inputs(TABLE, "digits"), reads={"adversarial_spectrum_networks_digits.npz": trained})


@pytest.fixture
def told(smoke):
    settings = smoke.settings(TABLE, "digits") | {"attacks": NAMES, "search_steps": 60}
    sizes = {"pictures": PICTURES, "largest_change": 0.1, "length": 0.6, "subspace_length": 1.2}
    return settings | {"data": {"digits": sizes}}


def test_every_attack_has_a_row_for_each_network_and_picture_twice(told, inputs):
    table = attacks(told, inputs).table
    check_finite(table)
    assert len(table) == 2 * PICTURES * len(NAMES) * 2
    assert not table.duplicated(["seed", "attack", "bits", "picture"]).any()
    pd.testing.assert_frame_equal(table, attacks(told, inputs).table)
    successes = table.groupby(["attack", "bits"])["succeeded"].mean()
    assert (successes[:, "as found"] > 0.2).all()
    assert successes["carlini_wagner", "8 bits"] < successes["carlini_wagner", "as found"]
    assert not (table["succeeded"] & ~table["right"]).any()


def test_statistics_are_those_of_the_pictures_that_later_experiments_are_given(told, inputs):
    found = attacks(told, inputs)
    for place, name in enumerate(NAMES):
        rows = found.table.query(f"attack == '{name}' and bits == '8 bits'").sort_values(["seed", "picture"])
        for pictures, beginning in zip(found.ends[place], ("", "noisy_"), strict=True):
            np.testing.assert_array_equal(pictures[:, -1] > 0, rows["succeeded"])
            expected = statistics(pictures[:, :-1].reshape(-1, 1, 8, 8))._asdict()
            for each in [each for each in expected if beginning + each in rows]:
                np.testing.assert_allclose(rows[beginning + each], expected[each], rtol=1e-12)
            np.testing.assert_allclose(pictures[:, :-1] * 255, (pictures[:, :-1] * 255).round(), atol=1e-9)
    x = inputs.samples[OWNER]["digits"].test_inputs[:PICTURES]
    change, of_pgd = (found.ends[NAMES.index(name)][0][:PICTURES, :-1] - x for name in ("fgsm", "pgd"))
    assert np.abs(of_pgd).max() <= 0.1 + 0.5 / 255 + 1e-9
    rows = found.table.query("attack == 'fgsm' and bits == '8 bits' and seed == 0").sort_values("picture")
    np.testing.assert_allclose(np.linalg.norm(change, axis=1), rows["length"], rtol=1e-9)


def test_random_signs_are_as_long_as_the_attack_but_for_what_is_cut_off(told, inputs):
    found = attacks(told, inputs)
    x = np.tile(inputs.samples[OWNER]["digits"].test_inputs[:PICTURES], (2, 1))
    rows = found.table.query("attack == 'fgsm' and bits == 'as found'").sort_values(["seed", "picture"])
    noise = found.ends[0][1][:, :-1] - x
    inside = (x > 0.2) & (x < 0.8)
    expected = np.broadcast_to((rows["length"].to_numpy() / 8)[:, None], x.shape)[inside]
    np.testing.assert_allclose(np.abs(noise[inside]), expected, atol=0.5 / 255 + 1e-9)
    assert 0.4 < (noise[inside] > 0).mean() < 0.6


def test_a_picture_of_zeros_is_counted_and_is_no_success(told, inputs, monkeypatch):
    monkeypatch.setitem(engine.ATTACKS, "fgsm", lambda target, sizes: torch.zeros_like(target.pictures))
    table = attacks(told | {"attacks": ["fgsm"]}, inputs).table
    assert table["empty"].all() and not table["succeeded"].any()


def test_curves_are_quartiles_of_clean_attacked_and_noisy_pictures(told, inputs):
    found = attacks(told, inputs)
    table = curves(told | {"experiment": "curves"}, replace(inputs, found={TABLE: found}))
    assert set(table["attack"]) == {"clean", *NAMES, *(f"signs of {name}" for name in NAMES)}
    assert (table["value_low"] <= table["value"]).all() and (table["value"] <= table["value_high"]).all()
    x = inputs.samples[OWNER]["digits"].test_inputs[:PICTURES].reshape(-1, 8, 8)
    values = np.linalg.svd(x, compute_uv=False)
    expected = np.quantile(values / values[:, :1], [0.25, 0.5, 0.75], axis=0)[:, :4].T
    np.testing.assert_allclose(table.query("attack == 'clean'")[["value_low", "value", "value_high"]][:4], expected)
