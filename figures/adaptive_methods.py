# %% [markdown]
# # Adaptive methods: what they keep above $\lambda_{\max}$, and on one weight
#
# Top: what methods with a constant step keep on the LASSO above $\lambda_{\max}$, where its exact solution is zero, in
# units of $\eta d/2$. The subgradient method steps by $\eta\lambda$ and keeps more the larger the penalty. RMSProp
# steps by about $\eta$ whatever the penalty, and by more where the slopes on both sides of zero are unequal, so that it
# keeps less the larger the penalty. Bottom, left: on a parabola, which is smooth, RMSProp keeps $|w| = \eta/2$ whatever
# the curvature, as it does on $|w|$; with a long memory some runs come to rest all the same. Bottom, middle: on a kink
# whose sides are not equally steep it keeps more. Bottom, right: on $|w|$ methods with momentum have many cycles at
# once, between the shortest and the longest one of those that spend $n$ steps on each side of zero
# ($n = 1, \dots, 7$). Thin lines: closed forms, without a fit.

# %%
import matplotlib.pyplot as plt
import numpy as np

from ndgm.claims.adaptive import MOMENTUM
from ndgm.decide.intervals import median_intervals
from ndgm.paper.colours import COLOURS
from ndgm.paper.drawing import (
    PAGE_WIDTH,
    absent,
    label_line_ends,
    leave_empty,
    measured,
    prediction,
    results,
    rows_with,
    save,
    style,
)
from ndgm.store.run_tables import last_rows, read_experiment
from ndgm.theory.adaptive import longest_momentum_cycle, momentum_cycle, rmsprop_floor

ON_LASSO = {
    "subgradient": "subgradient",
    "rmsprop_0.999": r"RMSProp, $\beta_2 = 0.999$",
    "rmsprop_0.9": r"$\beta_2 = 0.9$",
    "adam": "Adam",
}
ON_ONE_WEIGHT = {
    "rmsprop_0.9": r"RMSProp, $\beta_2 = 0.9$",
    "rmsprop_0.99": "0.99",
    "rmsprop_0.999": "0.999",
    "adam": "Adam",
    "amsgrad": "AMSGrad",
}
WITH_MOMENTUM = ("heavy_ball", "adam")
CELL = ["design", "method", "penalty_over_max"]
lasso = last_rows(read_experiment(results(), "adaptive_lasso"))
designs = lasso["design"].unique()
shortest = lasso["step_size_times_lipschitz"] == lasso["step_size_times_lipschitz"].min()
left_out = absent(ON_LASSO, lasso["method"], of="LASSO")
lasso = lasso[lasso["method"].isin(ON_LASSO) & shortest].copy()
unit = lasso["step_length_at_max"] * lasso["dimension"] / 2
lasso["relative"], lasso["predicted"] = lasso["mean_l1_norm"] / unit, lasso["predicted_l1_norm"] / unit
norms = median_intervals(lasso, CELL, "relative")
closed_forms = lasso.groupby(CELL)["predicted"].first().dropna()

runs = last_rows(read_experiment(results(), "adaptive_one_weight"))
runs["steps"] = runs["mean_l1_norm"] / runs["step_size"]
left_out += absent(ON_ONE_WEIGHT, runs["method"], of="parabolas and kinks")
many = last_rows(read_experiment(results(), "adaptive_cycles"))
left_out += absent(WITH_MOMENTUM, many["method"], of="cycles of momentum")
many = many[many["method"].isin(WITH_MOMENTUM)]
many["steps"] = many["mean_l1_norm"] / many["step_size"] * np.where(many["method"] == "adam", 1, 1 - MOMENTUM)


# %%
def draw_methods(axes, medians, labels):
    """Each method's medians with their intervals; its points by label."""
    lines = {}
    there = set(medians.index.unique("method"))
    for method in filter(there.__contains__, labels):
        label, points = labels[method], medians.loc[method]
        drawn = measured(axes, points.index, points["median"], points["low"], points["high"], method=method)
        lines[label] = drawn.lines[0]
    return lines


