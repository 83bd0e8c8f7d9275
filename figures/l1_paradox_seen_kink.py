# %% [markdown]
# # A step rounds off the kink that it crosses
#
# What weights see of a kink, on average. Each has a subgradient of the kink between $-1$ and $1$ (in units of the
# penalty $\lambda$) at every step; its mean, against the mean of the weight, is the slope of the kink that is seen.
# Lines, predicted without a fit: the subgradient method sees the kink rounded off over one step, $\eta\lambda$; RMSProp
# with a long memory sees it rounded off smoothly over $\eta$. The kink itself would jump. Full circles: single weights
# under a slope of their own; open circles: weights of the LASSO; diamonds and triangles: weights of networks on digits
# and on MNIST that have settled, medians of bins with their intervals over seeds. Open ones: network weights near the
# rotation number one half, with as many steps to one side of zero as to the other wherever they stand: phases lock.

# %%
from itertools import product

import matplotlib.pyplot as plt
import numpy as np

from ndgm.decide.intervals import median_interval
from ndgm.paper.colours import COLOURS
from ndgm.paper.drawing import COLUMN_WIDTH, absent, prediction, results, save, style
from ndgm.store.run_tables import read_experiment

WIDEST = 2.2
DATA = {"digits": ("D", 1.0, "8 × 8 pixels"), "mnist": ("^", 1.2, "MNIST (noisy)")}  # a triangle takes a larger size
weights = read_experiment(results(), "l1_paradox_seen_kink")
weights = weights[weights["over_width"].abs() <= WIDEST]
networks = read_experiment(results(), "l1_paradox_weights")
networks = networks[(networks["design"] == "full_batch") & (networks["over_width"].abs() <= 1)]
networks = networks[networks["count"] >= 3]
left_out = [
    *absent(["subgradient", "rmsprop_0.999"], weights["method"]),
    *absent(DATA, networks["data"], of="networks"),
]

# %%
style()
figure, axes = plt.subplots(figsize=(COLUMN_WIDTH, 2.7))
at = np.linspace(-WIDEST, WIDEST, 400)
axes.plot([-WIDEST, 0, 0, WIDEST], [-1, -1, 1, 1], color="0.75", linewidth=0.8, zorder=1)
prediction(axes, at, np.clip(at, -1, 1))
prediction(axes, at, at / np.hypot(at, 1), linestyle=(0, (4, 2)))

alone = weights["design"] == "kinks"
descent = weights["method"] == "subgradient"
for here, colour, marker, size, filled in (
    (descent & alone, COLOURS["subgradient"], "o", 4, True),
    (descent & ~alone, COLOURS["subgradient"], "o", 3, False),
    (~descent & alone, COLOURS["rmsprop"], "p", 4, True),
    (~descent & ~alone, COLOURS["rmsprop"], "p", 3, False),
):
    look = {"markerfacecolor": colour if filled else "none", "markeredgewidth": 0 if filled else 0.6}
    points = weights[here]
    axes.plot(points["over_width"], points["sign"], marker, color=colour, markersize=size, **look)
for (state, filled), (data, (marker, size, _)) in product((("near_half", False), ("turning", True)), DATA.items()):
    for _, rows in networks[(networks["state"] == state) & (networks["data"] == data)].groupby("bin"):
        low, high = median_interval(rows["sign"])
        middle = rows["sign"].median()
        look = {"markersize": size * (3.5 if filled else 2.5), "markeredgewidth": 0 if filled else 0.5, "zorder": 4}
        look |= {"elinewidth": 0.8, "markerfacecolor": COLOURS["proximal"] if filled else "none"}
        spread = np.maximum([[middle - low], [high - middle]], 0)
        axes.errorbar(rows["over_width"].median(), middle, yerr=spread, fmt=marker, color=COLOURS["proximal"], **look)

told = {"fontsize": 7, "va": "center"}
axes.annotate("the kink itself", (-0.06, 0.93), ha="right", color="0.5", **told)
axes.annotate("lines: predicted,\nno fit", (-2.1, 0.55), **told)
axes.annotate("RMSProp", (1.25, 0.6), color=COLOURS["rmsprop"], **told)
axes.annotate("phase locked", (1.05, 0.0), color=COLOURS["proximal"], **told)
for number, (marker, size, name) in enumerate(DATA.values()):
    at = -0.32 - 0.13 * number
    axes.plot(0.55, at, marker, color=COLOURS["proximal"], markersize=3.5 * size, markeredgewidth=0)
    axes.annotate(f"networks, {name}", (0.65, at), color=COLOURS["proximal"], **told)
axes.annotate("subgradient method:\n$|x|$ and LASSO weights", (0.5, -0.7), color=COLOURS["subgradient"], **told)
axes.set(xlim=(-WIDEST, WIDEST), ylim=(-1.08, 1.08), yticks=[-1, -0.5, 0, 0.5, 1])
axes.set(xlabel=r"mean weight, in steps ($\eta\lambda$; RMSProp: $\eta$)", ylabel=r"mean subgradient over $\lambda$")

# %%
save(figure, "l1_paradox_seen_kink", left_out)
