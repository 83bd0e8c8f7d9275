"""Tables of two-layer networks that obey every law of the claims on over-parameterization."""

import numpy as np
import pandas as pd
from claims_on_made_up_tables import near_one

from ndgm.experiments.grids import grid
from ndgm.theory.overparameterization import decay_rate, pair_gradient

SPHERES, DIGITS, ITERATIONS, START, PAIRS, NARROW = (
    f"overparameterization_{name}" for name in ("spheres", "digits", "iterations", "start", "pairs", "narrow")
)
SEEDS, STEP_SIZE, TARGET = 20, 0.5, 1e-4
SEPARATIONS = {"pairs": [0.4, 0.2], "narrow": [0.4, 0.2, 0.1, 0.05], "start": [0.0125, 0.025, 0.05, 0.1]}


def finished(runs, **ends):
    """A row at the start and the last one."""
    rows = pd.concat([runs.assign(step=1, **dict.fromkeys(ends, np.nan)), runs.assign(step=48, **ends)])
    return rows.sort_values(["run", "step"], ignore_index=True).assign(stopped_because="finished", objective=1e-6)


def beside_kernel(rng, design, units):
    """Moves and gradients of the kernel, and flips and rows that fall as 1/√m."""
    runs = grid(design=[design], units=units, seed=range(SEEDS)).assign(
        method="subgradient", step_size=STEP_SIZE, kernel_distance=3.0, kernel_path=3.5, kernel_eigenvalue=0.2
    )
    root = np.sqrt(runs["units"])
    return finished(
        runs,
        distance=3.0 * near_one(rng, runs, 0.005),
        path=3.5 * near_one(rng, runs, 0.005),
        least_gradient_ratio=0.2 * near_one(rng, runs, 0.02),
        flips=0.6 * near_one(rng, runs, 0.02) / root,
        largest_row_move=11 * near_one(rng, runs, 0.02) / root,
    )


def falling(runs, rate, steps):
    """Runs whose loss falls from 1 by a rate a step, at these steps."""
    table = runs.loc[runs.index.repeat(len(steps))].reset_index(drop=True)
    table["step"] = np.tile(steps, len(runs))
    table["objective"] = np.exp(-table["step"] * np.repeat(np.asarray(rate), len(steps)))
    return table.assign(stopped_because="finished")


def iterations(rng):
    runs = grid(design=["spheres"], units=[4096], seed=range(SEEDS)).assign(
        method="subgradient", step_size=STEP_SIZE, kernel_eigenvalue=0.2 * near_one(rng, range(SEEDS), 0.1)
    )
    rate = decay_rate(runs["kernel_eigenvalue"], STEP_SIZE) * near_one(rng, runs, 0.01)
    return falling(runs, rate, np.arange(0, 400, 4))


def start(rng):
    runs = grid(activation=["relu", "tanh", "softplus_1"], separation=SEPARATIONS["start"], seed=range(SEEDS)).assign(
        design="pair", units=20_000
    )
    kinked = runs["activation"] == "relu"
    predicted = np.where(kinked, pair_gradient(runs["separation"]), 0.3 * runs["separation"] ** 2)
    ratio = predicted * near_one(rng, runs, 0.04)
    return finished(runs.assign(predicted_gradient_ratio=predicted), least_gradient_ratio=ratio)


def pairs(rng):
    """Deficits that fall as 1/√m and rise as 1/φ²; predicted as they are."""
    runs = grid(design=["pair"], separation=SEPARATIONS["pairs"], units=[400, 1600, 25600, 409600], seed=range(SEEDS))
    runs = runs.assign(activation="relu", step_size=STEP_SIZE, target=TARGET)
    runs["kernel_eigenvalue"] = pair_gradient(runs["separation"])
    size = 0.32 * (runs["separation"] / 0.4) ** -2 * np.sqrt(1600 / runs["units"])
    runs["predicted_deficit"] = size
    kept = 1 - size * near_one(rng, runs, 0.02)
    rate = decay_rate(runs["kernel_eigenvalue"], STEP_SIZE) * kept.clip(lower=0.05)
    return falling(runs, rate, [0, *np.unique(np.geomspace(1, 20_000, 60).round())])


def narrow(rng):
    """Steps 2·log(1/ε)/(ηφ²) with both activations."""
    runs = grid(activation=["relu", "tanh"], separation=SEPARATIONS["narrow"], seed=range(SEEDS)).assign(
        design="pair", units=1000, step_size=STEP_SIZE, target=TARGET
    )
    rate = STEP_SIZE * runs["separation"] ** 2 / 2 * near_one(rng, runs, 0.03)
    return falling(runs, rate, [0, *np.unique(np.geomspace(1, 100_000, 60).round())])


def made():
    """Tables by experiment."""
    rng = np.random.default_rng(0)
    found = {
        SPHERES: beside_kernel(rng, "spheres", [256, 1024, 4096, 16384]),
        DIGITS: beside_kernel(rng, "digits", [512, 2048]),
        ITERATIONS: iterations(rng),
        START: start(rng),
        PAIRS: pairs(rng),
        NARROW: narrow(rng),
    }
    return {name: table.assign(experiment=name) for name, table in found.items()}
