"""Claims on networks under an L1 penalty: norm, zeros, what pruning leaves, adaptive methods."""

import numpy as np
import pandas as pd

from ndgm.decide.claim import Evidence, claim
from ndgm.decide.selection import ends_of, none_diverged, select
from ndgm.decide.statistics import MissingValue, equivalence, order, within
from ndgm.theory.l1_paradox import floor_slope, noisy_floor

RISING = 0.1
"""From this penalty on, the claims on the rising branch are made."""

CELL = ["design", "penalty"]

SHORT_MEMORY = {"rmsprop_0.99": ["minibatch", "gelu"], "rmsprop_0.9": ["minibatch"], "sign": ["minibatch"]}
"""Methods that divide by a gradient which they remember for less than a run, in the sweeps that have them."""


@claim(figure="l1_paradox_networks", kind="finding", test=order(), unit="(L1 norm)")
def l1_paradox_networks_turn(l1_paradox_networks: pd.DataFrame) -> Evidence:
    """Under a constant-step subgradient method the L1 norm of a network falls with the penalty, and then rises: from
    each penalty of the grid to the next it falls before the penalty where its mean is smallest, and rises after it, by
    more than 1 % each.
    """
    runs = _ends_in(l1_paradox_networks, "subgradient", ["minibatch", "full_batch"])
    norm = runs["mean_l1_norm"].unstack("penalty")
    larger: list[pd.Series] = []
    smaller: list[pd.Series] = []
    for _, here in norm.groupby("design"):
        turn = here.mean().argmin()
        for place in range(here.shape[1] - 1):
            pair = here.iloc[:, place], here.iloc[:, place + 1]
            cell = {"keys": [here.columns[place + 1]], "names": ["penalty"]}
            for side, values in zip((larger, smaller), pair if place < turn else pair[::-1], strict=True):
                side.append(pd.concat([values], **cell))
    return Evidence(pd.concat(larger), pd.concat(smaller), compared="other arm")


@claim(figure="l1_paradox_networks", kind="finding", test=equivalence(0.02), unit="(L1 norm)")
def l1_paradox_networks_rise(l1_paradox_networks: pd.DataFrame) -> Evidence:
    r"""The rising branch is $\eta\lambda/2$ for each weight of the network: its mean norm, from the penalty 0.1 on."""
    runs = _rising(_ends_in(l1_paradox_networks, "subgradient", ["minibatch", "full_batch"]))
    penalty = runs.index.get_level_values("penalty")
    return Evidence(
        runs["mean_l1_norm"], floor_slope(runs["step_size"], runs["weights"]) * penalty, compared="predicted"
    )


@claim(figure="l1_paradox_turning_point", kind="finding", test=equivalence(0.1), unit="(penalty)")
def l1_paradox_networks_minimum(l1_paradox_networks: pd.DataFrame) -> Evidence:
    r"""The norm of each layer is smallest where $\tfrac{\eta}{2}\sum(\lambda + \sigma^2/\lambda)$ is, with the gradient
    noise $\sigma$ that was measured at each penalty.
    """
    runs = _ends_in(l1_paradox_networks, "subgradient", ["minimum"]).drop(index=0.0, level="penalty", errors="ignore")
    found = {
        f"layer {layer}": (_lowest(runs[f"mean_l1_norm_{layer}"]), _lowest(noise_curve(runs, layer)))
        for layer in _layers(runs)
    }
    measured, predicted = (
        pd.concat({layer: pair[side] for layer, pair in found.items()}, names=["layer"]) for side in (0, 1)
    )
    return Evidence(measured, predicted, compared="predicted")


@claim(figure="l1_paradox_networks", kind="finding", test=within(0), unit="weights")
def l1_paradox_networks_no_exact_zeros(l1_paradox_networks: pd.DataFrame) -> Evidence:
    """No subgradient method, adaptive or with decoupled penalty, leaves a weight of a network at exactly zero at any
    recorded step: zero before the step and after.
    """
    runs = none_diverged(select(l1_paradox_networks, penalty_by="subgradient"))
    held = runs.groupby(["method", *CELL, "seed"])["held"].max()
    shrinking = ["subgradient_sqrt", "adagrad"]
    most = runs.assign(method=runs["method"].where(runs["method"].isin(shrinking), "all others")).groupby("method")
    return Evidence(held, 0.0, compared="predicted", table=most[["held", "weights"]].max().astype(float))


