"""Spectra of pictures as they are, and what is exact of changes to them; without PyTorch, which takes long to start."""

import pandas as pd

from ndgm.data.pictures import as_matrices
from ndgm.experiments.grids import headed
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.store.provenance import generator
from ndgm.theory.adversarial_spectrum import (
    invisible_perturbation,
    noisy_tail,
    projected_tails,
    statistics,
    tail_change,
)

OWNER = "adversarial_spectrum"
"""Owner of the pictures in the config's table of samples."""


def clean(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """Statistics of every picture as it is."""
    pictures, tables = inputs.samples[OWNER][settings["part"]], []
    for half, samples in (("train", pictures.train), ("test", pictures.test)):
        found = statistics(as_matrices(samples.inputs))._asdict()
        tables.append(pd.DataFrame({"picture": range(len(samples.inputs)), "half": half, **found}))
    return headed(pd.concat(tables, ignore_index=True), settings["experiment"], settings["part"])


def identities(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """What an invisible perturbation changes in the tail, and what random signs add to it, of one channel each."""
    matrices = as_matrices(inputs.samples[OWNER][settings["part"]].test_inputs[: settings["pictures"]])[:, 0]
    rows = []
    for number, matrix in enumerate(matrices):
        rng = generator(settings["root_seed"], settings["experiment"], settings["part"], number)
        leading = len(matrix) // 2
        added = invisible_perturbation(matrix, rng.standard_normal((leading, leading)))
        signs = rng.choice([-1.0, 1.0], (settings["matrices"], *matrix.shape))
        tails = projected_tails(matrix, matrix + settings["size"] * signs)
        row = {"tail_change": tail_change(matrix, matrix + added), "noisy_tail": tails.mean()}
        rows.append({"picture": number, **row, "predicted_noisy_tail": noisy_tail(matrix, settings["size"])})
    return headed(pd.DataFrame(rows), settings["experiment"], settings["part"])
