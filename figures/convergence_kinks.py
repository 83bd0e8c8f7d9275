# %% [markdown]
# # How close networks come to their kinks
#
# The share of pre-activations that are no further from the kink than the last step moved them, along training at the
# best step size, for ReLU and, with zero in the place of the kink, for GELU. It shows whether the kink of the loss or
# that of the activation keeps them crossing zero.

# %%
import matplotlib.pyplot as plt

from ndgm.drawing import COLUMN_WIDTH, label_line_ends, measured, results, save
from ndgm.statistics import mean_interval
from ndgm.tables import read_experiment

DESIGN = "teacher"
ACTIVATIONS = {"relu": ("ReLU", "kinked"), "gelu": ("GELU", "smooth")}
LOSSES = {"absolute": "absolute", "interpolated": "squared"}
runs = read_experiment(results(), "convergence_floors")
runs = runs[(runs["design"] == DESIGN) & (runs["step"] > 0)]
held = runs["step"].max() // 2
runs = runs[(runs["step"] <= held - held // 4) | (runs["step"] == held)]
runs = runs[runs["part_of_best_step"] == runs["part_of_best_step"].max()]
shares = mean_interval(runs, ["problem", "activation", "step"], "near_kink")

# %%
figure, axes = plt.subplots(figsize=(COLUMN_WIDTH, 2.3))
lines = {}
for problem, loss in LOSSES.items():
    for activation, (name, method) in ACTIVATIONS.items():
        points = shares.loc[problem, activation]
        points = points[points["mean"] > 0]
        if points.empty:
            continue
        mark = {"fmt": "o-" if loss == "absolute" else "s-", "markersize": 2.8, "linewidth": 0.8}
        low = points["low"].clip(lower=points["mean"] / 10)
        drawn = measured(axes, points.index, points["mean"], low, points["high"], method=method, **mark)
        lines[f"{name}, {loss}"] = drawn.lines[0]
axes.set(xscale="log", yscale="log", xlabel="step $k$", ylabel="share within a step of the kink")
label_line_ends(axes, lines)

# %%
save(figure, "convergence_kinks")