@claim(figure="l1_paradox_networks", kind="finding", test=order(), unit="of the weights")
def l1_paradox_networks_zeros(l1_paradox_pruning: pd.DataFrame) -> Evidence:
    r"""At matched test accuracy a proximal method makes more weights exactly zero than the same steps without the
    proximal map make smaller than $\eta\lambda/10$.
    """
    near = _share_below(0.1, l1_paradox_pruning)
    pairs = _pairs(l1_paradox_pruning)
    zeros = {proximal: pairs[proximal]["sparsity"].xs(proximal, level="method") for proximal in pairs}
    small = {proximal: near.xs(_plain(pairs[proximal], proximal), level="method") for proximal in pairs}
    return _arms(zeros, small)


@claim(figure="l1_paradox_networks", kind="finding", test=order(), unit="(test accuracy)")
def l1_paradox_networks_pruning(l1_paradox_pruning: pd.DataFrame) -> Evidence:
    """A penalty trained by subgradients does not prepare a network for pruning: with as many weights as a proximal
    network of the same seed keeps, the largest ones, it is less accurate than that network.
    """
    return _accuracies(l1_paradox_pruning)


@claim(figure="l1_paradox_networks", kind="finding", test=equivalence(0.01), unit="(test accuracy)")
def l1_paradox_networks_pruning_alike(l1_paradox_pruning: pd.DataFrame) -> Evidence:
    """A network trained by subgradients can be pruned like a proximal one: with as many weights as the proximal network
    of the same seed keeps, the largest ones, it is as accurate.
    """
    return _accuracies(l1_paradox_pruning)


@claim(figure="l1_paradox_networks", kind="finding", test=order(), unit="of the weights")
def l1_paradox_networks_threshold(l1_paradox_pruning: pd.DataFrame) -> Evidence:
    r"""How sparse a subgradient network is depends on the threshold: between $\eta\lambda/10$ and $10\,\eta\lambda$ the
    share of smaller weights changes by more than for a proximal network of the same accuracy.
    """
    low, high = (_share_below(steps, l1_paradox_pruning) for steps in (0.1, 10))
    change = high - low
    pairs = {name: _plain(rows, name) for name, rows in _pairs(l1_paradox_pruning).items()}
    plain = {name: change.xs(partner, level="method") for name, partner in pairs.items()}
    proximal = {name: change.xs(name, level="method") for name in pairs}
    return _arms(plain, proximal)


@claim(figure="l1_paradox_networks", kind="finding", test=equivalence(0.02), unit="(L1 norm)")
def l1_paradox_networks_rmsprop(l1_paradox_networks: pd.DataFrame) -> Evidence:
    r"""RMSProp, with $\beta_2 = 0.9$ or $0.99$, and sign descent have no rising branch: from the penalty 0.1 on they
    keep $\eta/2$ for each weight, at every penalty; RMSProp does so for a smooth activation as for a kinked one.
    """
    ends = {method: _ends_in(l1_paradox_networks, method, designs) for method, designs in SHORT_MEMORY.items()}
    runs = _rising(pd.concat(ends, names=["method"]))
    return Evidence(runs["mean_l1_norm"], floor_slope(runs["step_size"], runs["weights"]), compared="predicted")


@claim(figure="l1_paradox_networks", kind="finding", test=order(), unit="(L1 norm)")
def l1_paradox_networks_adam(l1_paradox_networks: pd.DataFrame) -> Evidence:
    """Adam and RMSProp do not perform alike on non-differentiable problems (v3, v4): at the same step size the network
    keeps a larger norm under RMSProp, at every penalty from 0.1 on.
    """
    rmsprop, adam = (
        _rising(_ends_in(l1_paradox_networks, method, ["minibatch"]))["mean_l1_norm"]
        for method in ("rmsprop_0.99", "adam")
    )
    return Evidence(rmsprop, adam, compared="other arm")


@claim(figure="l1_paradox_networks", kind="finding", test=equivalence(0.1), unit="(L1 norm)")
def l1_paradox_networks_activation(l1_paradox_networks: pd.DataFrame) -> Evidence:
    """RMSProp does behave alike on networks with a smooth and with a kinked activation, against the wording from v5 on:
    under every penalty a GELU network keeps the norm of a ReLU network from the same start.
    """
    gelu, relu = (
        _ends_in(l1_paradox_networks, "rmsprop_0.99", [design])["mean_l1_norm"].droplevel("design")
        for design in ("gelu", "minibatch")
    )
    return Evidence(gelu, relu, compared="other arm")


