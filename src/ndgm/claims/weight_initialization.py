"""Claims on the variance of first weights in deep networks (part A of the companions)."""

import numpy as np
import pandas as pd

from ndgm.decide.claim import Evidence, claim
from ndgm.decide.selection import ends_of, nonempty, select
from ndgm.decide.statistics import at_most, equivalence, order
from ndgm.theory.weight_initialization import linearised_variance

ARM = ["activation", "initialization"]
FORMULA, SCRIPT, XAVIER, HE = "formula", "3.6", "1.0", "2.0"
"""Gains as the config calls them: the formula's, that of the author's script, 1/N and 2/N as variances."""

OTHERS = [XAVIER, SCRIPT, "40.0", "critical"]
"""Gains of a sigmoid that the formula's is compared with."""

GLOROT = "glorot"
"""Xavier's variance 2/(N + M), as the config calls it."""

DEEP, DEEPER = 10, 30
"""Hidden layers of the networks that are trained."""

BENT = ["tanh", "elu", "softplus_1", "gelu", "silu"]
"""Activations for which the formula is differentiated at 0, where they are not linear."""


@claim(figure="weight_initialization", kind="identity", test=equivalence(0.05), unit="(ratio a layer)")
def weight_initialization_relu_halves(weight_initialization_halving: pd.DataFrame) -> Evidence:
    r"""A ReLU layer with weights of variance $s/N$ keeps the share $s/2$ of the mean squared length of a signal, at
    every width and for every law of the weights that is symmetric about 0.
    """
    ends = _last_layer(weight_initialization_halving).set_index(["law", "gain", "seed"])
    ratio, predicted = (ends[name] ** (1 / ends["layer"]) for name in ("norm_ratio", "predicted_norm_ratio"))
    return Evidence(ratio, predicted, "predicted")


@claim(figure="weight_initialization", kind="identity", test=equivalence(0.1))
def weight_initialization_relu_spread(weight_initialization_spread: pd.DataFrame) -> Evidence:
    r"""With normal weights the squared length of a signal after $l$ ReLU layers, over its mean, has the second moment
    $(1 + 5/N)^l$: in deep narrow networks most signals are shorter than the mean says.
    """
    ends = _last_layer(weight_initialization_spread).set_index(["units", "seed"])
    return Evidence(ends["squared_norm_ratio"], ends["predicted_squared_norm_ratio"], "predicted")


@claim(figure="weight_initialization", kind="finding", test=equivalence(0.03), unit="(variance)")
def weight_initialization_mean_field(weight_initialization_wide: pd.DataFrame) -> Evidence:
    r"""The recursion $q_{l+1} = s\,\mathbb E\,g(\sqrt{q_l}z)^2$ gives the variance of the pre-activations of a wide
    network after all of its layers, for every activation and gain.
    """
    ends = _last_layer(weight_initialization_wide).set_index([*ARM, "seed"])
    predicted = [name for name in ends if name.startswith("predicted_")]
    table = ends[["gain", "preactivation_variance", "activation_variance", *predicted]].groupby(ARM).mean()
    return Evidence(
        ends["preactivation_variance"],
        ends["predicted_preactivation_variance"],
        "predicted",
        table=table.set_axis(table.index.map("_".join)),
    )


# Of numbers between 0 and 1 none vary more than those that are 0 and 1 half of the time each.
@claim(
    figure="weight_initialization",
    kind="identity",
    test=at_most(0),
    unit="(variance)",
    derived_from="weight_initialization_unit_variance",
)
def weight_initialization_sigmoid_variance(weight_initialization_wide: pd.DataFrame) -> Evidence:
    r"""The activations of a sigmoid network have a variance of at most 1/4 at every gain. That the formula gives them
    the variance 1, that of the linearisation at 0, is refuted by this.
    """
    ends = _last_layer(select(weight_initialization_wide, activation="sigmoid")).set_index([*ARM, "seed"])
    linearised = linearised_variance(ends["gain"], 1.0, 0.5, 0.25)
    table = ends[["activation_variance"]].assign(linearised_variance=linearised).groupby(ARM).mean()
    return Evidence(ends["activation_variance"], 0.25, "predicted", table=table.set_axis(table.index.map("_".join)))


