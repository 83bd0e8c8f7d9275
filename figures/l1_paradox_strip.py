# %% [markdown]
# # Reading zeros off a subgradient run
#
# Networks on handwritten digits under an L1 penalty, trained by subgradients and by a proximal method from the same
# start and batches. A rule removes weights of the subgradient network, without more training. Left: how many, over the
# zeros of the proximal network. Right: how many of the weights that either sets to zero both do. The law's rule takes
# weights whose mean is within one step $\eta\lambda$ of zero; what a threshold removes depends on the step.

# %%
import matplotlib.pyplot as plt

from ndgm.decide.intervals import median_interval
from ndgm.paper.colours import COLOURS
from ndgm.paper.drawing import PAGE_WIDTH, prediction, results, save, style
from ndgm.store.run_tables import read_experiment

RULES = {
    "strip": r"the law, $|\mathbb{E}w_i| \leq \eta\lambda$",
    "magnitude": r"as many, smallest $|w_i|$",
    "below_1e-2": r"$|w_i| < 10^{-2}$",
    "below_1e-3": r"$|w_i| < 10^{-3}$",
    "below_1e-4": r"$|w_i| < 10^{-4}$",
}
BATCHES = {"full_batch": ("full batches", "o", COLOURS["subgradient"]), "minibatch": ("mini-batches", "s", "#994433")}
CELL = ["design", "penalty", "seed"]
table = read_experiment(results(), "l1_paradox_strip")
table = table[table["data"].isin(table.loc[table["rule"] == "zeros", "data"].head(1))]  # one that has proximal networks
zeros = table[table["rule"] == "zeros"].set_index(CELL)["sparsity"]
table = table[table["rule"].isin(RULES)].set_index(CELL)
table["share"] = table["sparsity"] / zeros.reindex(table.index)
penalties = sorted(table.index.unique("penalty"))

# %%
style()
figure, panels = plt.subplots(1, 2, figsize=(PAGE_WIDTH, 1.9), sharey=True)
for axes, value in zip(panels, ("share", "overlap"), strict=True):
    prediction(axes, [1, 1], [-0.5, len(RULES) - 0.5])
    for row, rule in enumerate(RULES):
        for place, (design, (_, marker, colour)) in enumerate(BATCHES.items()):
            for number, penalty in enumerate(penalties):
                values = table[table["rule"] == rule].loc[(design, penalty), value]
                low, high = median_interval(values)
                middle = values.median()
                look = {"color": colour, "markersize": 3.5, "elinewidth": 0.8, "fmt": marker}
                look["markerfacecolor"] = colour if number or len(penalties) == 1 else "none"
                spread = [[max(middle - low, 0)], [max(high - middle, 0)]]
                axes.errorbar(middle, row + 0.3 * (place - 0.5) + 0.1 * (number - 0.5), xerr=spread, **look)
    axes.set(xlim=(0, None), ylim=(len(RULES) - 0.5, -0.5))
    axes.tick_params(axis="y", length=0)
panels[0].set_yticks(range(len(RULES)), list(RULES.values()))
panels[0].set_xlabel("weights removed, over the proximal network's zeros")
panels[1].set_xlabel("shared with its zeros, of all that either removes")
panels[0].set_xticks([0, 0.5, 1, 1.5])
for place, (name, _, colour) in enumerate(BATCHES.values()):
    panels[0].annotate(name, (1.08, 3.85 + 0.36 * place), color=colour, fontsize=7, va="center")

# %%
save(figure, "l1_paradox_strip")
