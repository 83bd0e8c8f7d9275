"""Rows of runs with a noisy gradient, in the range in which a law is claimed for them."""

import numpy as np
import pandas as pd

from ndgm.decide.selection import ends_of, none_diverged, nonempty, select
from ndgm.decide.statistics import MissingValue

BATCHES = ["design", "step_size_times_lipschitz", "batch_size"]
STEEPEST = 0.6
"""Largest mean gradient over penalty for which limits are claimed, which take λ − |g| for large or small beside σ."""
WEAK_CURVATURE = 0.005
"""Largest ηLσ²/λ²: by the density that diffusion leaves, curvature then takes 2 % off the mean of a weight at most, and
about as much as this number off its modulus.
"""


def with_batches(runs: pd.DataFrame) -> pd.DataFrame:
    """Last rows of runs with mini-batch noise that is not too large, indexed by cell and seed."""
    ends = ends_of(runs)
    return _weak(ends).set_index([*BATCHES, "penalty_over_noise", "seed"])


def of_one_weight(runs: pd.DataFrame, *, least_noise: float = 0.0, most_noise: float = float("inf")) -> pd.DataFrame:
    """Runs of one weight with a mean gradient of at most `STEEPEST`, which a column gives, indexed by cell and seed.

    Args:
        runs: The table.
        least_noise: Least standard deviation of the noise over the penalty.
        most_noise: The largest.
    """
    runs = none_diverged(select(runs, method="subgradient"))
    curvature = runs["step_size_times_lipschitz"] / runs["step_size"]
    runs = runs.assign(gradient=curvature * runs["mean_weight"] - runs["tilt"] * runs["penalty"])
    flat = runs["gradient"].abs() <= STEEPEST * runs["penalty"] * (1 + 1e-9)
    noisy = (runs["noise"] / runs["penalty"]).between(least_noise, most_noise)
    runs = nonempty(runs[flat & noisy], "with such noise")
    return _weak(runs).set_index(["tilt", "step_size_times_lipschitz", "noise", "seed"], drop=False)


def _weak(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs whose ηLσ²/λ² is `WEAK_CURVATURE` at most."""
    number = runs["step_size_times_lipschitz"] * (runs["noise"] / runs["penalty"]) ** 2
    return nonempty(runs[number <= WEAK_CURVATURE], "with so weak a curvature")


def weights_of_penalty_and_inverse(curve: pd.DataFrame) -> pd.Series:
    """Least-squares weights p, q of mean ‖w‖₁ = pλ + q/λ, with residuals relative to the norm.

    Raises:
        MissingValue: if there are fewer than two penalties.
    """
    if len(curve) < 2:
        raise MissingValue("fewer than two penalties")
    norm, penalty = curve["mean_l1_norm"].to_numpy(), curve["penalty"].to_numpy()
    columns = np.column_stack([penalty / norm, 1 / (penalty * norm)])
    return pd.Series(np.linalg.lstsq(columns, np.ones(len(norm)))[0], index=["penalty", "inverse"])
