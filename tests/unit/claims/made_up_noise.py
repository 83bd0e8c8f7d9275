"""Made-up tables of runs with a noisy gradient that obey their laws."""

import numpy as np
from claims_on_made_up_tables import STEPS, near_one, with_two_rows

from ndgm.experiments.grids import grid


def noise_table(rng):
    """Norms of mini-batch runs on two designs that have no signal."""
    runs = grid(
        experiment=["l1_paradox_noise"],
        design=["a", "b"],
        method=["subgradient"],
        batch_size=[1, 4],
        step_size_times_lipschitz=[0.0002, 0.0004],
        penalty_over_noise=np.geomspace(0.3, 3, 7),
        seed=range(20),
    )
    runs["noise"] = 0.7 / np.sqrt(runs["batch_size"])
    runs["dimension"] = runs["design"].map({"a": 10, "b": 30})
    runs["step_size"] = runs["step_size_times_lipschitz"] / 4.0
    runs["penalty"] = runs["penalty_over_noise"] * runs["noise"]
    norm = runs["step_size"] * runs["dimension"] / 2 * (runs["penalty"] + runs["noise"] ** 2 / runs["penalty"])
    norm *= near_one(rng, runs, 0.003)
    return with_two_rows(runs, {}, {"mean_l1_norm": norm})


def noisy_weight_table(rng):
    """Means of one weight in the limits of little noise and of much, and half of that between them."""
    runs = grid(
        experiment=["l1_paradox_noisy_weight"],
        design=["one weight"],
        method=["subgradient"],
        seed=range(20),
        step_size_times_lipschitz=[0.0, 1e-4, 1e-2],
        noise=[0.1, 1.0, 4.0],
        tilt=[0.3, 0.6, 0.9],
    ).assign(step_size=1.0, penalty=1.0, step=STEPS, stopped_because="finished")
    # g = Lm − b, with the mean m that follows from it.
    gradient = -runs["tilt"]
    for _ in range(20):
        factor = np.where(runs["noise"] > 0.5, 1 + runs["noise"] ** 2 / (1 - gradient**2), 1.0)
        mean = -gradient * np.where(runs["noise"] == 1, factor / 2, factor)
        gradient = 0.5 * gradient + 0.5 * (runs["step_size_times_lipschitz"] * mean - runs["tilt"])
    curved = (runs["step_size_times_lipschitz"] == 1e-2) & (runs["noise"] == 4)
    off = np.where(curved, 0.7, near_one(rng, runs, 0.01))
    return runs.assign(mean_weight=mean * off, mean_l1_norm=np.abs(mean))
