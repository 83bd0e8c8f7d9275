# %% [markdown]
# # Along the step the curvature is $2/\eta$; at the points of the orbit it is whatever the function makes it
#
# Sharpness where gradient descent ends on even functions of one variable, in units of $2/\eta$, against the step size.
# Left: the second derivative at the iterates. It rises to one at the threshold and falls beyond; on $|x|$ and Huber's
# function it is zero. Right: the curvature of the step between them, which cannot tell one function from another.

# %%
import matplotlib.pyplot as plt
import numpy as np

from ndgm.paper.colours import COLOURS
from ndgm.paper.drawing import PAGE_WIDTH, label_line_ends, measured, prediction, results, save, style
from ndgm.store.run_tables import last_rows, read_experiment
from ndgm.theory.edge_of_stability import cycle_sharpness, scalar

NAMES = {
    "absolute": "$|x|$",
    "huber": "Huber",
    "pseudo_huber": r"$\sqrt{1+x^2}$",
    "log_cosh": r"$\log\,\cosh\, x$",
}
TICKS = [0.5, 1, 2, 4]
ends = last_rows(read_experiment(results(), "edge_of_stability_cycles"))
# log(1+eˣ) + log(1+e⁻ˣ) is log cosh in other units.
ends = ends[ends["design"].map(lambda name: scalar(name).even and name != "softplus_pair")]
ends["pointwise"] = (ends["sharpness"] + ends["sharpness_before"]) * ends["step_size"] / 4
# A run that has settled to rounding makes no step to speak of.
moves = 2 * ends["amplitude"] > 1e-6 * ends["step_size"]
ends["along"] = (ends["smoothness"] * ends["step_size"] / 2).where(moves)
cell = ["design", "step_size_over_threshold"]
ranges = {name: ends.groupby(cell)[name].agg(["mean", "min", "max"]) for name in ("pointwise", "along")}
functions = list(ends["design"].unique())

# %%
style()
figure, (left, right) = plt.subplots(1, 2, figsize=(PAGE_WIDTH, 2.6), sharey=True, width_ratios=[1.7, 1])
lines = {}
for name in functions:
    function = scalar(name)
    points = ranges["pointwise"].loc[name]
    steps = points.index.to_numpy()
    unit = function.threshold or 2
    above = np.geomspace(max(1.0, steps[0]) * 1.0005 if function.threshold else steps[0], steps[-1], 200)
    if function.threshold:
        below = np.geomspace(steps[0], 1)
        prediction(left, below, below)
    prediction(left, above, cycle_sharpness(name, above * unit))
    method = "kinked" if name == "absolute" or name.startswith("power") else "smooth"
    for axes, shown in ((left, points), (right, ranges["along"].loc[name].dropna())):
        mark = {"markersize": 3, "markerfacecolor": "white"} if name == "huber" else {"markersize": 3}
        mark |= {"markeredgecolor": COLOURS[method], "markeredgewidth": 0.6}
        drawn = measured(axes, shown.index, shown["mean"], shown["min"], shown["max"], method=method, **mark)
        if axes is left:
            lines[NAMES.get(name, f"$|x|^{{{name.removeprefix('power_')}}}$")] = drawn.lines[0]
prediction(right, [ranges["along"].index.get_level_values(1).min(), steps[-1]], [1, 1])
for axes, text in ((left, "at the iterates"), (right, "along the step")):
    axes.axvline(1, color=COLOURS["prediction"], linewidth=0.4, linestyle=":")
    axes.set(xscale="log", ylim=(-0.13, 1.1), xlabel=r"step size $\eta L/2$", title=text)
    ticks = [tick for tick in TICKS if steps[0] <= tick <= steps[-1]]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)
left.set_ylabel(r"curvature over $2/\eta$")
label_line_ends(left, lines)
right.annotate("every function", (0.97, 0.86), xycoords="axes fraction", ha="right", va="top", fontsize=7)

# %%
save(figure, "edge_of_stability_sharpness")
