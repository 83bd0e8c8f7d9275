"""Claims on methods that divide the gradient by its own size, on convex problems."""

import numpy as np
import pandas as pd

from ndgm.claims.rows.designs import settled
from ndgm.decide.claim import Evidence, claim
from ndgm.decide.selection import ends_of, nonempty, select, variants
from ndgm.decide.statistics import MissingValue, equivalence, order, within
from ndgm.theory.adaptive import (
    adagrad_floor,
    longest_momentum_cycle,
    momentum_cycle,
    rmsprop_cycle,
    rmsprop_floor,
)
from ndgm.theory.convergence import power_law_exponent

CELL = ["design", "step_size_times_lipschitz", "penalty_over_max", "seed"]
COLUMNS = 10, 50
"""Fewest and most columns of a design for which the norm of RMSProp is claimed."""

FURTHER = 10
"""How much further apart than on a parabola ends have to be for the start to be what decides them."""

FALLS = 0.02
"""Fall of a norm between two penalties that is predicted and can be told: twice the smallest effect that counts."""

MOMENTUM = 0.9
"""β₁ of Adam, and the heavy-ball method's momentum."""


@claim(
    figure="adaptive_width",
    kind="finding",
    test=equivalence(0.02),
    unit="(L1 norm)",
    derived_from="adaptive_rmsprop_floor",
)
def adaptive_rmsprop_norm(adaptive_designs: pd.DataFrame) -> Evidence:
    r"""On random designs with 10 to 50 columns the L1 norm that RMSProp with a long memory, $\beta_2 = 0.999$, keeps
    above $\lambda_{\max}$ is that of the LASSO with $|w|$ rounded off to $\sqrt{w^2 + \eta^2}$, and what its hovering
    adds.
    """
    runs = settled(adaptive_designs, "rmsprop_0.999")
    runs = runs[runs.index.get_level_values("penalty_over_max") > 1]
    runs = nonempty(runs[runs["dimension"].between(*COLUMNS)], "on designs of that size")
    return Evidence(runs["mean_l1_norm"], runs["law_l1_norm"], compared="predicted")


@claim(figure="adaptive_width", kind="finding", test=equivalence(0.05), unit="$\\eta$")
def adaptive_rmsprop_width(adaptive_designs: pd.DataFrame) -> Evidence:
    r"""On random designs the kink that RMSProp with a long memory sees is as wide as its step, $\eta$, at every
    penalty, below and far above $\lambda_{\max}$: so wide is the pseudo-Huber function whose slope at the means of
    weights that hover is their mean sign, by least squares.
    """
    runs = settled(adaptive_designs, "rmsprop_0.999")
    return Evidence(runs["kink_width"] / runs["step_size"], 1.0, compared="predicted")


@claim(figure="adaptive_width", kind="finding", test=equivalence(0.05), unit="1")
def adaptive_rmsprop_width_and_penalty(adaptive_designs: pd.DataFrame) -> Evidence:
    r"""The width of the kink that RMSProp with a long memory sees does not depend on the penalty: over all penalties it
    grows as $\lambda$ to a power within 0.05 of zero, where that of the subgradient method is $\eta\lambda$.
    """
    runs = settled(adaptive_designs, "rmsprop_0.999")
    if runs.index.get_level_values("penalty_over_max").nunique() < 2:
        raise MissingValue("fewer than two penalties")
    # Widths that follow from no weight, or that are not positive because phases lock, have no logarithm.
    told = runs["kink_width"].where(runs["kink_width"] > 0)
    curves = runs.assign(told=told).groupby(["design", "step_size_times_lipschitz", "seed"])
    exponent = curves.apply(
        lambda curve: (
            float(power_law_exponent(curve["penalty"], curve["told"])) if curve["told"].notna().all() else np.nan
        )
    )
    return Evidence(1 + exponent, 1.0, compared="predicted")


@claim(figure="adaptive_methods", kind="finding", test=equivalence(0.02), unit="(L1 norm)")
def adaptive_rmsprop_floor(adaptive_floors: pd.DataFrame) -> Evidence:
    r"""On random designs, at every penalty above $\lambda_{\max}$, the L1 norm that RMSProp with $\beta_2 = 0.999$
    keeps is, to first order, $\tfrac{\eta}{2}\sum_i (1 + \kappa_i^2) / \sqrt{1 - \kappa_i^2}$.
    """
    runs = settled(adaptive_floors, "rmsprop_0.999")
    return Evidence(runs["mean_l1_norm"], runs["first_order_l1_norm"], compared="predicted")


