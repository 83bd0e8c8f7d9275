# %% [markdown]
# # A kink costs a floor, and what cures it
#
# Top: subgradient descent with a constant step on ReLU regression, with a kink whose size $c$ can be dialled. Without a
# kink the gap falls until rounding stops it, and the sooner the longer the step. With a kink it stops at a floor, which
# is proportional to the step: the thin lines have slope one.
#
# Bottom: regression with the absolute loss, where some weights fit all samples, so that the solution sits on every
# kink. A constant step keeps its floor, the average of its iterates is little better, and a $1/\sqrt{k}$ step goes down
# slowly. Polyak's step, a step that is held and then decays geometrically, and a constant step on a kink that is
# rounded off go down linearly, which on these axes is a straight line. On the first design most of that is over after
# a few steps, which the panel on the left shows. The thin lines fall as the geometric step itself does.

# %%
import matplotlib.pyplot as plt
import numpy as np

from ndgm.decide.intervals import median_intervals
from ndgm.paper.colours import COLOURS
from ndgm.paper.drawing import PAGE_WIDTH, absent, label_line_ends, measured, prediction, results, save, style
from ndgm.store.run_tables import last_rows, read_experiment
from ndgm.theory.convergence import geometric_rate

LOWEST, HIGHEST, ROUNDING = 1e-10, 2.0, 1e-16
CELL = ["design", "kink", "step_size_times_lipschitz"]
CURES = {
    "subgradient": "constant step",
    "averaged": "average",
    "subgradient_inverse_sqrt": r"$1/\sqrt{k}$ step",
    "subgradient_geometric": "geometric step",
    "polyak": "Polyak's step",
    "smooth": "rounded kink",
}
dial, cures = (read_experiment(results(), f"convergence_{name}") for name in ("kink_dial", "cures"))
kinks, step_sizes = np.unique(dial["kink"]), np.unique(dial["step_size_times_lipschitz"])
designs = dial["design"].unique()


gaps = median_intervals(dial, [*CELL, "step"], "objective")
floors = median_intervals(last_rows(dial), CELL, "mean_objective")
cures["method"] = np.where(cures["width_over_critical"] > 0, "smooth", cures["method"])
left_out = absent(CURES, cures["method"], of="cures")
left_out += [] if kinks[-1] > 0 else ["runs with a kink"]
left_out += [] if kinks[0] == 0 else ["runs without a kink"]
cures["objective"] = cures["objective"].clip(lower=ROUNDING)
cured = median_intervals(cures, ["design", "method", "step"], "objective")


def draw(axes, points, method, **marker):
    """Points that can be seen, on a line that goes on to those that cannot; returns the points."""
    seen = points[points["median"] > LOWEST]
    axes.plot(points.index, points["median"], color=COLOURS[method], linewidth=0.8, zorder=1)
    drawn = measured(
        axes, seen.index, seen["median"], seen["low"], seen["high"], method=method, markersize=3.5, **marker
    )
    return drawn.lines[0]


# %%
style()
figure = plt.figure(figsize=(PAGE_WIDTH, 4.3))
above, below = figure.add_gridspec(2, 1)
path, *panels = above.subgridspec(1, 1 + len(designs), width_ratios=[1.6] + [1] * len(designs)).subplots()
lines = {axes: {} for axes in (path, *panels)}
for kink in sorted({*kinks[kinks == 0], kinks[-1]}):
    method = "kinked" if kink else "smooth"
    for step_size in np.unique(step_sizes[[0, -1]]):
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
            prediction(axes, step_sizes, step_sizes * np.exp(np.log(points["median"] / points.index).mean()))
    axes.set(xscale="log", xlabel=r"step size $\eta L$", title=f"{design.replace('_', ' ')}, at the end")
    axes.set_xticks(step_sizes, [f"{step_size:g}" for step_size in step_sizes])
    axes.set_xticks([], minor=True)
panels[0].set_ylabel("mean gap")
for axes in lines:
    axes.set(yscale="log", ylim=(LOWEST, HIGHEST))

names = {method: name for method, name in CURES.items() if method in set(cures["method"])}
sharp_designs = cures["design"].unique()
soon = cured.loc[sharp_designs[0], "smooth"]["median"].fillna(np.inf).idxmin()
views = [(sharp_designs[0], soon, ["subgradient", "subgradient_inverse_sqrt", "polyak", "smooth"])]
views += [(design, cures["step"].max(), list(names)) for design in sharp_designs]
sharp = below.subgridspec(1, len(views), width_ratios=[0.8, *[1] * (len(views) - 1)]).subplots(sharey=True)
for axes, (design, last, methods) in zip(sharp, views, strict=True):
    lines[axes] = {}
    for method in filter(names.get, methods):
        points = cured.loc[design, method].loc[:last]
        marked = np.unique(np.searchsorted(points.index[:-1], np.arange(1, 11) * last / 10))
        mark = {"linestyle": "-", "linewidth": 1, "markersize": 3.5, "markevery": list(marked), "errorevery": marked}
        drawn = measured(axes, points.index, points["median"], points["low"], points["high"], method=method, **mark)
        lines[axes][names[method]] = drawn.lines[0]
        if method == "subgradient_geometric":
            decaying = points["median"][points.index > last // 2]
            fall = 10 ** (geometric_rate(last) * decaying.index)
            prediction(axes, decaying.index, fall * np.exp(np.log(decaying / fall).mean()), zorder=4)
    axes.set(yscale="log", xlabel="step $k$", title=f"{design.replace('_', ' ')}, cures")
sharp[0].set(ylabel="gap $f(w_k)-f^*$", title=f"{sharp_designs[0]}, cures, first steps")
for axes, drawn in lines.items():
    label_line_ends(axes, {text: line for text, line in drawn.items() if len(line.get_xdata())})

# %%
save(figure, "convergence_floor", left_out)
