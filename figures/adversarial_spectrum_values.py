# %% [markdown]
# # Attacks fill the small singular values, and so does harmless noise
#
# Singular values of pictures over the largest, medians over pictures in 8 bits: clean ones with their quartiles
# (shaded), successful attacks, and clean ones with random signs as long as the changes of projected gradient descent.

# %%
import matplotlib.pyplot as plt

from ndgm.paper.colours import COLOURS, INK, OKABE_ITO
from ndgm.paper.drawing import PAGE_WIDTH, absent, label_line_ends, results, save, style
from ndgm.store.run_tables import read_experiment

SHOWN = {
    "clean": ("clean", INK, "-"),
    "pgd": ("projected gradient", OKABE_ITO[0], "-"),
    "signs of pgd": ("random signs", COLOURS["smooth"], (0, (3, 2))),
    "deepfool": ("DeepFool", OKABE_ITO[2], "-"),
    "subspace": ("in the leading half", OKABE_ITO[1], (0, (1, 1))),
}
PICTURES = {"digits": "digits, 8 × 8", "mnist": "MNIST, 28 × 28", "cifar10": "CIFAR-10, 32 × 32"}
LOWEST = 3e-5
curves = read_experiment(results(), "adversarial_spectrum_curves")
designs = [name for name in PICTURES if name in set(curves["design"])]
left_out = []

# %%
style()
figure, panels = plt.subplots(1, len(designs), figsize=(PAGE_WIDTH, 2.5), sharey=True, squeeze=False)
for axes, design in zip(panels[0], designs, strict=True):
    arms = dict(iter(curves[curves["design"] == design].groupby("attack")))
    left_out += absent(SHOWN, arms, PICTURES[design])
    lines, fallen = {}, 0
    for name, (label, colour, dashes) in SHOWN.items():
        if name not in arms:
            continue
        rows = arms[name]
        heights = rows["value"].clip(lower=LOWEST / 10)
        (line,) = axes.plot(rows["place"], heights, color=colour, linestyle=dashes, linewidth=1.1)
        if name == "clean":
            axes.fill_between(rows["place"], rows["value_low"], rows["value_high"], color=colour, alpha=0.12, lw=0)
        if rows["value"].iloc[-1] > LOWEST:
            lines[label] = line
        else:
            place = rows.loc[rows["value"] > LOWEST, "place"].max() + 1
            axes.annotate(label, (place, LOWEST), xytext=(5, 5 + 9 * fallen), textcoords="offset points", fontsize=7,
                          color=colour)  # fmt: skip
            fallen += 1
    places = int(curves.loc[curves["design"] == design, "place"].max())
    axes.axvline(places / 2 + 0.5, color=INK, linewidth=0.5, linestyle=":")
    axes.set(yscale="log", ylim=(LOWEST, 1.5), xlim=(0.5, places + 0.5), xlabel="place $i$")
    axes.set_title(PICTURES[design])
    label_line_ends(axes, lines)
panels[0, 0].set_ylabel("singular value $s_i/s_1$")

# %%
save(figure, "adversarial_spectrum_values", left_out)