@claim(figure="adaptive_methods", kind="finding", test=order(), unit="(L1 norm)")
def adaptive_rmsprop_trend(adaptive_floors: pd.DataFrame) -> Evidence:
    r"""On random designs the norm that RMSProp keeps above $\lambda_{\max}$ falls from each penalty to the next by more
    than 1 %, where on all designs of a family the first-order form for a long memory falls by more than 2 %. That of
    the subgradient method rises by more than 1 % from each penalty to the next.
    """
    methods = ["subgradient", *variants(adaptive_floors, "rmsprop")]
    runs = pd.concat({method: settled(adaptive_floors, method) for method in methods}, names=["method"])
    norm, form = (runs[name].unstack("penalty_over_max") for name in ("mean_l1_norm", "first_order_l1_norm"))
    lower, higher = norm.iloc[:, :-1].set_axis(norm.columns[1:], axis=1).stack(), norm.iloc[:, 1:].stack()
    falls = (form.iloc[:, :-1].set_axis(form.columns[1:], axis=1) / form.iloc[:, 1:] > 1 + FALLS).stack()
    falls = falls.groupby([name for name in falls.index.names if name != "seed"]).transform("all")
    rises = lower.index.get_level_values("method") == "subgradient"
    counts = falls[lower.index] | rises
    return Evidence(lower.where(~rises, higher)[counts], higher.where(~rises, lower)[counts], compared="other arm")


# In every cell |b_i| + η Σ_j |A_ij| < λ: once no weight is further from zero than a step, its sign is the gradient's.
@claim(figure="adaptive_methods", kind="identity", test=equivalence(0.02), unit="(L1 norm)")
def adaptive_sign_floor(adaptive_lasso: pd.DataFrame) -> Evidence:
    r"""Above $\lambda_{\max}$ sign descent keeps the L1 norm $\eta d/2$, whatever the penalty."""
    runs = ends_of(adaptive_lasso, method="sign").set_index(CELL)
    return Evidence(runs["mean_l1_norm"], runs["predicted_l1_norm"], compared="predicted")


@claim(figure="adaptive_methods", kind="finding", test=equivalence(0.05), unit="(mean of $|w|$)")
def adaptive_adagrad_decay(adaptive_one_weight: pd.DataFrame) -> Evidence:
    r"""On a tilted kink Adagrad has no floor: at step $t$ it is where RMSProp with step $\eta/\sqrt t$ would be."""
    steps = adaptive_one_weight.groupby("run")["step"]
    kinks = adaptive_one_weight.assign(first=adaptive_one_weight["step"] - steps.diff())
    kinks = kinks[(kinks["design"] == "kink") & (kinks["tilt"] > 0)]
    runs = ends_of(kinks, method="adagrad").set_index(["tilt", "seed"])
    tilts = runs.index.get_level_values("tilt")
    floor = [
        float(adagrad_floor(run["step_size"], run["penalty"], [tilt], run["first"], run["step"]))
        for tilt, (_, run) in zip(tilts, runs.iterrows(), strict=True)
    ]
    return Evidence(runs["mean_l1_norm"], pd.Series(floor, index=runs.index), compared="predicted")


@claim(figure="adaptive_methods", kind="finding", test=within(0), unit="(L1 norm)")
def adaptive_proximal_zero(adaptive_lasso: pd.DataFrame) -> Evidence:
    r"""Above $\lambda_{\max}$ Adam with a proximal step ends with every weight at exactly zero."""
    return Evidence(
        ends_of(adaptive_lasso, method="proximal_adam").set_index(CELL)["l1_norm"], 0.0, compared="predicted"
    )


@claim(figure="adaptive_methods", kind="finding", test=equivalence(0.01), unit="(mean of $|w|$)")
def adaptive_rmsprop_cycle(adaptive_one_weight: pd.DataFrame) -> Evidence:
    r"""On a smooth parabola, too, RMSProp with $\beta_2 = 0.9$ or $0.99$ never rests: whatever the curvature $L$, it
    keeps $|w| = \eta/2 - \varepsilon/L$.
    """
    return _cycle(adaptive_one_weight, ["rmsprop_0.9", "rmsprop_0.99"])


@claim(figure="adaptive_methods", kind="finding", test=within(0.01), unit="times the prediction")
def adaptive_rmsprop_cycle_long_memory(adaptive_one_weight: pd.DataFrame) -> Evidence:
    r"""On a smooth parabola RMSProp with $\beta_2 = 0.999$ keeps $|w| = \eta/2 - \varepsilon/L$ in every run."""
    evidence = _cycle(adaptive_one_weight, ["rmsprop_0.999"])
    return Evidence(evidence.measured / evidence.reference, 1.0, compared="predicted")


