# %% [markdown]
# # What cures it
#
# Regression with the absolute loss, where some weights fit all samples: the solution sits on every kink. A constant
# step keeps its floor, the average of its iterates is little better, and a $1/\sqrt{k}$ step goes down slowly. Polyak's
# step, a step that is held and then decays geometrically, and a constant step on a kink that is rounded off go down
# linearly.

# %%
import matplotlib.pyplot as plt
import numpy as np

from ndgm.drawing import PAGE_WIDTH, label_line_ends, measured, results, save
from ndgm.statistics import mean_interval
from ndgm.tables import read_experiment

ROUNDING = 1e-16
LABELS = {
    "subgradient": "constant step",
    "averaged": "average",
    "subgradient_inverse_sqrt": r"step $\propto 1/\sqrt{k}$",
    "subgradient_geometric": "geometric step",
    "polyak": "Polyak's step",
    "smooth": "rounded kink",
}
runs = read_experiment(results(), "convergence_cures")
runs["method"] = np.where(runs["width_over_critical"] > 0, "smooth", runs["method"])
runs["log_gap"] = np.log10(runs["objective"].clip(lower=ROUNDING))
gaps = 10 ** mean_interval(runs, ["design", "method", "step"], "log_gap")
designs = runs["design"].unique()

# %%
figure, panels = plt.subplots(1, len(designs), figsize=(PAGE_WIDTH, 2.3), sharey=True, squeeze=False)
for axes, design in zip(panels[0], designs, strict=True):
    lines = {}
    for method in (method for method in LABELS if method in set(runs["method"])):
        points = gaps.loc[design, method]
        mark = {"linestyle": "-", "linewidth": 1, "markersize": 3.5, "markevery": 4, "errorevery": 4}
        drawn = measured(axes, points.index, points["mean"], points["low"], points["high"], method=method, **mark)
        lines[LABELS[method]] = drawn.lines[0]
    axes.set(yscale="log", xlabel="step $k$", title=design.replace("_", " "))
    label_line_ends(axes, lines)
panels[0][0].set_ylabel("gap $f(w_k)-f^*$")

# %%
save(figure, "convergence_cures")
