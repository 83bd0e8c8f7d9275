# %% [markdown]
# # The norm rises with the penalty
#
# Constant-step subgradient descent on four LASSO problems. The exact solution's L1 norm falls with the penalty
# $\lambda$ and is zero from $\lambda_{\max}$ on. The norm that the method keeps follows it down, turns, and then grows
# in proportion to $\lambda$ and to the step $\eta$. The thin lines are the closed form, predicted without any fit.

# %%
import matplotlib.pyplot as plt

from ndgm.decide.statistics import mean_interval
from ndgm.paper.colours import COLOURS
from ndgm.paper.drawing import PAGE_WIDTH, absent, label_line_end, measured, prediction, results, save, style
from ndgm.store.run_tables import last_rows, read_experiment

CELL = ["design", "step_size_times_lipschitz", "penalty_over_max"]
exact = read_experiment(results(), "l1_paradox_exact")
runs = last_rows(read_experiment(results(), "l1_paradox_lasso"))
norms = mean_interval(runs[runs["method"] == "subgradient"], CELL, "mean_l1_norm").reset_index(CELL[:2])
left_out = absent(["subgradient"], runs["method"])

# %%
designs = exact["design"].unique()
style()
figure, (panels,) = plt.subplots(1, len(designs), figsize=(PAGE_WIDTH, 2.1), sharex=True, squeeze=False)
for axes, design in zip(panels, designs, strict=True):
    curves = exact[exact["design"] == design].groupby("step_size_times_lipschitz")
    for step_size in runs["step_size_times_lipschitz"].unique():
        curve = curves.get_group(step_size)
        line = prediction(axes, curve["penalty_over_max"], curve["predicted_l1_norm"])
        label_line_end(axes, line, rf"$\eta L = {step_size:g}$" if design == designs[-1] else f"{step_size:g}")
        points = norms[(norms["design"] == design) & (norms["step_size_times_lipschitz"] == step_size)]
        measured(
            axes, points.index, points["mean"], points["low"], points["high"], method="subgradient", markersize=2.5
        )
    low = curve["predicted_l1_norm"].min() / 50
    solution = curve[curve["exact_l1_norm"] > low]
    axes.plot(solution["penalty_over_max"], solution["exact_l1_norm"], color=COLOURS["smooth"])
    axes.set(xscale="log", yscale="log", title=design.replace("_", " "), ylim=(low, None))
    axes.set_xlabel(r"penalty $\lambda/\lambda_{\max}$")
panels[0].set_ylabel(r"$\Vert w\Vert_1$")
panels[0].annotate("exact\nsolution", (0.05, 0.1), xycoords="axes fraction", color=COLOURS["smooth"], fontsize=7)

# %%
save(figure, "l1_paradox_norm", left_out)
