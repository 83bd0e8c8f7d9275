# %% [markdown]
# # The detector sees a change, not an attack, and misses who knows it
#
# Share of successful attacks above the threshold (filled), and of clean pictures with random signs of the same length
# (open), with intervals over networks. The line is the share of clean pictures above it; the threshold is their 95 %
# quantile among those that networks were trained on.

# %%
import matplotlib.pyplot as plt
import numpy as np

from ndgm.decide.intervals import median_intervals
from ndgm.paper.colours import COLOURS, INK, OKABE_ITO, PAPER
from ndgm.paper.drawing import PAGE_WIDTH, absent, results, save, style
from ndgm.store.run_tables import read_experiment

SHOWN = {
    "fgsm": "one gradient step",
    "pgd": "projected gradient",
    "pgd_l2": "the same, L2",
    "deepfool": "DeepFool",
    "carlini_wagner": "Carlini–Wagner",
    "subspace": "in the leading half",
}
PICTURES = {"digits": "digits, 8 × 8", "mnist": "MNIST, 28 × 28", "cifar10": "CIFAR-10, 32 × 32"}
attacks = read_experiment(results(), "adversarial_spectrum_attacks")
clean = read_experiment(results(), "adversarial_spectrum_clean")
limits = clean[clean["half"] == "train"].groupby("design")["smallest"].quantile(0.95)
stored = attacks[(attacks["bits"] == "8 bits") & attacks["succeeded"]]
designs = [name for name in PICTURES if name in set(attacks["design"])]
left_out = []

# %%
style()
figure, panels = plt.subplots(1, len(designs), figsize=(PAGE_WIDTH, 2.3), sharey=True, squeeze=False)
for axes, design in zip(panels[0], designs, strict=True):
    rows = stored[stored["design"] == design]
    left_out += absent(SHOWN, rows["attack"], PICTURES[design])
    for score, shift, fill in (("smallest", 0.12, True), ("noisy_smallest", -0.12, False)):
        shares = rows.assign(detected=rows[score] > limits[design]).groupby(["attack", "seed"])["detected"].mean()
        found = median_intervals(shares.reset_index(), ["attack"], "detected")
        for place, name in enumerate(reversed(SHOWN)):
            if name in found.index:
                median, low, high = found.loc[name, ["median", "low", "high"]]
                colour = OKABE_ITO[0] if fill and name != "subspace" else OKABE_ITO[1] if fill else COLOURS["smooth"]
                spread = np.maximum([[median - max(low, 0)], [min(high, 1) - median]], 0)
                look = {
                    "color": colour,
                    "markerfacecolor": colour if fill else PAPER,
                    "elinewidth": 0.8,
                    "markersize": 4,
                }
                axes.errorbar(median, place + shift, xerr=spread, fmt="o" if fill else "s", **look)
    test = clean[(clean["design"] == design) & (clean["half"] == "test")]
    axes.axvline((test["smallest"] > limits[design]).mean(), color=INK, linewidth=0.8, zorder=1)
    axes.set(xlim=(-0.03, 1.03), ylim=(-0.5, len(SHOWN) - 0.5), xlabel="share detected")
    axes.set_yticks(range(len(SHOWN)), list(reversed(SHOWN.values())))
    axes.set_title(PICTURES[design])
panels[0, 0].annotate("clean pictures", (0.06, 0.5), xycoords=("data", "data"), fontsize=7, color=INK, va="center")
panels[0, 0].annotate("attack", (0.62, 1.2), fontsize=7, color=OKABE_ITO[0], va="center", ha="center")
panels[0, 0].annotate(
    "random signs as long", (0.62, 0.75), fontsize=7, color=COLOURS["smooth"], va="center", ha="center"
)

# %%
save(figure, "adversarial_spectrum_detected", left_out)
