"""Claims on the Edge of Stability: convex functions, and logistic regression with long steps."""

import pandas as pd

from ndgm.claims.rows.orbits import EXACT, arrived, at_double_threshold, both_points, curved, even, on_cycle
from ndgm.decide.claim import Evidence, claim
from ndgm.decide.selection import ends_of, none_diverged, nonempty, select
from ndgm.decide.statistics import at_most, within
from ndgm.theory.edge_of_stability import (
    amplitude_near_threshold,
    cycle_amplitude,
    cycle_sharpness,
    flip_coefficient,
    mean_curvature,
    scalar,
    window_end,
)
from ndgm.theory.logistic import transition_time

CYCLE = ["design", "step_size", "seed"]
RATIO = ["design", "step_size_over_threshold", "seed"]
ONCE_DIFFERENTIABLE = ["huber", "pseudo_huber", "log_cosh", "softplus_pair"]
"""Convex functions with bounded slopes and a derivative everywhere."""

AT_THE_EDGE = 0.05
"""The sharpness is at 2/η if it is within this share of it."""

ROUNDING = 1e-12
"""What rounding may add to a loss from one recorded step to the next, relative to it."""

SETTLED = 0.01
"""A run has settled if its last step was shorter than this share of a step with slope 1."""

NEXT_TO_THRESHOLD = 1.1
"""The longest step that is called close to the threshold, as a multiple of it."""

ATTRACTS = 0.97
"""A cycle is reached within a run if two steps shrink a small distance from it to this share or less."""


# A second cycle, of two sizes a ≠ b, would need ℓ'(a) = ℓ'(b); without one, sizes converge to the fixed point p of
# a ↦ |a − ηℓ'(a)| from every start (Coppel, 1955). Where ℓ' is constant, on |x| and Huber's function, a + b = η.
@claim(
    figure="edge_of_stability_bifurcations", kind="identity", test=within(EXACT), unit="(deviation of the amplitude)"
)
def edge_of_stability_amplitude(edge_of_stability_cycles: pd.DataFrame) -> Evidence:
    r"""On an even convex function whose $\ell'(p)/p$ falls from $L$, descent from every start ends on a cycle $\pm p$
    with $\ell'(p)/p = 2/\eta$ if $\eta > 2/L$ (on $|x|$ and Huber's function on one as long, of any phase), and at the
    minimum if $\eta < 2/L$: of the amplitude, relative to the closed form, nothing is left over, at every step size
    that lets runs arrive within their steps.
    """
    ends = arrived(ends_of(even(edge_of_stability_cycles)))
    longer = ends["step_size"] > ends["threshold"]
    ends = ends.assign(left=ends["amplitude"])
    for name, part in ends[longer].groupby("design"):
        ends.loc[part.index, "left"] = part["amplitude"] / cycle_amplitude(name, part["step_size"]) - 1
    left = ends.set_index(CYCLE)["left"]
    shown = at_double_threshold(ends[longer])
    table = pd.DataFrame({"step": shown["step_size"].first(), "measured": shown["amplitude"].mean()})
    table["predicted"] = [float(cycle_amplitude(name, step)) for name, step in table["step"].items()]
    return Evidence(left, 0.0, compared="predicted", table=table)


@claim(figure="edge_of_stability_sharpness", kind="identity", test=within(EXACT), unit="times $2/\\eta$")
def edge_of_stability_sharpness(edge_of_stability_cycles: pd.DataFrame) -> Evidence:
    r"""The pointwise sharpness on the cycles of even convex functions is the closed form: zero on $|x|$ and Huber's
    function, $q - 1$ on $|x|^q/q$, $4/\eta^2$ on $\sqrt{1+x^2}$, and less than $2/\eta$ on all. Nothing is left of the
    difference, at every step size that lets runs arrive on the cycle within their steps.
    """
    ends = both_points(on_cycle(even(edge_of_stability_cycles)))
    for name, part in ends.groupby("design"):
        ends.loc[part.index, "left"] = part["mean_sharpness_over_edge"] - cycle_sharpness(name, part["step_size"])
    left = ends.set_index(CYCLE)["left"]
    shown = at_double_threshold(ends)
    table = pd.DataFrame({"measured": shown["mean_sharpness_over_edge"].mean(), "step": shown["step_size"].first()})
    table["predicted"] = [float(cycle_sharpness(name, step)) for name, step in table["step"].items()]
    return Evidence(left, 0.0, compared="predicted", table=table)


