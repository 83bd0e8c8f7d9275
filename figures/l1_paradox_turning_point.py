# %% [markdown]
# # Where the norm turns
#
# The norm that constant-step subgradient descent keeps, against the penalty, around the point where it turns from
# falling to rising. The larger the step, the earlier it turns. Vertical lines mark the turning point that the closed
# form predicts.

# %%
import matplotlib.pyplot as plt

from ndgm.drawing import COLOURS, INK, PAGE_WIDTH, results, save
from ndgm.statistics import mean_interval
from ndgm.tables import last_rows, read_experiment

SETTING = ["design", "step_size_times_lipschitz"]
exact = read_experiment(results(), "l1_paradox_exact")
runs = last_rows(read_experiment(results(), "l1_paradox_turning_point"))
norms = mean_interval(runs, [*SETTING, "penalty_over_max"], "mean_l1_norm")["mean"]
predicted = exact.groupby(SETTING)["predicted_turning_point_over_max"].first()

# %% [markdown]
# Each curve is divided by its own smallest value, so that steps of different size share an axis.

# %%
designs = exact["design"].unique()
figure, panels = plt.subplots(1, len(designs), figsize=(PAGE_WIDTH, 2.0), sharex=True, sharey=True)
for axes, design in zip(panels, designs, strict=True):
    for shade, (step_size, turning_point) in zip((0.45, 0.7, 1.0), predicted[design].items(), strict=False):
        curve = norms[design, step_size]
        relative = curve / curve.min()
        axes.axvline(turning_point, color=INK, linewidth=0.8, alpha=shade)
        axes.plot(curve.index, relative, ".", color=COLOURS["subgradient"], markersize=2.5, alpha=shade)
        smallest = curve.idxmin()
        axes.plot(smallest, 1, "o", color=COLOURS["subgradient"], markersize=4, alpha=shade)
        inside = relative[relative < 1.55]
        axes.annotate(
            f"{step_size:g}", (inside.index[-1], inside.iloc[-1]), xytext=(2, 0), textcoords="offset points",
            fontsize=7, color=COLOURS["subgradient"], alpha=shade, verticalalignment="center",
        )
    axes.set(xscale="log", ylim=(0.97, 1.6), title=design.replace("_", " "))
    axes.set_xlabel(r"penalty $\lambda/\lambda_{\max}$")
panels[0].set_ylabel(r"$\Vert w\Vert_1$ over its smallest")

# %%
save(figure, "l1_paradox_turning_point")
