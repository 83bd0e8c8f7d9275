# %% [markdown]
# # Noise makes the kink wider
#
# One weight under an L1 penalty $\lambda$ with a gradient of mean $g$ and noise $\sigma$: by how much its mean is
# larger than $\eta|g|$, its mean without noise. Lines: no noise, and the limit of much noise,
# $\frac{1}{2} + \sigma^2/(\lambda^2 - g^2)$.

# %%
from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np

from ndgm.decide.intervals import median_intervals
from ndgm.paper.colours import COLOURS
from ndgm.paper.drawing import COLUMN_WIDTH, label_line_end, leave_empty, measured, prediction, results, save, style
from ndgm.store.run_tables import read_experiment
from ndgm.theory.one_weight import noisy_mean, quiet_mean

runs = read_experiment(results(), "l1_paradox_noisy_weight")
runs = runs[runs["stopped_because"] == "finished"]
runs = runs[runs["step_size_times_lipschitz"] == runs["step_size_times_lipschitz"].min()].copy()
gradient = runs["step_size_times_lipschitz"] / runs["step_size"] * runs["mean_weight"] - runs["tilt"] * runs["penalty"]
runs["wider"] = runs["mean_weight"] / -(runs["step_size"] * gradient)
widths = median_intervals(runs, ["tilt", "noise"], "wider")

# %%
style()
figure, axes = plt.subplots(figsize=(COLUMN_WIDTH, 2.3))
if runs.empty:
    leave_empty(axes, "no runs that ended", "noise in its limits")
else:
    noises = np.geomspace(runs["noise"].min(), runs["noise"].max(), 200)
    prediction(axes, noises, np.ones_like(noises))
    axes.annotate("no noise", (noises[-1], 1), (0, 3), textcoords="offset points", ha="right", va="bottom", fontsize=7)
    axes.set(xscale="log", yscale="log")
for (tilt, points), alpha in zip(widths.groupby("tilt"), cycle((1.0, 0.55, 0.4)), strict=False):
    limit = prediction(axes, noises, noisy_mean(1.0, 1.0, -tilt, noises) / quiet_mean(1.0, 1.0, -tilt))
    at = points.index.get_level_values("noise")
    look = {"method": "subgradient", "markersize": 4, "alpha": alpha}
    measured(axes, at, points["median"], points["low"], points["high"], **look)
    label_line_end(axes, limit, rf"$|g| = {tilt:g}\,\lambda$")
mark = {"xycoords": "axes fraction", "va": "top", "color": COLOURS["subgradient"], "fontsize": 7}
axes.annotate("dots: measured", (0.03, 0.95), **mark)
axes.set(xlabel=r"noise over penalty $\sigma/\lambda$", ylabel=r"mean of $w$ over $\eta|g|$")

# %%
save(figure, "l1_paradox_noise_limits")