@claim(figure="weight_initialization", kind="finding", test=order(smallest=0), unit="(smaller over larger)")
def weight_initialization_stays(weight_initialization_wide: pd.DataFrame) -> Evidence:
    r"""At the formula's gain the variance of the pre-activations stays within a factor of two, for tanh, ELU, softplus,
    GELU and SiLU: of the variances of the first and of the last layer, the smaller is more than half the larger.
    """
    runs = select(weight_initialization_wide, activation=BENT, initialization=FORMULA)
    last = _last_layer(runs).set_index([*ARM, "seed"])["preactivation_variance"]
    first = runs[runs["layer"] == 0].set_index([*ARM, "seed"])["preactivation_variance"]
    pair = pd.concat([first, last], axis=1, keys=["first", "last"])
    growth = (last / first).groupby(ARM).median().rename("growth").to_frame()
    table = growth.set_axis(growth.index.get_level_values("activation"))
    return Evidence(pair.min(axis=1) / pair.max(axis=1), 0.5, "predicted", table=table)


@claim(figure="weight_initialization", kind="finding", test=order(), unit="(loss)")
def weight_initialization_sigmoid_reading(weight_initialization_training: pd.DataFrame) -> Evidence:
    r"""Ten sigmoid layers train the better the nearer the gain is, from below, to the formula's 12.8: with 3.6, what
    the author's script gives as variance, the loss is larger than with 12.8, and with 1 it is larger than with 3.6.
    """
    loss = _losses(weight_initialization_training, "sigmoid", DEEP)
    steps = {"3.6 against 12.8": (SCRIPT, FORMULA), "1 against 3.6": (XAVIER, SCRIPT)}
    return _pairs({name: tuple(loss.xs(gain, level="initialization") for gain in both) for name, both in steps.items()})


@claim(figure="weight_initialization", kind="finding", test=order(), unit="(loss)")
def weight_initialization_sigmoid_best(weight_initialization_training: pd.DataFrame) -> Evidence:
    r"""Of the gains 1, 3.6, 12.8, 40 and the one at which gradients neither vanish nor explode, ten sigmoid layers
    reach the smallest loss from the formula's 12.8.
    """
    loss = _losses(weight_initialization_training, "sigmoid", DEEP)
    arms = {gain: loss.xs(gain, level="initialization") for gain in (*OTHERS, FORMULA)}
    ends = ends_of(weight_initialization_training, activation="sigmoid")
    table = ends.groupby("initialization")[["gain", "objective", "accuracy"]].median()
    table = table.assign(deviation=np.sqrt(table["gain"])).set_axis("gain_" + table.index)
    return _pairs({gain: (arms[gain], arms[FORMULA]) for gain in OTHERS}, table)


@claim(figure="weight_initialization", kind="finding", test=order(), unit="(loss)")
def weight_initialization_xavier_relu(weight_initialization_training: pd.DataFrame) -> Evidence:
    r"""Thirty ReLU layers reach a larger loss from weights of variance $1/N$ than from $2/N$."""
    loss = _losses(weight_initialization_training, "relu", DEEPER)
    ends = ends_of(weight_initialization_training, activation="relu")
    table = ends.groupby(["hidden_layers", "initialization"])[["objective", "accuracy"]].median()
    table.index = table.index.map(lambda level: f"layers_{level[0]}_{level[1]}")
    arms = tuple(loss.xs(gain, level="initialization") for gain in (XAVIER, FORMULA))
    return _pairs({"1/N against 2/N": arms}, table)


@claim(figure="weight_initialization", kind="finding", test=order(), unit="(loss)")
def weight_initialization_smooth_relus(weight_initialization_training: pd.DataFrame) -> Evidence:
    r"""Ten GELU or SiLU layers reach a larger loss from the formula's variance $4/N$ than from $2/N$, that for ReLU."""
    pairs = {}
    for name in ("gelu", "silu"):
        loss = _losses(weight_initialization_training, name, DEEP)
        pairs[name] = tuple(loss.xs(gain, level="initialization") for gain in (FORMULA, HE))
    return _pairs(pairs)


