# %% [markdown]
# # Networks: the norm falls, then rises, and what that leaves to prune
#
# ReLU networks on handwritten digits under an L1 penalty. Top, left: the L1 norm that each method keeps. Under a
# subgradient method it ends on the line of half a step for each weight, which rises with the penalty; RMSProp ends on a
# line of its own, which does not. Top, middle: accuracy on pictures that were not trained on. Top, right: weights that
# are exactly zero. Bottom: each method at the largest penalty that keeps a mean test accuracy. Left: accuracy with only
# the largest weights kept. Right: how sparse a network is said to be, against the threshold below which a weight counts
# as zero. A proximal network has one answer at any threshold, a subgradient one has not.

# %%
import matplotlib.pyplot as plt
import numpy as np

from ndgm.decide.intervals import median_intervals
from ndgm.paper.colours import COLOURS
from ndgm.paper.drawing import PAGE_WIDTH, absent, label_line_ends, measured, prediction, results, save, style
from ndgm.store.run_tables import last_rows, read_experiment

LABELS = {
    "subgradient": "subgradient",
    "subgradient_sqrt": r"step $\propto 1/\sqrt{k}$",
    "heavy_ball": "heavy ball",
    "rmsprop_0.99": "RMSProp",
    "adam": "Adam",
    "adam_decoupled": "Adam, decoupled",
    "ista": "proximal",
    "truncated_gradient": "truncated gradient",
    "proximal_adam": "proximal Adam",
    "spred": "spred",
}
NORMS = ["subgradient", "heavy_ball", "rmsprop_0.99", "adam", "adam_decoupled", "ista"]
ZEROS = ["ista", "truncated_gradient", "proximal_adam", "spred", "subgradient_sqrt", "subgradient"]
HALF_A_STEP = {"rmsprop_0.99": False, "subgradient": True}
PRUNED = [method for method in LABELS if method not in ("subgradient_sqrt", "heavy_ball")]
PROXIMAL = {"ista", "truncated_gradient", "proximal_adam"}
ends = last_rows(read_experiment(results(), "l1_paradox_networks")).query("design == 'minibatch'")
ends["norm"] = ends["mean_l1_norm"].fillna(ends["l1_norm"])
ends["share_of_zeros"] = ends["zeros"] / ends["weights"]
penalties = np.sort(ends["penalty"].unique())[1:]
unpenalised = penalties[0] / 10  # where what has no penalty is drawn
pruned = read_experiment(results(), "l1_paradox_pruning")
left_out = absent(LABELS, ends["method"])
there = set(ends["method"])


# %%
def by_penalty(axes, method, value):
    """One method's medians with their intervals over seeds, what has no penalty at the left; its line."""
    points = median_intervals(ends[ends["method"] == method], ["penalty"], value)
    points = points[points["median"] > (0 if value == "norm" else -1)]
    at = points.index.to_numpy().copy()
    at[at == 0] = unpenalised
    measured(axes, at, points["median"], points["low"], points["high"], method=method, markersize=3)
    (line,) = axes.plot(at[1:], points["median"].iloc[1:], color=COLOURS[method], linewidth=0.8)
    return line


def by_rule(axes, rule, value):
    """Means of each method with their intervals over seeds; its lines by label."""
    lines = {}
    for method in PRUNED:
        here = pruned[(pruned["method"] == method) & (pruned["rule"] == rule)]
        if here.empty:  # no penalty leaves the method accurate enough
            continue
        points = median_intervals(here, ["at"], value)
        size = 3 if method in PROXIMAL else 4.5  # so that what lies under a proximal network is seen
        measured(axes, points.index, points["median"], points["low"], points["high"], method=method, markersize=size)
        (lines[LABELS[method]],) = axes.plot(points.index, points["median"], color=COLOURS[method], linewidth=0.8)
    return lines


# %%
style()
figure = plt.figure(figsize=(PAGE_WIDTH, 5))
top, bottom = figure.add_gridspec(2, 1)
norms, accuracies, zeros = top.subgridspec(1, 3, width_ratios=(1.25, 1, 1)).subplots()
kept, shares = bottom.subgridspec(1, 2).subplots()

rising = penalties[penalties >= penalties[-1] / 100]
for method, grows in HALF_A_STEP.items():
    if method not in there:
        continue
    here = ends[ends["method"] == method].iloc[0]
    half_steps = here["step_size"] * here["weights"] / 2 * (rising if grows else np.ones_like(rising))
    prediction(norms, rising, half_steps)
    at = (rising[0], half_steps[0])
beside = {"xytext": (-3, 0), "textcoords": "offset points", "ha": "right", "va": "center", "fontsize": 7}
if there.intersection(HALF_A_STEP):
    norms.annotate("half a step\nfor each weight", at, **beside)
norm_lines = {LABELS[method]: by_penalty(norms, method, "norm") for method in NORMS if method in there}
for method in filter(there.__contains__, NORMS):
    by_penalty(accuracies, method, "test_accuracy")
zero_lines = {LABELS[method]: by_penalty(zeros, method, "share_of_zeros") for method in ZEROS if method in there}
norms.set(yscale="log", ylabel=r"$\Vert w\Vert_1$", title="L1 norm")
accuracies.set(ylabel="test accuracy", ylim=(0, 1.02), title="accuracy")
zeros.set(ylabel="share of weights exactly zero", ylim=(-0.03, 1.13), title="exact zeros")
for axes in (norms, accuracies, zeros):
    axes.set(xscale="log", xlabel=r"penalty $\lambda$")
    ticks = [unpenalised, *(penalty for penalty in (1e-6, 1e-4, 1e-2, 1) if penalties[0] <= penalty * 1.01)]
    axes.set_xticks(ticks, ["0", *(f"$10^{{{round(np.log10(tick))}}}$" for tick in ticks[1:])])

by_rule(kept, "kept", "accuracy")
kept.set(xscale="log", xlabel="share of weights kept", ylabel="test accuracy", title="only the largest weights kept")
at = [0.01, 0.03, 0.1, 0.3, 1]
kept.set_xticks(at, [f"{share:g}" for share in at])
shares.axvline(1, color="0.8", linewidth=0.6, zorder=1)
shares.annotate("one step", (1, 1.08), xytext=(3, 0), textcoords="offset points", fontsize=7, va="center")
share_lines = by_rule(shares, "threshold", "sparsity")
shares.set(xscale="log", ylim=(-0.03, 1.13), xlabel=r"threshold over $\eta\lambda$", ylabel="share of weights below it")
shares.set_title("how sparse, by which threshold")

for axes in (zeros, shares):
    axes.set_yticks([0, 0.25, 0.5, 0.75, 1])
for axes in figure.axes:
    axes.set_xticks([], minor=True)
for axes, lines in ((norms, norm_lines), (zeros, zero_lines), (shares, share_lines)):
    label_line_ends(axes, lines)

# %%
save(figure, "l1_paradox_networks", left_out)