def noise_curve(runs: pd.DataFrame, layer: int) -> pd.Series:
    """(η/2)·Σ(λ + σ²/λ) over the weights of a layer, with λ from the index and σ² as measured in each run."""
    penalty = runs.index.get_level_values("penalty")
    noise = np.sqrt(runs[f"mean_gradient_variance_{layer}"])
    one_weight = noisy_floor(runs["step_size"], pd.Series(penalty, index=runs.index), noise.to_frame())
    return runs[f"weights_{layer}"] * one_weight


def _ends_in(runs: pd.DataFrame, method: str, designs: list[str]) -> pd.DataFrame:
    """Last rows of a method's runs in some sweeps, indexed by cell and seed."""
    return ends_of(runs, method=method, design=designs).set_index([*CELL, "seed"])


def _rising(ends: pd.DataFrame) -> pd.DataFrame:
    """Rows from the penalty `RISING` on, which may be a rounding error below it on the grid."""
    return ends[ends.index.get_level_values("penalty") >= RISING * (1 - 1e-9)]


def _layers(runs: pd.DataFrame) -> list[int]:
    return [int(name.rpartition("_")[2]) for name in runs.columns if name.startswith("weights_")]


def _lowest(values: pd.Series) -> pd.Series:
    """For each seed the penalty where a curve is lowest, by a parabola through the lowest point and its neighbours."""
    return values.groupby("seed").apply(_vertex)


def _vertex(curve: pd.Series) -> float:
    """Penalty at the vertex of a parabola through three points, on log axes.

    Raises:
        MissingValue: if the lowest point is at an end of the grid.
    """
    penalty, height = np.log(curve.index.get_level_values("penalty")), np.log(curve.to_numpy())
    at = int(height.argmin())
    if at in (0, len(height) - 1):
        raise MissingValue("the lowest point is at an end of the grid")
    around = slice(at - 1, at + 2)
    square, slope, _ = np.polyfit(penalty[around], height[around], 2)
    return float(np.exp(-slope / (2 * square)))


def _share_below(steps: float, pruned: pd.DataFrame) -> pd.Series:
    """Share of the weights that are smaller than a number of steps ηλ, by method and seed.

    Raises:
        MissingValue: if the thresholds tried do not have that number.
    """
    found = pruned[(pruned["rule"] == "threshold") & np.isclose(pruned["at"], steps)]
    if found.empty:
        raise MissingValue(f"no threshold of {steps} steps")
    return found.set_index(["method", "seed"])["sparsity"]


def _pairs(pruned: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Networks pruned to what a proximal method keeps, by that method: its own and those of its partner.

    Raises:
        MissingValue: if there are none, or a partner is missing.
    """
    rows = pruned[pruned["rule"].str.startswith("as_")]
    if rows.empty:
        raise MissingValue("no proximal network is accurate enough")
    pairs = {rule.removeprefix("as_"): part.set_index(["method", "seed"]) for rule, part in rows.groupby("rule")}
    for name, part in pairs.items():
        if part.index.unique("method").size != 2:
            raise MissingValue(f"no network to compare {name} with")
    return pairs


def _accuracies(pruned: pd.DataFrame) -> Evidence:
    """Test accuracy of proximal networks beside that of their partners, pruned to as many weights."""
    pairs = _pairs(pruned)
    proximal = {name: rows["accuracy"].xs(name, level="method") for name, rows in pairs.items()}
    plain = {name: rows["accuracy"].xs(_plain(rows, name), level="method") for name, rows in pairs.items()}
    return _arms(proximal, plain)


def _arms(measured: dict[str, pd.Series], other: dict[str, pd.Series]) -> Evidence:
    """Evidence that compares two networks of each pair, by the proximal method of the pair."""
    return Evidence(pd.concat(measured, names=["proximal"]), pd.concat(other, names=["proximal"]), compared="other arm")


def _plain(pair: pd.DataFrame, proximal: str) -> str:
    return next(method for method in pair.index.unique("method") if method != proximal)
