"""One weight under an L1 penalty of 1 with a noisy gradient, over tilts of the kink, curvatures and noise.

w ← w − η(Lw − b + sign(w) + ξ), with ξ normal, fresh at each step, of standard deviation σ.
"""

import numpy as np
import pandas as pd

from ndgm.experiments.grids import grid
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.store.provenance import generator


def noisy_weight(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """Means over steps and over copies of the weight, which are independent of each other; η is 1, a unit of length."""
    runs = grid(
        experiment=[settings["experiment"]],
        design=["one weight"],
        method=["subgradient"],
        seed=range(settings["seeds"]),
        step_size_times_lipschitz=settings["step_sizes_times_lipschitz"],
        noise=settings["noises_over_penalty"],
        tilt=settings["tilts"],
    ).assign(step_size=1.0, penalty=1.0)
    tables = []
    for seed, rows in runs.groupby("seed"):
        mean, modulus = means(settings, rows, generator(settings["root_seed"], settings["experiment"], "noise", seed))
        tables.append(rows.assign(mean_weight=mean, mean_l1_norm=modulus))
    table = pd.concat(tables, ignore_index=True)
    finite = np.isfinite(table["mean_l1_norm"])
    return table.assign(step=settings["steps"], stopped_because=np.where(finite, "finished", "diverged"))


def means(settings: Settings, rows: pd.DataFrame, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """E w and E|w| of the runs of one seed, which see the same noise but for its size, shape (runs,).

    Starts are spread over about the length that a weight keeps; the first quarter of the steps is left out.
    """
    curvature, noise, tilt = (
        rows[name].to_numpy()[:, np.newaxis] for name in ("step_size_times_lipschitz", "noise", "tilt")
    )
    shape = len(rows), settings["copies"]
    w = rng.standard_normal(shape[1]) * (1 + noise**2)
    total, modulus, moved = np.zeros(shape), np.zeros(shape), np.empty(shape)
    first = settings["steps"] // 4
    with np.errstate(over="ignore", invalid="ignore"):  # of a run that diverges
        for step in range(settings["steps"]):
            if step >= first:
                total += w
                modulus += np.abs(w, out=moved)
            np.multiply(noise, rng.standard_normal(shape[1]), out=moved)
            moved -= tilt
            moved += np.sign(w)
            w *= 1 - curvature
            w -= moved
    counted = settings["steps"] - first
    return total.mean(1) / counted, modulus.mean(1) / counted
