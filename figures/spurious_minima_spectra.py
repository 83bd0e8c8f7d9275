# %% [markdown]
# # Spectra at a spurious minimum are those of the global one, until a split neuron lays bare its kink
#
# Eigenvalues of the Hessian against the number $k$ of teacher neurons; dots grow with how often an eigenvalue
# comes. Left: the global minimum. Right: the minimum of type II. After its odd neuron is split in halves,
# $k - 1$ negative eigenvalues are added (colour): twice those of the curvature at the kink.

# %%
import matplotlib.pyplot as plt
import numpy as np

from ndgm.paper.colours import COLOURS
from ndgm.paper.drawing import PAGE_WIDTH, absent, prediction, results, save, style
from ndgm.store.run_tables import read_experiment
from ndgm.theory.spurious_minima import BULK

minima = read_experiment(results(), "spurious_minima")
splits = read_experiment(results(), "spurious_minima_splits")
shown = minima.loc[minima["family"] == "II", "teacher_neurons"]
SHOWN = {"global": "global minimum", "II": "type II"}
TICKS = [-0.2, -0.1, 0, 0.1, 0.2, 0.5, 1, 2, 4]
HALF = 0.5
SMALLEST, AREA = 2.5, 0.6
"""Area of a dot, and by how much it grows with each time that an eigenvalue comes."""

# %%
style()
figure, panels = plt.subplots(1, 2, figsize=(PAGE_WIDTH, 2.9), sharey=True)
for axes, (family, title) in zip(panels, SHOWN.items(), strict=True):
    rows = minima[(minima["family"] == family) & minima["teacher_neurons"].isin(shown)]
    k = np.array([rows["teacher_neurons"].min(), rows["teacher_neurons"].max()])
    for eigenvalue in BULK:
        prediction(axes, k, np.full(2, eigenvalue))
    area = SMALLEST + AREA * rows["multiplicity"]
    axes.scatter(rows["teacher_neurons"], rows["eigenvalue"], area, color=COLOURS["smooth"], linewidth=0, zorder=3)
    axes.axhline(0, linewidth=0.4, color=COLOURS["prediction"])
    axes.set_yscale("symlog", linthresh=0.1)
    axes.set_yticks(TICKS, [f"{tick:g}".replace("-", "−") for tick in TICKS])
    axes.set_yticks([], minor=True)
    axes.set(xlabel="neurons $k$ of the teacher", title=title)
    axes.locator_params("x", integer=True)
panels[0].set(ylabel="eigenvalue of the Hessian", ylim=(-0.3, 6))

halves = splits[(splits["family"] == "II") & (splits["split_neuron"] == "odd") & (splits["share"] == HALF)]
downhill = halves[halves["split_curvature"] < -1e-9]
area = SMALLEST + AREA * downhill["multiplicity"]
panels[1].scatter(
    downhill["teacher_neurons"], downhill["split_curvature"], area, color=COLOURS["kinked"], linewidth=0, zorder=3
)
if len(halves):
    said = "$k - 1$ more, its odd neuron split"
    panels[1].annotate(said, (0.3, 0.285), xycoords="axes fraction", color=COLOURS["kinked"])
panels[0].annotate(r"$\frac{1}{4} \pm \frac{1}{2\pi}$", (0.02, 0.62), xycoords="axes fraction")

# %%
save(figure, "spurious_minima_spectra", absent([f"{HALF:g}"], map("{:g}".format, splits["share"]), of="shares"))
