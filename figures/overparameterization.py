# %% [markdown]
# # A kink between two points earns the gradient the first power of their distance, and a step that crosses it loses it
#
# Two points of length 1 with opposite labels, at a distance $\varphi$, and two-layer networks whose hidden weights are
# trained. Left: the gradient at the start. A share of the units of ReLU has its kink between the points, which leaves
# the first power of $\varphi$; smooth activations have the second. Right: steps from a hundredth to a ten-thousandth of
# the first loss, over those that the kernel takes. Lines: what the kinks that steps cross take away, to first order in
# $m^{-1/2}$. Dotted lines: what is left when all of them have been crossed. Nothing is fitted.

# %%
import matplotlib.pyplot as plt
import numpy as np

from ndgm.decide.intervals import median_intervals
from ndgm.decide.steps_to_target import steps_to_share
from ndgm.paper.colours import COLOURS, OKABE_ITO
from ndgm.paper.drawing import PAGE_WIDTH, absent, label_line_ends, measured, prediction, results, save, style
from ndgm.store.run_tables import last_rows, read_experiment
from ndgm.theory.overparameterization import (
    crossing_share,
    decay_rate,
    empty_gap_eigenvalue,
    kernel_steps,
    pair_gradient,
)

SHOWN = {"relu": "ReLU", "softplus_1": "softplus", "gelu": "GELU", "tanh": "tanh"}
LATE = 1e-2, 1e-4
start = last_rows(read_experiment(results(), "overparameterization_start"))
left_out = absent(SHOWN, start["activation"], of="activations")
pairs = read_experiment(results(), "overparameterization_pairs")


def medians(table, by, value):
    """Median of a column by cell, with its interval; a run without a value counts as none."""
    return median_intervals(table[np.isfinite(table[value])], [by], value)


# %%
style()
figure, (left, right) = plt.subplots(1, 2, figsize=(PAGE_WIDTH, 2.6))
lines = {}
for name in filter(set(start["activation"]).__contains__, SHOWN):
    of_one = start[start["activation"] == name]
    closed_form = of_one.groupby("separation")["predicted_gradient_ratio"].first()
    prediction(left, closed_form.index, closed_form)
    points = medians(of_one, "separation", "least_gradient_ratio")
    drawn = measured(
        left,
        points.index,
        points["median"],
        points["low"],
        points["high"],
        method="kinked" if name == "relu" else "smooth",
    )
    lines[SHOWN[name]] = drawn.lines[0]
separations = np.unique(start["separation"])
left.set(xscale="log", yscale="log", xlabel=r"distance of the points $\varphi$", title="gradient at the start")
left.set_ylabel(r"$\Vert g_0\Vert^2/(2L)$")
left.set_xticks(separations, [f"{each:g}" for each in separations])
left.set_xticks([], minor=True)

first = pairs.groupby("run")[["separation", "units", "kernel_eigenvalue", "step_size"]].first()
early, late = (steps_to_share(pairs, share) for share in LATE)
since, share = LATE
first["ratio"] = (late - early) / kernel_steps(first["kernel_eigenvalue"], first["step_size"], share, since)
labels = {}
for place, (separation, of_one) in enumerate(first.groupby("separation")):
    kernel, step_size = pair_gradient(separation), of_one["step_size"].iloc[0]
    rate = decay_rate(kernel, step_size)
    units = np.geomspace(of_one["units"].min(), of_one["units"].max(), 200)
    empty = rate / decay_rate(empty_gap_eigenvalue(separation), step_size)
    share = np.minimum(crossing_share(units, separation), 1 - 1e-9)
    slowed = rate / decay_rate(kernel * (1 - share), step_size)
    prediction(right, units[slowed < empty], slowed[slowed < empty])
    prediction(right, units, np.full(len(units), empty), linestyle=":", linewidth=0.6)
    points = medians(of_one, "units", "ratio")
    colour = OKABE_ITO[place % len(OKABE_ITO)]
    drawn = right.errorbar(
        points.index,
        points["median"],
        yerr=[points["median"] - points["low"], points["high"] - points["median"]],
        fmt="o",
        color=colour,
    )
    labels[rf"$\varphi = {separation:g}$"] = drawn.lines[0]
right.set(xscale="log", yscale="log", xlabel="units $m$", title="late steps over the kernel's")
ticks = [1, 2, 4, 8]
right.set_yticks(ticks, [str(each) for each in ticks])
right.set_yticks([], minor=True)
left.annotate("first power", (0.45, 0.84), xycoords="axes fraction", ha="center", color=COLOURS["kinked"])
left.annotate("second power", (0.62, 0.12), xycoords="axes fraction", ha="center", color=COLOURS["smooth"])
right.annotate("dotted: every kink crossed", (0.6, 0.77), xycoords="axes fraction", fontsize=7)
label_line_ends(left, lines)
label_line_ends(right, labels)

# %%
save(figure, "overparameterization", left_out)
