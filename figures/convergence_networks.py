# %% [markdown]
# # Networks: the kink of the loss or that of the activation
#
# Small networks, each with its own best step size. First row: how many steps a network with a kinked activation needs
# to a target loss, over those of a smooth partner from the same start. Second row: the loss along training with full
# batches, where the data can be fitted; and with the absolute loss on noisy labels, the gap above the lowest loss of
# that run and of those that go on from its end. The step is held, and decays in the grey band. Third row: what a held
# step keeps above where a decaying one ends, from the same solution on, by step size. Bottom, left: how far softplus
# with parameter $\beta$ ends from ReLU. Bottom, right: the share of pre-activations that are no further from the kink
# than the last step moved them, along training, for ReLU and, with zero in the place of the kink, for GELU.

# %%
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from ndgm.claims.convergence_networks import KINKED_AND_SMOOTH, held_above_decayed
from ndgm.decide.statistics import mean_interval, median_interval
from ndgm.decide.steps_to_target import steps_to_target
from ndgm.paper.colours import COLOURS
from ndgm.paper.drawing import (
    PAGE_WIDTH,
    absent,
    label_line_ends,
    leave_empty,
    measured,
    prediction,
    results,
    rows_with,
    save,
    style,
)
from ndgm.pipeline.registries import has_kinks
from ndgm.store.run_tables import last_rows, read_experiment

NAMES = {"relu": "ReLU", "leaky_relu": "leaky ReLU", "gelu": "GELU", "silu": "SiLU", "elu": "ELU"}
PROBLEMS = {
    "interpolated": "squared loss, can be fitted",
    "noisy": "squared loss, noisy labels",
    "absolute": "absolute loss, noisy labels",
}
SHORT = {"interpolated": "fitted", "noisy": "noisy", "absolute": "absolute"}
FOLLOWED = {"interpolated": "fitted", "absolute": "absolute loss"}
RUN = ["design", "problem", "batch_size", "activation", "seed"]
RATIOS = [0.5, 1, 2, 4]
CLOSE = {"design": "teacher", "activations": ["relu", "gelu"]}
EXPERIMENTS = ["networks", "decay", "floors", "kink_value"]
runs, decay, floors, near = (read_experiment(results(), f"convergence_{name}") for name in EXPERIMENTS)
rows = [*KINKED_AND_SMOOTH, ("relu", "softplus_10"), ("relu", "softplus_1")]
pairs = [pair for pair in rows if set(pair) <= set(runs["activation"])]
designs = list(runs["design"].unique())
problems = [*(name for name in PROBLEMS if name in set(runs["problem"])), *sorted({*runs["problem"]} - {*PROBLEMS})]
followed = [name for name in FOLLOWED if name in set(decay["problem"])]
close_design = CLOSE["design"] if CLOSE["design"] in designs else designs[0]
left_out = absent(map(" and ".join, rows), map(" and ".join, pairs), of="pairs")
left_out += absent(PROBLEMS, runs["problem"], of="steps")
left_out += absent(FOLLOWED, decay["problem"], of="along training")
left_out += absent(CLOSE["activations"], decay["activation"], of="how close to the kink")
lines = {}  # by axes, and there by label


def medians(values, cell):
    """Median of a series in each cell, with its interval, which holds for every distribution."""
    groups = values.groupby(cell)
    interval = pd.DataFrame([median_interval(each) for _, each in groups], columns=["low", "high"], dtype=float)
    middle = groups.median()
    return interval.set_axis(middle.index).assign(middle=middle)[["middle", "low", "high"]]


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
ratios = medians(pd.concat(ratios), ["problem", "pair", "batch_size", "design"])

