# %% [markdown]
# # Pruning, and what a threshold makes of it
#
# Networks trained under an L1 penalty by different methods, each at the largest penalty that keeps a mean test
# accuracy. Left: accuracy with only the largest weights kept. Right: how sparse a network is said to be, against the
# threshold below which a weight counts as zero. A proximal network has one answer at any threshold, a subgradient one
# has not.

# %%
import matplotlib.pyplot as plt

from ndgm.colours import COLOURS
from ndgm.drawing import PAGE_WIDTH, label_line_ends, measured, results, save
from ndgm.statistics import mean_interval
from ndgm.tables import read_experiment

LABELS = {
    "subgradient": "subgradient",
    "rmsprop_0.99": "RMSProp",
    "adam": "Adam",
    "adam_decoupled": "Adam, decoupled",
    "ista": "proximal",
    "truncated_gradient": "truncated gradient",
    "proximal_adam": "proximal Adam",
    "spred": "spred",
}
PROXIMAL = {"ista", "truncated_gradient", "proximal_adam"}
runs = read_experiment(results(), "l1_paradox_pruning")
methods = [method for method in LABELS if method in set(runs["method"])]


def curves(axes, rule, value):
    """Means of each method with their intervals over seeds; its lines by label."""
    lines = {}
    for method in methods:
        here = runs[(runs["method"] == method) & (runs["rule"] == rule)]
        points = mean_interval(here, ["at"], value)
        size = 3 if PROXIMAL & {method} else 4.5  # so that what lies under a proximal network is seen
        measured(axes, points.index, points["mean"], points["low"], points["high"], method=method, markersize=size)
        (lines[LABELS[method]],) = axes.plot(points.index, points["mean"], color=COLOURS[method], linewidth=0.8)
    return lines


# %%
figure, (accuracies, shares) = plt.subplots(1, 2, figsize=(PAGE_WIDTH, 2.6))
curves(accuracies, "kept", "accuracy")
accuracies.set(xscale="log", xlabel="share of weights kept", ylabel="test accuracy")
kept = [0.01, 0.03, 0.1, 0.3, 1]
accuracies.set_xticks(kept, [f"{share:g}" for share in kept])
accuracies.set_xticks([], minor=True)

shares.axvline(1, color="0.8", linewidth=0.6, zorder=1)
lines = curves(shares, "threshold", "sparsity")
shares.set(xscale="log", ylim=(-0.03, 1.13), ylabel="share of weights below the threshold")
shares.set(xlabel=r"threshold over $\eta\lambda$")
shares.set_yticks([0, 0.25, 0.5, 0.75, 1])
shares.set_xticks([], minor=True)
label_line_ends(shares, lines)

# %%
save(figure, "l1_paradox_pruning")
