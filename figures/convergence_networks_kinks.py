# %% [markdown]
# # Networks: where they hover, and how often they meet a kink
#
# First row: how much higher a network with full batches hovers at longer steps than at the shortest one, from the same
# start and after the same time $\eta k$, with the absolute loss on noisy labels and with the squared loss on data that
# can be fitted. Second row, left: how far softplus with parameter $\beta$ ends from ReLU. Middle: the share of
# pre-activations that are no further from the kink than the last step moved them, along training, for ReLU and, with
# zero in the place of the kink, for GELU. Right: how many runs the value taken for the derivative of ReLU at its kink
# changes, by the first biases and the precision.

# %%
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from ndgm.claims.convergence_networks import levels_of
from ndgm.decide.intervals import median_intervals
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

NAMES = {"relu": "ReLU", "gelu": "GELU"}
SHORT = {"interpolated": "fitted", "noisy": "noisy", "absolute": "absolute"}
FOLLOWED = ["interpolated", "absolute"]
RUN = ["design", "problem", "batch_size", "activation", "seed"]
CLOSE = {"design": "teacher", "activations": ["relu", "gelu"]}
PRECISIONS = {"float64": "double", "float32": "single"}
decay, floors, near = (read_experiment(results(), f"convergence_{name}") for name in ("decay", "floors", "kink_value"))
designs = list(floors["design"].unique())
followed = [name for name in FOLLOWED if name in set(decay["problem"])]
close_design = CLOSE["design"] if CLOSE["design"] in designs else designs[0]
left_out = absent(FOLLOWED, floors["problem"], of="levels")
left_out += absent(CLOSE["activations"], decay["activation"], of="how close to the kink")
lines = {}  # by axes, and there by label


# %%
levels = levels_of(floors).unstack("part_of_best_step")
rises = levels.sub(levels[levels.columns.min()], axis=0).stack().dropna().rename("rise").reset_index()
rises = median_intervals(rises, ["design", "problem", "activation", "part_of_best_step"], "rise")

ends = last_rows(near[(near["dtype"] == "float64") & (near["bias_scale"] == 0)]).set_index(RUN)
relu = ends.loc[ends["at_kink"] == "0.0", "objective"].xs("relu", level="activation")
softplus = ends.loc[ends["at_kink"] == "as autograd", "objective"].dropna()
softplus = (softplus - relu).abs().rename("distance").reset_index()
softplus["beta"] = softplus["activation"].str.removeprefix("softplus_").astype(float)
softplus = median_intervals(softplus, ["design", "problem", "beta"], "distance")
softplus = softplus.query("median > 0")

held = decay["step"].max() // 2
spaced = decay[(decay["step"] > 0) & (decay["step"] <= held) & (decay["design"] == close_design)]
close = median_intervals(spaced, ["problem", "activation", "step"], "near_kink")
close = close.query("median > 0")

of_relu = near[near["activation"] == "relu"].set_index(["bias_scale", "dtype", "design", "problem", "seed", "at_kink"])
losses = of_relu.loc[of_relu["step"] > 0, "objective"].unstack("at_kink")
changed = losses.sub(losses["0.0"], axis=0).ne(0).any(axis=1)
on_kink = of_relu.loc[of_relu["step"] == 0, "near_kink"].unstack("at_kink").max(axis=1) > 0
counts = pd.DataFrame({"changed": changed, "on_kink": on_kink}).groupby(["bias_scale", "dtype"]).sum()


def draw(axes, points, activation, *, hollow=False, **mark):
    """Points with intervals, on a line, in the colour of the activation's kind; returns the line."""
    method = "kinked" if has_kinks(activation) else "smooth"
    if hollow:
        mark |= {"markerfacecolor": "white", "markeredgecolor": COLOURS[method], "markeredgewidth": 0.7}
    mark = {"fmt": "o-", "linewidth": 0.8, "markersize": 3.5} | mark
    bars = measured(axes, points.index, points["median"], points["low"], points["high"], method=method, **mark)
    return bars.lines[0]


# %%
style()
figure = plt.figure(figsize=(PAGE_WIDTH, 4.4))
above, below = figure.add_gridspec(2, 1, height_ratios=[1.15, 1])
panels = above.subgridspec(1, len(designs)).subplots(squeeze=False)[0]
parts = np.unique(floors["part_of_best_step"])
for axes, design in zip(panels, designs, strict=True):
    lines[axes] = {}
    prediction(axes, parts, 0 * parts)
    for problem, here in rows_with(rises, design=design).groupby("problem"):
        for activation, points in here.droplevel("problem").groupby("activation"):
            mark = {"fmt": "o-" if activation in NAMES else "s-", "hollow": problem != "absolute"}
            drawn = draw(axes, points.droplevel("activation"), activation, **mark)
            if problem == "absolute":
                lines[axes][f"{NAMES.get(activation, activation)}, absolute"] = drawn
    if "interpolated" in set(floors["problem"]):
        at = {"xytext": (0, -7), "textcoords": "offset points", "ha": "right", "va": "top", "fontsize": 7}
        axes.annotate("squared loss, fitted: all four", (parts[-1], 0), annotation_clip=False, **at)
    axes.set(xlabel=r"step size $\eta$/best", title=f"{design}, full batches")
    axes.set_xticks(parts, [f"{part:g}" for part in parts])
    axes.margins(y=0.15)
panels[0].set_ylabel("level above that at the\nshortest step")

approach, closeness, values = below.subgridspec(1, 3).subplots()
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
closeness.set_title(f"{close_design}, how close")
if not followed:
    leave_empty(closeness, "none of the problems that are followed along training")

bars = [
    (scale, dtype)
    for scale, dtype in product(sorted({*near["bias_scale"]}), PRECISIONS)
    if (scale, dtype) in counts.index
]
for place, key in enumerate(bars):
    count = counts.loc[key]
    values.barh(place, count["on_kink"], 0.75, facecolor="none", edgecolor=COLOURS["prediction"], linewidth=0.8)
    values.barh(place, count["changed"], 0.4, color=COLOURS["kinked"])
    said = f" {count['changed']} changed, {count['on_kink']} on a kink"
    values.annotate(said, (count.max(), place), va="center", fontsize=6, annotation_clip=False)
names = [f"{'random' if scale else 'zero'} biases,\n{PRECISIONS[dtype]}" for scale, dtype in bars]
values.set_yticks(range(len(bars)), names)
values.set(
    title="value at the kink", xlabel=f"runs of {len(changed) // max(len(bars), 1)}", ylim=(len(bars) - 0.4, -0.6)
)
values.set_xlim(0, 2.6 * max(1, counts.to_numpy().max(initial=0)))

for axes, drawn in lines.items():
    label_line_ends(axes, drawn)

# %%
save(figure, "convergence_networks_kinks", left_out)
