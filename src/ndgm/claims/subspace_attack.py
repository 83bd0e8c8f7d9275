"""Claims on attacks orthogonal to a subspace that holds all data (part E of the companions)."""

from collections.abc import Callable

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ndgm.decide.claim import Evidence, claim
from ndgm.decide.distribution import law
from ndgm.decide.selection import ends_of, none_diverged, nonempty, select
from ndgm.decide.statistics import MissingValue, equivalence, order, within
from ndgm.theory.subspace_attack import (
    adam_weight,
    decay_factor,
    flip_estimate,
    heavy_ball_factor,
    median_deviation_of_gradient,
    median_of_gradient,
    probability_of_gradient,
    squared_gradient,
)

SHRINKING: dict[str, Callable[[float, float, int], ArrayLike]] = {
    "subgradient": decay_factor,
    "adam_decoupled": decay_factor,
    "heavy_ball": heavy_ball_factor,
}
"""Factor of a weight without a gradient under an L2 penalty, from step size, penalty and steps, by method."""

FEWEST_DIMENSIONS = 16
"""Dimensions off the subspace from which on the mean curve is claimed to give the flip."""

CENTRE, ROOM = 1.1, 0.1
"""A flip is claimed to be between 1 and 1.2 times the estimate, the middle and half the width of that range."""

WIDEST = 2.0
"""Ratio d/ℓ up to which it is."""

SMALLER = 100
"""How many times smaller than under decoupled decay weights are claimed to be under Adam with an L2 penalty."""

FAR = 1e6
"""In place of the distance, or of its ratio to the prediction, where nothing flips a network: it ranks last."""


@claim(figure="subspace_attack_flips", kind="identity", test=within(0), unit="(weights)")
def subspace_attack_frozen(subspace_attack_frozen_weights: pd.DataFrame) -> Evidence:
    """No first weight off the subspace moves by a single bit, under stochastic gradient descent, heavy ball, Adam or
    AdamW without decay, whether the first layer is trained or both.
    """
    runs = ends_of(subspace_attack_frozen_weights)
    runs = nonempty(runs[runs["penalty"] == 0], "without a penalty")
    return Evidence(runs.set_index(["method", "trained", "seed"])["moved"], 0.0, "predicted")


@claim(figure="subspace_attack_flips", kind="identity", test=within(1e-12), unit="times the prediction")
def subspace_attack_decay(subspace_attack_frozen_weights: pd.DataFrame) -> Evidence:
    r"""With an L2 penalty $\lambda$ weights off the subspace shrink by $(1 - \eta\lambda)^t$ under stochastic gradient
    descent and AdamW, and by the recursion $v \leftarrow 0.9v + \lambda w$, $w \leftarrow w - \eta v$ under heavy ball.
    """
    runs = _with_penalty(select(subspace_attack_frozen_weights, method=list(SHRINKING)))
    predicted = [
        float(np.asarray(SHRINKING[method](*told)))
        for method, *told in runs[["method", "step_size", "penalty", "step"]].itertuples(index=False)
    ]
    factors = runs.set_index(["method", "trained", "penalty", "seed"])[["smallest_factor", "largest_factor"]]
    over_prediction = factors.div(predicted, axis=0).rename_axis(columns="weight").stack()
    return Evidence(
        over_prediction.reorder_levels(["method", "trained", "penalty", "weight", "seed"]), 1.0, "predicted"
    )


@claim(figure="subspace_attack_flips", kind="finding", test=equivalence(0.05), unit="(largest weight)")
def subspace_attack_adam_alike(subspace_attack_frozen_weights: pd.DataFrame) -> Evidence:
    """Under Adam with a coupled L2 penalty the largest weight off the subspace does not depend on the penalty: it is
    the same for the largest one as for the smallest.
    """
    largest = _under_adam(subspace_attack_frozen_weights)["largest_weight"].unstack("penalty")
    if largest.shape[1] < 2:
        raise MissingValue("no runs with two penalties")
    return Evidence(largest.iloc[:, -1], largest.iloc[:, 0], "other arm")


