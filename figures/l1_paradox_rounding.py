# %% [markdown]
# # Fused multiply-add decides whether RMSProp makes exact zeros
#
# RMSProp on $\lambda|w|$. A processor either adds a product before it is rounded (fused) or after (unfused); both are
# emulated. With $\mathrm{sign}(0) = 0$ and no noise, unfused products end most runs at exactly zero, where they rest.
# Fused products leave a residual, and half a step is kept. Either cure makes the two agree.

# %%
import matplotlib.pyplot as plt

from ndgm.decide.intervals import median_interval
from ndgm.paper.colours import COLOURS
from ndgm.paper.drawing import COLUMN_WIDTH, prediction, results, save, style
from ndgm.store.run_tables import read_experiment

table = read_experiment(results(), "l1_paradox_rounding")
noise = table["noise"].max()
CASES = {
    (0.0, 0.0): r"$\mathrm{sign}(0) = 0$",
    (1.0, 0.0): r"$\mathrm{sign}(0) = 1$",
    (0.0, noise): rf"noise of ${noise:g}\lambda$",
}
LOOKS = {"fused": ("o", COLOURS["rmsprop_0.999"], -0.2), "unfused": ("v", COLOURS["rmsprop"], 0.2)}

# %%
style()
figure, axes = plt.subplots(figsize=(COLUMN_WIDTH, 1.4))
prediction(axes, [0.5, 0.5], [-0.5, len(CASES) - 0.5])
for row, (sign, level) in enumerate(CASES):
    for arithmetic, (marker, colour, rise) in LOOKS.items():
        cell = table[(table["sign_of_zero"] == sign) & (table["noise"] == level) & (table["arithmetic"] == arithmetic)]
        low, high = median_interval(cell["modulus_in_steps"])
        middle = cell["modulus_in_steps"].median()
        spread = [[max(middle - low, 0)], [max(high - middle, 0)]]
        axes.errorbar(middle, row + rise, xerr=spread, fmt=marker, color=colour, markersize=4.5, elinewidth=0.8)
        if row == 0:
            zeros = f"{arithmetic}: {cell['share_at_zero'].mean():.0%} of starts at exactly zero"
            right = middle > 0.3
            place = {"xytext": (-6 if right else 6, 0), "textcoords": "offset points", "fontsize": 7, "va": "center"}
            axes.annotate(zeros, (middle, row + rise), ha="right" if right else "left", color=colour, **place)
axes.set_yticks(range(len(CASES)), list(CASES.values()))
axes.tick_params(axis="y", length=0)
axes.set(xlim=(0, 0.55), ylim=(len(CASES) - 0.5, -0.5), xlabel=r"mean $|w|$ in steps $\eta$")

# %%
save(figure, "l1_paradox_rounding")
