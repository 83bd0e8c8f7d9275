"""Claims on what a kink costs a gradient method on convex problems."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from ndgm.decide.claim import Evidence, claim
from ndgm.decide.selection import ends_of, none_diverged, nonempty, select
from ndgm.decide.statistics import MissingValue, at_most, equivalence, order, within
from ndgm.theory.convergence import geometric_rate, hovering_distance, power_law_exponent
from ndgm.theory.worst_cases import lower_bound, smooth_worst_case

HOVERS = 0.01
"""A run hovers if its mean squared gradient exceeds this share of the squared slope of the kink, else it converged."""

STILL_FALLING = 0.75
"""Without a floor twice the steps leave less than this part of a gap. Of the slowest guaranteed rate, 1/k, they leave
half; of a floor they leave all."""

ROUNDING = 1e-16
"""A gap below this is as good as none; where its logarithm is taken it counts as this."""

DECADES = 9
"""Powers of ten that a linear method has to lose from its first recorded gap on: many, and still far from rounding."""

SLOWED = 0.5
"""A linear method keeps more than this part of its rate. One of order 1/k^p keeps log 2/log k of it, a tenth or so."""


@claim(figure="convergence_floor", kind="finding", test=equivalence(0.05), unit="(exponent)")
def convergence_floor(convergence_kink_dial: pd.DataFrame) -> Evidence:
    r"""With a kink at the solution a constant step $\eta$ keeps a floor proportional to $\eta$: its exponent is one."""
    runs = ends_of(convergence_kink_dial[convergence_kink_dial["kink"] > 0])
    curves = runs.groupby(["design", "kink", "seed"])
    exponent = curves.apply(lambda curve: float(power_law_exponent(curve["step_size"], curve["mean_objective"])))
    # All kinks of a design and seed are one problem in different units, and count once.
    return Evidence(exponent.groupby(["design", "seed"]).mean(), 1.0, compared="predicted")


@claim(figure="convergence_floor", kind="finding", test=order(smallest=0), unit="(gap)")
def convergence_no_floor(convergence_kink_dial: pd.DataFrame) -> Evidence:
    r"""Without a kink there is no floor: at every step size the gap still falls by more than a quarter when the number
    of steps doubles. The slowest rate that is guaranteed, $1/k$, takes half of it away, and a floor keeps it; one below
    half of the gap at half of the steps would not show.
    """
    runs = none_diverged(nonempty(convergence_kink_dial[convergence_kink_dial["kink"] == 0]))
    last = runs.groupby(["design", "run"])["step"].transform("max")
    cells = ["design", "step_size_times_lipschitz", "seed"]
    at_half, at_end = (runs[runs["step"] == step].set_index(cells)["objective"] for step in (last // 2, last))
    return Evidence(STILL_FALLING * at_half, at_end, compared="other arm")


@claim(figure="convergence_smoothing", kind="finding", test=within(0), unit="(1: converges, 0: hovers)")
def convergence_critical_width(convergence_smoothing: pd.DataFrame) -> Evidence:
    r"""A kink that is rounded off is smooth relative to the step: descent converges above the critical width, which is
    $\eta M/2$ for $M|x|$, and hovers below it, on the LASSO too.
    """
    runs = ends_of(convergence_smoothing)
    runs = runs.assign(converged=runs["mean_squared_gradient_norm"] < HOVERS * runs["penalty"] ** 2)
    runs = runs.set_index(["design", "penalty", "step_size_times_lipschitz", "width_over_critical", "seed"])
    above = runs.index.get_level_values("width_over_critical") > 1
    return Evidence(runs["converged"].astype(float), pd.Series(above, runs.index).astype(float), compared="predicted")


@claim(figure="convergence_smoothing", kind="identity", test=within(0.01), unit=r"times $\eta M/2$")
def convergence_hovering(convergence_smoothing: pd.DataFrame) -> Evidence:
    r"""On $M|x|$ rounded off over less than $\eta M/2$, the mean of $|x|$ is $\eta M/2$, whatever the width."""
    runs = ends_of(convergence_smoothing)
    runs = runs[(runs["design"] == "absolute value") & (runs["width_over_critical"] < 1)]
    runs = runs.assign(predicted=hovering_distance(runs["step_size"], runs["penalty"], runs["width"]))
    runs = runs.set_index(["step_size_times_lipschitz", "width_over_critical", "seed"])
    return Evidence(runs["mean_l1_norm"] / runs["predicted"], 1.0, compared="predicted")


@claim(figure="convergence_worst_cases", kind="identity", test=within(1e-12), unit="times $MR/\\sqrt{N+1}$")
def convergence_lower_bound(convergence_worst_cases: pd.DataFrame) -> Evidence:
    r"""A function with a kink leaves every step rule a gap of at least $MR/\sqrt{N+1}$ after $N$ steps: on the
    resisting oracle the constant step ends there exactly, and no other rule ends lower.
    """
    ends = ends_of(convergence_worst_cases, design="resisting oracle")
    gap = (ends["objective"] - ends["lowest"]) / [lower_bound(steps) for steps in ends["steps"]]
    runs = ends.assign(gap=gap).set_index(["method", "steps", "seed"])
    lowest = runs["gap"].groupby(["steps", "seed"]).min()
    gaps = {method: part.droplevel("method") for method, part in select(runs, rule="constant")["gap"].groupby("method")}
    return Evidence(pd.concat(gaps | {"any": lowest}, names=["method"]), 1.0, compared="predicted")


@claim(figure="convergence_worst_cases", kind="identity", test=within(1e-12), unit="times the bound")
def convergence_smooth_bound(convergence_worst_cases: pd.DataFrame) -> Evidence:
    r"""Without a kink $N$ steps $\gamma/L$ guarantee a gap of $LR^2\max\{1/(4N\gamma+2), (1-\gamma)^{2N}/2\}$: one of
    two functions attains it.
    """
    runs = ends_of(convergence_worst_cases, rule="smooth")
    bound = [float(smooth_worst_case(run.step_size, run.steps)) for run in runs.itertuples()]
    attained = runs["objective"] / bound
    attained = attained.groupby([runs["step_size"], runs["steps"], runs["seed"]]).max()
    return Evidence(attained, 1.0, compared="predicted")


@claim(figure="convergence_worst_cases", kind="identity", test=at_most(1e-5), unit="times the certified worst case")
def convergence_certified(convergence_worst_cases: pd.DataFrame, convergence_certificates: pd.DataFrame) -> Evidence:
    """No run on a function with kinks ends above the certified worst case of its step rule: neither its best iterate,
    nor its last, nor the average of all.
    """
    runs = convergence_worst_cases[convergence_worst_cases["rule"] != "smooth"]
    runs = runs.assign(gap=runs["objective"] - runs["lowest"], averaged=runs["method"].str.startswith("averaged"))
    run = ["rule", "steps", "design", "seed"]
    last = ends_of(runs).set_index(run)
    gaps = {
        "best": runs[~runs["averaged"]].groupby(run)["gap"].min(),
        "last": last.loc[~last["averaged"], "gap"],
        "average": last.loc[last["averaged"], "gap"],
    }
    gaps = pd.concat(gaps, names=["criterion"]).rename("gap").reset_index()
    certified = convergence_certificates[["rule", "criterion", "steps", "worst_case"]]
    both = gaps.merge(certified, on=["rule", "criterion", "steps"], how="left")
    both = both.set_index(["criterion", *run])
    if both["worst_case"].isna().any():
        raise MissingValue(f"{both['worst_case'].isna().sum()} runs have no certified worst case")
    return Evidence(both["gap"] / both["worst_case"], 1.0, compared="predicted")


@claim(figure="convergence_floor", kind="finding", test=order(smallest=0), unit="decades per step")
def convergence_polyak_rate(convergence_cures: pd.DataFrame) -> Evidence:
    """On a sharp problem Polyak's step converges linearly: of the steps to a gap $10^9$ times smaller than the first
    one recorded, the later half loses more than half as many decades per step as the earlier half.
    """
    return _keeps_its_rate(select(convergence_cures, method="polyak"))


@claim(
    figure="convergence_floor",
    kind="finding",
    test=order(smallest=0),
    unit="decades per step",
    derived_from="convergence_rounding",
)
def convergence_rounding_rate(convergence_cures: pd.DataFrame) -> Evidence:
    """On a sharp problem descent with a constant step on the rounded kink, twice as wide as critical, converges
    linearly: of the steps to a gap $10^9$ times smaller than the first one recorded, the later half loses more than
    half as many decades per step as the earlier half.
    """
    runs = select(convergence_cures, method="subgradient")
    return _keeps_its_rate(nonempty(runs[runs["width_over_critical"] > 0], "on the rounded kink"))


@claim(figure="convergence_floor", kind="finding", test=equivalence(0.05), unit="decades per step")
def convergence_geometric_rate(convergence_cures: pd.DataFrame) -> Evidence:
    """On a sharp problem the gap follows a step that decays geometrically: it loses as many decades per step as the
    step does.
    """
    rates = _by_run(select(convergence_cures, method="subgradient_geometric"), _rate_while_decaying)
    return Evidence(rates["measured"], rates["predicted"], compared="predicted")


def _keeps_its_rate(runs: pd.DataFrame) -> Evidence:
    """Decades that runs lose per step in the later half of their way beside `SLOWED` times those of the earlier."""
    rates = _by_run(runs, _rates_of_halves)
    return Evidence(rates["later"], SLOWED * rates["earlier"], compared="other arm")


def _by_run(runs: pd.DataFrame, rates: Callable[[np.ndarray, np.ndarray], dict[str, float]]) -> pd.DataFrame:
    """Rates of each run, from its recorded steps and their gaps in decades, by design, step size and seed."""
    runs = none_diverged(runs)
    runs = runs.assign(decades=np.log10(runs["objective"].clip(lower=ROUNDING)))
    curves = runs.groupby(["design", "step_size", "seed"])
    return curves.apply(lambda curve: pd.Series(rates(curve["step"].to_numpy(), curve["decades"].to_numpy())))


def _rates_of_halves(step: np.ndarray, decades: np.ndarray) -> dict[str, float]:
    """Decades lost per step over either half of the steps to `DECADES` below the first gap; NaN if it is not reached.

    Between recorded steps decades are interpolated.
    """
    lost = decades[0] - decades
    arrived = np.flatnonzero(lost >= DECADES)
    if not len(arrived):
        return {"earlier": np.nan, "later": np.nan}
    crossing = slice(arrived[0] - 1, arrived[0] + 1)
    half = (np.interp(DECADES, lost[crossing], step[crossing]) - step[0]) / 2
    first = np.interp(step[0] + half, step, lost)
    return {"earlier": first / half, "later": (DECADES - first) / half}


def _rate_while_decaying(step: np.ndarray, decades: np.ndarray) -> dict[str, float]:
    """Decades lost per step by the gap over the second half of the steps, but for what is at rounding; and by the step.

    NaN where fewer than two gaps are above rounding.
    """
    decaying = (step > step[-1] // 2) & (decades > np.log10(ROUNDING))
    slope = np.polyfit(step[decaying], decades[decaying], 1)[0] if decaying.sum() > 1 else np.nan
    return {"measured": -slope, "predicted": -geometric_rate(step[-1])}
