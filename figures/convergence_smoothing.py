# %% [markdown]
# # A rounded kink is a kink until it is wider than a step
#
# Gradient descent with a constant step $\eta$ on kinks that are rounded off over a width $\delta$, which makes the
# function smooth. Left: $M|x|$. Below $\delta = \eta M/2$ descent hovers as if the kink were whole, above it converges.
# Right: two LASSO problems, where the closed form says at which width the change comes. Nothing is fitted.

# %%
import matplotlib.pyplot as plt
import numpy as np

from ndgm.decide.intervals import median_intervals
from ndgm.paper.colours import COLOURS, MARKERS
from ndgm.paper.drawing import PAGE_WIDTH, measured, prediction, results, save, style
from ndgm.store.run_tables import last_rows, read_experiment

HOVERS = 0.01
WIDTHS = [0.25, 0.5, 1, 2, 4]
runs = last_rows(read_experiment(results(), "convergence_smoothing"))
half_step = runs["step_size"] * runs["penalty"] / 2
runs = runs.assign(
    width=runs["width"] / half_step,
    critical_width=runs["critical_width"] / half_step,
    distance=runs["mean_l1_norm"] / half_step,
    converged=runs["mean_squared_gradient_norm"] < HOVERS * runs["penalty"] ** 2,
)
designs = [name for name in runs["design"].unique() if name != "absolute value"]

# %%
style()
figure, (left, *panels) = plt.subplots(1, 1 + len(designs), figsize=(PAGE_WIDTH, 2.3))
absolute = runs[runs["design"] == "absolute value"]
widths = np.unique(absolute["width"])
prediction(left, [min(widths[0], 1), 1, 1, max(widths[-1], 1)], [1, 1, 0, 0])
for converged, method in ((False, "kinked"), (True, "smooth")):
    distances = median_intervals(absolute[absolute["converged"] == converged], ["width"], "distance")
    measured(left, distances.index, distances["median"], distances["low"], distances["high"], method=method)
left.set(xscale="log", ylim=(-0.1, 1.3), xlabel=r"width $\delta/(\eta M/2)$", ylabel=r"mean $|x|/(\eta M/2)$")
left.set_title(r"$M\vert x\vert$, all step sizes")
left.set_xticks(WIDTHS, [f"{width:g}" for width in WIDTHS])
left.set_xticks([], minor=True)

for axes, design in zip(panels, designs, strict=True):
    here = runs[runs["design"] == design]
    penalties = np.unique(here["penalty_over_max"])
    for place, part in enumerate(part for _, part in here.groupby("penalty_over_max")):
        aside = 1.08 ** (2 * place - len(penalties) + 1)
        for step_size, critical in part.groupby("step_size_times_lipschitz")["critical_width"].first().items():
            prediction(axes, [step_size * aside / 1.08, step_size * aside * 1.08], [critical, critical])
        for converged, method in ((False, "kinked"), (True, "smooth")):
            cells = part[part["converged"] == converged].drop_duplicates(["step_size_times_lipschitz", "width"])
            axes.plot(
                cells["step_size_times_lipschitz"] * aside,
                cells["width"],
                MARKERS[method],
                color=COLOURS[method],
                markersize=2.4,
                markerfacecolor="none" if method == "kinked" else COLOURS[method],
                markeredgewidth=0.6,
            )
    step_sizes = np.unique(here["step_size_times_lipschitz"])
    axes.set(xscale="log", yscale="log", xlabel=r"step size $\eta L$", title=f"LASSO, {design.replace('_', ' ')}")
    axes.set_xticks(step_sizes, [f"{step_size:g}" for step_size in step_sizes])
    axes.set_xticks([], minor=True)
    axes.set_yticks(WIDTHS, [f"{width:g}" for width in WIDTHS])
    axes.set_yticks([], minor=True)
panels[0].set_ylabel(r"width $\delta/(\eta\lambda/2)$")
for text, method, height in (("converges", "smooth", 0.2), ("hovers", "kinked", 0.9)):
    left.annotate(text, (0.7 if method == "smooth" else 0.1, height), xycoords="axes fraction", color=COLOURS[method])

# %%
save(figure, "convergence_smoothing")