@claim(figure="edge_of_stability_sharpness", kind="identity", test=within(EXACT), unit="times $2/\\eta$")
def edge_of_stability_secant(edge_of_stability_cycles: pd.DataFrame) -> Evidence:
    r"""On every cycle of an even convex function the directional smoothness, which is the slope of the secant of the
    gradient, is $2/\eta$, whatever the function. Nothing is left of the difference, at every step size that lets runs
    arrive on the cycle within their steps.
    """
    ends = on_cycle(even(edge_of_stability_cycles)).set_index(CYCLE)
    left = ends["smoothness"] * ends.index.get_level_values("step_size") / 2 - 1
    return Evidence(left, 0.0, compared="predicted")


@claim(figure="edge_of_stability_sharpness", kind="identity", test=within(1e-10), unit="times $2/\\eta$")
def edge_of_stability_identity(
    edge_of_stability_cycles: pd.DataFrame,
    edge_of_stability_asymmetric: pd.DataFrame,
    edge_of_stability_near_threshold: pd.DataFrame,
    edge_of_stability_max_affine: pd.DataFrame,
    edge_of_stability_logistic: pd.DataFrame,
    edge_of_stability_separable: pd.DataFrame,
) -> Evidence:
    r"""Along every run, settled or not, the $\|g\|^2$-weighted mean of the curvature $\kappa$ of a step is
    $2/\eta - 2(f_0 - f_T)/(\eta^2\sum\|g\|^2)$: relative to $2/\eta$ nothing is left.
    """
    scalars = edge_of_stability_cycles, edge_of_stability_asymmetric, edge_of_stability_near_threshold
    others = edge_of_stability_max_affine, edge_of_stability_logistic, edge_of_stability_separable
    ends = pd.concat([ends_of(table) for table in (*scalars, *others)])
    squared = ends["mean_squared_gradient_norm"]
    predicted = mean_curvature(ends["step_size"], ends["start_objective"], ends["objective"], squared, ends["step"])
    ends["left"] = (ends["mean_curvature"] / squared - predicted) * ends["step_size"] / 2
    left = ends.set_index(["experiment", *CYCLE])["left"]
    return Evidence(left, 0.0, compared="predicted")


@claim(
    figure="edge_of_stability_sharpness",
    kind="identity",
    test=within(1e-10),
    unit="(sharpness over $2/\\eta$, or length of a step over $\\eta$)",
)
def edge_of_stability_kinks(edge_of_stability_cycles: pd.DataFrame) -> Evidence:
    r"""On $|x|$, and on Huber's function beyond $2/L$, the pointwise sharpness at the iterates is zero, while the loss
    does not settle: the last step is $\eta$ long, at every $\eta$ that lets runs arrive on a cycle within their
    steps.
    """
    runs = select(edge_of_stability_cycles, design=["absolute", "huber"])
    ends = both_points(on_cycle(runs)).set_index(CYCLE)
    step_size = ends.index.get_level_values("step_size")
    both = {"sharpness": ends["largest_sharpness_over_edge"], "length of a step": 2 * ends["amplitude"] / step_size}
    measured = pd.concat(both, names=["quantity"])
    lengths = measured.index.get_level_values("quantity") == "length of a step"
    return Evidence(measured, pd.Series(lengths.astype(float), measured.index), compared="predicted")


@claim(figure="edge_of_stability_sharpness", kind="identity", test=within(0), unit="(1: occurs, 0: does not)")
def edge_of_stability_occurs(edge_of_stability_cycles: pd.DataFrame) -> Evidence:
    r"""The Edge of Stability occurs on convex Lipschitz differentiable functions (v5 on), read along the step: beyond
    $2/L$ descent neither settles nor diverges, and its directional smoothness is $2/\eta$, at every step size that lets
    runs arrive on a cycle within their steps.
    """
    ends = on_cycle(select(edge_of_stability_cycles, design=ONCE_DIFFERENTIABLE))
    moves = 1 - _settles(ends)
    over_edge = (ends["smoothness"] * ends["step_size"] / 2).set_axis(moves.index)
    return Evidence(moves.where(over_edge.sub(1).abs() <= EXACT, 0.0), 1.0, compared="predicted")


@claim(figure="edge_of_stability_sharpness", kind="identity", test=within(0), unit="(1: at the edge, 0: below)")
def edge_of_stability_window(
    edge_of_stability_cycles: pd.DataFrame, edge_of_stability_near_threshold: pd.DataFrame
) -> Evidence:
    r"""On even functions that are curved where their cycle is, the largest pointwise sharpness on it is within 5 % of
    $2/\eta$ exactly at the steps at which the closed form is: in a window that begins at $2/L$, at every step size that
    lets runs arrive on the cycle within their steps. The wording of v1 to v4, that the Edge of Stability is
    inapplicable to convex Lipschitz differentiable functions, read at the iterates, is refuted by this.
    """
    ends = both_points(on_cycle(curved(edge_of_stability_cycles), curved(edge_of_stability_near_threshold)))
    for name, part in ends.groupby("design"):
        ends.loc[part.index, "predicted"] = cycle_sharpness(name, part["step_size"])
    ends = ends.set_index(CYCLE)
    found, predicted = (
        (ends[sharpness].sub(1).abs() <= AT_THE_EDGE).astype(float)
        for sharpness in ("largest_sharpness_over_edge", "predicted")
    )
    names = [name for name in ends.index.unique("design") if scalar(name).threshold > 0]
    table = pd.DataFrame({"end": [window_end(name, AT_THE_EDGE) for name in names]}, index=names)
    return Evidence(found, predicted, compared="predicted", table=table)


