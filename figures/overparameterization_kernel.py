# %% [markdown]
# # Beside their kernel, wide networks move by the closed form; and few units are enough
#
# Two-layer ReLU networks whose hidden weights are trained. Left: by how much the distance from the start and the length
# of the path exceed those of the kernel. Middle: the share of units and points whose sign differs from the start, and
# the largest distance of a unit from it, both over their value at the fewest units; thin line: $m^{-1/2}$. Right: the
# smallest number of units that trains $n$ random points with random labels; thin line: $n^2$, which it would have to
# follow to need as many as bounds of that order say.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from ndgm.decide.intervals import median_intervals
from ndgm.paper.colours import OKABE_ITO
from ndgm.paper.drawing import PAGE_WIDTH, label_line_ends, prediction, results, save, style
from ndgm.store.run_tables import last_rows, read_experiment
from ndgm.theory.overparameterization import laziness

TRAINED = 1e-4
spheres, digits, capacity = (
    last_rows(read_experiment(results(), f"overparameterization_{name}")) for name in ("spheres", "digits", "capacity")
)
networks = pd.concat([spheres, digits.assign(design="digits")], ignore_index=True)


def draw(axes, x, values, colour, marker, **line):
    """Medians of values by x, with their intervals."""
    points = median_intervals(pd.DataFrame({"x": x, "value": values})[np.isfinite(values)], ["x"], "value")
    errors = [points["median"] - points["low"], points["high"] - points["median"]]
    return axes.errorbar(points.index, points["median"], yerr=errors, fmt=marker, color=colour, **line).lines[0]


# %%
style()
figure, (excess, lazy, few) = plt.subplots(1, 3, figsize=(PAGE_WIDTH, 2.3))
lines = {}
for design, marker, filled in (("spheres", "o", True), ("digits", "s", False)):
    of_one = networks[networks["design"] == design]
    for name, colour in (("path", OKABE_ITO[0]), ("distance", OKABE_ITO[1])):
        ratio = of_one[name] / of_one[f"kernel_{name}"] - 1
        face = colour if filled else "none"
        line = draw(excess, of_one["units"], 100 * ratio, colour, marker, linestyle="-", linewidth=0.6, mfc=face)
        if design == "spheres":
            lines[name] = line
units = np.unique(networks["units"])
prediction(excess, units, np.zeros(len(units)))
excess.set(xscale="log", xlabel="units $m$", ylabel="excess over the kernel (%)", title="distance and path")
excess.annotate(
    "filled: spheres\nopen: digits", (0.97, 0.95), xycoords="axes fraction", ha="right", va="top", fontsize=7
)
label_line_ends(excess, lines)

fewest = spheres["units"].min()
for name, colour, marker in (("flips", OKABE_ITO[2], "o"), ("largest_row_move", OKABE_ITO[3], "^")):
    base = spheres.loc[spheres["units"] == fewest, name].median()
    draw(lazy, spheres["units"], spheres[name] / base, colour, marker)
units = np.unique(spheres["units"])
predicted = laziness(units, fewest)
prediction(lazy, units, predicted)
lazy.set(xscale="log", yscale="log", xlabel="units $m$", ylabel=f"over that at $m = {fewest}$", title="laziness")
lazy.annotate(
    r"$m^{-1/2}$",
    (units[len(units) // 2], predicted[len(units) // 2]),
    (6, 6),
    textcoords="offset points",
)
lazy.annotate("circles: flips\ntriangles: largest move of a unit", (0.03, 0.05), xycoords="axes fraction", fontsize=7)

trained = capacity["objective"] <= TRAINED * capacity["samples"] / 2
least = (
    capacity.assign(least=capacity["units"].where(trained)).groupby(["samples", "seed"])["least"].min().reset_index()
)
draw(few, least["samples"], least["least"], OKABE_ITO[0], "o")
samples = np.unique(capacity["samples"])
ends = samples[0] * np.array([1.0, 2.6])
first = least.loc[least["samples"] == samples[0], "least"].median()
squares = (first if np.isfinite(first) else capacity["units"].min()) * (ends / ends[0]) ** 2
prediction(few, ends, squares)
few.annotate("$n^2$", (ends[1], squares[1]), (4, -4), textcoords="offset points")
few.set(xscale="log", yscale="log", xlabel="points $n$", ylabel="fewest units that train", title="width")
few.set_xticks(samples, [str(each) for each in samples])
few.set_xticks([], minor=True)
ticks = np.unique(capacity["units"])
few.set_yticks(ticks, [str(each) for each in ticks])
few.set_yticks([], minor=True)

# %%
save(figure, "overparameterization_kernel")
