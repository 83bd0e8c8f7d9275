# %% [markdown]
# # Smooth or kinked, RMSProp keeps stepping; Adam's orbit depends on where it began
#
# Left: on a parabola, which is smooth, RMSProp keeps $|w| = \eta/2$ whatever the curvature, as it does on $|w|$; with a
# long memory some runs come to rest all the same. Middle: on a kink whose sides are not equally steep it keeps more.
# Right: on $|w|$ methods with momentum have many cycles at once, between the shortest and the longest one of those that
# spend $n$ steps on each side of zero (thin lines, $n = 1, \dots, 7$).

# %%
import matplotlib.pyplot as plt
import numpy as np

from ndgm.colours import COLOURS
from ndgm.drawing import PAGE_WIDTH, label_line_ends, measured, prediction, results, save
from ndgm.statistics import mean_interval
from ndgm.tables import last_rows, read_experiment
from ndgm.theory.adaptive import longest_momentum_cycle, momentum_cycle, rmsprop_floor

METHODS = {
    "rmsprop_0.9": r"RMSProp, $\beta_2 = 0.9$",
    "rmsprop_0.99": "0.99",
    "rmsprop_0.999": "0.999",
    "adam": "Adam",
    "amsgrad": "AMSGrad",
}
MOMENTUM = 0.9
runs = last_rows(read_experiment(results(), "adaptive_one_weight"))
runs["steps"] = runs["mean_l1_norm"] / runs["step_size"]
many = last_rows(read_experiment(results(), "adaptive_cycles"))
many["steps"] = many["mean_l1_norm"] / many["step_size"] * np.where(many["method"] == "adam", 1, 1 - MOMENTUM)

# %%
figure, (parabolas, kinks, cycles) = plt.subplots(1, 3, figsize=(PAGE_WIDTH, 2.4), width_ratios=[1, 1.15, 1])
for axes, design, factor in ((parabolas, "parabola", "curvature"), (kinks, "kink", "tilt")):
    means = mean_interval(runs[runs["design"] == design], ["method", factor], "steps")
    lines = {}
    for method, label in METHODS.items():
        points = means.loc[method]
        drawn = measured(axes, points.index, points["mean"], points["low"], points["high"], method=method)
        lines[label] = drawn.lines[0]
tilts = np.linspace(0, runs["tilt"].max(), 200)
prediction(kinks, tilts, [float(rmsprop_floor(1.0, 1.0, [tilt])) for tilt in tilts])
prediction(parabolas, np.unique(runs["curvature"])[1:], np.full(runs["curvature"].nunique() - 1, 0.5))
parabolas.set(xscale="log", xlabel="curvature $L$", ylabel=r"mean $|w|/\eta$", title="parabolas", ylim=(-0.03, 0.62))
kinks.set(xlabel=r"tilt $\kappa$", title="kinks", ylim=(0, None))
label_line_ends(kinks, lines)

bins = np.geomspace(0.8 * many["steps"].min(), 1.2 * many["steps"].max(), 60)
for method in ("heavy_ball", "adam"):
    steps = many.loc[many["method"] == method, "steps"]
    weights = np.full(len(steps), 100 / len(steps))
    filled = {"alpha": 0.35, "histtype": "stepfilled"} if method == "adam" else {"histtype": "step"}
    cycles.hist(steps, bins, weights=weights, color=COLOURS[method], label=method, **filled)
top = 1.12 * cycles.get_ylim()[1]
for steps in range(1, longest_momentum_cycle(MOMENTUM) + 1):
    at = float(momentum_cycle(1.0, MOMENTUM, steps))
    prediction(cycles, [at, at], [0, 0.93 * top], linewidth=0.5, zorder=1)
    cycles.annotate(f"{steps}", (at, 0.94 * top), ha="center", va="bottom", fontsize=7)
cycles.set(xscale="log", xlabel="mean $|w|$ in Adam's steps", ylabel="share of starts (%)", title="cycles of momentum")
cycles.set_ylim(0, top)
cycles.set_xticks([0.03, 0.1, 0.3], ["0.03", "0.1", "0.3"])
cycles.set_xticks([], minor=True)
for height, (method, label) in zip((0.84, 0.76), {"adam": "Adam", "heavy_ball": "heavy\nball"}.items(), strict=True):
    place = {"xycoords": "axes fraction", "va": "top", "fontsize": 7}
    cycles.annotate(label, (0.12, height), color=COLOURS[method], **place)

# %%
save(figure, "adaptive_cycles")
