# %% [markdown]
# # Kinked beside smooth networks: how many steps to a target
#
# Small networks, each with its own best step size. How many steps a network with a kinked activation needs to a target
# loss, over those of a smooth partner from the same start, by kind of problem. In the grey band the two are as fast, to
# a tenth. Diamonds: the geometric mean over all cells of the four pairs of the same shape. Below: the pair that the
# paper's first version is reported to compare, and two pairs with softplus.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from ndgm.claims.convergence_networks import FEWER, KINKED_AND_SMOOTH, PAPERS_PAIR
from ndgm.decide.intervals import mean_interval, median_intervals
from ndgm.decide.steps_to_target import steps_to_target
from ndgm.paper.colours import COLOURS
from ndgm.paper.drawing import PAGE_WIDTH, absent, leave_empty, prediction, results, rows_with, save, style
from ndgm.store.run_tables import read_experiment

NAMES = {"relu": "ReLU", "leaky_relu": "leaky ReLU", "gelu": "GELU", "silu": "SiLU", "elu": "ELU"}
PROBLEMS = {
    "interpolated": "squared loss, can be fitted",
    "noisy": "squared loss, noisy labels",
    "absolute": "absolute loss, noisy labels",
}
RUN = ["design", "problem", "batch_size", "activation", "seed"]
RATIOS = {1 / 8: "1/8", 1 / 4: "1/4", 1 / 2: "1/2", 1: "1", 2: "2", 4: "4", 8: "8"}
runs = read_experiment(results(), "convergence_networks")
rows = [*KINKED_AND_SMOOTH, PAPERS_PAIR, ("relu", "softplus_10"), ("relu", "softplus_1")]
pairs = [pair for pair in rows if set(pair) <= set(runs["activation"])]
alike = [place for place, pair in enumerate(pairs) if pair in KINKED_AND_SMOOTH]
designs = list(runs["design"].unique())
problems = [*(name for name in PROBLEMS if name in set(runs["problem"])), *sorted({*runs["problem"]} - {*PROBLEMS})]
left_out = absent(map(" and ".join, rows), map(" and ".join, pairs), of="pairs")
left_out += absent(PROBLEMS, runs["problem"], of="steps")

# %%
reached = pd.concat({design: steps_to_target(part) for design, part in runs.groupby("design")}, names=["design"])
steps = runs.groupby(["design", "run"])[RUN[1:]].first().assign(steps=reached).reset_index().set_index(RUN)["steps"]
unreached = 2 * runs["step"].max()
ratios = [steps[:0].rename_axis(index={"activation": "pair"})]  # of each pair of activations
for place, (kinked, smooth) in enumerate(pairs):
    one, other = (steps.xs(name, level="activation") for name in (kinked, smooth))
    some = np.isfinite(one) | np.isfinite(other)
    ratio = (one.replace(np.inf, unreached) / other.replace(np.inf, unreached))[some]
    ratios.append(pd.concat({place: ratio}, names=["pair"]).reorder_levels(ratios[0].index.names))
ratios = pd.concat(ratios).rename("ratio").reset_index()
ratios = median_intervals(ratios, ["problem", "pair", "batch_size", "design"], "ratio")
over_cells = np.log(ratios["median"]).rename("mean").reset_index()
over_cells = np.exp(mean_interval(over_cells[over_cells["pair"].isin(alike)], ["problem"], "mean"))


def row(pair):
    """Place of a pair, below a row for the mean over the pairs of the same shape."""
    return pair + (pair >= len(alike))


def draw(axes, middle, low, high, place, **mark):
    """A ratio with its interval, in the colour of the activation that is sooner."""
    colour = COLOURS["kinked" if middle < 1 else "smooth" if middle > 1 else "prediction"]
    mark = {"markersize": 3.5, "markerfacecolor": colour, "markeredgewidth": 0.7, "elinewidth": 0.8} | mark
    axes.errorbar(middle, place, xerr=[[middle - low], [high - middle]], color=colour, **mark)


def draw_ratios(axes, problem):
    """Steps of each pair, kinked over smooth: what is right of the line says that the smooth network is sooner."""
    height = len(pairs) + bool(alike) - 0.4
    axes.axvspan(1 / (1 + FEWER), 1 + FEWER, color=COLOURS["prediction"], alpha=0.1, linewidth=0)
    prediction(axes, [1, 1], [-0.6, height])
    for (pair, batch, design), (middle, low, high) in rows_with(ratios, problem=problem).iterrows():
        place = row(pair) - 0.18 * (2 * designs.index(design) + (batch == "full") - len(designs) + 0.5)
        hollow = {} if batch == "full" else {"markerfacecolor": "white"}
        draw(axes, middle, low, high, place, marker="os"[designs.index(design) % 2], **hollow)
    if problem in over_cells.index:
        draw(
            axes, *over_cells.loc[problem].fillna(over_cells.loc[problem, "mean"]), len(alike), marker="D", markersize=5
        )
    axes.set(xscale="log", ylim=(height, -0.6), xlabel="steps, kinked over smooth")
    axes.set_xticks(list(RATIOS), list(RATIOS.values()))
    axes.set_xticks([], minor=True)


# %%
style()
figure, (panels,) = plt.subplots(1, len(problems), figsize=(PAGE_WIDTH, 3), sharex=True, sharey=True, squeeze=False)
for axes, problem in zip(panels, problems, strict=True):
    title = PROBLEMS.get(problem, problem.replace("_", " "))
    if pairs:
        draw_ratios(axes, problem)
        axes.set_title(title)
    else:
        leave_empty(axes, "no pair of activations", title)
names = {
    row(place): " / ".join(NAMES.get(one, one.replace("_", " ")) for one in pair) for place, pair in enumerate(pairs)
}
names |= {len(alike): "mean of those above"} if alike else {}
panels[0].set_yticks(list(names), list(names.values()))
for method, side, place in (("kinked", "left", 0.02), ("smooth", "right", 0.98)):
    at = {"xycoords": "axes fraction", "ha": side, "va": "top", "fontsize": 7, "visible": bool(pairs)}
    panels[0].annotate(f"{method}\nsooner", (place, 0.97), color=COLOURS[method], **at)

# %%
save(figure, "convergence_networks", left_out)
