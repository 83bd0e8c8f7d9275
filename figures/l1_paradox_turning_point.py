# %% [markdown]
# # Where the norm turns
#
# The penalty at which the norm that constant-step subgradient descent keeps turns from falling to rising, for four
# designs and three steps. The larger the step, the earlier it turns. Ticks mark where the closed form is smallest.

# %%
import matplotlib.pyplot as plt

from ndgm.colours import COLOURS, INK
from ndgm.drawing import COLUMN_WIDTH, results, save
from ndgm.statistics import mean_interval
from ndgm.tables import last_rows, read_experiment

SETTING = ["design", "step_size_times_lipschitz"]
exact = read_experiment(results(), "l1_paradox_exact")
runs = last_rows(read_experiment(results(), "l1_paradox_turning_point"))
smallest = runs.loc[runs.groupby([*SETTING, "seed"])["mean_l1_norm"].idxmin()]
turns = mean_interval(smallest, SETTING, "penalty_over_max")
turns["predicted"] = exact.groupby(SETTING)["predicted_turning_point_over_max"].first()

# %%
designs = turns.index.unique("design")
figure, axes = plt.subplots(figsize=(COLUMN_WIDTH, 2.4))
ticks = []
for row, design in enumerate(reversed(designs)):
    here = turns.loc[design]
    heights = [row + 0.24 * (place - (len(here) - 1) / 2) for place in range(len(here))]
    axes.vlines(here["predicted"], [h - 0.1 for h in heights], [h + 0.1 for h in heights], color=INK, linewidth=1)
    spread = (here["mean"] - here["low"], here["high"] - here["mean"])
    axes.errorbar(
        here["mean"], heights, xerr=spread, fmt="o", color=COLOURS["subgradient"], markersize=3.5, elinewidth=0.8
    )
    for height, step_size in zip(heights, here.index, strict=True):
        ticks.append((height, f"{step_size:g}"))
    axes.text(1.02, row, design.replace("_", "\n"), transform=axes.get_yaxis_transform(), va="center")
axes.set_yticks(*zip(*ticks, strict=True), fontsize=6)
axes.set(xlabel=r"turning point $\lambda/\lambda_{\max}$", ylabel=r"step $\eta L$")

# %%
save(figure, "l1_paradox_turning_point")
