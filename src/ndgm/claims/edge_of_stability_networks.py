"""Claims on the Edge of Stability of networks with kinked and with smooth activations."""

import pandas as pd

from ndgm.decide.claim import Evidence, claim
from ndgm.decide.selection import select
from ndgm.decide.statistics import MissingValue, equivalence, order, within

KINKED_AND_SMOOTH = [("relu", "elu"), ("leaky_relu", "elu"), ("hardtanh", "tanh")]
"""Each activation with a kink beside one of about the same shape without."""

MARGIN = 0.05
"""Sharpness is at the edge if it is this close to 2/η, relative to it."""

CELL = ["design", "problem", "activation", "step_size", "seed"]


@claim(figure="edge_of_stability_networks", kind="finding", test=equivalence(MARGIN), unit=r"times $2/\eta$")
def edge_of_stability_networks_squared(edge_of_stability_networks: pd.DataFrame) -> Evidence:
    r"""With the squared loss, the sharpness of a network with any activation rises to $2/\eta$ and stays there: over
    the later half of the steps from where it comes within the margin of $2/\eta$, its mean is $2/\eta$.
    """
    return Evidence(_sharpness(edge_of_stability_networks, "squared"), 1.0, compared="predicted")


@claim(figure="edge_of_stability_networks", kind="finding", test=equivalence(MARGIN), unit=r"times $2/\eta$")
def edge_of_stability_networks_cross_entropy(edge_of_stability_networks: pd.DataFrame) -> Evidence:
    r"""With cross entropy on smoothed labels, the sharpness of a network with any activation rises to $2/\eta$ and
    stays there, as with the squared loss.
    """
    return Evidence(_sharpness(edge_of_stability_networks, "cross_entropy"), 1.0, compared="predicted")


@claim(figure="edge_of_stability_networks", kind="finding", test=order(smallest=0), unit=r"times $2/\eta$")
def edge_of_stability_networks_lower(edge_of_stability_networks: pd.DataFrame) -> Evidence:
    r"""Sharpness that has come to $2/\eta$ does not fall back, with any activation, loss and step size: over the later
    half of the steps from there, its mean is more than $2/\eta$ less the margin.
    """
    return Evidence(_sharpness(edge_of_stability_networks), 1 - MARGIN, compared="predicted")


@claim(
    figure="edge_of_stability_networks",
    kind="finding",
    test=order(),
    unit=r"times $2/\eta$",
)
def edge_of_stability_networks_excess(edge_of_stability_networks: pd.DataFrame) -> Evidence:
    r"""A longer step holds the sharpness further above $2/\eta$: on data with several step sizes, in units of $2/\eta$,
    its mean over the later half of the steps from where it comes there is higher by more than 1 % for the longest step
    size than for the shortest.
    """
    sharpness = _sharpness(edge_of_stability_networks)
    steps = sharpness.groupby(["design", "problem"]).apply(lambda part: part.index.unique("step_size"))
    steps = steps[steps.map(len) > 1]
    if steps.empty:
        raise MissingValue("one step size")
    longest, shortest = (
        pd.concat(
            [
                sharpness.loc[[design], [problem]].xs(end(sizes), level="step_size")
                for (design, problem), sizes in steps.items()
            ]
        )
        for end in (max, min)
    )
    return Evidence(longest, shortest, compared="other arm")


@claim(figure="edge_of_stability_networks", kind="finding", test=equivalence(MARGIN), unit=r"times $2/\eta$")
def edge_of_stability_networks_kinked(edge_of_stability_networks: pd.DataFrame) -> Evidence:
    r"""A kink in the activation does not move the edge: over the later half of the steps from where the sharpness comes
    to $2/\eta$, the mean sharpness of a network with a kinked activation is that of a network with a smooth activation
    of about the same shape.
    """
    compared = {name for pair in KINKED_AND_SMOOTH for name in pair}
    sharpness = _sharpness(select(edge_of_stability_networks, activation=compared))
    names = [f"{kinked} and {smooth}" for kinked, smooth in KINKED_AND_SMOOTH]
    kinked, smooth = (
        pd.concat(
            [sharpness.xs(pair[side], level="activation") for pair in KINKED_AND_SMOOTH], keys=names, names=["pair"]
        )
        for side in (0, 1)
    )
    return Evidence(kinked, smooth, compared="other arm")


@claim(figure="edge_of_stability_side_by_side", kind="finding", test=equivalence(MARGIN), unit=r"times $2/\eta$")
def edge_of_stability_networks_directional(edge_of_stability_networks: pd.DataFrame) -> Evidence:
    r"""Over the later half of the steps from where the sharpness comes to $2/\eta$, the mean of the curvature $\kappa$
    along the step, weighted by $\|g\|^2$, is $2/\eta$ with every activation and loss, however far from it the sharpness
    is.
    """
    runs = edge_of_stability_networks
    sums = ["weighted_curvature", "squared_gradients"]
    since_last = runs.groupby(["design", "run"])[sums].diff()
    over = plateaus(runs.assign(**since_last)).groupby(CELL)[sums].sum()
    mean = (over["weighted_curvature"] / over["squared_gradients"]).reindex(_all(runs))
    return Evidence(mean * mean.index.get_level_values("step_size") / 2, 1.0, compared="predicted")


@claim(figure="edge_of_stability_side_by_side", kind="identity", test=within(1e-8), unit=r"times $2/\eta$")
def edge_of_stability_networks_telescoped(edge_of_stability_networks: pd.DataFrame) -> Evidence:
    r"""On every run, with kinks or without, the mean of the curvature $\kappa$ along the step, weighted by $\|g\|^2$,
    is $2/\eta - 2(f_0 - f_t)/(\eta^2\sum\|g\|^2)$ at every recorded step.
    """
    runs = edge_of_stability_networks
    descent = runs.groupby(["design", "run"])["objective"].transform("first") - runs["objective"]
    mean = runs["weighted_curvature"] / runs["squared_gradients"] * runs["step_size"] / 2
    predicted = 1 - descent / (runs["step_size"] * runs["squared_gradients"])
    left = (mean - predicted).set_axis(pd.MultiIndex.from_frame(runs[[*CELL, "step"]]))
    left = left[(runs["step"] > 0).to_numpy()]
    return Evidence(left, 0.0, compared="predicted")


def plateaus(runs: pd.DataFrame) -> pd.DataFrame:
    """Rows of runs on their plateau: the later half of the steps from where the sharpness comes to the edge.

    That is the first recorded step after the start with a sharpness of at least 1 − `MARGIN` times 2/η. The half before
    is left out, for there the sharpness may swing above the edge or be thrown back below it. A column `over_edge` is
    added, the sharpness in units of 2/η.
    """
    runs = runs.assign(over_edge=runs["sharpness"] * runs["step_size"] / 2)
    steps = runs.groupby(["design", "run"])["step"]
    at_edge = (runs["step"] > 0) & (runs["over_edge"] >= 1 - MARGIN)
    came = runs["step"].where(at_edge).groupby([runs["design"], runs["run"]]).transform("min")
    return runs[runs["step"] >= (came + steps.transform("max")) / 2]


def _sharpness(runs: pd.DataFrame, problem: str | None = None) -> pd.Series:
    """Mean sharpness on the plateau in units of 2/η, of every run; NaN where there is none, or a gap in it."""
    if problem is not None:
        runs = select(runs, problem=problem)
    values = plateaus(runs).groupby(CELL)["over_edge"]
    return values.mean().where(values.count() == values.size()).reindex(_all(runs))


def _all(runs: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(runs[CELL].drop_duplicates())
