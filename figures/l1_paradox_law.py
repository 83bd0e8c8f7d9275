# %% [markdown]
# # A number says before the run where the law holds
#
# Constant-step subgradient descent on random designs and, in black, on real ones. Left: how far the measured L1 norm is
# from that of the problem whose kinks are rounded off over one step, against the phase discrepancy: the share of the
# norm that depends on whether phases lock, computed before the run. Lines: the margin of 3 %, and the same on the other
# axis. Right: weights that are wrongly told to be zero, or not, by the law's strip and by thresholds.

# %%
from itertools import cycle

import matplotlib.pyplot as plt

from ndgm.claims.rows.designs import HOLDS
from ndgm.paper.colours import COLOURS, INK, MARKERS, OKABE_ITO
from ndgm.paper.drawing import PAGE_WIDTH, label_line_ends, prediction, results, save, style
from ndgm.store.run_tables import read_experiment

SHOWN = 1e-5
STRUCTURED = ("orthogonal", "duplicated")
RULES = {
    "wrong_by_strip": r"$|\mathbb{E}w_i| \leq \eta\lambda$",
    "wrong_below_1e-2": r"$|w_i| < 10^{-2}$",
    "wrong_below_1e-3": r"$10^{-3}$",
    "wrong_below_1e-4": r"$10^{-4}$",
}
runs = read_experiment(results(), "l1_paradox_designs")
runs = runs[runs["stationary"]]
error = (runs["mean_l1_norm"] / runs["law_second_order_l1_norm"] - 1).abs().clip(lower=SHOWN)
number = runs["phase_discrepancy"].clip(lower=SHOWN)

# %%
style()
figure, (left, right) = plt.subplots(1, 2, figsize=(PAGE_WIDTH, 2.6), width_ratios=[1.15, 1])
structured, single = runs["design"].isin(STRUCTURED), runs["single_case"]
for here, method in ((~structured & ~single, "subgradient"), (structured, "smooth")):
    left.plot(number[here], error[here], MARKERS[method], color=COLOURS[method], markersize=1.6, alpha=0.5, mew=0)
highest = 1.5 * max(error.max(), number.max(), HOLDS)
prediction(left, [SHOWN, highest], [HOLDS, HOLDS])
prediction(left, [HOLDS, HOLDS], [SHOWN, highest])
left.set(xscale="log", yscale="log", xlim=(SHOWN / 1.5, highest), ylim=(SHOWN / 1.5, highest))
left.set(xlabel="phase discrepancy, before the run", ylabel="relative error of the law", title="where the law holds")
for marker, (case, rows) in zip(cycle("sD^v"), runs[single].groupby("design", sort=False), strict=False):
    look = {"markersize": 3, "color": INK, "label": case.replace("_", "\n")}
    left.plot(number[rows.index], error[rows.index], marker, mfc="white", mew=0.8, **look)
left.legend(loc="lower right", fontsize=7, handletextpad=0.2, borderpad=0.1)
told = {"xycoords": "axes fraction", "fontsize": 7, "va": "top"}
left.annotate("predicted to hold", (0.04, 0.97), **told)
left.annotate("orthogonal or duplicate columns", (0.04, 0.88), color=COLOURS["smooth"], **told)

# %%
drawn = runs[~single]
wrong = drawn[list(RULES)].div(drawn["dimension"], axis=0)
shares = wrong.groupby(drawn["step_size_times_lipschitz"]).mean()
right.set(xscale="log", yscale="log", xlabel=r"step size $\eta L$", ylabel="share of weights told wrongly")
right.set_title("zeros of the exact solution")
lines = {}
for (rule, label), colour in zip(RULES.items(), (COLOURS["subgradient"], *OKABE_ITO[1:]), strict=False):
    (lines[label],) = right.plot(shares.index, shares[rule], "o-", color=colour, markersize=3)
label_line_ends(right, lines)

# %%
save(figure, "l1_paradox_law")