# ℓ''(p) < ℓ'(p)/p = 2/η where ℓ'(p)/p falls.
@claim(figure="edge_of_stability_sharpness", kind="identity", test=at_most(0), unit="times $2/\\eta$")
def edge_of_stability_subquadratic(edge_of_stability_cycles: pd.DataFrame) -> Evidence:
    r"""Growth slower than quadratic keeps descent beyond $2/L$ from diverging, but on the cycle of every even function
    that is curved there the pointwise sharpness is below $2/\eta$, at every step size that lets runs arrive on it
    within their steps. The wording after Ma et al. (2022), that such growth is enough for the Edge of Stability at the
    iterates, is refuted by this.
    """
    ends = both_points(on_cycle(curved(edge_of_stability_cycles))).set_index(CYCLE)
    return Evidence(ends["mean_sharpness_over_edge"], 1.0, compared="predicted")


# Up to x = 1 the slope is that of √(1+x²), so that |x| shrinks, and no step from there ends above 1: one from −a < 0
# ends at a(η/√(1+a²) − 1) < a(2/√(1+a²) − 1) < ½. Above 1 the slope is more than 1.7, until x ≤ 1.
@claim(figure="edge_of_stability_bifurcations", kind="identity", test=within(0), unit="(1: settles, 0: does not)")
def edge_of_stability_nonsmooth(edge_of_stability_cycles: pd.DataFrame) -> Evidence:
    r"""Not all convex, non-smooth, Lipschitz functions show unstable convergence at every step size: on
    $\sqrt{1+x^2} + \mathrm{relu}(x-1)$, whose kink is not at its minimum, descent from every start settles at every
    $\eta < 2/L$ that lets runs arrive within their steps. The wording of v1, that all of them do, is refuted by this.
    """
    ends = arrived(ends_of(edge_of_stability_cycles, design="kink_aside"))
    below = nonempty(ends[ends["step_size"] < ends["threshold"]], "below the threshold")
    return Evidence(_settles(below), 1.0, compared="predicted")


# Every subgradient is one of finitely many vectors, none of which is zero: no step is shorter than the shortest.
@claim(figure="edge_of_stability_bifurcations", kind="identity", test=within(0), unit="(1: settles, 0: does not)")
def edge_of_stability_kink_at_solution(
    edge_of_stability_cycles: pd.DataFrame, edge_of_stability_max_affine: pd.DataFrame
) -> Evidence:
    r"""Convex functions whose minimum is at a corner show unstable convergence at every step size: $|x|$ and maxima of
    random linear functions, in several dimensions.
    """
    ends = [ends_of(edge_of_stability_cycles, design="absolute"), ends_of(edge_of_stability_max_affine)]
    return Evidence(_settles(pd.concat(ends)), 0.0, compared="predicted")


@claim(figure="edge_of_stability_bifurcations", kind="finding", test=within(0.02), unit="times the closed form")
def edge_of_stability_amplitude_near_threshold(edge_of_stability_near_threshold: pd.DataFrame) -> Evidence:
    r"""Just beyond the threshold, at $\eta = (2+\nu)/L$ with $\nu$ up to 0.02, the cycle of a smooth function,
    symmetric or not, has $p^2 = 3\nu L^2/(3\ell'''^2 - L\ell'''')$ within 2 %.
    """
    ends = ends_of(edge_of_stability_near_threshold)
    functions = {name: scalar(name) for name in ends["design"].unique()}
    coefficient = {n: float(flip_coefficient(f.lipschitz, f.third, f.fourth)) for n, f in functions.items()}
    ends["law"] = amplitude_near_threshold(ends["design"].map(coefficient), ends["excess"]) ** 2
    ends = ends.set_index(["design", "excess", "seed"])
    return Evidence(ends["amplitude"] ** 2 / ends["law"], 1.0, compared="predicted")


