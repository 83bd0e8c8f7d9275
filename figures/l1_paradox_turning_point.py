# %% [markdown]
# # Where the norm turns
#
# The penalty at which the norm that constant-step subgradient descent keeps turns from falling to rising. Left: on
# random designs of some families, for some steps $\eta$; the larger the step, the earlier it turns. Ticks mark where
# the law is smallest. Middle: with mini-batch noise $\sigma$ and no signal: the target is what least squares leaves
# over, so that the exact solution is zero at every penalty. The norm falls as long as the penalty is below the noise,
# and rises above it. In units of its smallest value it is one curve for all designs and batch sizes. Right: the layers
# of a ReLU network, on a fine grid of penalties. The dark lines are what a layer without signal would keep, given the
# gradient noise that was measured at each penalty.

# %%
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np

from ndgm.claims.rows.network_norms import noise_curve
from ndgm.decide.intervals import median_intervals
from ndgm.paper.colours import COLOURS, INK
from ndgm.paper.drawing import PAGE_WIDTH, absent, leave_empty, measured, prediction, results, save, style
from ndgm.store.run_tables import last_rows, read_experiment
from ndgm.theory.l1_paradox import noisy_floor

SETTING = ["design", "step_size_times_lipschitz"]
METHOD = "subgradient"
runs = read_experiment(results(), "l1_paradox_turns")
left_out = absent([METHOD], runs["method"], of="without noise")
runs = runs[(runs["method"] == METHOD) & runs["stationary"]]
smallest = runs.loc[runs.groupby([*SETTING, "seed"])["mean_l1_norm"].idxmin()]
turns = median_intervals(smallest, SETTING, "penalty_over_max")
turns["predicted"] = smallest.groupby(SETTING)["law_turning_point_over_max"].median()

noisy = last_rows(read_experiment(results(), "l1_paradox_noise"))
noisy["relative_norm"] = noisy["mean_l1_norm"] / (noisy["step_size"] * noisy["noise"] * noisy["dimension"])
noisy_norms = median_intervals(noisy, ["batch_size", "design", "penalty_over_noise"], "relative_norm")

networks = last_rows(read_experiment(results(), "l1_paradox_networks")).query("design == 'minimum' and penalty > 0")
left_out += absent([METHOD], networks["method"], of="layers of a network")
networks = networks[(networks["method"] == METHOD) & (networks["stopped_because"] != "diverged")]
layers = [int(name.removeprefix("weights_")) for name in networks.columns if name.startswith("weights_")]


# %%
def draw_designs(axes):
    """A row for each family, in it a dot for each step, the steps named in the first row."""
    if turns.empty:
        leave_empty(axes, f"no runs of {METHOD}", "without noise")
        return
    designs = turns.index.unique("design")
    for row, design in enumerate(designs):
        here = turns.loc[design]
        heights = [row - 0.24 * (place - (len(here) - 1) / 2) for place in range(len(here))]
        axes.vlines(here["predicted"], [h - 0.1 for h in heights], [h + 0.1 for h in heights], color=INK, linewidth=1)
        spread = (here["median"] - here["low"], here["high"] - here["median"])
        dots = {"fmt": "o", "color": COLOURS["subgradient"], "markersize": 3.5, "elinewidth": 0.8}
        axes.errorbar(here["median"], heights, xerr=spread, **dots)
        if row == 0:
            beside = here[["median", "predicted"]].min(axis=1)
            for at, height, step_size in zip(beside, heights, here.index, strict=True):
                text = f"{step_size:g}" if step_size < here.index[-1] else rf"$\eta L = {step_size:g}$"
                place = {"xytext": (-5, 0), "textcoords": "offset points", "ha": "right", "va": "center"}
                axes.annotate(text, (at, height), color=COLOURS["subgradient"], fontsize=7, **place)
    axes.annotate("ticks: the law", (0.02, 0.02), xycoords="axes fraction", fontsize=7)
    axes.set_yticks(range(len(designs)), [design.replace("_0_", "\n0.") for design in designs])
    axes.tick_params(axis="y", length=0)
    axes.set(ylim=(len(designs) - 0.5, -0.5), xlabel=r"turning point $\lambda/\lambda_{\max}$", title="without noise")


def draw_noise(axes):
    """One curve for all designs and batch sizes."""
    penalty_over_noise = np.geomspace(noisy["penalty_over_noise"].min(), noisy["penalty_over_noise"].max(), 200)
    prediction(axes, penalty_over_noise, noisy_floor(1.0, penalty_over_noise, [1.0]))
    batches = noisy_norms.groupby("batch_size")
    for (batch_size, norms), marker, shade in zip(batches, cycle("o^s"), cycle((1.0, 0.7, 0.45)), strict=False):
        at = norms.index.get_level_values("penalty_over_noise")
        look = {"fmt": marker, "markersize": 3, "alpha": shade, "label": f"batch of {batch_size}"}
        measured(axes, at, norms["median"], norms["low"], norms["high"], method="subgradient", **look)
    axes.axvline(1, color="0.8", linewidth=0.6, zorder=1)
    axes.set(xscale="log", xlabel=r"penalty over noise $\lambda/\sigma$", title="noise alone")
    axes.set_ylabel(r"$\Vert w\Vert_1/(\eta\sigma d)$")
    axes.set_xticks([0.3, 1, 3], ["0.3", "1", "3"])
    axes.set_xticks([], minor=True)
    axes.legend(loc="upper center")


def draw_layers(axes):
    """What each layer keeps, over what noise and penalty alone would leave it."""
    if networks.empty:
        leave_empty(axes, f"no runs of {METHOD}", "layers of a network")
        return
    indexed = networks.set_index(["penalty", "seed"])
    predicted = {layer: noise_curve(indexed, layer).groupby("penalty").median() for layer in layers}
    for layer, marker, shade in zip(layers, cycle("os^D"), cycle((1.0, 0.55, 0.4, 0.3)), strict=False):
        norm = median_intervals(networks, ["penalty"], f"mean_l1_norm_{layer}")
        prediction(axes, predicted[layer].index, predicted[layer])
        look = {"fmt": f"{marker}-", "linewidth": 0.6, "markersize": 3, "alpha": shade}
        measured(axes, norm.index, norm["median"], norm["low"], norm["high"], method="subgradient", **look)
        end = (norm.index[-1], norm["median"].iloc[-1])
        axes.annotate(f"layer {layer}", end, xytext=(4, 0), textcoords="offset points", fontsize=7, va="center")
    corner = {"xycoords": "axes fraction", "ha": "right", "fontsize": 7}
    axes.annotate("dark: noise and\npenalty alone", (1, 0.02), **corner)
    axes.set(xscale="log", yscale="log", xlabel=r"penalty $\lambda$", title="layers of a network")
    axes.set_ylabel(r"$\Vert w\Vert_1$ of a layer")


style()
figure, (left, middle, right) = plt.subplots(1, 3, figsize=(PAGE_WIDTH, 2.5))
draw_designs(left)
draw_noise(middle)
draw_layers(right)

# %%
save(figure, "l1_paradox_turning_point", left_out)
