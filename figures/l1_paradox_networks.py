# %% [markdown]
# # Networks: the norm falls, then rises
#
# ReLU networks on handwritten digits under an L1 penalty. Left: the L1 norm that each method keeps. Under a subgradient
# method it ends on the line of half a step for each weight, which rises with the penalty; RMSProp ends on a line of its
# own, which does not. Middle: accuracy on pictures that were not trained on. Right: weights that are exactly zero.

# %%
import matplotlib.pyplot as plt
import numpy as np

from ndgm.colours import COLOURS
from ndgm.drawing import PAGE_WIDTH, label_line_ends, measured, prediction, results, save
from ndgm.statistics import mean_interval
from ndgm.tables import last_rows, read_experiment

NORMS = {
    "subgradient": "subgradient",
    "heavy_ball": "heavy ball",
    "rmsprop_0.99": "RMSProp",
    "adam": "Adam",
    "adam_decoupled": "Adam, decoupled",
    "ista": "proximal",
}
ZEROS = {
    "ista": "proximal",
    "truncated_gradient": "truncated gradient",
    "proximal_adam": "proximal Adam",
    "spred": "spred",
    "subgradient_sqrt": r"step $\propto 1/\sqrt{k}$",
    "subgradient": "subgradient",
}
ends = last_rows(read_experiment(results(), "l1_paradox_networks")).query("design == 'minibatch'")
ends["norm"] = ends["mean_l1_norm"].fillna(ends["l1_norm"])
ends["share_of_zeros"] = ends["zeros"] / ends["weights"]
penalties = np.sort(ends["penalty"].unique())[1:]
unpenalised = penalties[0] / 10  # where what has no penalty is drawn


def curve(axes, method, value):
    """One method's means with their intervals over seeds, what has no penalty at the left; its line."""
    points = mean_interval(ends[ends["method"] == method], ["penalty"], value)
    points = points[points["mean"] > (0 if value == "norm" else -1)]
    at = points.index.to_numpy().copy()
    at[at == 0] = unpenalised
    drawn = measured(axes, at, points["mean"], points["low"], points["high"], method=method, markersize=3)
    (line,) = axes.plot(at[1:], points["mean"].iloc[1:], color=COLOURS[method], linewidth=0.8)
    return line if drawn else None


# %%
figure, (norms, accuracies, zeros) = plt.subplots(1, 3, figsize=(PAGE_WIDTH, 2.5), width_ratios=(1.25, 1, 1))
rising = penalties[penalties >= penalties[-1] / 100]
for method, grows in (("subgradient", True), ("rmsprop_0.99", False)):
    here = ends[ends["method"] == method].iloc[0]
    prediction(norms, rising, here["step_size"] * here["weights"] / 2 * (rising if grows else np.ones_like(rising)))
lines = {label: curve(norms, method, "norm") for method, label in NORMS.items()}
norms.set(yscale="log", ylabel=r"$\Vert w\Vert_1$")
for method in NORMS:
    curve(accuracies, method, "test_accuracy")
accuracies.set(ylabel="test accuracy", ylim=(0, 1.02))
shares = {label: curve(zeros, method, "share_of_zeros") for method, label in ZEROS.items()}
zeros.set(ylabel="share of weights exactly zero", ylim=(-0.03, 1.13))
zeros.set_yticks([0, 0.25, 0.5, 0.75, 1])
for axes in (norms, accuracies, zeros):
    axes.set(xscale="log", xlabel=r"penalty $\lambda$")
    ticks = [unpenalised, *(penalty for penalty in (1e-6, 1e-4, 1e-2, 1) if penalties[0] <= penalty * 1.01)]
    axes.set_xticks(ticks, ["0", *(f"$10^{{{round(np.log10(tick))}}}$" for tick in ticks[1:])])
    axes.set_xticks([], minor=True)
label_line_ends(norms, lines)
label_line_ends(zeros, shares)

# %%
save(figure, "l1_paradox_networks")
