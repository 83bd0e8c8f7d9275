"""Claims on the L1 norm that gradient methods keep on the LASSO."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ndgm.decide.claim import Evidence, claim
from ndgm.decide.selection import ends_of, none_diverged, nonempty, select
from ndgm.decide.statistics import MissingValue, equivalence, order, within
from ndgm.store.run_tables import last_rows
from ndgm.theory.l1_paradox import floor_slope, noisy_floor, stationarity_residual

SETTING = ["design", "step_size_times_lipschitz"]
CELL = [*SETTING, "penalty_over_max"]
OF_EXACT = [
    "dimension",
    "exact_zeros",
    "predicted_l1_norm",
    "away_from_breakpoints",
    "predicted_turning_point_over_max",
]
NOISY_SETTING = [*SETTING, "batch_size"]


@claim(figure="l1_paradox_norm", kind="finding", test=equivalence(0.03), unit="(L1 norm)")
def l1_paradox_floor(l1_paradox_lasso: pd.DataFrame, l1_paradox_exact: pd.DataFrame) -> Evidence:
    r"""The L1 norm that constant-step subgradient descent keeps is the closed form
    $\lVert w^*\rVert_1 + \eta r(\lambda)$, at every penalty more than one step away from the breakpoints of the exact
    path.
    """
    runs = _ends_beside_exact(l1_paradox_lasso, "subgradient", l1_paradox_exact)
    runs = runs[runs["away_from_breakpoints"]]
    return Evidence(runs["mean_l1_norm"], runs["predicted_l1_norm"], compared="predicted")


@claim(figure="l1_paradox_norm", kind="finding", test=equivalence(0.03), unit="(L1 norm)")
def l1_paradox_floor_everywhere(l1_paradox_lasso: pd.DataFrame, l1_paradox_exact: pd.DataFrame) -> Evidence:
    r"""The closed form $\lVert w^*\rVert_1 + \eta r(\lambda)$ for the L1 norm that constant-step subgradient descent
    keeps holds at every penalty, at breakpoints of the exact path too.
    """
    runs = _ends_beside_exact(l1_paradox_lasso, "subgradient", l1_paradox_exact)
    return Evidence(runs["mean_l1_norm"], runs["predicted_l1_norm"], compared="predicted")


@claim(figure="l1_paradox_norm", kind="finding", test=within(0.3), unit="$\\eta L$")
def l1_paradox_floor_error(l1_paradox_lasso: pd.DataFrame, l1_paradox_exact: pd.DataFrame) -> Evidence:
    r"""Away from breakpoints the relative error of the closed form for the L1 norm that constant-step subgradient
    descent keeps is at most $0.3\,\eta L$.
    """
    runs = _ends_beside_exact(l1_paradox_lasso, "subgradient", l1_paradox_exact)
    runs = runs[runs["away_from_breakpoints"]]
    error = runs["mean_l1_norm"] / runs["predicted_l1_norm"] - 1
    error /= runs.index.get_level_values("step_size_times_lipschitz")
    return Evidence(error, 0.0, compared="predicted")


@claim(figure="l1_paradox_norm", kind="finding", test=equivalence(0.05), unit="$\\eta$")
def l1_paradox_slope(l1_paradox_lasso: pd.DataFrame, l1_paradox_exact: pd.DataFrame) -> Evidence:
    r"""Above $\lambda_{\max}$, where the exact solution is zero, the L1 norm that constant-step subgradient descent
    keeps grows linearly in $\lambda$ with slope $\eta d/2$.
    """
    runs = _above_penalty_max(_ends_beside_exact(l1_paradox_lasso, "subgradient", l1_paradox_exact))
    lines = runs.groupby([*SETTING, "seed"])
    step_size, dimension = lines["step_size"].first(), lines["dimension"].first()
    slope = lines.apply(_weights_of_penalty_and_inverse)["penalty"]
    return Evidence(slope / step_size, floor_slope(step_size, dimension) / step_size, compared="predicted")


@claim(figure="l1_paradox_turning_point", kind="finding", test=equivalence(0.05), unit="$\\lambda_{\\max}$")
def l1_paradox_turn(l1_paradox_turning_point: pd.DataFrame, l1_paradox_exact: pd.DataFrame) -> Evidence:
    """The penalty at which the L1 norm that constant-step subgradient descent keeps turns from falling to rising is the
    one at which its closed form is smallest.
    """
    runs = _ends_beside_exact(l1_paradox_turning_point, "subgradient", l1_paradox_exact)
    smallest = runs.loc[runs.groupby([*SETTING, "seed"])["mean_l1_norm"].idxmin()].reset_index("penalty_over_max")
    return Evidence(smallest["penalty_over_max"], smallest["predicted_turning_point_over_max"], compared="predicted")


@claim(figure="l1_paradox_norm", kind="identity", test=within(1e-9), unit="(relative residual)")
def l1_paradox_identity(l1_paradox_lasso: pd.DataFrame, l1_paradox_exact: pd.DataFrame) -> Evidence:
    r"""On every orbit $\lambda\,\mathbb{E}\lVert w\rVert_1 = \tfrac{\eta}{2}\mathbb{E}\lVert g\rVert_2^2 -
    \mathbb{E}\langle w, \nabla f(w)\rangle$, up to a boundary term that is known.
    """
    by_run = l1_paradox_lasso.groupby(["design", "run"], sort=False)
    decrease = -by_run["squared_norm"].diff() / by_run["step"].diff()
    runs = l1_paradox_lasso.assign(squared_norm_decrease=decrease)
    runs = _ends_beside_exact(runs, "subgradient", l1_paradox_exact)
    residual = stationarity_residual(
        penalty=runs["penalty"],
        step_size=runs["step_size"],
        l1_norm=runs["mean_l1_norm"],
        squared_subgradient=runs["mean_squared_gradient_norm"],
        inner_product=runs["mean_inner_product"] - runs["penalty"] * runs["mean_l1_norm"],
        squared_norm_decrease=runs["squared_norm_decrease"],
    )
    return Evidence(pd.Series(residual, index=runs.index), 0.0, compared="predicted")


@claim(figure="l1_paradox_turning_point", kind="finding", test=equivalence(0.03), unit="(L1 norm)")
def l1_paradox_noise_norm(l1_paradox_noise: pd.DataFrame) -> Evidence:
    r"""With mini-batch noise $\sigma$ and no signal, the norm is
    $\tfrac{\eta d}{2}(\lambda + \sigma^2/\lambda)$: it falls with the penalty, and then rises.
    """
    runs = _noisy(l1_paradox_noise)
    one_weight = noisy_floor(runs["step_size"], runs["penalty"], runs[["noise"]])
    return Evidence(runs["mean_l1_norm"], runs["dimension"] * one_weight, compared="predicted")


@claim(figure="l1_paradox_turning_point", kind="finding", test=equivalence(0.05), unit="$\\sigma$")
def l1_paradox_noise_minimum(l1_paradox_noise: pd.DataFrame) -> Evidence:
    r"""With mini-batch noise $\sigma$ and no signal, the norm is smallest at $\lambda = \sigma$."""
    curves = _noisy(l1_paradox_noise).groupby([*NOISY_SETTING, "seed"])
    weights = curves.apply(_weights_of_penalty_and_inverse)
    minimum = np.sqrt(weights["inverse"] / weights["penalty"]) / curves["noise"].first()
    return Evidence(minimum, 1.0, compared="predicted")


@claim(figure="l1_paradox_cures", kind="finding", test=within(0), unit="weights")
def l1_paradox_no_exact_zeros(l1_paradox_lasso: pd.DataFrame) -> Evidence:
    """Subgradient methods, with whatever step rule or momentum, have no weight at exactly zero at any recorded step."""
    runs = none_diverged(select(l1_paradox_lasso, penalty_by="subgradient"))
    return Evidence(runs.groupby(["method", *CELL, "seed"])["zeros"].max(), 0.0, compared="predicted")


@claim(figure="l1_paradox_cures", kind="identity", test=within(0), unit="weights")
def l1_paradox_proximal_zeros(l1_paradox_lasso: pd.DataFrame, l1_paradox_exact: pd.DataFrame) -> Evidence:
    """A proximal method that has converged has exactly as many zeros as the exact solution."""
    ends = last_rows(select(l1_paradox_lasso, penalty_by="shrink"))
    ends = _with_exact(ends[ends["stopped_because"] == "converged"], l1_paradox_exact, by=["method"])
    return Evidence(ends["zeros"], ends["exact_zeros"].astype(float), compared="predicted")


@claim(figure="l1_paradox_cures", kind="finding", test=order(smallest=0), unit="(L1 norm)")
def l1_paradox_decaying_step(l1_paradox_lasso: pd.DataFrame, l1_paradox_exact: pd.DataFrame) -> Evidence:
    r"""A step that decays, as $1/\sqrt{k}$ or geometrically, removes the floor above $\lambda_{\max}$: the constant
    step keeps a norm more than ten times as large.
    """
    floor = _above_penalty_max(_ends_beside_exact(l1_paradox_lasso, "subgradient", l1_paradox_exact))["mean_l1_norm"]
    decayed = {
        method: _above_penalty_max(_ends_beside_exact(l1_paradox_lasso, method, l1_paradox_exact))["l1_norm"]
        for method in ["subgradient_sqrt", "subgradient_geometric"]
    }
    floors = pd.concat(dict.fromkeys(decayed, floor), names=["method"])
    return Evidence(floors, 10 * pd.concat(decayed, names=["method"]), compared="other arm")


@claim(figure="l1_paradox_cures", kind="finding", test=order(), unit="(L1 norm)")
def l1_paradox_heavy_ball(l1_paradox_lasso: pd.DataFrame, l1_paradox_exact: pd.DataFrame) -> Evidence:
    r"""Momentum raises the floor above $\lambda_{\max}$: at the same step the heavy-ball method keeps a larger norm."""
    heavy_ball, plain = (
        _above_penalty_max(_ends_beside_exact(l1_paradox_lasso, method, l1_paradox_exact))["mean_l1_norm"]
        for method in ["heavy_ball", "subgradient"]
    )
    return Evidence(heavy_ball, plain, compared="other arm")


def _with_exact(ends: pd.DataFrame, exact: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """Last rows of runs beside the exact solution at their penalty, indexed by `by`, cell and seed."""
    exact = exact[[*CELL, *OF_EXACT]]
    return ends.merge(exact, on=CELL, how="left", validate="many_to_one").set_index([*by, *CELL, "seed"])


def _ends_beside_exact(runs: pd.DataFrame, method: str, exact: pd.DataFrame) -> pd.DataFrame:
    """Last rows of one method's runs beside the exact solution, indexed by cell and seed."""
    return _with_exact(ends_of(runs, method=method), exact)


def _noisy(runs: pd.DataFrame) -> pd.DataFrame:
    """Last rows of runs with mini-batch noise, indexed by cell and seed."""
    return ends_of(runs).set_index([*NOISY_SETTING, "penalty_over_noise", "seed"])


def _above_penalty_max(runs: pd.DataFrame) -> pd.DataFrame:
    return nonempty(runs[runs.index.get_level_values("penalty_over_max") > 1], "above penalty_max")


def _weights_of_penalty_and_inverse(curve: pd.DataFrame) -> pd.Series:
    """Least-squares weights p, q of mean ‖w‖₁ = pλ + q/λ, with residuals relative to the norm.

    Raises:
        MissingValue: if there are fewer than two penalties.
    """
    if len(curve) < 2:
        raise MissingValue("fewer than two penalties")
    norm, penalty = curve["mean_l1_norm"].to_numpy(), curve["penalty"].to_numpy()
    columns = np.column_stack([penalty / norm, 1 / (penalty * norm)])
    return pd.Series(np.linalg.lstsq(columns, np.ones(len(norm)))[0], index=["penalty", "inverse"])