@claim(figure="subspace_attack_flips", kind="identity", test=within(1e-4), unit=r"(fall per step, over $\eta$)")
def subspace_attack_adam_speed(subspace_attack_frozen_weights: pd.DataFrame) -> Evidence:
    r"""Until it comes near zero, the largest weight off the subspace falls by about $\eta$ a step under Adam with a
    coupled L2 penalty, whatever the penalty is: by what Adam's recursion gives, from which the penalty cancels.
    """
    early = subspace_attack_frozen_weights
    early = early[early["step"] == early.groupby(["design", "run"])["step"].transform("min")]
    runs = _under_adam(early)
    start, step_size, steps = runs["largest_at_start"], runs["step_size"], runs["step"]
    predicted = pd.Series(
        [float(adam_weight(*told)) for told in zip(start, step_size, steps, strict=True)], runs.index, dtype=float
    )
    on_its_way = nonempty(runs[predicted > start / 2], "that are recorded before they come near zero").index
    measured, predicted = ((start - w) / (step_size * steps) for w in (runs["largest_weight"], predicted))
    return Evidence(measured.loc[on_its_way], predicted.loc[on_its_way], "predicted")


@claim(figure="subspace_attack_flips", kind="finding", test=order(smallest=0), unit="(largest weight)")
def subspace_attack_adam_faster(subspace_attack_frozen_weights: pd.DataFrame) -> Evidence:
    r"""Adam with a coupled L2 penalty does not shrink weights by $(1 - \eta\lambda)^t$: the largest weight off the
    subspace would then be more than a hundred times as large as it is, under every penalty.
    """
    runs = _under_adam(subspace_attack_frozen_weights)
    penalty = runs.index.get_level_values("penalty")
    decayed = runs["largest_at_start"] * decay_factor(runs["step_size"], penalty, runs["step"])
    return Evidence(decayed, SMALLER * runs["largest_weight"], "other arm")


@claim(figure="subspace_attack_flips", kind="identity", test=law(0.2), unit="(distance of distribution functions)")
def subspace_attack_chi2(subspace_attack_flips: pd.DataFrame) -> Evidence:
    r"""The off-subspace gradient $g$ at a point of the subspace has the law
    $\|g\|^2 d/\sum_{\text{active}} u_i^2 \sim \chi^2_\ell$, over networks.
    """
    runs = ends_of(subspace_attack_flips)
    variance, off = 1 / runs["features"], runs["features"] - runs["components"]
    probability = probability_of_gradient(runs["off_subspace_gradient"], runs["active"], variance, off)
    index = pd.MultiIndex.from_frame(runs[["components", "seed"]])
    return Evidence(pd.Series(np.asarray(probability), index), 0.0, "predicted")


@claim(figure="subspace_attack_flips", kind="identity", test=equivalence(0.05), unit=r"(squared gradient)")
def subspace_attack_chi2_median(subspace_attack_flips: pd.DataFrame) -> Evidence:
    r"""The median of $\|g\|^2 d/\sum_{\text{active}} u_i^2$ over networks is that of $\chi^2_\ell$."""
    squared, off = _squared_gradients(subspace_attack_flips)
    return Evidence(squared, pd.Series(median_of_gradient(off), squared.index), "predicted", over="run")


@claim(figure="subspace_attack_flips", kind="identity", test=equivalence(0.25), unit=r"(squared gradient)")
def subspace_attack_chi2_spread(subspace_attack_flips: pd.DataFrame) -> Evidence:
    r"""The median distance of $\|g\|^2 d/\sum_{\text{active}} u_i^2$ from its median is that of $\chi^2_\ell$."""
    squared, off = _squared_gradients(subspace_attack_flips)
    deviation = (squared - median_of_gradient(off)).abs()
    return Evidence(deviation, pd.Series(median_deviation_of_gradient(off), squared.index), "predicted", over="run")