@claim(
    figure="adaptive_methods",
    kind="finding",
    test=within(0.01),
    unit="times the prediction",
    derived_from="adaptive_momentum_family",
)
def adaptive_adam_cycles(adaptive_cycles: pd.DataFrame) -> Evidence:
    r"""On $|w|$, over all starts, the lowest and the highest mean of $|w|$ that Adam keeps are those of the shortest
    and the longest cycle with as many steps on each side of zero: $\eta(1 - \beta_1)/(2(1 + \beta_1))$ for one step,
    and that of seven steps.
    """
    return _ends_of_family(adaptive_cycles, "adam")


@claim(
    figure="adaptive_methods",
    kind="finding",
    test=within(0.01),
    unit="times the prediction",
    derived_from="adaptive_momentum_family",
)
def adaptive_heavy_ball_cycles(adaptive_cycles: pd.DataFrame) -> Evidence:
    r"""On $|w|$, over all starts, the lowest and the highest mean of $|w|$ that the heavy-ball method keeps are those
    of Adam's shortest and longest cycle, longer by $1/(1 - \beta_1)$.
    """
    return _ends_of_family(adaptive_cycles, "heavy_ball", factor=1 / (1 - MOMENTUM))


@claim(figure="adaptive_methods", kind="finding", test=order(smallest=0), unit="$\\eta$")
def adaptive_momentum_coexistence(adaptive_cycles: pd.DataFrame) -> Evidence:
    """Cycles of very different size coexist: with the same step and problem, the start alone makes the largest mean of
    $|w|$ more than five times the smallest.
    """
    means = _means_in_steps(adaptive_cycles).groupby(["method", "seed"])
    return Evidence(means.max(), 5 * means.min(), compared="other arm")


# The gradient is λ in size at every step, so that the divisor is λ + ε and the orbit x, x − ηλ/(λ + ε).
@claim(figure="adaptive_methods", kind="identity", test=equivalence(0.01), unit="(mean of $|w|$)")
def adaptive_epsilon(adaptive_one_weight: pd.DataFrame) -> Evidence:
    r"""On $\lambda|w|$ the $\varepsilon$ that is added to the divisor scales RMSProp's floor, to
    $\tfrac{\eta}{2}\lambda/(\lambda + \varepsilon)$.
    """
    low = select(adaptive_one_weight, design="low kink")
    runs = ends_of(low, method=variants(low, "rmsprop")).set_index(["method", "penalty", "seed"])
    penalty = runs.index.get_level_values("penalty").to_numpy()
    floor = rmsprop_floor(runs["step_size"].to_numpy(), penalty, [0.0], runs["epsilon"].iloc[0])
    return Evidence(runs["mean_l1_norm"], pd.Series(floor, index=runs.index), compared="predicted")


@claim(figure="adaptive_methods", kind="finding", test=order(smallest=0), unit="(L1 norm)")
def adaptive_adam_and_rmsprop_on_kinks(adaptive_floors: pd.DataFrame) -> Evidence:
    r"""Adam and RMSProp do not perform alike on non-differentiable problems (v3, v4): with their usual settings and the
    same step, RMSProp keeps more than twice Adam's L1 norm above $\lambda_{\max}$, on random designs.
    """
    rmsprop, adam = (settled(adaptive_floors, method)["mean_l1_norm"] for method in ("rmsprop_0.99", "adam"))
    return Evidence(rmsprop, 2 * adam, compared="other arm")


@claim(figure="adaptive_methods", kind="finding", test=order(smallest=0), unit="$\\eta$")
def adaptive_adam_and_rmsprop_on_parabolas(adaptive_one_weight: pd.DataFrame) -> Evidence:
    """Adam and RMSProp do not perform alike on smooth parabolas either: with their usual settings and the same step,
    RMSProp keeps more than twice Adam's mean of $|w|$.
    """
    rmsprop, adam = (
        _kept_on(adaptive_one_weight, "parabola", method).droplevel(["method", "tilt"])
        for method in ("rmsprop_0.99", "adam")
    )
    return Evidence(rmsprop, 2 * adam, compared="other arm")


# The mean of |w| is η/2 on a parabola, and on |w| for every cycle x, x − η: only the phase can tell the two apart.
@claim(figure="adaptive_methods", kind="finding", test=order(smallest=0), unit="($|w|$ over $\\eta$)")
def adaptive_rmsprop_on_a_kink(adaptive_one_weight: pd.DataFrame) -> Evidence:
    """RMSProp does not behave alike with and without a derivative (v5 on): with every memory the start decides where on
    its cycle it ends on $|w|$, and does not on a parabola. On $|w|$ the last iterate is more than ten times as far from
    the median over starts.
    """
    pairs = _parabolas_and_kinks(adaptive_one_weight, tilted=False, value="l1_norm")
    starts = ["method", "curvature", "tilt"]
    parabolas, kinks = (ends.sub(ends.groupby(starts).transform("median")).abs() for ends in pairs)
    return Evidence(kinks, FURTHER * parabolas, compared="other arm")


