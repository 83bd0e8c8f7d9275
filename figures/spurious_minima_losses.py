# %% [markdown]
# # One neuron more opens every spurious minimum, and descent may still end in a new one
#
# Students of a ReLU teacher with $k$ orthogonal neurons, on Gaussian inputs. Left: losses of the symmetric minima of
# students with $k$ neurons, with what they tend to (thin lines). Right: where descent ends with one and with two
# neurons added to them, beside the families that it started from and those that it ended in.

# %%
import matplotlib.pyplot as plt
import numpy as np

from ndgm.paper.colours import OKABE_ITO
from ndgm.paper.drawing import PAGE_WIDTH, label_line_ends, prediction, results, save, style
from ndgm.store.run_tables import last_rows, read_experiment
from ndgm.theory.spurious_minima import LIMITS

minima = read_experiment(results(), "spurious_minima").drop_duplicates(["family", "teacher_neurons"])
large = read_experiment(results(), "spurious_minima_large")
after = {added: last_rows(read_experiment(results(), f"spurious_minima_{added}")) for added in ("one", "two")}
LOOKS = {"A": (OKABE_ITO[1], "D"), "I": (OKABE_ITO[5], "s"), "II": (OKABE_ITO[3], "o")}
ADDED = {"one": (OKABE_ITO[0], "^", -0.12), "two": (OKABE_ITO[2], "v", 0.12)}

# %%
style()
figure, (left, right) = plt.subplots(1, 2, figsize=(PAGE_WIDTH, 2.6))
lines = {}
for family, (colour, marker) in LOOKS.items():
    small, far = (
        table[table["family"] == family].set_index("teacher_neurons")["loss"].sort_index() for table in (minima, large)
    )
    left.plot([*small.index, *far.index], [*small, *far], marker, color=colour, markersize=3)
    (lines[f"type {family}"],) = right.plot(small.index, small, f"{marker}-", color=colour, markersize=3, linewidth=0.6)
k = np.geomspace(minima["teacher_neurons"].min(), large["teacher_neurons"].max(), 50)
prediction(left, k, np.full(len(k), LIMITS["A"]))
prediction(left, k, LIMITS["II"] / k)
left.set(
    xscale="log", yscale="log", xlabel="neurons $k$ of the teacher", ylabel="loss", title="minima with $k$ neurons"
)
left.annotate("types A and I", (0.55, 0.84), xycoords="axes fraction", ha="right", color=LOOKS["A"][0])
left.annotate("type II", (0.42, 0.36), xycoords="axes fraction", ha="right", color=LOOKS["II"][0])
left.annotate(r"$\frac{1}{2} - \frac{1}{\pi}$", (0.97, 0.93), xycoords="axes fraction", ha="right", va="top")
left.annotate(r"$(\frac{1}{2} - \frac{2}{\pi^2})/k$", (0.7, 0.4), xycoords="axes fraction")

for family in ("I_split", "II_split"):
    found = minima[minima["family"] == family].set_index("teacher_neurons")["loss"].sort_index()
    right.plot(found.index, found, "-", color=ADDED["one"][0], linewidth=0.6)
for added, (colour, marker, aside) in ADDED.items():
    ends = after[added]
    right.plot(ends["teacher_neurons"] + aside, ends["objective"], marker, color=colour, markersize=4)
right.annotate("one neuron added", (0.05, 0.47), xycoords="axes fraction", color=ADDED["one"][0])
right.annotate("two neurons added", (0.05, 0.38), xycoords="axes fraction", color=ADDED["two"][0])
right.set(xlabel="neurons $k$ of the teacher", ylabel="loss", title="descent with more neurons")
right.locator_params("x", integer=True)
label_line_ends(right, lines)

# %%
save(figure, "spurious_minima_losses")