@claim(figure="subspace_attack_flips", kind="finding", test=equivalence(0.05), unit="times the prediction")
def subspace_attack_flip_curve(subspace_attack_flips: pd.DataFrame) -> Evidence:
    """The mean output along the off-subspace gradient, in closed form, gives the distance at which a network flips, in
    the median over networks, where 16 dimensions or more are off the subspace.
    """
    runs = ends_of(subspace_attack_flips)
    many = runs["features"] - runs["components"] >= FEWEST_DIMENSIONS
    runs = nonempty(runs[many], "with as many dimensions off the subspace")
    never_predicted = runs["predicted_flip_over_output"].isna()
    ratio = runs["flip_over_predicted"].fillna(FAR).mask(never_predicted, 1 / FAR)
    return Evidence(ratio.set_axis(pd.MultiIndex.from_frame(runs[["components", "seed"]])), 1.0, "predicted")


@claim(figure="subspace_attack_flips", kind="finding", test=equivalence(ROOM / CENTRE), unit="(distance)")
def subspace_attack_size(subspace_attack_flips: pd.DataFrame) -> Evidence:
    r"""A network flips at a distance between 1 and 1.2 times $|f(x_0)|\sqrt{2d/\ell}$, in the median over networks,
    where $d/\ell$ is at most 2; the reference is 1.1 times that, and distances are over $|f(x_0)|$.
    """
    runs = ends_of(subspace_attack_flips)
    off = runs["features"] - runs["components"]
    runs = nonempty(runs[runs["features"] / off <= WIDEST], "with d/ℓ of 2 at most").set_index(["components", "seed"])
    estimate = flip_estimate(1.0, runs["features"], runs["features"] - runs.index.get_level_values(0), 1.0)
    return Evidence(runs["flip_over_output"].fillna(FAR), pd.Series(CENTRE * estimate, runs.index), "predicted")


@claim(figure="subspace_attack_flips", kind="finding", test=equivalence(0.3), unit="(exponent)")
def subspace_attack_size_exponent(subspace_attack_flips: pd.DataFrame) -> Evidence:
    r"""The flip distance grows as $(d/\ell)^{1/2}$, with an exponent within 0.15."""
    runs = ends_of(subspace_attack_flips)
    return _exponents(runs, runs["features"] / (runs["features"] - runs["components"]), 0.5)


@claim(figure="subspace_attack_flips", kind="finding", test=equivalence(0.1), unit="(exponent)")
def subspace_attack_init_scale(subspace_attack_scales: pd.DataFrame) -> Evidence:
    r"""At equal $|f(x_0)|$ the flip distance is inversely proportional to the scale $\alpha$ of the start of the first
    layer: its exponent is within 0.1 of $-1$.
    """
    runs = ends_of(subspace_attack_scales)
    return _exponents(runs, runs["scale"], -1.0)


@claim(figure="subspace_attack_regions", kind="finding", test=order(), unit="(distance)")
def subspace_attack_direction(subspace_attack_seven_points: pd.DataFrame) -> Evidence:
    """On the seven points a network flips at a shorter distance along the off-subspace gradient than along a random
    direction off the subspace.
    """
    runs = _at_margin(subspace_attack_seven_points)
    return _beside(runs["random_flip_distance"], runs["flip_distance"], _gaps(runs))


@claim(figure="subspace_attack_regions", kind="finding", test=order(), unit="(distance)")
def subspace_attack_smaller_start(subspace_attack_seven_points: pd.DataFrame) -> Evidence:
    """On the seven points a smaller start makes networks more robust: divided by a larger factor, the same draws lead
    to a network that flips at a longer distance.
    """
    runs = _at_margin(subspace_attack_seven_points)
    distance = runs["flip_distance"].unstack("factor")
    if distance.shape[1] < 2:
        raise MissingValue("no runs with two factors")
    pairs = {factor: distance.iloc[:, 0].to_frame("drawn").assign(divided=distance[factor]) for factor in distance}
    both = pd.concat(dict(list(pairs.items())[1:]), names=["factor"])
    return _beside(both["divided"], both["drawn"], _gaps(runs))


