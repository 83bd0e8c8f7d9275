# %% [markdown]
# # Networks rise to the edge of stability, kinked or not
#
# The largest eigenvalue of the Hessian along gradient descent with full batches, in units of $2/\eta$, for every data
# set and six activations, two losses and one step size or two. Faint: single runs. Thick: their median. The line at
# one is the edge, the band the margin within which a mean counts as at the edge.

# %%
from itertools import product

import matplotlib.pyplot as plt

from ndgm.claims.edge_of_stability_networks import MARGIN
from ndgm.paper.colours import COLOURS
from ndgm.paper.drawing import PAGE_WIDTH, prediction, results, save, style
from ndgm.pipeline.registries import has_kinks
from ndgm.store.run_tables import read_experiment

NAMES = {"relu": "ReLU", "leaky_relu": "leaky ReLU", "elu": "ELU", "softplus_1": "softplus"}
LOSSES = {"squared": "squared loss", "cross_entropy": "cross entropy"}
DATA = {"mnist": "MNIST", "cifar10": "CIFAR-10"}
HIGHEST = 1.8
runs = read_experiment(results(), "edge_of_stability_networks")
runs["over_edge"] = runs["sharpness"] * runs["step_size"] / 2
activations, designs = list(runs["activation"].unique()), list(runs["design"].unique())

# %%
rows = list(product(designs, LOSSES))
size = (PAGE_WIDTH, 1.08 * len(rows))
style()
figure, panels = plt.subplots(len(rows), len(activations), figsize=size, sharex="row", sharey=True, squeeze=False)
for row, (design, problem) in zip(panels, rows, strict=True):
    here = runs[(runs["design"] == design) & (runs["problem"] == problem)]
    step_sizes = sorted({here["step_size"].min(), here["step_size"].max()})
    for axes, activation in zip(row, activations, strict=True):
        axes.axhspan(1 - MARGIN, 1 + MARGIN, color=COLOURS["prediction"], alpha=0.12, linewidth=0)
        prediction(axes, [0, here["step"].max()], [1, 1])
        for step_size, line in zip(step_sizes, ["-", "--"], strict=False):
            part = here[(here["activation"] == activation) & (here["step_size"] == step_size)]
            curves = part.pivot(index="step", columns="seed", values="over_edge")
            colour = COLOURS["kinked" if has_kinks(activation) else "smooth"]
            axes.plot(curves.index, curves, color=colour, linewidth=0.4, alpha=0.15)
            label = rf"$\eta={step_size:g}$"
            axes.plot(curves.index, curves.median(axis=1), line, color=colour, linewidth=1.4, label=label)
        axes.set(ylim=(0, HIGHEST))
    roomy = row[min(2, len(activations) - 1)]  # no curve runs through its lower part
    roomy.legend(loc="lower right", handlelength=2.2, borderaxespad=0.1)
    row[0].set_ylabel(LOSSES[problem] if len(designs) == 1 else f"{DATA.get(design, design)}\n{LOSSES[problem]}")
for axes, activation in zip(panels[0], activations, strict=True):
    axes.set_title(NAMES.get(activation, activation.replace("_", " ")))
for axes in panels[-1]:
    axes.set_xlabel("step")
figure.supylabel("sharpness in units of $2/\\eta$", fontsize=plt.rcParams["axes.labelsize"])

# %%
save(figure, "edge_of_stability_networks")
