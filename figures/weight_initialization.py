# %% [markdown]
# # The shape of an activation away from 0 decides, not its slope at 0
#
# Left: the variance of pre-activations by layer in random networks, one point a network that was drawn,
# on the recursion of infinitely wide ones (lines). Right: the loss of ten sigmoid layers after training, against the
# gain s of first weights of variance s/N; on the upper axis, the factor χ of a layer on squared gradients.

# %%
import matplotlib.pyplot as plt
import numpy as np

from ndgm.decide.intervals import median_intervals
from ndgm.paper.colours import COLOURS, OKABE_ITO
from ndgm.paper.drawing import (
    PAGE_WIDTH,
    absent,
    label_line_ends,
    leave_empty,
    measured,
    prediction,
    results,
    save,
    style,
)
from ndgm.store.run_tables import last_rows, read_experiment

SHOWN = {
    ("gelu", "formula"): r"GELU, $4/N$",
    ("silu", "formula"): r"SiLU, $4/N$",
    ("softplus_1", "formula"): r"softplus, $2.7/N$",
    ("sigmoid", "formula"): r"sigmoid, $12.8/N$",
    ("relu", "formula"): r"ReLU, $2/N$",
    ("tanh", "formula"): r"tanh, $1/N$",
    ("relu", "1.0"): r"ReLU, $1/N$: $2^{-l}$",
}
MARKED = {"3.6": "3.6 as variance", "formula": "formula, 12.8"}
ARM = ["activation", "initialization"]
wide = read_experiment(results(), "weight_initialization_wide")
trained = last_rows(read_experiment(results(), "weight_initialization_training"))
arms = {arm: rows for arm, rows in wide.groupby(ARM)}
curves = [arm for arm in SHOWN if arm in arms]
left_out = absent((f"{name} at {gain}" for name, gain in SHOWN), (f"{name} at {gain}" for name, gain in curves))
sigmoid = trained[trained["activation"] == "sigmoid"]

# %%
style()
figure, (depth, loss) = plt.subplots(1, 2, figsize=(PAGE_WIDTH, 2.7), width_ratios=[1.15, 1])
last = wide["layer"].max()
lines = {}
for arm, colour in zip(curves, (*OKABE_ITO, COLOURS["smooth"]), strict=False):
    rows = arms[arm]
    expected = rows.groupby("layer")["predicted_preactivation_variance"].first()
    prediction(depth, expected.index, expected)
    depth.plot(rows["layer"], rows["preactivation_variance"], "o", color=colour, markersize=2.2, mew=0, alpha=0.7)
    (lines[SHOWN[arm]],) = depth.plot(expected.index, expected, color=colour, linewidth=0)
layers = np.arange(last + 1)
for base in (2.0, 0.5):
    prediction(depth, layers, base**layers, linestyle=":", linewidth=0.6)
    depth.annotate(r"$2^l$" if base > 1 else "", (5, base**5), xytext=(-9, 4), textcoords="offset points", fontsize=7)
depth.set(yscale="log", xlabel="layer $l$", ylabel="variance $q_l$ of pre-activations", xticks=range(0, last + 1, 2))
depth.set_title("random networks, no training")
label_line_ends(depth, lines)

# %%
if sigmoid.empty:
    leave_empty(loss, "no trained sigmoid networks")
else:
    ends = median_intervals(sigmoid, ["gain"], "objective")
    measured(loss, ends.index, ends["median"], ends["low"], ends["high"], method="smooth", fmt="s-", linewidth=0.8)
    loss.set(xscale="log", xlabel="gain $s$", ylabel="loss after training", ylim=(0, 2.6))
    loss.axhline(np.log(10), color=COLOURS["prediction"], linewidth=0.6, linestyle=":")
    loss.annotate("guessing", (0.98, np.log(10)), xycoords=("axes fraction", "data"), xytext=(0, 2), fontsize=7,
                  textcoords="offset points", ha="right")  # fmt: skip
    named = sigmoid.groupby("initialization")["gain"].first()
    for name, text in MARKED.items():
        if name in named:
            loss.axvline(named[name], color=COLOURS["kinked"], linewidth=0.7)
            place = (named[name], 0.04)
            loss.annotate(text, place, xycoords=("data", "axes fraction"), xytext=(-7, 0), textcoords="offset points",
                          rotation=90, fontsize=7, color=COLOURS["kinked"], va="bottom", ha="left")  # fmt: skip
    loss.set_xticks(ends.index, [f"{gain:.3g}" for gain in ends.index])
    loss.set_xticks([], minor=True)
    chi = wide[(wide["activation"] == "sigmoid") & (wide["layer"] == last)].groupby("gain")["predicted_susceptibility"]
    chi = chi.first().reindex(ends.index).dropna()
    upper = loss.secondary_xaxis("top")
    upper.set_xticks(chi.index, [f"{factor:.2g}" for factor in chi])
    upper.set_xticks([], minor=True)
    upper.set_xlabel(r"factor $\chi$ of a layer on squared gradients")

# %%
save(figure, "weight_initialization", left_out)
