# %% [markdown]
# # RMSProp rounds off a kink over its step, whatever the penalty
#
# RMSProp with a long memory on random designs. Left: the width of the kink that it sees, from the means of weights,
# over its step, against the penalty; the subgradient method's, which moves as far at $\lambda_{\max}$, grows as
# $\lambda$. Right: the L1 norm over that of the LASSO whose kinks are rounded off over one step.

# %%
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np

from ndgm.decide.intervals import median_intervals
from ndgm.paper.colours import COLOURS
from ndgm.paper.drawing import PAGE_WIDTH, label_line_end, leave_empty, measured, prediction, results, save, style
from ndgm.store.run_tables import read_experiment

CELL = ["design", "penalty_over_max"]
runs = read_experiment(results(), "adaptive_designs")
runs = runs[runs["stationary"]].dropna(subset="kink_width").copy()
runs["width"] = runs["kink_width"] / runs["step_size"]
runs["norm"] = runs["mean_l1_norm"] / runs["law_l1_norm"]
penalties = np.unique(runs["penalty_over_max"])

# %%
style()
figure, (left, right) = plt.subplots(1, 2, figsize=(PAGE_WIDTH, 2.3))
for axes, value in ((left, "width"), (right, "norm")):
    prediction(axes, penalties, np.ones_like(penalties))
    families = runs.groupby("design", sort=False)
    for (family, rows), marker, aside in zip(families, cycle("os^D"), cycle((0.91, 0.97, 1.03, 1.1)), strict=False):
        points = median_intervals(rows, ["penalty_over_max"], value)
        label = f"{family.replace('_0_', ' 0.')}, $d = {rows['dimension'].iloc[0]:g}$"
        look = {"method": "rmsprop_0.999", "fmt": marker, "markersize": 3.5, "label": label}
        measured(axes, points.index * aside, points["median"], points["low"], points["high"], **look)
    axes.set(xscale="log", xlabel=r"penalty $\lambda/\lambda_{\max}$")
(other,) = left.plot(penalties, penalties, color=COLOURS["subgradient"], linewidth=0.8)
if len(penalties):
    label_line_end(left, other, "subgradient\nmethod")
left.set(yscale="log", ylabel=r"width of the kink over $\eta$")
right.set(ylabel=r"$\Vert w\Vert_1$ over that of the law")
if runs.empty:
    for axes in (left, right):
        leave_empty(axes, "no runs that settled", axes.get_ylabel())
else:
    right.legend(loc="lower right", fontsize=7)

# %%
save(figure, "adaptive_width")