@claim(figure="adaptive_methods", kind="finding", test=order(), unit="$\\eta$")
def adaptive_rmsprop_on_a_tilted_kink(adaptive_one_weight: pd.DataFrame) -> Evidence:
    r"""RMSProp does not behave alike with and without a derivative (v5 on): on a kink whose sides are not equally steep
    it keeps more than on any parabola.
    """
    parabolas, kinks = _parabolas_and_kinks(adaptive_one_weight, tilted=True)
    return Evidence(kinks, parabolas, compared="other arm")


@claim(figure="adaptive_methods", kind="finding", test=within(1e-6), unit="$\\eta$")
def adaptive_rest_on_parabolas(adaptive_one_weight: pd.DataFrame) -> Evidence:
    """AMSGrad and Adagrad, whose divisor never shrinks, come to rest on every parabola."""
    return Evidence(
        _kept_on(adaptive_one_weight, "parabola", ["amsgrad", "adagrad"], "l1_norm"), 0.0, compared="predicted"
    )


@claim(figure="adaptive_methods", kind="finding", test=order(smallest=0), unit="$\\eta$")
def adaptive_amsgrad_on_kinks(adaptive_one_weight: pd.DataFrame) -> Evidence:
    """On a kink AMSGrad does not come to rest: it keeps more than half of what the smallest of Adam's cycles is."""
    return Evidence(
        _kept_on(adaptive_one_weight, "kink", "amsgrad"),
        float(momentum_cycle(1.0, MOMENTUM, 1)) / 2,
        compared="predicted",
    )


def _kept_on(runs: pd.DataFrame, design: str, methods: str | list[str], value: str = "mean_l1_norm") -> pd.Series:
    """Mean of |w| that methods keep on one kind of function, or its last value, in units of η."""
    ends = ends_of(runs, design=design, method=methods).set_index(["method", "curvature", "tilt", "seed"])
    return ends[value] / ends["step_size"]


def _cycle(runs: pd.DataFrame, methods: list[str]) -> Evidence:
    """Mean of |w| that methods keep on parabolas beside the amplitude of RMSProp's cycle."""
    ends = ends_of(runs, design="parabola", method=methods).set_index(["method", "curvature", "seed"])
    curvature = ends.index.get_level_values("curvature").to_numpy()
    amplitude = rmsprop_cycle(ends["step_size"].to_numpy(), curvature, ends["epsilon"].iloc[0])
    return Evidence(ends["mean_l1_norm"], pd.Series(amplitude, index=ends.index), compared="predicted")


def _parabolas_and_kinks(
    runs: pd.DataFrame, *, tilted: bool, value: str = "mean_l1_norm"
) -> tuple[pd.Series, pd.Series]:
    """What RMSProp keeps of |w| on parabolas and on kinks, tilted or not, for every pair of the two, in units of η."""
    methods = variants(runs, "rmsprop")
    kinks = _kept_on(runs, "kink", methods, value).droplevel("curvature")
    kinks = kinks[(kinks.index.get_level_values("tilt") > 0) == tilted]
    parabolas = _kept_on(runs, "parabola", methods, value).droplevel("tilt")
    pairs = kinks.rename("kink").reset_index().merge(parabolas.rename("parabola").reset_index(), on=["method", "seed"])
    pairs = nonempty(pairs, f"on {'tilted' if tilted else 'even'} kinks and parabolas").set_index(
        ["method", "curvature", "tilt", "seed"]
    )
    return pairs["parabola"], pairs["kink"]


def _ends_of_family(runs: pd.DataFrame, method: str, factor: float = 1.0) -> Evidence:
    """Lowest and highest floor of a method over those of Adam's shortest and longest cycle, longer by a factor."""
    floors = _means_in_steps(runs).droplevel("seed").loc[[method]]
    steps = {"lowest": 1, "highest": longest_momentum_cycle(MOMENTUM)}
    at = {"lowest": floors.idxmin(), "highest": floors.idxmax()}
    ratios = {end: floors.loc[[at[end]]] / momentum_cycle(factor, MOMENTUM, steps[end]) for end in steps}
    return Evidence(pd.concat(ratios, names=["end"]), 1.0, compared="predicted", over="run")


def _means_in_steps(runs: pd.DataFrame) -> pd.Series:
    """Mean of |w| of every run on |w| with momentum, in units of η."""
    ends = ends_of(runs, method=["adam", "heavy_ball"]).set_index(["method", "run", "seed"])
    return ends["mean_l1_norm"] / ends["step_size"]
