# %% [markdown]
# # Beyond the threshold descent oscillates, and how is known
#
# Where gradient descent on functions of one variable ends, against its step size. Below the threshold $2/L$ it is the
# minimum. Above it is a cycle (thin lines, nothing is fitted), on $|x|$ and Huber's function one of any phase (grey).
# On functions that are not even the period doubles again. Where a kink is not at the minimum, it does not matter until
# the cycle reaches it.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from ndgm.paper.colours import COLOURS
from ndgm.paper.drawing import PAGE_WIDTH, prediction, results, save, style
from ndgm.store.run_tables import last_rows, read_experiment
from ndgm.theory.edge_of_stability import scalar, two_cycle

SHOWN = 60  # starts; more of them would fall together
HEIGHT = 80  # positions that can be told apart
COLUMNS = 4
TICKS = {"even": [0.5, 1, 2, 4], "other": [0.8, 1, 1.2, 1.5, 1.8]}
NAMES = {
    "absolute": "$|x|$",
    "huber": "Huber",
    "pseudo_huber": r"$\sqrt{1+x^2}$",
    "log_cosh": r"$\log\,\cosh\, x$",
    "softplus_pair": r"$\log(1+e^x)+\log(1+e^{-x})$",
    "linex": "$e^x-x$",
    "kink_aside": r"$\sqrt{1+x^2}+\mathrm{relu}(x-1)$",
    "tilted_softplus": r"$\log(1+e^x)-sx$",
    "tilted_pseudo_huber": r"$\sqrt{1+x^2}-sx$",
}
KINKED = ("absolute", "power", "kink_aside")


def title(name):
    """A function's formula."""
    family, _, parameter = name.rpartition("_")
    if family == "power":
        return f"$|x|^{{{parameter}}}/{parameter}$"
    return NAMES[name] if name in NAMES else f"{NAMES.get(family, family)}, $s={parameter}$"


runs = pd.concat(
    last_rows(read_experiment(results(), f"edge_of_stability_{name}")) for name in ("cycles", "asymmetric")
)
runs = runs[runs["seed"] < SHOWN]
functions = list(runs["design"].unique())


# %%
def cycle_points(function, step_size):
    """Points of the 2-cycle; not a number where it is too large to be found."""
    try:
        return two_cycle(function, step_size)
    except ArithmeticError:
        return np.nan, np.nan


def draw_prediction(axes, name, steps):
    """The minimum below the threshold, the 2-cycle above: dotted where it repels, a band where any phase will do."""
    function = scalar(name)
    unit = function.threshold or 2
    first = max(1.0005, steps[0]) if function.threshold else steps[0]
    if function.threshold and steps[0] < 1:
        prediction(axes, [steps[0], 1], [0, 0])
    if steps[-1] < first:
        return
    above = np.geomspace(first, steps[-1], 200)
    if name in ("absolute", "huber"):
        width = float(name == "huber")
        for sign in (-1, 1):
            band = {"color": COLOURS["prediction"], "alpha": 0.12, "linewidth": 0}
            axes.fill_between(above, sign * width, sign * (above * unit - width), **band)
            prediction(axes, above, sign * (above * unit - width))
            prediction(axes, above, sign * width * np.ones_like(above))
        return
    if name == "kink_aside":  # as without the kink, until its cycle reaches it
        name, above = "pseudo_huber", above[above <= np.sqrt(2)]
        function = scalar(name)
    if not len(above):
        return
    points = np.array([cycle_points(function, step * unit) for step in above])
    factors = 1 - (above * unit)[:, None] * function.curvature(points)
    attracts = np.abs(factors.prod(1)) < 1
    for branch in points.T:
        prediction(axes, above, np.where(attracts, branch, np.nan))
        prediction(axes, above, np.where(attracts, np.nan, branch), linestyle=":")


columns = min(COLUMNS, len(functions))
rows = -(-len(functions) // columns)
style()
figure, panels = plt.subplots(rows, columns, figsize=(PAGE_WIDTH, 1.45 * rows), squeeze=False)
for axes, name in zip(panels.flat, functions, strict=False):
    here = runs[runs["design"] == name]
    steps = np.unique(here["step_size_over_threshold"])
    draw_prediction(axes, name, steps)
    apart = (here["position"].max() - here["position"].min()) / HEIGHT or 1
    seen = here.assign(place=(here["position"] / apart).round()).drop_duplicates(["step_size_over_threshold", "place"])
    method = "kinked" if name.startswith(KINKED) else "smooth"
    axes.plot(seen["step_size_over_threshold"], seen["position"], ".", color=COLOURS[method], markersize=2)
    axes.set_title(title(name))
    axes.set_xscale("log")
    ticks = [tick for tick in TICKS["even" if steps[-1] > 1.9 else "other"] if steps[0] <= tick <= steps[-1]] or [
        steps[0]
    ]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)
for axes in panels.flat[len(functions) :]:
    axes.set_axis_off()
for axes in panels.flat[len(functions) - columns : len(functions)]:
    axes.set_xlabel(r"step size $\eta L/2$")
for axes in panels[:, 0]:
    axes.set_ylabel("last iterate $x$")

# %%
save(figure, "edge_of_stability_bifurcations")
