"""Claims on the L1 norm that gradient methods keep on the LASSO."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ndgm.claims.rows.designs import (
    CELL,
    HOLDS,
    SETTING,
    above_penalty_max,
    relative_error,
    settled,
    settled_cases,
    two_longest_steps,
    where_means_relax,
    where_the_law_holds,
)
from ndgm.claims.rows.noise import BATCHES, of_one_weight, weights_of_penalty_and_inverse, with_batches
from ndgm.decide.claim import Evidence, claim
from ndgm.decide.selection import ends_of, none_diverged, nonempty, select
from ndgm.decide.statistics import below, equivalence, order, within
from ndgm.store.run_tables import last_rows
from ndgm.theory.convergence import last_geometric, last_inverse_square_root
from ndgm.theory.l1_paradox import floor_slope, noisy_floor, stationarity_residual
from ndgm.theory.one_weight import noisy_mean, quiet_mean

OF_EXACT = ["dimension", "exact_zeros"]
HOLDS_ON_STRIP = 0.1
"""Margin on the norm of the strip, and the largest phase discrepancy in units of that norm."""
HOLDS_ON_FLOOR = 0.1
"""Margin on what the norm keeps above the exact one, and the largest phase discrepancy in units of that."""
FAILS = 5 * HOLDS
"""Net phase discrepancy above which the law is said to fail."""
LAST_STEPS = {"subgradient_sqrt": last_inverse_square_root, "subgradient_geometric": last_geometric}
"""Last step over the first of the methods whose step decays, from the number of steps."""


@claim(
    figure="l1_paradox_law",
    kind="finding",
    test=equivalence(HOLDS),
    unit="(L1 norm)",
    derived_from="l1_paradox_floor_everywhere",
)
def l1_paradox_law(l1_paradox_designs: pd.DataFrame) -> Evidence:
    r"""On random designs the L1 norm that constant-step subgradient descent keeps is, to second order in the step, the
    one that follows from the LASSO whose kinks are rounded off over one step, at every penalty tried, up to twice
    $\lambda_{\max}$, and every step at which the phase discrepancy, computed before the run, is at most 0.03 on all
    designs of a family.
    """
    runs = where_the_law_holds(settled(l1_paradox_designs), HOLDS)
    return Evidence(runs["mean_l1_norm"], runs["law_second_order_l1_norm"], compared="predicted")


@claim(figure="l1_paradox_law", kind="finding", test=equivalence(HOLDS_ON_FLOOR), unit="(L1 norm)")
def l1_paradox_law_floor(l1_paradox_designs: pd.DataFrame) -> Evidence:
    r"""What the L1 norm keeps above that of the exact solution is, to second order in the step, what the law says,
    wherever the phase discrepancy is at most a tenth of that on all designs of a family, on which the law has weights
    within $\eta\lambda$ of zero.
    """
    runs = settled(l1_paradox_designs)
    runs = runs[(runs["strip"] > 0).groupby(CELL).transform("all")]
    floor = runs["law_second_order_l1_norm"] - runs["exact_l1_norm"]
    runs = where_the_law_holds(runs.assign(floor=floor), HOLDS_ON_FLOOR, of="floor")
    return Evidence(runs["mean_l1_norm"] - runs["exact_l1_norm"], runs["floor"], compared="predicted")


@claim(figure="l1_paradox_law", kind="finding", test=within(HOLDS), unit="times the law's")
def l1_paradox_law_cases(l1_paradox_designs: pd.DataFrame) -> Evidence:
    r"""On designs that are not drawn, single cases that are counted one by one, the L1 norm that constant-step
    subgradient descent keeps is within 3 % of that of the law, at every penalty and step at which the phase
    discrepancy is at most 0.03.
    """
    runs = where_the_law_holds(settled_cases(l1_paradox_designs), HOLDS)
    return Evidence(runs["mean_l1_norm"] / runs["law_second_order_l1_norm"], 1.0, compared="predicted")


@claim(figure="l1_paradox_law", kind="finding", test=equivalence(HOLDS_ON_STRIP), unit="(L1 norm)")
def l1_paradox_law_strip(l1_paradox_designs: pd.DataFrame) -> Evidence:
    r"""The L1 norm of the weights whose mean is within $\eta\lambda$, most of which are zero in the exact solution, is
    the one that the law says, wherever on all designs of a family the slowest mean relaxes within the longest run and
    the phase discrepancy is at most a tenth of that norm.
    """
    runs = settled(l1_paradox_designs)
    runs = where_means_relax(runs[(runs["strip"] > 0).groupby(CELL).transform("all")])
    runs = where_the_law_holds(runs, HOLDS_ON_STRIP, of="law_strip_l1_norm")
    return Evidence(runs["strip_l1_norm"], runs["law_strip_l1_norm"], compared="predicted")


@claim(figure="l1_paradox_law", kind="finding", test=order(), unit="(relative error)")
def l1_paradox_law_fails(l1_paradox_designs: pd.DataFrame) -> Evidence:
    r"""Where the net phase discrepancy, in which what weights keep more or less cancels, exceeds 0.15, five times the
    margin, the law is off by more than the margin of 3 %, in the mean over such penalties and steps of a design and in
    the median over all designs that have any.
    """
    runs = settled(l1_paradox_designs)
    runs = runs.assign(error=relative_error(runs, "law_second_order_l1_norm"))
    failing = nonempty(runs[runs["net_phase_discrepancy"] > FAILS], "with a net phase discrepancy above 0.15")
    error = failing.groupby(["design", "seed"])["error"].mean()
    # Families are one cell, since of most of them few designs have such runs: which ones, the root seed decides.
    measured = error.set_axis(pd.MultiIndex.from_product([["all"], range(len(error))], names=["design", "seed"]))
    return Evidence(measured, HOLDS, compared="predicted")


@claim(figure="l1_paradox_law", kind="finding", test=order(), unit="(relative error)")
def l1_paradox_law_second_order(l1_paradox_designs: pd.DataFrame) -> Evidence:
    r"""Above $\lambda_{\max}$, at steps of at least $0.1/L$, the law is further off to first order in the step than to
    second.
    """
    runs = above_penalty_max(settled(l1_paradox_designs))
    runs = runs[runs.index.get_level_values("step_size_times_lipschitz") >= 0.1]
    first, second = (relative_error(runs, name) for name in ("law_l1_norm", "law_second_order_l1_norm"))
    return Evidence(first, second, compared="other arm")


@claim(figure="l1_paradox_law", kind="finding", test=order(), unit="(relative error)")
def l1_paradox_law_square(l1_paradox_designs: pd.DataFrame) -> Evidence:
    r"""Above $\lambda_{\max}$ what is left of the law to second order grows as the square of the step: from the second
    longest step to the longest by more than their ratio to the power 1.5.
    """
    runs = above_penalty_max(settled(l1_paradox_designs))
    shorter, longest, ratio = two_longest_steps(relative_error(runs, "law_second_order_l1_norm"))
    return Evidence(longest, ratio**1.5 * shorter, compared="other arm")


@claim(figure="l1_paradox_law", kind="finding", test=equivalence(0.25), derived_from="l1_paradox_law_square")
def l1_paradox_law_linear(l1_paradox_designs: pd.DataFrame) -> Evidence:
    r"""Above $\lambda_{\max}$ what is left of the law to first order grows in proportion to the step: from the second
    longest step to the longest as their ratio to a power within a quarter of one.
    """
    runs = above_penalty_max(settled(l1_paradox_designs))
    shorter, longest, ratio = two_longest_steps(relative_error(runs, "law_l1_norm"))
    return Evidence(np.log(longest / shorter) / np.log(ratio), 1.0, compared="predicted")


@claim(figure="l1_paradox_law", kind="finding", test=order(), unit="(relative error)")
def l1_paradox_law_and_floor(l1_paradox_designs: pd.DataFrame) -> Evidence:
    r"""On every family the straight line $\lVert w^*\rVert_1 + \eta r$ that touches the law at step 0 is further off
    than the law itself, in the mean over penalties and steps at which the phase discrepancy is at most 0.03.
    """
    runs = settled(l1_paradox_designs)
    runs = nonempty(runs[runs["phase_discrepancy"] <= HOLDS], "with a phase discrepancy of at most 0.03")
    floor, law = (
        relative_error(runs, name).groupby(["design", "seed"]).mean()
        for name in ("floor_formula_l1_norm", "law_second_order_l1_norm")
    )
    return Evidence(floor, law, compared="other arm")


@claim(figure="l1_paradox_law", kind="finding", test=below(), unit="$\\eta\\lambda$")
def l1_paradox_law_means(l1_paradox_designs: pd.DataFrame) -> Evidence:
    r"""Of the weights that the law has within one step $\eta\lambda$ of zero, half or more have a mean that is off by
    less than a fifth of $\eta\lambda$, in the median over designs, wherever on all designs of a family the slowest mean
    relaxes within the longest run and the phase discrepancy is at most 0.03.
    """
    runs = where_means_relax(where_the_law_holds(settled(l1_paradox_designs), HOLDS))
    runs = nonempty(runs[runs["strip"] > 0], "with weights near zero")
    return Evidence(runs["strip_mean_error"], 0.2, compared="predicted")


@claim(figure="l1_paradox_law", kind="finding", test=below(), unit="$\\eta\\lambda$")
def l1_paradox_law_every_weight(l1_paradox_designs: pd.DataFrame) -> Evidence:
    r"""Means solve the rounded problem weight by weight: every weight, near zero or not, has a mean that is off by less
    than half of one step $\eta\lambda$, in the median over designs, wherever on all designs of a family the slowest
    mean relaxes within the longest run and the phase discrepancy is at most 0.03.
    """
    runs = where_means_relax(where_the_law_holds(settled(l1_paradox_designs), HOLDS))
    return Evidence(runs["largest_mean_error"], 0.5, compared="predicted")


@claim(figure="l1_paradox_law", kind="finding", test=order(), unit="(weights)")
def l1_paradox_support(l1_paradox_designs: pd.DataFrame) -> Evidence:
    r"""A mean within $\eta\lambda$ tells the zeros of the exact solution better than any threshold of $10^{-2}$,
    $10^{-3}$ or $10^{-4}$ on the last iterate does, the same one at every step: over all penalties below
    $\lambda_{\max}$ and all steps it is wrong on fewer weights at worst.
    """
    runs = settled(l1_paradox_designs)
    # Above, all weights are zero, and hover beyond a threshold that is short beside the step.
    runs = nonempty(runs[runs.index.get_level_values("penalty_over_max") < 1], "below penalty_max")
    wrong = runs.filter(like="wrong_").groupby(["design", "seed"]).max()
    by_strip = wrong.pop("wrong_by_strip")
    thresholds = {name.removeprefix("wrong_below_"): wrong[name] for name in wrong}
    by_threshold = pd.concat(thresholds, names=["threshold"]).astype(float)
    strips = pd.concat(dict.fromkeys(thresholds, by_strip), names=["threshold"]).astype(float)
    return Evidence(by_threshold, strips, compared="other arm")


# A rule that takes all weights for zeros, or none, is wrong on as many as there are of the rarer kind, or on more.
@claim(figure="l1_paradox_law", kind="finding", test=below(), unit="(share)", derived_from="l1_paradox_support")
def l1_paradox_strip_zeros(l1_paradox_designs: pd.DataFrame) -> Evidence:
    r"""Below $\lambda_{\max}$ a mean within $\eta\lambda$ tells which weights of the exact solution are zero, at steps
    of at most $0.02/L$ where on all designs of a family the phase discrepancy is at most 0.03, and some weights of the
    exact solution are zero and some are not: in the median over
    designs it is wrong on fewer than a tenth as many weights as are zero, or as are not, whichever are fewer.
    """
    runs = where_the_law_holds(settled(l1_paradox_designs), HOLDS)
    zeros, others = runs["exact_zeros"], runs["dimension"] - runs["exact_zeros"]
    rarer = np.minimum(zeros, others)
    small = runs.index.get_level_values("step_size_times_lipschitz") <= 0.02
    both = nonempty(runs[small & (rarer.groupby(CELL).transform("min") > 0)], "at small steps with zeros and others")
    return Evidence(both["wrong_by_strip"] / rarer[both.index], 0.1, compared="predicted")


@claim(figure="l1_paradox_norm", kind="finding", test=equivalence(0.05), unit="$\\eta$")
def l1_paradox_slope(l1_paradox_floors: pd.DataFrame) -> Evidence:
    r"""On random designs the L1 norm that constant-step subgradient descent keeps above $\lambda_{\max}$, where the
    exact solution is zero, rises with the penalty as $\eta d/2$ times $\lambda$, beside a part that is fitted with
    it and falls as $1/\lambda$.
    """
    runs = settled(l1_paradox_floors)
    lines = runs.groupby([*SETTING, "seed"])
    step_size, dimension = lines["step_size"].first(), lines["dimension"].first()
    slope = lines.apply(weights_of_penalty_and_inverse)["penalty"]
    return Evidence(slope / step_size, floor_slope(step_size, dimension) / step_size, compared="predicted")


@claim(figure="l1_paradox_turning_point", kind="finding", test=equivalence(0.05), unit="$\\lambda_{\\max}$")
def l1_paradox_turn(l1_paradox_turns: pd.DataFrame) -> Evidence:
    """The penalty at which the L1 norm that constant-step subgradient descent keeps turns from falling to rising is, on
    random designs, the one at which the norm of the law is smallest.
    """
    runs = settled(l1_paradox_turns)
    smallest = runs.loc[runs.groupby([*SETTING, "seed"])["mean_l1_norm"].idxmin()].reset_index("penalty_over_max")
    return Evidence(smallest["penalty_over_max"], smallest["law_turning_point_over_max"], compared="predicted")


@claim(figure="l1_paradox_norm", kind="identity", test=within(1e-9), unit="(relative residual)")
def l1_paradox_identity(l1_paradox_lasso: pd.DataFrame, l1_paradox_exact: pd.DataFrame) -> Evidence:
    r"""On every orbit $\lambda\,\mathbb{E}\lVert w\rVert_1 = \tfrac{\eta}{2}\mathbb{E}\lVert g\rVert_2^2 -
    \mathbb{E}\langle w, \nabla f(w)\rangle$, up to a boundary term that is known.
    """
    by_run = l1_paradox_lasso.groupby(["design", "run"], sort=False)
    decrease = -by_run["squared_norm"].diff() / by_run["step"].diff()
    runs = l1_paradox_lasso.assign(squared_norm_decrease=decrease)
    runs = _with_exact(ends_of(runs, method="subgradient"), l1_paradox_exact)
    residual = stationarity_residual(
        penalty=runs["penalty"],
        step_size=runs["step_size"],
        l1_norm=runs["mean_l1_norm"],
        squared_subgradient=runs["mean_squared_gradient_norm"],
        inner_product=runs["mean_inner_product"] - runs["penalty"] * runs["mean_l1_norm"],
        squared_norm_decrease=runs["squared_norm_decrease"],
    )
    return Evidence(pd.Series(residual, index=runs.index), 0.0, compared="predicted")


@claim(figure="l1_paradox_noise_limits", kind="finding", test=equivalence(0.05), unit="$\\eta\\lambda$")
def l1_paradox_quiet_mean(l1_paradox_noisy_weight: pd.DataFrame) -> Evidence:
    r"""With gradient noise $\sigma$ of at most $\lambda/10$ the mean of one weight is $-\eta g$, as it is without: the
    kink is $\eta\lambda$ wide. Here $g$, of at most $0.6\,\lambda$, is the mean of the rest of its gradient.
    """
    quiet = of_one_weight(l1_paradox_noisy_weight, most_noise=0.1)
    predicted = quiet_mean(quiet["step_size"], quiet["penalty"], quiet["gradient"])
    return Evidence(quiet["mean_weight"], pd.Series(predicted, quiet.index), compared="predicted")


@claim(figure="l1_paradox_noise_limits", kind="finding", test=equivalence(0.05), unit="$\\eta\\lambda$")
def l1_paradox_noisy_mean(l1_paradox_noisy_weight: pd.DataFrame) -> Evidence:
    r"""With Gaussian gradient noise $\sigma$ of at least $4\lambda$, and $\eta L\sigma^2/\lambda^2$ of at most 0.005,
    the mean of one weight is $-\eta g\,(\tfrac12 + \sigma^2/(\lambda^2 - g^2))$: noise makes the kink wider. Here $g$,
    of at most $0.6\,\lambda$, is the mean of the rest of its gradient.
    """
    noisy = of_one_weight(l1_paradox_noisy_weight, least_noise=4.0)
    predicted = noisy_mean(noisy["step_size"], noisy["penalty"], noisy["gradient"], noisy["noise"])
    return Evidence(noisy["mean_weight"], pd.Series(predicted, noisy.index), compared="predicted")


@claim(figure="l1_paradox_turning_point", kind="finding", test=equivalence(0.03), unit="(L1 norm)")
def l1_paradox_noise_norm(l1_paradox_noise: pd.DataFrame) -> Evidence:
    r"""With mini-batch noise $\sigma$ and no signal, the norm is
    $\tfrac{\eta d}{2}(\lambda + \sigma^2/\lambda)$ where $\eta L\sigma^2/\lambda^2$ is at most 0.005: it falls with the
    penalty, and then rises.
    """
    runs = with_batches(l1_paradox_noise)
    one_weight = noisy_floor(runs["step_size"], runs["penalty"], runs[["noise"]])
    return Evidence(runs["mean_l1_norm"], runs["dimension"] * one_weight, compared="predicted")


@claim(figure="l1_paradox_turning_point", kind="finding", test=equivalence(0.05), unit="$\\sigma$")
def l1_paradox_noise_minimum(l1_paradox_noise: pd.DataFrame) -> Evidence:
    r"""With mini-batch noise $\sigma$ and no signal, the norm is smallest at $\lambda = \sigma$, as it follows from
    penalties where $\eta L\sigma^2/\lambda^2$ is at most 0.005.
    """
    curves = with_batches(l1_paradox_noise).groupby([*BATCHES, "seed"])
    weights = curves.apply(weights_of_penalty_and_inverse)
    minimum = np.sqrt(weights["inverse"] / weights["penalty"]) / curves["noise"].first()
    return Evidence(minimum, 1.0, compared="predicted")


@claim(figure="l1_paradox_cures", kind="finding", test=within(0), unit="(weights)")
def l1_paradox_no_exact_zeros(l1_paradox_lasso: pd.DataFrame) -> Evidence:
    """Subgradient methods, with whatever step rule or momentum, have no weight at exactly zero at any recorded step."""
    runs = none_diverged(select(l1_paradox_lasso, penalty_by="subgradient"))
    return Evidence(runs.groupby(["method", *CELL, "seed"])["zeros"].max(), 0.0, compared="predicted")


@claim(figure="l1_paradox_cures", kind="identity", test=within(0), unit="(weights)")
def l1_paradox_proximal_zeros(l1_paradox_lasso: pd.DataFrame, l1_paradox_exact: pd.DataFrame) -> Evidence:
    """A proximal method that has converged has exactly as many zeros as the exact solution."""
    ends = last_rows(select(l1_paradox_lasso, penalty_by="shrink"))
    ends = _with_exact(ends[ends["stopped_because"] == "converged"], l1_paradox_exact, by=["method"])
    return Evidence(ends["zeros"], ends["exact_zeros"].astype(float), compared="predicted")


# The floor is a mean over time, and the last iterate has a phase of its own: in one run its norm may be off by half.
@claim(figure="l1_paradox_cures", kind="finding", test=equivalence(0.2), unit="(L1 norm)")
def l1_paradox_decaying_step(l1_paradox_floors: pd.DataFrame) -> Evidence:
    r"""Held for half of $N$ steps, a step that then decays takes the floor above $\lambda_{\max}$ down with it: on
    random designs the norm at the end is the floor of the constant step $\eta$ times $\eta_N/\eta$, which is
    $(N/2)^{-1/2}$ for a decay as $1/\sqrt{k}$ and $10^{-6}$ for a geometric one.
    """
    ends = {method: settled(l1_paradox_floors, method) for method in LAST_STEPS}
    floors = settled(l1_paradox_floors)["mean_l1_norm"]
    left = {method: floors * last(ends[method]["step"]) for method, last in LAST_STEPS.items()}
    measured = {method: runs["l1_norm"] for method, runs in ends.items()}
    return Evidence(pd.concat(measured, names=["method"]), pd.concat(left, names=["method"]), compared="other arm")


# Twice what the means of a run with momentum may still move.
@claim(figure="l1_paradox_cures", kind="finding", test=order(0.1), unit="(L1 norm)")
def l1_paradox_heavy_ball(l1_paradox_floors: pd.DataFrame) -> Evidence:
    r"""Momentum lowers the floor above $\lambda_{\max}$: on random designs the plain method keeps a norm that is larger
    by more than a tenth than that of the heavy-ball method at the same effective step $\eta/(1 - \beta)$.
    """
    plain, heavy_ball = (settled(l1_paradox_floors, method)["mean_l1_norm"] for method in ("subgradient", "heavy_ball"))
    return Evidence(plain, heavy_ball, compared="other arm")


def _with_exact(ends: pd.DataFrame, exact: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """Last rows of runs beside the exact solution at their penalty, indexed by `by`, cell and seed."""
    exact = exact[[*CELL, *OF_EXACT]]
    return ends.merge(exact, on=CELL, how="left", validate="many_to_one").set_index([*by, *CELL, "seed"])
