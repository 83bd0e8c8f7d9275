# %% [markdown]
# # Networks: the kink of the loss or that of the activation
#
# Small networks, each with its own best step size. Top: how many steps a network with a kinked activation needs to a
# target loss, over those of a smooth partner from the same start. Middle: what a held step keeps above where a decaying
# one ends, from the same solution on, by step size, for losses with a kink and without. Bottom, left: how far softplus
# with parameter $\beta$ ends from ReLU. Bottom, right: the share of pre-activations that are no further from the kink
# than the last step moved them, along training, for ReLU and, with zero in the place of the kink, for GELU.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from ndgm.claims.convergence_networks import KINKED_AND_SMOOTH, held_above_decayed
from ndgm.colours import COLOURS
from ndgm.drawing import PAGE_WIDTH, label_line_ends, measured, prediction, results, save
from ndgm.progress import steps_to_target
from ndgm.statistics import mean_interval, median_interval
from ndgm.tables import last_rows, read_experiment

NAMES = {"relu": "ReLU", "leaky_relu": "leaky ReLU", "gelu": "GELU", "silu": "SiLU", "elu": "ELU"}
PROBLEMS = {
    "interpolated": "squared loss, can be fitted",
    "noisy": "squared loss, noisy labels",
    "absolute": "absolute loss, noisy labels",
}
SHORT = {"interpolated": "fitted", "noisy": "noisy", "absolute": "absolute"}
RUN = ["design", "problem", "batch_size", "activation", "seed"]
RATIOS = [0.5, 1, 2, 4]
KINKED = {kinked for kinked, _ in KINKED_AND_SMOOTH}
CLOSE = {"design": "teacher", "activations": ["relu", "gelu"], "problems": ["absolute", "interpolated"]}
EXPERIMENTS = ["networks", "decay", "floors", "kink_value"]
runs, decay, floors, near = (read_experiment(results(), f"convergence_{name}") for name in EXPERIMENTS)
rows = [*KINKED_AND_SMOOTH, ("relu", "softplus_10"), ("relu", "softplus_1")]
pairs = [pair for pair in rows if set(pair) <= set(runs["activation"])]
designs = list(runs["design"].unique())


def medians(values, cell):
    """Median of a series in each cell, with its interval, which holds for every distribution."""
    groups = values.groupby(cell)
    interval = groups.apply(median_interval)
    return pd.DataFrame({"median": groups.median(), "low": interval.str[0], "high": interval.str[1]})


# %%
reached = pd.concat({design: steps_to_target(part) for design, part in runs.groupby("design")}, names=["design"])
steps = runs.groupby(["design", "run"])[RUN[1:]].first().assign(steps=reached).reset_index().set_index(RUN)["steps"]
one, other = (
    pd.concat([steps.xs(pair[side], level="activation") for pair in pairs], keys=range(len(pairs)), names=["pair"])
    for side in (0, 1)
)
some = np.isfinite(one) | np.isfinite(other)
unreached = 2 * runs["step"].max()
ratios = (one.replace(np.inf, unreached) / other.replace(np.inf, unreached))[some]
ratios = medians(ratios, ["problem", "pair", "batch_size", "design"])

left = medians(held_above_decayed(floors), ["problem", "design", "activation", "part_of_best_step"])
left = left.query("median > 0")

ends = last_rows(near[near["dtype"] == "float64"]).set_index(RUN)
relu = ends.loc[ends["at_kink"] == "0.0", "objective"].xs("relu", level="activation")
softplus = ends.loc[ends["at_kink"] == "as autograd", "objective"].dropna()
softplus = (softplus - relu).abs().rename("distance").reset_index()
softplus["beta"] = softplus["activation"].str.removeprefix("softplus_").astype(float)
softplus = medians(softplus.set_index(["design", "problem", "beta"])["distance"], ["design", "problem", "beta"])
softplus = softplus.query("median > 0")

