# %% [markdown]
# # On a kink the edge is in the step alone, in a network it is in the Hessian too
#
# Two curvatures in units of $2/\eta$: that of the Hessian at the iterate, and that which two consecutive gradients say
# the function has along the step. On $|x|$ and Huber's function the first is zero where the second is $2/\eta$. On
# $\log\,\cosh\,x$ it falls as steps get longer. In a network both are near $2/\eta$, with a kinked activation or a
# smooth one.

# %%
import matplotlib.pyplot as plt

from ndgm.paper.colours import COLOURS, INK, PAPER
from ndgm.paper.drawing import PAGE_WIDTH, absent, leave_empty, prediction, results, save, style
from ndgm.store.run_tables import last_rows, read_experiment

FUNCTIONS = {
    "absolute": ("$|x|$", "kinked"),
    "huber": ("Huber", "smooth"),
    "log_cosh": (r"$\log\,\cosh\, x$", "smooth"),
}
NETWORKS = {"relu": ("ReLU network", "kinked"), "elu": ("ELU network", "smooth")}
HIGHEST = 1.7
ends = last_rows(read_experiment(results(), "edge_of_stability_cycles"))
ends = ends[(ends["design"] == "absolute") | (ends["step_size"] > ends["threshold"])]
ends["hessian"] = (ends["sharpness"] + ends["sharpness_before"]) / 2 * ends["step_size"] / 2
ends["along_step"] = ends["smoothness"] * ends["step_size"] / 2
runs = read_experiment(results(), "edge_of_stability_networks")
data = runs["design"].iloc[0]
runs = runs[(runs["design"] == data) & (runs["problem"] == "squared")]
runs = runs[runs["step_size"] == runs["step_size"].min()]
runs["hessian"] = runs["sharpness"] * runs["step_size"] / 2
runs["along_step"] = runs["directional_smoothness"] * runs["step_size"] / 2
left_out = [
    *absent(FUNCTIONS, ends["design"], of="at these steps"),
    *absent(NETWORKS, runs["activation"], of="networks"),
]
functions = {name: look for name, look in FUNCTIONS.items() if name in set(ends["design"])}
networks = {name: look for name, look in NETWORKS.items() if name in set(runs["activation"])}


def draw(axes, table, against, method):
    """Median over seeds of both curvatures, and the middle nine tenths; returns the two lines."""
    spread = table.groupby(against)[["hessian", "along_step"]].quantile([0.05, 0.5, 0.95]).unstack()
    low, high = (spread["hessian", part] for part in (0.05, 0.95))
    axes.fill_between(spread.index, low, high, color=COLOURS[method], alpha=0.25, linewidth=0)
    (hessian,) = axes.plot(spread.index, spread["hessian", 0.5], color=COLOURS[method], linewidth=1.6)
    middle = spread["along_step", 0.5].dropna()
    hollow = {"markersize": 2.6, "markerfacecolor": PAPER, "markeredgewidth": 0.6}
    (along,) = axes.plot(middle.index, middle, "o", color=INK, **hollow)
    return hessian, along


# %%
style()
count = max(1, len(functions) + len(networks))
figure, (panels,) = plt.subplots(1, count, figsize=(PAGE_WIDTH, 1.9), sharey=True, squeeze=False)
convex, nets = panels[: len(functions)], panels[len(functions) : len(functions) + len(networks)]
lines = {}
low, high = (end(ends["step_size_over_threshold"], default=1) for end in (min, max))
for axes, (name, (title, method)) in zip(convex, functions.items(), strict=True):
    lines[axes] = draw(axes, ends[ends["design"] == name], "step_size_over_threshold", method)
    axes.set(xscale="log", title=title, xlabel=r"step size $\eta L/2$")
    axes.set_xlim(min(0.45, 0.9 * low), max(4.5, 1.125 * high))
    axes.set_xticks([0.5, 1, 2, 4], ["0.5", "1", "2", "4"])
    axes.set_xticks([], minor=True)
for axes, (name, (title, method)) in zip(nets, networks.items(), strict=True):
    lines[axes] = draw(axes, runs[runs["activation"] == name], "step", method)
    axes.set(title=f"{title}, {data}", xlabel="step")
for axes in lines:
    prediction(axes, axes.get_xlim(), [1, 1])
    axes.set(ylim=(-0.08, HIGHEST), xlim=axes.get_xlim())
panels[0].set_ylabel("curvature in units of $2/\\eta$")
if lines:
    last = panels[max(len(functions), 1) - 1]
    for line, text in zip(lines[last], ("of the Hessian", "along the step"), strict=True):
        line.set_label(text)
    last.legend(loc="upper left", borderaxespad=0)
else:
    leave_empty(panels[0], "none of the functions and networks that are compared here")

# %%
save(figure, "edge_of_stability_side_by_side", left_out)
