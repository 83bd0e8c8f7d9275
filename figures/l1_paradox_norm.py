# %% [markdown]
# # The norm rises with the penalty, and the law says by how much
#
# Constant-step subgradient descent on four LASSO problems. Top: the exact solution's L1 norm falls with the penalty
# $\lambda$ and is zero from $\lambda_{\max}$ on. The norm that the method keeps follows it down, turns, and then grows
# in proportion to $\lambda$ and to the step $\eta$. Thin lines: the law, the LASSO with its kinks rounded off over one
# step, predicted without any fit. Bottom: what is left, measured over predicted, of the law and of the formula that is
# of first order in the step (grey).

# %%
import matplotlib.pyplot as plt

from ndgm.decide.intervals import median_intervals
from ndgm.paper.colours import COLOURS, INK
from ndgm.paper.drawing import PAGE_WIDTH, absent, label_line_end, measured, prediction, results, save, style
from ndgm.store.run_tables import last_rows, read_experiment

CELL = ["design", "step_size_times_lipschitz", "penalty_over_max"]
SHOWN = 8  # per cent on either side; what is further off is drawn at the edge
exact = read_experiment(results(), "l1_paradox_exact")
runs = last_rows(read_experiment(results(), "l1_paradox_lasso"))
norms = median_intervals(runs[runs["method"] == "subgradient"], CELL, "mean_l1_norm").reset_index(CELL[:2])
laws = exact.set_index(CELL)[["law_second_order_l1_norm", "predicted_l1_norm"]]
left_out = absent(["subgradient"], runs["method"])

# %%
designs, steps = exact["design"].unique(), sorted(runs["step_size_times_lipschitz"].unique())
style()
figure, (tops, bottoms) = plt.subplots(
    2, len(designs), figsize=(PAGE_WIDTH, 3.1), sharex=True, squeeze=False, height_ratios=[2, 1]
)
for axes, residuals, design in zip(tops, bottoms, designs, strict=True):
    for step_size, size in zip(steps, (1.5, 2, 2.5, *[2.5] * len(steps)), strict=False):
        curve = exact[(exact["design"] == design) & (exact["step_size_times_lipschitz"] == step_size)]
        line = prediction(axes, curve["penalty_over_max"], curve["law_second_order_l1_norm"])
        label_line_end(axes, line, rf"$\eta L = {step_size:g}$" if design == designs[-1] else f"{step_size:g}")
        points = norms[(norms["design"] == design) & (norms["step_size_times_lipschitz"] == step_size)]
        spread = points["median"], points["low"], points["high"]
        measured(axes, points.index, *spread, method="subgradient", markersize=size)
        law = laws.loc[(design, step_size)].reindex(points.index)
        first_order, rounded = (100 * (points["median"] / law[name] - 1) for name in reversed(law.columns))
        residuals.plot(points.index, first_order.clip(-SHOWN, SHOWN), "s", color="0.7", markersize=size, zorder=2)
        residuals.plot(points.index, rounded, "o", color=COLOURS["subgradient"], markersize=size, zorder=3)
    low = curve["law_second_order_l1_norm"].min() / 50
    solution = curve[curve["exact_l1_norm"] > low]
    axes.plot(solution["penalty_over_max"], solution["exact_l1_norm"], color=COLOURS["smooth"])
    axes.set(xscale="log", yscale="log", title=design.replace("_", " "), ylim=(low, None))
    residuals.axhline(0, color=INK, linewidth=0.8, zorder=1)
    residuals.set(ylim=(-1.1 * SHOWN, 1.1 * SHOWN), xlabel=r"penalty $\lambda/\lambda_{\max}$", yticks=[-5, 0, 5])
    if design != designs[0]:
        residuals.set_yticklabels([])
tops[0].set_ylabel(r"$\Vert w\Vert_1$")
bottoms[0].set_ylabel("off by (%)")
tops[0].annotate("exact\nsolution", (0.05, 0.1), xycoords="axes fraction", color=COLOURS["smooth"], fontsize=7)
corner = {"xycoords": "axes fraction", "fontsize": 7}
bottoms[0].annotate("the law", (0.04, 0.3), color=COLOURS["subgradient"], va="top", **corner)
bottoms[0].annotate("first order in the step", (0.04, 0.8), color="0.5", **corner)

# %%
save(figure, "l1_paradox_norm", left_out)
