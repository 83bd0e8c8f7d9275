"""One weight with a noisy gradient: what is exact of its means, and that a seed does not depend on those beside it."""

import numpy as np
import pytest

from ndgm.experiments.l1_paradox_noisy_weight import noisy_weight
from ndgm.theory.one_weight import noisy_modulus

TABLE = "l1_paradox_noisy_weight"


@pytest.fixture(scope="module")
def table(smoke):
    return smoke.experiment(TABLE)


def test_a_row_for_every_cell_and_seed(smoke, table):
    settings = smoke.settings(TABLE)
    grid = [settings[name] for name in ("noises_over_penalty", "tilts", "step_sizes_times_lipschitz")]
    assert len(table) == settings["seeds"] * np.prod([len(values) for values in grid])
    assert list(table["run"]) == list(range(len(table))) and (table["stopped_because"] == "finished").all()


def test_the_modulus_follows_from_the_mean(table):
    # Exact without curvature, but for what a finite run leaves: of 750 steps of 200 copies.
    flat = table[table["step_size_times_lipschitz"] == 0]
    for noise, rows in flat.groupby("noise"):
        modulus = noisy_modulus(rows["step_size"], rows["penalty"], -rows["tilt"], noise, rows["mean_weight"])
        np.testing.assert_allclose(rows["mean_l1_norm"], modulus, rtol=0.15 if noise > 1 else 0.05)


def test_a_seed_does_not_depend_on_how_many_there_are(smoke, table):
    one = smoke.experiment(TABLE, seeds=1)
    np.testing.assert_array_equal(one["mean_weight"], table.loc[table["seed"] == 0, "mean_weight"])


def test_a_step_beyond_stability_is_recorded_as_divergence(smoke):
    settings = smoke.settings(TABLE) | {"step_sizes_times_lipschitz": [2.5], "steps": 4000}
    assert (noisy_weight(settings, smoke.inputs(TABLE))["stopped_because"] == "diverged").all()
