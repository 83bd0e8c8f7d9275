# %% [markdown]
# # Noise makes a U
#
# Mini-batch subgradient descent where there is no signal: the target is what least squares leaves over, so that the
# exact solution is zero at every penalty. The norm falls as long as the penalty $\lambda$ is below the gradient noise
# $\sigma$, and rises above it. In units of its smallest value it is one curve for all designs and batch sizes.

# %%
import matplotlib.pyplot as plt
import numpy as np

from ndgm.drawing import COLUMN_WIDTH, measured, prediction, results, save
from ndgm.statistics import mean_interval
from ndgm.tables import last_rows, read_experiment
from ndgm.theory.l1_paradox import noisy_floor

runs = last_rows(read_experiment(results(), "l1_paradox_noise"))
runs["relative_norm"] = runs["mean_l1_norm"] / (runs["step_size"] * runs["noise"] * runs["dimension"])
norms = mean_interval(runs, ["batch_size", "design", "penalty_over_noise"], "relative_norm")

# %%
figure, axes = plt.subplots(figsize=(COLUMN_WIDTH, 2.4))
penalty_over_noise = np.geomspace(runs["penalty_over_noise"].min(), runs["penalty_over_noise"].max(), 200)
prediction(axes, penalty_over_noise, noisy_floor(1.0, penalty_over_noise, [1.0]))
for (batch_size, design_norms), marker, shade in zip(
    norms.groupby("batch_size"), "o^s", (1.0, 0.7, 0.45), strict=False
):
    points = design_norms.reset_index()
    measured(
        axes,
        points["penalty_over_noise"],
        points["mean"],
        points["low"],
        points["high"],
        method="subgradient",
        fmt=marker,
        markersize=3,
        alpha=shade,
        label=f"batch of {batch_size}",
    )
axes.axvline(1, color="0.8", linewidth=0.6, zorder=1)
axes.set(
    xscale="log", xlabel=r"penalty over gradient noise $\lambda/\sigma$", ylabel=r"$\Vert w\Vert_1/(\eta\sigma d)$"
)
axes.set_xticks([0.3, 1, 3], ["0.3", "1", "3"])
axes.legend(loc="upper center")

# %%
save(figure, "l1_paradox_noise")