@claim(figure="weight_initialization_convolutions", kind="finding", test=order(), unit="(loss)", design="cifar10")
def weight_initialization_convolutions_loss(weight_initialization_convolutions: pd.DataFrame) -> Evidence:
    r"""Nine sigmoid convolutions, trained as the author's script trains them, end with a larger loss on their training
    pictures from the gain 3.6, and from Xavier's variance, than from the formula's 12.8.
    """
    ends = _convolutions(weight_initialization_convolutions)
    loss = {gain: ends.xs(gain, level="initialization")["objective"] for gain in (SCRIPT, GLOROT, FORMULA)}
    medians = ends.groupby("initialization")[["objective", "accuracy", "top_five_accuracy"]].median()
    table = medians.set_axis("gain_" + medians.index)
    return _pairs({f"{gain} against 12.8": (loss[gain], loss[FORMULA]) for gain in (SCRIPT, GLOROT)}, table)


@claim(figure="weight_initialization_convolutions", kind="finding", test=order(), unit="(share)", design="cifar10")
def weight_initialization_convolutions_top_five(weight_initialization_convolutions: pd.DataFrame) -> Evidence:
    r"""There the formula's 12.8 also leads to a larger top-five accuracy than the gain 3.6 and than Xavier's variance:
    the class of more of these pictures has one of the five largest outputs.
    """
    share = _convolutions(weight_initialization_convolutions)["top_five_accuracy"]
    arms = {gain: share.xs(gain, level="initialization") for gain in (SCRIPT, GLOROT, FORMULA)}
    return _pairs({f"12.8 against {gain}": (arms[FORMULA], arms[gain]) for gain in (SCRIPT, GLOROT)})


@claim(figure="weight_initialization_convolutions", kind="finding", test=order(), unit="(share)", design="cifar10")
def weight_initialization_convolutions_script(weight_initialization_convolutions: pd.DataFrame) -> Evidence:
    r"""With the gain that the script runs with, 3.6, top-five accuracy is larger there than from Xavier's variance."""
    share = _convolutions(weight_initialization_convolutions)["top_five_accuracy"]
    arms = tuple(share.xs(gain, level="initialization") for gain in (SCRIPT, GLOROT))
    return _pairs({"3.6 against Xavier": arms})


def _convolutions(runs: pd.DataFrame) -> pd.DataFrame:
    """Last rows of the runs on CIFAR-10, by initialization and seed; all that claims name are there.

    Raises:
        MissingValue: if one of them is not.
    """
    ends = ends_of(runs, design="cifar10", initialization=[FORMULA, SCRIPT, GLOROT])
    return ends.set_index(["initialization", "seed"])


def _last_layer(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the last layer of every run."""
    return table[table["layer"] == table["layer"].max()]


def _losses(runs: pd.DataFrame, activation: str, hidden_layers: int) -> pd.Series:
    """Loss at the end of the runs of an activation at a depth, by gain and seed; all gains that claims name are there.

    Raises:
        MissingValue: if one of them is not.
    """
    gains = {"sigmoid": [FORMULA, *OTHERS], "relu": [FORMULA, XAVIER]}.get(activation, [FORMULA, HE])
    deep = nonempty(runs[runs["hidden_layers"] == hidden_layers], f"with {hidden_layers} hidden layers")
    ends = ends_of(deep, activation=activation, initialization=gains)
    return ends.set_index(["initialization", "seed"])["objective"]


def _pairs(arms: dict[str, tuple[pd.Series, ...]], table: pd.DataFrame | None = None) -> Evidence:
    """Losses by seed of each pair of arms, the first of which is claimed to be the larger."""
    larger, smaller = (pd.concat({name: both[side] for name, both in arms.items()}, names=["pair"]) for side in (0, 1))
    return Evidence(larger, smaller, "other arm", table=table)
