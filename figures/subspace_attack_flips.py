# %% [markdown]
# # How far a network is from its flip, off the subspace of its data
#
# Left: flip distance over the output, against the estimate $\sqrt{2d/\ell}/\alpha$, for subspaces of several dimensions
# and starts of several scales; medians over networks, with those of the closed form (line) and the estimate itself
# (dashed); below, both over the estimate. Others: output along the off-subspace gradient, of one network of each width,
# with its mean in closed form (line).

# %%
import matplotlib.pyplot as plt
import numpy as np

from ndgm.decide.intervals import median_interval
from ndgm.paper.colours import COLOURS, INK
from ndgm.paper.drawing import PAGE_WIDTH, measured, prediction, results, save, style
from ndgm.store.run_tables import last_rows, read_experiment
from ndgm.theory.subspace_attack import flip_estimate

flips = last_rows(read_experiment(results(), "subspace_attack_flips"))
scales = last_rows(read_experiment(results(), "subspace_attack_scales"))
curves = read_experiment(results(), "subspace_attack_curves")
DASHED = {"color": INK, "linewidth": 0.6, "linestyle": (0, (4, 3)), "zorder": 1}


def points(runs):
    """Estimate, and over it: the median of what was measured, that of the closed form, and the former's interval."""
    rows = []
    for (components, scale), cell in runs.groupby(["components", "scale"]):
        features = cell["features"].iloc[0]
        estimate = flip_estimate(1.0, features, features - components, scale)
        distance = cell["flip_over_output"].dropna()
        if len(distance):
            middles = distance.median(), cell["predicted_flip_over_output"].median(), *median_interval(distance)
            rows.append((estimate, *(middle / estimate for middle in middles)))
    return np.array(sorted(rows)).reshape(-1, 5).T


# %%
style()
widths = sorted(curves["units"].unique())
figure = plt.figure(figsize=(PAGE_WIDTH, 2.6))
grid = figure.add_gridspec(2, 1 + len(widths), width_ratios=[1.9, *[1] * len(widths)], height_ratios=[2, 1])
above, below = figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[1, 0])
ends = []
for place, (runs, method, label) in enumerate([
    (flips, "kinked", r"other dimensions $\ell$"), (scales, "smooth", r"smaller starts $\alpha$")
]):  # fmt: skip
    estimate, middle, predicted, low, high = points(runs)
    ends += [*estimate]
    prediction(above, estimate, estimate * predicted)
    prediction(below, estimate, predicted)
    measured(above, estimate, estimate * middle, estimate * low, estimate * high, method=method)
    measured(below, estimate, middle, low, high, method=method)
    above.annotate(label, (0.04, 0.97 - 0.13 * place), xycoords="axes fraction", va="top", color=COLOURS[method],
                   fontsize=7)  # fmt: skip
ends = np.array([min(ends, default=1), max(ends, default=2)])
above.plot(ends, ends, **DASHED)
below.plot(ends, [1, 1], **DASHED)
above.set(xscale="log", yscale="log", xticklabels=[], ylabel=r"flip distance$/|f(x_0)|$")
below.set(xscale="log", xlabel=r"estimate $\sqrt{2d/\ell}/\alpha$", ylabel="over estimate")
above.tick_params(labelbottom=False, which="both")

# %%
first = None
for place, width in enumerate(widths, 1):
    axes = first = figure.add_subplot(grid[:, place], sharey=first)
    curve = curves[curves["units"] == width]
    axes.plot(curve["distance"], curve["output"], color=COLOURS["kinked"], linewidth=1.8, alpha=0.7)
    prediction(axes, curve["distance"], curve["predicted_output"], zorder=4)
    axes.axhline(0, color=INK, linewidth=0.4)
    axes.set(title=f"$m = {width}$", xlabel="distance $t$")
    if place == 1:
        axes.set_ylabel(r"output along the attack")
    else:
        axes.tick_params(labelleft=False)

# %%
save(figure, "subspace_attack_flips")
