"""Spectra of clean pictures, and what is exact, on pictures of the smoke scale."""

import numpy as np
import pytest

from ndgm.experiments.adversarial_spectrum_pictures import OWNER, clean, identities
from ndgm.theory.adversarial_spectrum import statistics

TABLE = "adversarial_spectrum_clean"


def test_clean_pictures_have_their_statistics(smoke):
    settings, inputs = smoke.settings(TABLE, "mnist"), smoke.inputs(TABLE, "mnist")
    table = clean(settings, inputs)
    pictures = inputs.samples[OWNER]["mnist"]
    assert table.groupby("half").size().to_dict() == {
        "train": len(pictures.train_inputs),
        "test": len(pictures.test_inputs),
    }
    row = table.query("half == 'test' and picture == 7").iloc[0]
    assert row["tail"] == pytest.approx(statistics(pictures.test_inputs[7].reshape(1, 1, 28, 28)).tail[0])
    assert (table["smallest"] == table["smallest"].min()).all()  # every picture has empty borders


def test_what_is_exact_is_exact(smoke):
    table = identities(smoke.settings("adversarial_spectrum_identities", "digits"), smoke.inputs(TABLE, "digits"))
    assert (table["tail_change"] < 1e-12).all()
    # The mean of 200 matrices, each a sum of 16 squares, has a relative error of about √(2/16/200).
    ratio = table["noisy_tail"] / table["predicted_noisy_tail"]
    assert ratio.median() == pytest.approx(1, abs=4 * np.sqrt(2 / 16 / 200))
