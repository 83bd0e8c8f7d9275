"""Networks that attacks are tried on: they learn, each seed its own way, from pictures of mean 0 and variance 1."""

import numpy as np
import pytest

from ndgm.experiments.adversarial_spectrum_networks import standard
from ndgm.experiments.adversarial_spectrum_pictures import OWNER
from ndgm.experiments.ensembles import sweep

TABLE = "adversarial_spectrum_networks"


def test_networks_learn_and_no_two_of_them_are_alike(smoke, tmp_path):
    plan = smoke.experiment(TABLE, "digits", seeds=3)
    found = sweep(plan.ensembles(3), plan.build, tmp_path, experiment=TABLE)
    assert (found.table["accuracy"] > 0.9).all() and found.table["seed"].tolist() == [0, 1, 2]
    ends = np.stack(list(found.ends.values()))
    assert ends.dtype == np.float64 and np.abs(np.diff(ends, axis=0)).max(1).min() > 0.1


def test_a_network_does_not_depend_on_how_many_others_there_are(smoke, tmp_path):
    # But for the order in which products add up, which is that of the ensemble.
    ends = []
    for seeds in (2, 3):
        plan = smoke.experiment(TABLE, "digits", seeds=seeds)
        ends.append(sweep(plan.ensembles(3), plan.build, tmp_path / str(seeds), experiment=TABLE).ends[1])
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-6)


def test_pixels_are_scaled_alike(smoke):
    pictures = smoke.inputs(TABLE, "digits").samples[OWNER]["digits"]
    centre, scale = standard(pictures)
    inputs = (pictures.train_inputs - centre) / scale
    assert inputs.mean() == pytest.approx(0, abs=1e-12) and inputs.std() == pytest.approx(1)
