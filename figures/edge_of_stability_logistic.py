# %% [markdown]
# # Logistic regression with long steps
#
# Top: data that are not separable. Half the length of the last steps of gradient descent, from several starts near the
# minimiser, against the step size. Up to $2/\lambda_{\max}$ it settles, beyond it ends on the exact 2-cycle (thin line,
# dotted where that repels), or on other orbits. Bottom: separable data, with steps up to far beyond $2/L$. The loss
# oscillates at first, and then it falls, unless the margin is too small for that to happen within the run.

# %%
import matplotlib.pyplot as plt
import numpy as np

from ndgm.paper.colours import COLOURS
from ndgm.paper.drawing import PAGE_WIDTH, label_line_ends, leave_empty, prediction, results, save, style
from ndgm.store.run_tables import read_experiment

LOWEST = 1e-12
TICKS = [0.8, 1, 1.5, 2, 2.5]
cycling = read_experiment(results(), "edge_of_stability_logistic")
separable = read_experiment(results(), "edge_of_stability_separable")
rows = [list(table["design"].unique()) for table in (cycling, separable)]
ratios = np.unique(separable["step_size_over_threshold"])
TONES = dict(zip(ratios, np.linspace(0.25, 1, len(ratios)), strict=True))

# %%
style()
figure = plt.figure(figsize=(PAGE_WIDTH, 4.0))
halves = figure.add_gridspec(2, 1)
top, bottom = (
    [figure.add_subplot(cell) for cell in half.subgridspec(1, len(row))] for half, row in zip(halves, rows, strict=True)
)
for axes, name in zip(top, rows[0], strict=True):
    here = cycling[cycling["design"] == name]
    apart = here["amplitude"].max() / 100 or 1
    seen = here.assign(place=(here["amplitude"] / apart).round())
    seen = seen.drop_duplicates(["step_size_over_threshold", "place"])
    axes.plot(seen["step_size_over_threshold"], seen["amplitude"], ".", color=COLOURS["smooth"], markersize=1.6)
    exact = here.groupby("step_size_over_threshold")[["predicted_amplitude", "multiplier"]].first().dropna()
    steps = np.r_[1, exact.index]
    amplitudes, attracts = np.r_[0, exact["predicted_amplitude"]], np.r_[True, exact["multiplier"] < 1]
    prediction(axes, [here["step_size_over_threshold"].min(), 1], [0, 0])
    prediction(axes, steps, np.where(attracts, amplitudes, np.nan))
    prediction(axes, steps, np.where(attracts, np.nan, amplitudes), linestyle=":")
    axes.set(xscale="log", xlabel=r"step size $\eta\lambda_{\max}/2$", title=f"{name.replace('_', ' ')}, not separable")
    ticks = [tick for tick in TICKS if tick <= 1.001 * here["step_size_over_threshold"].max()]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)
top[0].set_ylabel("half the last steps")

for axes, name in zip(bottom, rows[1], strict=True):
    lines = {}
    for ratio in ratios:
        path = separable.query("design == @name and step_size_over_threshold == @ratio and seed == 0")
        low = (path["objective"] <= LOWEST).cumsum()
        path = path[(path["step"] > 0) & (low <= 1)].assign(objective=path["objective"].clip(lower=LOWEST))
        if path.empty:
            continue
        (line,) = axes.plot(path["step"], path["objective"], color=COLOURS["smooth"], alpha=TONES[ratio], linewidth=0.8)
        lines[f"{ratio:g}"] = line
    title = f"{name.replace('_', ' ')}, separable"
    if not lines:
        leave_empty(axes, "the loss is gone before it is looked at", title)
        continue
    axes.set(xscale="log", yscale="log", xlabel="step $k$", title=title)
    label_line_ends(axes, lines)
bottom[0].set_ylabel("loss")

# %%
save(figure, "edge_of_stability_logistic")
