# %% [markdown]
# # Dividing by the size of the gradient turns the paradox round
#
# What methods with a constant step keep on the LASSO above $\lambda_{\max}$, where its exact solution is zero, in units
# of $\eta d/2$. The subgradient method steps by $\eta\lambda$ and keeps more the larger the penalty. RMSProp steps by
# about $\eta$ whatever the penalty, and by more where the slopes on both sides of zero are unequal, so that it keeps
# less the larger the penalty. Thin lines: closed forms, without a fit.

# %%
import matplotlib.pyplot as plt

from ndgm.drawing import PAGE_WIDTH, label_line_ends, measured, prediction, results, save
from ndgm.statistics import mean_interval
from ndgm.tables import last_rows, read_experiment

METHODS = {
    "subgradient": "subgradient",
    "rmsprop_0.999": r"RMSProp, $\beta_2 = 0.999$",
    "rmsprop_0.9": r"$\beta_2 = 0.9$",
    "adam": "Adam",
}
runs = last_rows(read_experiment(results(), "adaptive_lasso"))
runs = runs[runs["step_size_times_lipschitz"] == runs["step_size_times_lipschitz"].min()]
unit = runs["step_length_at_max"] * runs["dimension"] / 2
runs["relative"], runs["predicted"] = runs["mean_l1_norm"] / unit, runs["predicted_l1_norm"] / unit
norms = mean_interval(runs[runs["method"].isin(METHODS)], ["design", "method", "penalty_over_max"], "relative")
closed_forms = (
    runs[runs["method"].isin(METHODS)].groupby(["design", "method", "penalty_over_max"])["predicted"].first().dropna()
)
designs = runs["design"].unique()

# %%
figure, panels = plt.subplots(1, len(designs), figsize=(PAGE_WIDTH, 2.5), sharey=True, squeeze=False)
lines = {}
for axes, design in zip(panels[0], designs, strict=True):
    for method, label in METHODS.items():
        points = norms.loc[design, method]
        drawn = measured(
            axes, points.index, points["mean"], points["low"], points["high"], method=method, markersize=3.5
        )
        lines[label] = drawn.lines[0]
        if method in closed_forms.loc[design].index:
            line = closed_forms.loc[design, method]
            prediction(axes, line.index, line)
    axes.set(xscale="log", yscale="log", title=design.replace("_", " "))
    axes.set_xticks([1, 3, 10, 30], ["1", "3", "10", "30"])
    axes.set_xticks([], minor=True)
    axes.set_xlabel(r"penalty $\lambda/\lambda_{\max}$")
panels[0, 0].set_ylabel(r"mean $\Vert w\Vert_1$ in units of $\eta d/2$")
label_line_ends(panels[0, -1], lines)

# %%
save(figure, "adaptive_norm")