def _with_penalty(runs: pd.DataFrame) -> pd.DataFrame:
    """Last rows of the runs with a penalty."""
    runs = ends_of(runs)
    return nonempty(runs[runs["penalty"] > 0], "with a penalty")


def _under_adam(runs: pd.DataFrame) -> pd.DataFrame:
    """Last rows of Adam's runs with a penalty, indexed by cell and seed."""
    return _with_penalty(select(runs, method="adam")).set_index(["trained", "penalty", "seed"])


def _squared_gradients(flips: pd.DataFrame) -> tuple[pd.Series, np.ndarray]:
    """‖g‖²d/Σu² of each network, over all subspaces as one cell, and ℓ."""
    runs = ends_of(flips)
    squared = squared_gradient(runs["off_subspace_gradient"], runs["active"], 1 / runs["features"])
    index = pd.MultiIndex.from_frame(runs[["design", "run"]])
    return pd.Series(np.asarray(squared), index), (runs["features"] - runs["components"]).to_numpy()


def _exponents(runs: pd.DataFrame, factor: pd.Series, predicted: float) -> Evidence:
    """Exponent of the flip distance in a factor, by least squares on logarithms over the values of each seed.

    Raises:
        MissingValue: if the factor has one value only.
    """
    if factor.nunique() < 2:
        raise MissingValue("no runs to compare with")
    distance = np.log(runs["flip_over_output"].fillna(FAR))
    logs = pd.DataFrame({"x": np.log(factor), "y": distance, "seed": runs["seed"], "design": runs["design"]})
    slopes = logs.groupby(["design", "seed"])[["x", "y"]].apply(lambda rows: np.polyfit(rows["x"], rows["y"], 1)[0])
    return Evidence(slopes, predicted, "predicted")


def _at_margin(seven_points: pd.DataFrame) -> pd.DataFrame:
    """Flip distances of each run at its first recorded step with the margin, by factor and seed; NaN of a run without.

    Raises:
        MissingValue: if no run with some factor has come to the margin, or one diverged.
    """
    runs = none_diverged(seven_points)
    reached = runs[runs["smallest_margin"] >= runs["wanted_margin"]].drop_duplicates(["design", "run"])
    for factor in sorted(set(runs["factor"]) - set(reached["factor"])):
        raise MissingValue(f"no run with the factor {factor:g} has reached the margin")
    distances = reached.set_index(["factor", "seed"])[["flip_distance", "random_flip_distance"]].fillna(FAR)
    every_run = pd.MultiIndex.from_frame(runs[["factor", "seed"]].drop_duplicates())
    return distances.reindex(every_run).sort_index()


def _beside(measured: pd.Series, reference: pd.Series, table: pd.DataFrame) -> Evidence:
    """Distances by factor and seed; nobody knows the order of a pair with a run without the margin, or without a flip.

    A pair without the margin is alike on both sides. Within a factor such pairs are by turns the nearest and the
    farthest of all, so that medians stay where they are.
    """
    pairs = pd.DataFrame({"measured": measured, "reference": reference})
    gaps, without_flip = pairs.isna().any(axis=1), (pairs == FAR).all(axis=1)
    turn = gaps.groupby(["factor", gaps]).cumcount() % 2
    alike = pairs.mask(gaps, turn.map({0: FAR, 1: 1 / FAR}), axis=0)
    return Evidence(alike["measured"], alike["reference"], "other arm", table=table, unordered=gaps | without_flip)


def _gaps(runs: pd.DataFrame) -> pd.DataFrame:
    """How many runs of each factor have not come to the margin, of how many."""
    without = runs["flip_distance"].isna().groupby("factor")
    table = pd.DataFrame({"without_margin": without.sum(), "runs": without.size()}).astype(float)
    return table.set_axis([f"factor {factor:g}" for factor in table.index])
