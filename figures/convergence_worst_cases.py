# %% [markdown]
# # No run is worse than certified
#
# The largest gap that $N$ steps of the subgradient method can leave on any $M$-Lipschitz convex function, from a
# distance $R$ of its minimiser, in units of $MR/\sqrt{N+1}$, which no step rule can beat. Thin lines: the exact worst
# case of the last iterate, the average and the best one, certified by semidefinite programming. Points: the worst of
# what was measured on random functions, and the best iterate on the function that resists.

# %%
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from ndgm.paper.colours import COLOURS, MARKERS
from ndgm.paper.drawing import PAGE_WIDTH, absent, label_line_ends, prediction, results, save, style
from ndgm.store.run_tables import last_rows, read_experiment

TITLES = {
    "constant": "constant step",
    "inverse_square_root": r"step $\propto 1/\sqrt{k}$",
    "linearly_decaying": "linearly decaying step",
}
METHODS = {"last": "subgradient", "average": "averaged", "best": "best"}
runs = read_experiment(results(), "convergence_worst_cases").query("rule != 'smooth'")
runs = runs.assign(gap=(runs["objective"] - runs["lowest"]) * np.sqrt(runs["steps"] + 1))
averaged = runs["method"].str.startswith("averaged")
gaps = {
    "last": last_rows(runs[~averaged]),
    "average": last_rows(runs[averaged]),
    "best": runs[~averaged].groupby(["design", "rule", "steps", "seed"], as_index=False)["gap"].min(),
}
worst = pd.concat(gaps, names=["criterion"]).groupby(["design", "rule", "criterion", "steps"])["gap"].max()
certified = read_experiment(results(), "convergence_certificates")
certified["gap"] = certified["worst_case"] * np.sqrt(certified["steps"] + 1)
certified = certified.groupby(["rule", "criterion", "steps"])["gap"].first()
rules = [rule for rule in TITLES if rule in worst.index.unique("rule")]

# %%
style()
figure, panels = plt.subplots(1, len(rules), figsize=(PAGE_WIDTH, 2.3), sharey=True, squeeze=False)
for axes, rule in zip(panels[0], rules, strict=True):
    axes.set(xlabel="number of steps $N$", title=TITLES[rule], ylim=(0, 1.05 * certified.max()))
    prediction(axes, certified.index.unique("steps")[[0, -1]], [1, 1], linewidth=0.5)
    lines = {}
    for criterion, method in METHODS.items():
        exact = certified[rule, criterion]
        lines[criterion] = prediction(axes, exact.index, exact)
        points = worst["largest of linear functions", rule, criterion]
        axes.plot(points.index, points, MARKERS[method], color=COLOURS[method], markersize=2.8, markeredgewidth=0)
    resisting = worst["resisting oracle", rule, "best"]
    axes.plot(resisting.index, resisting, "|", color=COLOURS["best"], markersize=4)
    for label, method in zip(label_line_ends(axes, lines), METHODS.values(), strict=True):
        label.set_color(COLOURS[method])
middle = panels[0][len(rules) // 2]
most, beside = certified.index.unique("steps").max(), {"textcoords": "offset points", "ha": "right", "fontsize": 7}
middle.annotate("the function that resists", (most, 1), (0, 4), **beside)
middle.annotate("random functions", (most, 0), (0, 4), **beside)
panels[0][0].set_ylabel(r"gap/$(MR/\sqrt{N+1})$")

# %%
save(figure, "convergence_worst_cases", absent(TITLES, rules, of="step rules"))
