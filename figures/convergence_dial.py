# %% [markdown]
# # A kink costs a floor
#
# Subgradient descent with a constant step on ReLU regression, with a kink whose size $c$ can be dialled. Without a
# kink the gap falls until rounding stops it, and the sooner the longer the step. With a kink it stops at a floor, and
# the higher the longer the step. The floor is proportional to the step: the thin lines have slope one.

# %%
import matplotlib.pyplot as plt
import numpy as np

from ndgm.colours import COLOURS
from ndgm.drawing import PAGE_WIDTH, label_line_ends, measured, prediction, results, save
from ndgm.statistics import mean_interval
from ndgm.tables import last_rows, read_experiment

LOWEST, HIGHEST = 1e-10, 2.0
CELL = ["design", "kink", "step_size_times_lipschitz"]
runs = read_experiment(results(), "convergence_kink_dial")
kinks, step_sizes = np.unique(runs["kink"]), np.unique(runs["step_size_times_lipschitz"])
designs = runs["design"].unique()


def geometric_means(table, cell, value):
    """Means over seeds, with intervals, of what spans many powers of ten."""
    logarithm = np.log10(table[value].clip(lower=1e-300))
    return 10 ** mean_interval(table.assign(logarithm=logarithm), cell, "logarithm")


gaps = geometric_means(runs, [*CELL, "step"], "objective")
floors = geometric_means(last_rows(runs), CELL, "mean_objective")


def draw(axes, points, method, **marker):
    """Points that can be seen, on a line that goes on to those that cannot; returns the points."""
    seen = points[points["mean"] > LOWEST]
    axes.plot(points.index, points["mean"], color=COLOURS[method], linewidth=0.8, zorder=1)
    drawn = measured(axes, seen.index, seen["mean"], seen["low"], seen["high"], method=method, markersize=3.5, **marker)
    return drawn.lines[0]


# %%
figure, (path, *panels) = plt.subplots(
    1, 1 + len(designs), figsize=(PAGE_WIDTH, 2.2), width_ratios=[1.6] + [1] * len(designs)
)
lines = {axes: {} for axes in (path, *panels)}
for kink, method in ((0.0, "smooth"), (kinks[-1], "kinked")):
    for step_size in step_sizes[[0, -1]]:
        hollow = {"markerfacecolor": "white", "markeredgecolor": COLOURS[method], "markeredgewidth": 0.8}
        points = gaps.loc[designs[0], kink, step_size]
        drawn = draw(path, points, method, **(hollow if step_size == step_sizes[0] else {}))
        lines[path][rf"$c={kink:g}$, $\eta L={step_size:g}$"] = drawn
path.set(xscale="log", xlabel="step $k$", ylabel="gap $f(w_k)-f^*$", title=f"{designs[0]}, along a run")

for axes, design in zip(panels, designs, strict=True):
    for kink in kinks:
        points = floors.loc[design, kink]
        lines[axes][f"$c={kink:g}$"] = draw(axes, points, "kinked" if kink else "smooth")
        if kink:
            prediction(axes, step_sizes, step_sizes * np.exp(np.log(points["mean"] / points.index).mean()))
    axes.set(xscale="log", xlabel=r"step size $\eta L$", title=f"{design.replace('_', ' ')}, at the end")
    axes.set_xticks(step_sizes, [f"{step_size:g}" for step_size in step_sizes])
    axes.set_xticks([], minor=True)
panels[0].set_ylabel("mean gap")
for axes in lines:
    axes.set(yscale="log", ylim=(LOWEST, HIGHEST))
for axes, drawn in lines.items():
    label_line_ends(axes, {text: line for text, line in drawn.items() if len(line.get_xdata())})

# %%
save(figure, "convergence_dial")