held = decay["step"].max() // 2
close = decay[(decay["design"] == CLOSE["design"]) & (decay["step"] > 0)]
close = close[(close["step"] <= held - held // 4) | (close["step"] == held)]
close = mean_interval(close, ["problem", "activation", "step"], "near_kink").query("mean > 0")

# %%
figure = plt.figure(figsize=(PAGE_WIDTH, 6))
above, middle, below = figure.add_gridspec(3, 1, height_ratios=[1.2, 1, 1])
forests = above.subgridspec(1, len(PROBLEMS)).subplots(sharex=True, sharey=True)
levels = middle.subgridspec(1, len(designs)).subplots(squeeze=False)[0]
approach, closeness = below.subgridspec(1, 2).subplots()
for axes, (problem, title) in zip(forests, PROBLEMS.items(), strict=True):
    prediction(axes, [1, 1], [-0.5, len(pairs) - 0.5])
    for (pair, batch, design), ratio in ratios.loc[problem].iterrows():
        place = 2 * designs.index(design) + (batch == "full") - len(designs) + 0.5
        colour = COLOURS["kinked" if ratio["median"] < 1 else "smooth" if ratio["median"] > 1 else "prediction"]
        axes.errorbar(
            ratio["median"],
            pair - 0.18 * place,
            xerr=[[ratio["median"] - ratio["low"]], [ratio["high"] - ratio["median"]]],
            color=colour,
            marker="os"[designs.index(design) % 2],
            markersize=3.5,
            markerfacecolor=colour if batch == "full" else "white",
            markeredgewidth=0.7,
            elinewidth=0.8,
        )
    axes.set(xscale="log", title=title, ylim=(len(pairs) - 0.4, -0.6), xlabel="steps, kinked over smooth")
    axes.set_xticks(RATIOS, [f"{ratio:g}" for ratio in RATIOS])
    axes.set_xticks([], minor=True)
names = [" / ".join(NAMES.get(name, name.replace("_", " ")) for name in pair) for pair in pairs]
forests[0].set_yticks(range(len(pairs)), names)
for method, side, place in (("kinked", "left", 0.02), ("smooth", "right", 0.98)):
    at = {"xycoords": "axes fraction", "ha": side, "va": "top", "fontsize": 7}
    forests[0].annotate(f"{method}\nsooner", (place, 0.97), color=COLOURS[method], **at)

parts = np.unique(left.index.get_level_values("part_of_best_step"))
for axes, design in zip(levels, designs, strict=True):
    lines = {}
    for problem, here in left.xs(design, level="design").groupby("problem"):
        for activation, points in here.droplevel("problem").groupby("activation"):
            points = points.droplevel("activation")
            method = "kinked" if activation in KINKED else "smooth"
            squared = {"markerfacecolor": "white", "markeredgecolor": COLOURS[method], "markeredgewidth": 0.7}
            drawn = measured(
                axes,
                points.index,
                points["median"],
                points["low"],
                points["high"],
                method=method,
                fmt="o-",
                linewidth=0.8,
                markersize=3.5,
                **({} if problem == "absolute" else squared),
            )
            lines[f"{NAMES.get(activation, activation)}, {SHORT[problem]}"] = drawn.lines[0]
        if problem == "absolute":
            height = np.exp(np.log(here["median"]).groupby("part_of_best_step").mean().iloc[0])
            prediction(axes, parts, height * parts / parts[0])
            axes.annotate(r"$\propto\eta$", (parts[0], height), xytext=(4, 7), textcoords="offset points", fontsize=7)
    axes.set(xscale="log", yscale="log", xlabel=r"step size $\eta$/best", title=f"{design}, full batches")
    axes.set_xticks(parts, [f"{part:g}" for part in parts])
    axes.set_xticks([], minor=True)
    label_line_ends(axes, lines)
levels[0].set_ylabel("loss above the end")

lines = {}
for (design, problem), points in softplus.groupby(["design", "problem"]):
    points = points.droplevel(["design", "problem"])
    mark = {"fmt": "os"[designs.index(design) % 2] + "-", "linewidth": 0.8, "markersize": 3.5}
    drawn = measured(approach, points.index, points["median"], points["low"], points["high"], method="smooth", **mark)
    lines[f"{design}, {SHORT[problem]}"] = drawn.lines[0]
approach.set(xscale="log", yscale="log", xlabel=r"$\beta$", ylabel="distance from ReLU", title="softplus")
label_line_ends(approach, lines)

lines = {}
for problem in CLOSE["problems"]:
    for activation in CLOSE["activations"]:
        points = close.loc[problem, activation]
        mark = {"fmt": "o-" if problem == "absolute" else "s-", "markersize": 2.8, "linewidth": 0.8}
        low, method = points["low"].clip(lower=points["mean"] / 10), "kinked" if activation in KINKED else "smooth"
        drawn = measured(closeness, points.index, points["mean"], low, points["high"], method=method, **mark)
        lines[f"{NAMES[activation]}, {SHORT[problem]}"] = drawn.lines[0]
closeness.set(xscale="log", yscale="log", xlabel="step $k$", ylabel="share within a step of the kink")
closeness.set_title(f"{CLOSE['design']}, how close to the kink")
label_line_ends(closeness, lines)

# %%
save(figure, "convergence_networks")
