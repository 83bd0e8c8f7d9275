# %% [markdown]
# # Networks: where the norm is smallest
#
# L1 norm of each layer of a ReLU network under mini-batch subgradients, on a fine grid of penalties. The thin line is
# what a layer without signal would keep, given the gradient noise that was measured at each penalty.

# %%
import matplotlib.pyplot as plt

from ndgm.claims.l1_paradox_networks import noise_curve
from ndgm.drawing import COLUMN_WIDTH, measured, prediction, results, save
from ndgm.statistics import mean_interval
from ndgm.tables import last_rows, read_experiment

runs = last_rows(read_experiment(results(), "l1_paradox_networks")).query("design == 'minimum' and penalty > 0")
layers = [int(name.removeprefix("weights_")) for name in runs.columns if name.startswith("weights_")]
runs = runs.set_index(["penalty", "seed"])

# %%
figure, axes = plt.subplots(figsize=(COLUMN_WIDTH, 2.4))
for layer, marker, shade in zip(layers, "os^D", (1.0, 0.55, 0.4, 0.3), strict=False):
    norm = mean_interval(runs.reset_index(), ["penalty"], f"mean_l1_norm_{layer}")
    predicted = noise_curve(runs, layer).groupby("penalty").mean()
    prediction(axes, predicted.index, predicted)
    look = {"fmt": f"{marker}-", "linewidth": 0.6, "markersize": 3, "alpha": shade}
    measured(axes, norm.index, norm["mean"], norm["low"], norm["high"], method="subgradient", **look)
    end = (norm.index[-1], norm["mean"].iloc[-1])
    axes.annotate(f"layer {layer}", end, xytext=(5, 0), textcoords="offset points", fontsize=7, va="center")
between = (noise_curve(runs, layers[0]) * noise_curve(runs, layers[-1])).groupby("penalty").mean().iloc[0] ** 0.5
axes.annotate("noise and penalty alone", (runs.index.levels[0][1], between), fontsize=7, va="center")
axes.set(xscale="log", yscale="log", xlabel=r"penalty $\lambda$", ylabel=r"$\mathbb{E}\Vert w\Vert_1$ of a layer")

# %%
save(figure, "l1_paradox_network_noise")
