# %% [markdown]
# # The author's own experiment, with both readings of his number
#
# Nine sigmoid convolutions on CIFAR-10, trained as the author's script trains them, from three variances of first
# weights: top-five accuracy and loss on the pictures that they learn, by epoch. Lines: median over seeds; bands: its
# interval.

# %%
import matplotlib.pyplot as plt
import numpy as np

from ndgm.decide.intervals import median_intervals
from ndgm.paper.colours import OKABE_ITO
from ndgm.paper.drawing import PAGE_WIDTH, absent, label_line_ends, leave_empty, prediction, results, save, style
from ndgm.store.run_tables import read_experiment

SHOWN = {"formula": r"formula, $12.8/N$", "3.6": r"script, $3.6/N$", "glorot": r"Xavier, $2/(N + M)$"}
CLASSES = 10
runs = read_experiment(results(), "weight_initialization_convolutions")
runs = runs.assign(epoch=runs["step"].rank(method="dense") - 1)  # one row a run and epoch, from the start on
runs = runs[np.isfinite(runs[["objective", "top_five_accuracy"]]).all(axis=1)]
curves = {name: text for name, text in SHOWN.items() if name in set(runs["initialization"])}
left_out = absent(SHOWN.values(), curves.values())

# %%
style()
figure, panels = plt.subplots(1, 2, figsize=(PAGE_WIDTH, 2.4))
SIDES = {"top_five_accuracy": ("top-five accuracy", 5 / CLASSES), "objective": ("loss", np.log(CLASSES))}
for axes, (value, (text, guessed)) in zip(panels, SIDES.items(), strict=True):
    if not curves:
        leave_empty(axes, "no run with a finite loss", text)
        continue
    lines = {}
    for name, colour in zip(SHOWN, OKABE_ITO, strict=False):
        if name in curves:
            course = median_intervals(runs[runs["initialization"] == name], ["epoch"], value)
            axes.fill_between(course.index, course["low"], course["high"], color=colour, alpha=0.25, linewidth=0)
            (lines[curves[name]],) = axes.plot(
                course.index, course["median"], "o-", color=colour, markersize=2.5, mew=0
            )
    whole = [0, runs["epoch"].max()]
    lines["guessing"] = prediction(axes, whole, [guessed, guessed], linestyle=":", linewidth=0.6)
    axes.set(xlabel="epoch", ylabel=f"{text} on training pictures")
    label_line_ends(axes, lines)

# %%
save(figure, "weight_initialization_convolutions", left_out)