@claim(figure="edge_of_stability_logistic", kind="finding", test=within(EXACT), unit="times the exact cycle")
def edge_of_stability_logistic_doubling(edge_of_stability_logistic: pd.DataFrame) -> Evidence:
    r"""Logistic regression on data that are not separable doubles its period at $\eta = 2/\lambda_{\max}$ of the
    Hessian at the minimiser: from near it descent settles below, and above, up to 1.1 times that step, ends on the
    2-cycle that is born there.
    """
    ends = ends_of(edge_of_stability_logistic)
    return _doubled(ends[ends["step_size_over_threshold"] <= NEXT_TO_THRESHOLD])


@claim(figure="edge_of_stability_logistic", kind="finding", test=within(EXACT), unit="times the exact cycle")
def edge_of_stability_logistic_basin(edge_of_stability_logistic: pd.DataFrame) -> Evidence:
    """On data that are not separable, descent on logistic regression from near the minimiser ends on the 2-cycle as
    long as it attracts, at longer steps too.
    """
    return _doubled(ends_of(edge_of_stability_logistic))


# Along a step φ(s) = f(w − sg) is convex with φ'' ≤ R²φ‖g‖², since σ(m)σ(−m) ≤ log(1 + e⁻ᵐ). As long as φ ≤ φ(0) this
# gives φ(s) ≤ φ(0) − s‖g‖² + s²R²φ(0)‖g‖²/2, so that φ cannot come back to φ(0) before s = 2/(R²f(w)).
@claim(
    figure="edge_of_stability_logistic",
    kind="identity",
    test=at_most(ROUNDING),
    unit="(relative rise)",
    derived_from="edge_of_stability_logistic_separable",
)
def edge_of_stability_logistic_stable(edge_of_stability_separable: pd.DataFrame) -> Evidence:
    r"""Once the loss of logistic regression is below $2/(\eta R^2)$, where $R$ is the length of the longest sample, it
    never rises again, however long the step.
    """
    runs = _share_of_stable(edge_of_stability_separable)
    stable = (runs["share"] < 1).groupby([runs["design"], runs["run"]])
    before = runs.groupby(["design", "run"])["objective"].shift()
    # A loss that has underflowed to zero stays there.
    runs = runs.assign(rise=(runs["objective"] - before) / before.where(before > 0, 1.0), was=stable.cummax())
    after = nonempty(runs[runs.groupby(["design", "run"])["was"].shift(fill_value=False)], "with a loss that small")
    return Evidence(after.groupby(RATIO)["rise"].max(), 0.0, compared="predicted")


@claim(
    figure="edge_of_stability_logistic",
    kind="finding",
    test=at_most(0),
    unit="times the largest stable loss",
    derived_from="edge_of_stability_logistic_separable",
)
def edge_of_stability_logistic_transition(edge_of_stability_separable: pd.DataFrame) -> Evidence:
    r"""On separable data descent with a step of $2/L$ or more stops oscillating within the time of Wu et al. (2024),
    with a constant of one: from step $\tau = \max\{\eta R^2, n\}/\gamma^2$ on, where $\gamma$ is the margin over $R$
    and $n$ the number of samples, the loss is below $2/(\eta R^2)$, in every run whose loss has risen and that is so
    long.
    """
    runs = _share_of_stable(edge_of_stability_separable)
    before = runs.groupby(["design", "run"])["objective"].shift().fillna(runs["start_objective"])
    rose = (runs["objective"] > before).groupby([runs["design"], runs["run"]]).transform("any")
    runs = nonempty(runs[rose], "whose loss rises")
    time = transition_time(runs["step_size"], runs["samples"], runs["longest_row"], runs["margin"])
    later = nonempty(runs[runs["step"] >= time], "as long as that")
    return Evidence(later.groupby(RATIO)["share"].max(), 1.0, compared="predicted")


def _share_of_stable(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs, none of which diverged, with their loss in units of 2/(ηR²)."""
    runs = none_diverged(nonempty(runs))
    return runs.assign(share=runs["step_size"] * runs["longest_row"] ** 2 * runs["objective"] / 2)


def _doubled(ends: pd.DataFrame) -> Evidence:
    """Amplitudes in units of that of the exact cycle; below the threshold, where 0 is predicted, as they are."""
    longer = ends["step_size_over_threshold"] > 1
    ends = ends[~longer | (ends["multiplier"] <= ATTRACTS)].set_index(RATIO)
    predicted = pd.Series(ends.index.get_level_values("step_size_over_threshold") > 1, ends.index).astype(float)
    in_units = ends["amplitude"] / ends["predicted_amplitude"].where(predicted > 0, 1.0)
    return Evidence(in_units, predicted, compared="predicted")


def _settles(ends: pd.DataFrame) -> pd.Series:
    """Whether runs settle, 1 or 0, by function, step size and seed."""
    settles = 2 * ends["amplitude"] < SETTLED * ends["step_size"]
    return settles.astype(float).set_axis(pd.MultiIndex.from_frame(ends[CYCLE]))