def draw_cycles(axes):
    """How often each mean of |w| is met over all starts, and the cycles with n steps on each side of zero."""
    if many.empty:
        leave_empty(axes, "no method with momentum", "cycles of momentum")
        return
    bins = np.geomspace(0.8 * many["steps"].min(), 1.2 * many["steps"].max(), 60)
    for method in filter(set(many["method"]).__contains__, WITH_MOMENTUM):
        steps = many.loc[many["method"] == method, "steps"]
        weights = np.full(len(steps), 100 / len(steps))
        filled = {"alpha": 0.35, "histtype": "stepfilled"} if method == "adam" else {"histtype": "step"}
        axes.hist(steps, bins, weights=weights, color=COLOURS[method], **filled)
    top = 1.12 * axes.get_ylim()[1]
    sizes = [float(momentum_cycle(1.0, MOMENTUM, n)) for n in range(1, longest_momentum_cycle(MOMENTUM) + 1)]
    for n, size in enumerate(sizes, start=1):
        prediction(axes, [size, size], [0, 0.93 * top], linewidth=0.5, zorder=1)
        text = f"${n}$" if n > 1 else f"$n = {n}$"
        axes.annotate(text, (size, 0.94 * top), ha="center", va="bottom", fontsize=7)
    for method, label, height in (("adam", "Adam", 0.84), ("heavy_ball", "heavy\nball", 0.76)):
        if method not in set(many["method"]):
            continue
        place = {"ha": "center", "va": "top", "fontsize": 7}
        axes.annotate(label, ((sizes[0] * sizes[1]) ** 0.5, height * top), color=COLOURS[method], **place)
    axes.set(xscale="log", xlabel="mean $|w|$ in Adam's steps", ylabel="share of starts (%)", ylim=(0, top))
    axes.set_title("cycles of momentum")
    axes.set_xticks([0.03, 0.1, 0.3], ["0.03", "0.1", "0.3"])
    axes.set_xticks([], minor=True)


style()
figure = plt.figure(figsize=(PAGE_WIDTH, 4.7))
top, bottom = figure.add_gridspec(2, 1)
panels = top.subgridspec(1, len(designs)).subplots(sharey=True, squeeze=False)[0]
parabolas, kinks, cycles = bottom.subgridspec(1, 3, width_ratios=[1, 1.1, 1.15]).subplots()

for axes, design in zip(panels, designs, strict=True):
    lasso_lines = draw_methods(axes, rows_with(norms, design=design), ON_LASSO)
    for _, line in rows_with(closed_forms, design=design).groupby("method"):
        prediction(axes, line.index.get_level_values("penalty_over_max"), line)
    axes.set(xscale="log", yscale="log", title=design.replace("_", " "), xlabel=r"penalty $\lambda/\lambda_{\max}$")
    axes.set_xticks([1, 3, 10, 30], ["1", "3", "10", "30"])
    axes.set_xticks([], minor=True)
panels[0].set_ylabel(r"mean $\Vert w\Vert_1$ in units of $\eta d/2$")

on_parabolas, on_kinks = (
    median_intervals(runs[runs["design"] == design], ["method", factor], "steps")
    for design, factor in (("parabola", "curvature"), ("kink", "tilt"))
)
draw_methods(parabolas, on_parabolas, ON_ONE_WEIGHT)
curvatures = np.unique(runs["curvature"])[1:]
prediction(parabolas, curvatures, np.full(len(curvatures), 0.5))
parabolas.set(xscale="log", xlabel="curvature $L$", ylabel=r"mean $|w|/\eta$", title="parabolas", ylim=(-0.03, 0.62))
kink_lines = draw_methods(kinks, on_kinks, ON_ONE_WEIGHT)
tilts = np.linspace(0, runs["tilt"].max(), 200)
prediction(kinks, tilts, [float(rmsprop_floor(1.0, 1.0, [tilt])) for tilt in tilts])
kinks.set(xlabel=r"tilt $\kappa$", title="kinks", ylim=(0, None))
draw_cycles(cycles)
label_line_ends(panels[-1], lasso_lines)
label_line_ends(kinks, kink_lines)

# %%
save(figure, "adaptive_methods", left_out)
