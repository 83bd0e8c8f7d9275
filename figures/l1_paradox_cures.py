# %% [markdown]
# # What cures it
#
# Left: how far the L1 norm is from that of the exact solution, along training. A constant step stays at its floor,
# momentum at the same pace at a lower one; a decaying step goes down with the step, and proximal methods go to the
# solution itself. Right: weights that are exactly zero at the end. Subgradient methods have none at any penalty;
# proximal methods have those of the exact solution.

# %%
import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns

from ndgm.paper.colours import COLOURS, MARKERS
from ndgm.paper.drawing import PAGE_WIDTH, absent, label_line_ends, leave_empty, prediction, results, save, style
from ndgm.store.run_tables import last_rows, read_experiment

WANTED = "diabetes"
PENALTY_OVER_MAX = 0.3
ROUNDING = 1e-13
LABELS = {
    "subgradient": "subgradient",
    "subgradient_sqrt": r"step $\propto 1/\sqrt{k}$",
    "subgradient_geometric": "geometric step",
    "heavy_ball": "heavy ball",
    "ista": "ISTA",
    "fista": "FISTA",
    "truncated_gradient": "truncated gradient",
}
PLACES = {"subgradient": (0.05, 0.1), "truncated_gradient": (0.05, 0.9), "ista": (0.55, 0.5)}
exact, runs = (read_experiment(results(), f"l1_paradox_{name}") for name in ("exact", "lasso"))
design = WANTED if WANTED in set(runs["design"]) else runs["design"].iloc[0]
exact, runs = (table[table["design"] == design] for table in (exact, runs))
left_out = absent(LABELS, runs["method"])
methods = [method for method in LABELS if method in set(runs["method"])]
step_size = runs["step_size_times_lipschitz"].max()
exact, runs = (table[table["step_size_times_lipschitz"] == step_size] for table in (exact, runs))
penalties = runs["penalty_over_max"].unique()
penalty = penalties[np.abs(np.log(penalties / PENALTY_OVER_MAX)).argmin()]
solution = exact[exact["penalty_over_max"] == penalty].iloc[0]

# %%
here = runs[runs["penalty_over_max"] == penalty]
here = here.assign(distance=(here["l1_norm"] - solution["exact_l1_norm"]).abs())
here = here[here["distance"].between(ROUNDING, np.inf, inclusive="neither") & here["method"].isin(methods)]
shown = [method for method in methods if method in set(here["method"])]
style()
figure, (path, zeros) = plt.subplots(1, 2, figsize=(PAGE_WIDTH, 2.4), width_ratios=(3, 2))
if shown:
    sns.lineplot(
        here,
        x="step",
        y="distance",
        hue="method",
        palette={method: COLOURS[method] for method in shown},
        hue_order=shown,
        style="method",
        style_order=shown,
        markers=MARKERS,
        dashes=False,
        markersize=4,
        estimator="median",
        errorbar=("ci", 90),
        seed=0,
        legend=False,
        ax=path,
    )
path.set_title(rf"{design.replace('_', ' ')}, $\lambda = {penalty:.2g}\,\lambda_{{\max}}$, $\eta L = {step_size:g}$")
path.set(xscale="log", yscale="log", xlabel="step $k$", ylabel=r"$|\,\Vert w_k\Vert_1 - \Vert w^*\Vert_1|$")
if shown:
    label_line_ends(path, dict(zip(map(LABELS.get, shown), path.get_lines()[: len(shown)], strict=True)))
else:
    leave_empty(path, "nothing further than rounding from the exact solution", path.get_title(loc="left"))

ends = last_rows(runs).groupby(["method", "penalty_over_max"])["zeros"].median()
prediction(zeros, exact["penalty_over_max"], exact["exact_zeros"])
for method in (method for method in PLACES if method in methods):
    zeros.plot(ends[method], MARKERS[method], color=COLOURS[method], markersize=3)
    zeros.annotate(LABELS[method], PLACES[method], xycoords="axes fraction", color=COLOURS[method], fontsize=7)
zeros.set(xscale="log", xlabel=r"penalty $\lambda/\lambda_{\max}$", ylabel="weights that are exactly zero")

# %%
save(figure, "l1_paradox_cures", left_out)
