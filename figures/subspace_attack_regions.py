# %% [markdown]
# # Where networks trained on seven points of a line change their mind
#
# The two classes that a network gives the plane, of the smallest and of the largest factor by which its start was
# divided; points in the colours of their labels, in the moment when all have the margin. Right: distance to the other
# class, in the median over the points, for each network.

# %%
import matplotlib.pyplot as plt
import numpy as np

from ndgm.paper.colours import COLOURS, INK
from ndgm.paper.drawing import PAGE_WIDTH, leave_empty, results, save, style
from ndgm.store.run_tables import read_experiment

regions = read_experiment(results(), "subspace_attack_regions")
runs = read_experiment(results(), "subspace_attack_seven_points")
reached = runs[runs["smallest_margin"] >= runs["wanted_margin"]].drop_duplicates("run").set_index(["factor", "seed"])
factors = sorted(regions["factor"].unique())
CLASSES = (COLOURS["proximal"], COLOURS["kinked"])

# %%
style()
figure, panels = plt.subplots(1, 3, figsize=(PAGE_WIDTH, 2.35), width_ratios=(1, 1, 1.1))
line = np.linspace(-1, 1, 7)
for axes, factor in zip(panels, (factors[0], factors[-1]), strict=False):
    plane = regions[regions["factor"] == factor].pivot(index="second_axis", columns="first_axis", values="output")
    levels = [-np.inf, 0, np.inf]
    axes.contourf(plane.columns, plane.index, plane, levels=levels, colors=CLASSES, alpha=0.25)
    axes.contour(plane.columns, plane.index, plane, levels=[0], colors=INK, linewidths=0.8)
    axes.scatter(
        line, line, c=[CLASSES[place % 2] for place in range(7)], s=22, edgecolors=INK, linewidths=0.5, zorder=3
    )
    short = (regions["smallest_margin"][regions["factor"] == factor] < runs["wanted_margin"].max()).any()
    axes.set(
        title=f"start divided by {factor:g}" + ", no margin" * bool(short),
        xlabel="$x_1$",
        aspect="equal",
        xticks=[-1, 0, 1],
        yticks=[-1, 0, 1],
    )
panels[0].set(ylabel="$x_2$")

# %%
last = panels[2]
if reached.empty:
    leave_empty(last, "no network has the margin")
directions = {"off-subspace gradient": "flip_distance", "random direction": "random_flip_distance"}
for (label, column), shift, colour in zip(directions.items(), (-0.12, 0.12), (COLOURS["kinked"], COLOURS["smooth"]),
                                          strict=True):  # fmt: skip
    for place, factor in enumerate(factors):
        if factor in reached.index.unique("factor"):
            values = reached[column].xs(factor, level="factor")
            middle = values.fillna(np.inf).median()  # what nothing flips is the farthest
            seen = values[np.isfinite(values)]  # a network that overflows has no place on the axis
            last.plot(place + shift + 0 * seen, seen, "o", color=colour, markersize=3, alpha=0.6, markeredgewidth=0)
            if np.isfinite(middle):
                last.plot([place + shift - 0.08, place + shift + 0.08], [middle] * 2, color=colour)
    if not reached.empty:
        last.annotate(label, (0.03, 0.99 - 0.09 * list(directions).index(label)), xycoords="axes fraction", va="top",
                      color=colour, fontsize=7)  # fmt: skip
if not reached.empty:
    last.set(xticks=range(len(factors)), xticklabels=[f"{factor:g}" for factor in factors], yscale="log",
             xlabel="factor that divides the start", ylabel="distance to the flip")  # fmt: skip
    last.set_xlim(-0.5, len(factors) - 0.5)
    last.margins(y=0.22)  # room for the labels

# %%
save(figure, "subspace_attack_regions")
