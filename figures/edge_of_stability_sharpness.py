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
from ndgm.paper.drawing import (
    PAGE_WIDTH,
    absent,
    label_line_ends,
    leave_empty,
    measured,
    prediction,
    results,
    save,
    style,
)
from ndgm.store.run_tables import last_rows, read_experiment
from ndgm.theory.edge_of_stability import cycle_sharpness, scalar

NAMES = {
    "absolute": "$|x|$",
    "huber": "Huber",
    "pseudo_huber": r"$\sqrt{1+x^2}$",
    "log_cosh": r"$\log\,\cosh\, x$",
}
SOFTPLUS_PAIR = {"softplus_pair": r"$\log(1+e^x)+\log(1+e^{-x})$"}
TICKS = [0.5, 1, 2, 4]
ends = last_rows(read_experiment(results(), "edge_of_stability_cycles"))
left_out = absent(NAMES, ends["design"])
# log(1+eˣ) + log(1+e⁻ˣ) is log cosh in other units.
twice = "softplus_pair" if "log_cosh" in set(ends["design"]) else None
ends = ends[ends["design"].map(lambda name: scalar(name).even and name != twice).astype(bool)]
ends["pointwise"] = (ends["sharpness"] + ends["sharpness_before"]) * ends["step_size"] / 4
# A run that has settled to rounding makes no step to speak of.
moves = 2 * ends["amplitude"] > 1e-6 * ends["step_size"]
ends["along"] = (ends["smoothness"] * ends["step_size"] / 2).where(moves)
cell = ["design", "step_size_over_threshold"]
ranges = {name: ends.groupby(cell)[name].agg(["mean", "min", "max"]) for name in ("pointwise", "along")}
functions = list(ends["design"].unique())
steps = np.unique(ends["step_size_over_threshold"])

# %%
style()
figure, (left, right) = plt.subplots(1, 2, figsize=(PAGE_WIDTH, 2.6), sharey=True, width_ratios=[1.7, 1])
lines = {}
for name in functions:
    function = scalar(name)
    points = ranges["pointwise"].loc[name]
    unit = function.threshold or 2
    first = max(1.0, steps[0]) * 1.0005 if function.threshold else steps[0]
    if function.threshold and steps[0] < 1:
        below = np.geomspace(steps[0], 1)
        prediction(left, below, below)
    if first <= steps[-1]:
        above = np.geomspace(first, steps[-1], 200)
        try:
            prediction(left, above, cycle_sharpness(name, above * unit))
        except ArithmeticError:  # a cycle too large to be found
            left_out.append(f"closed form of {name}")
    method = "kinked" if name == "absolute" or name.startswith("power") else "smooth"
    for axes, shown in ((left, points), (right, ranges["along"].loc[name].dropna())):
        mark = {"markersize": 3, "markerfacecolor": "white"} if name == "huber" else {"markersize": 3}
        mark |= {"markeredgecolor": COLOURS[method], "markeredgewidth": 0.6}
        drawn = measured(axes, shown.index, shown["mean"], shown["min"], shown["max"], method=method, **mark)
        if axes is left:
            lines[(NAMES | SOFTPLUS_PAIR).get(name, f"$|x|^{{{name.removeprefix('power_')}}}$")] = drawn.lines[0]
if functions:
    prediction(right, steps[[0, -1]], [1, 1])
for axes, text in ((left, "at the iterates"), (right, "along the step")):
    if not functions:
        leave_empty(axes, "no even function", text)
        continue
    axes.axvline(1, color=COLOURS["prediction"], linewidth=0.4, linestyle=":")
    axes.set(xscale="log", ylim=(-0.13, 1.1), xlabel=r"step size $\eta L/2$", title=text)
    ticks = [tick for tick in TICKS if steps[0] <= tick <= steps[-1]] or [steps[0]]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)
left.set_ylabel(r"curvature over $2/\eta$")
label_line_ends(left, lines)
if functions:
    right.annotate("every function", (0.97, 0.86), xycoords="axes fraction", ha="right", va="top", fontsize=7)

# %%
save(figure, "edge_of_stability_sharpness", left_out)