held = decay["step"].max() // 2
# While the step is held, recorded steps are evenly spaced on a log scale, but for those that floors are averaged over.
spaced = decay[(decay["step"] > 0) & ((decay["step"] <= held - held // 4) | (decay["step"] == held))]
lowest = pd.concat([decay, floors]).groupby(RUN)["objective"].min()
decayed = decay[decay["step"] == decay["step"].max()]
gaps = pd.concat([spaced, decayed]).set_index([*RUN, "step"])["objective"]
fitted = gaps.index.get_level_values("problem") == "interpolated"
gaps = medians(gaps.where(fitted, gaps - lowest), ["design", "problem", "activation", "step"]).query("middle > 0")

left = medians(held_above_decayed(floors), ["problem", "design", "activation", "part_of_best_step"])
left = left.query("middle > 0")

ends = last_rows(near[near["dtype"] == "float64"]).set_index(RUN)
relu = ends.loc[ends["at_kink"] == "0.0", "objective"].xs("relu", level="activation")
softplus = ends.loc[ends["at_kink"] == "as autograd", "objective"].dropna()
softplus = (softplus - relu).abs().rename("distance").reset_index()
softplus["beta"] = softplus["activation"].str.removeprefix("softplus_").astype(float)
softplus = medians(softplus.set_index(["design", "problem", "beta"])["distance"], ["design", "problem", "beta"])
softplus = softplus.query("middle > 0")

close = mean_interval(spaced[spaced["design"] == close_design], ["problem", "activation", "step"], "near_kink")
close = close.rename(columns={"mean": "middle"}).query("middle > 0")
close["low"] = close["low"].clip(lower=close["middle"] / 10)


def draw(axes, points, activation, *, hollow=False, **mark):
    """Points with intervals, on a line, in the colour of the activation's kind; returns the line."""
    method = "kinked" if has_kinks(activation) else "smooth"
    if hollow:
        mark |= {"markerfacecolor": "white", "markeredgecolor": COLOURS[method], "markeredgewidth": 0.7}
    mark = {"fmt": "o-", "linewidth": 0.8, "markersize": 3.5} | mark
    bars = measured(axes, points.index, points["middle"], points["low"], points["high"], method=method, **mark)
    return bars.lines[0]


def draw_ratios(axes, ratios):
    """Steps of each pair, kinked over smooth: what is right of the line says that the smooth network is sooner."""
    prediction(axes, [1, 1], [-0.5, len(pairs) - 0.5])
    for (pair, batch, design), ratio in ratios.iterrows():
        place = 2 * designs.index(design) + (batch == "full") - len(designs) + 0.5
        middle, low, high = ratio
        colour = COLOURS["kinked" if middle < 1 else "smooth" if middle > 1 else "prediction"]
        axes.errorbar(
            middle,
            pair - 0.18 * place,
            xerr=[[middle - low], [high - middle]],
            color=colour,
            marker="os"[designs.index(design) % 2],
            markersize=3.5,
            markerfacecolor=colour if batch == "full" else "white",
            markeredgewidth=0.7,
            elinewidth=0.8,
        )
    axes.set(xscale="log", ylim=(len(pairs) - 0.4, -0.6), xlabel="steps, kinked over smooth")
    axes.set_xticks(RATIOS, [f"{ratio:g}" for ratio in RATIOS])
    axes.set_xticks([], minor=True)


# %%
style()
figure = plt.figure(figsize=(PAGE_WIDTH, 8))
strips = figure.add_gridspec(4, 1, height_ratios=[1.15, 1.1, 1, 1])
forests = strips[0].subgridspec(1, len(problems)).subplots(sharex=True, sharey=True, squeeze=False)[0]
for axes, problem in zip(forests, problems, strict=True):
    title = PROBLEMS.get(problem, problem.replace("_", " "))
    if pairs:
        draw_ratios(axes, rows_with(ratios, problem=problem))
        axes.set_title(title)
    else:
        leave_empty(axes, "no pair of activations", title)
names = [" / ".join(NAMES.get(name, name.replace("_", " ")) for name in pair) for pair in pairs]
forests[0].set_yticks(range(len(pairs)), names)
for method, side, place in (("kinked", "left", 0.02), ("smooth", "right", 0.98)):
    at = {"xycoords": "axes fraction", "ha": side, "va": "top", "fontsize": 7, "visible": bool(pairs)}
    forests[0].annotate(f"{method}\nsooner", (place, 0.97), color=COLOURS[method], **at)

cells = [(design, problem) for problem in followed for design in designs] or [None]
along = strips[1].subgridspec(1, len(cells)).subplots(sharex=True, squeeze=False)[0]
if not followed:
    leave_empty(along[0], "none of the problems that are followed along training")
for axes, (design, problem) in zip(along, filter(None, cells), strict=False):
    axes.axvspan(held, 2 * held, color=COLOURS["prediction"], alpha=0.1, linewidth=0)
    lines[axes] = {}
    for activation, points in rows_with(gaps, design=design, problem=problem).groupby("activation"):
        every = ((len(points) - 1) % 3, 3)  # the last one among them
        mark = {"fmt": "o-" if activation in ("relu", "gelu") else "s-", "markersize": 2.8}
        mark |= {"markevery": every, "errorevery": every, "hollow": problem != "absolute"}
        drawn = draw(axes, points.droplevel("activation"), activation, **mark)
        lines[axes][NAMES.get(activation, activation)] = drawn
    axes.set(xscale="log", yscale="log", xlabel="step $k$", title=f"{design}, {FOLLOWED[problem]}")
    axes.set_xticks(10.0 ** np.arange(np.log10(2 * held)))
along[0].set_ylabel("gap")
at = {"xycoords": ("data", "axes fraction"), "ha": "center", "va": "top", "rotation": 90, "fontsize": 6}
if followed:
    along[0].annotate("step decays", (2**0.5 * held, 0.97), **at)

levels = strips[2].subgridspec(1, len(designs)).subplots(squeeze=False)[0]
parts = np.unique(left.index.get_level_values("part_of_best_step"))
for axes, design in zip(levels, designs, strict=True):
    lines[axes] = {}
    for problem, here in rows_with(left, design=design).groupby("problem"):
        for activation, points in here.droplevel("problem").groupby("activation"):
            drawn = draw(axes, points.droplevel("activation"), activation, hollow=problem != "absolute")
            lines[axes][f"{NAMES.get(activation, activation)}, {SHORT.get(problem, problem)}"] = drawn
        if problem == "absolute":
            height = np.exp(np.log(here["middle"]).groupby("part_of_best_step").mean().iloc[0])
            prediction(axes, parts, height * parts / parts[0])
            axes.annotate(r"$\propto\eta$", (parts[0], height), xytext=(4, 7), textcoords="offset points", fontsize=7)
    axes.set(xscale="log", yscale="log", xlabel=r"step size $\eta$/best", title=f"{design}, full batches")
    axes.set_xticks(parts, [f"{part:g}" for part in parts])
    axes.set_xticks([], minor=True)
levels[0].set_ylabel("loss above the end")

approach, closeness = strips[3].subgridspec(1, 2).subplots()
lines |= {approach: {}, closeness: {}}
for (design, problem), points in softplus.groupby(["design", "problem"]):
    points = points.droplevel(["design", "problem"])
    drawn = draw(approach, points, "softplus_1", fmt="os"[designs.index(design) % 2] + "-")
    lines[approach][f"{design}, {SHORT.get(problem, problem)}"] = drawn
approach.set(xscale="log", yscale="log", xlabel=r"$\beta$", ylabel="distance from ReLU", title="softplus")

for problem, activation in product(reversed(followed), CLOSE["activations"]):
    points = rows_with(close, problem=problem, activation=activation)
    if len(points):
        mark = {"fmt": "o-" if problem == "absolute" else "s-", "markersize": 2.8}
        drawn = draw(closeness, points, activation, **mark)
        lines[closeness][f"{NAMES[activation]}, {SHORT[problem]}"] = drawn
closeness.set(xscale="log", yscale="log", xlabel="step $k$", ylabel="share within a step of the kink")
closeness.set_title(f"{close_design}, how close to the kink")

for axes, drawn in lines.items():
    label_line_ends(axes, drawn)

# %%
save(figure, "convergence_networks", left_out)
