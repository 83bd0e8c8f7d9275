"""Run tables of the experiments on the convergence of networks, made up to obey the laws of their claims."""

import numpy as np
import pandas as pd
from claims_on_made_up_tables import near_one

from ndgm.experiments.grids import grid

NETS, FLOORS, KINK_VALUE = "convergence_networks", "convergence_floors", "convergence_kink_value"

HELD = 40
PARTS = [0.25, 0.5, 1.0]
SEEDS = 14  # over 32 cells, corrected for three claims, a refutation needs twelve
KINKED = ["relu", "leaky_relu", "hardtanh"]
SMOOTH = ["gelu", "silu", "elu", "tanh"]
SOFTPLUS = ["softplus_1", "softplus_3", "softplus_10", "softplus_100"]
TARGET = {"interpolated": 0.05, "noisy": 0.3, "absolute": 0.6}


def on_both_designs(experiment, recorded, **factors):
    """A row for each run and recorded step; runs are numbered within a design, as in a file of its own."""
    runs = [grid(**factors).assign(design=design, experiment=experiment) for design in ("digits", "teacher")]
    table = pd.concat(runs).merge(pd.DataFrame({"step": recorded}), how="cross")
    return table.assign(stopped_because="finished", target=table["problem"].map(TARGET))


def of_run(table, rng, draw):
    """A random number for each run, on all of its rows: `draw` takes a generator and how many."""
    number = table.groupby(["design", "run"], sort=False).ngroup()
    return pd.Series(draw(rng, number.max() + 1)[number], table.index)


def networks_table(rng):
    """Kinked activations reach the target at step 20 or 40, smooth ones at 5 or 10; then the loss rises again."""
    table = on_both_designs(
        NETS,
        [0, 2, 5, 10, 20, HELD, 100],
        problem=list(TARGET),
        activation=KINKED + SMOOTH + SOFTPLUS[:1],
        batch_size=["full", "32"],
        seed=range(SEEDS),
    )
    late = of_run(table, rng, lambda rng, count: rng.integers(1, 3, count))
    reached = late * table["activation"].isin(KINKED).map({True: 20, False: 5})
    loss = np.select([table["step"] == reached, table["step"] > reached], [0.9, 1.5], 2.0)
    return table.assign(objective=loss * table["target"], at_edge=False, all_reach=True, part_of_best_step=1.0)


def floors_table(rng):
    """With the absolute loss a level ∝ η above what a path leaves after the same ηk; otherwise the path alone."""
    factors = {"problem": ["interpolated", "absolute"], "activation": ["relu", "gelu"], "batch_size": ["full"]}
    parts = [
        on_both_designs(
            FLOORS, [0, steps // 4, *range(steps // 2, steps + 1, steps // 8)], **factors, seed=range(SEEDS)
        ).assign(part_of_best_step=part, run=lambda rows, place=place: rows["run"] + 1_000 * place)
        for place, part in enumerate(PARTS)
        for steps in [round(HELD / part)]
    ]
    table = pd.concat(parts, ignore_index=True)
    path = rng.uniform(0.1, 0.3, SEEDS)[table["seed"]] * (2 - table["step"] * table["part_of_best_step"] / HELD)
    height = 0.2 * table["part_of_best_step"] * near_one(rng, table, 0.02) * (table["problem"] == "absolute")
    later = table["step"] > HELD / table["part_of_best_step"] / 2
    return table.assign(objective=path + np.where(later, height, 5.0), at_edge=True)


def kink_value_table(rng):
    """Losses of ReLU that its derivative at zero leaves alone; that of softplus is off by a multiple of 1/β.

    No run starts on a kink.
    """
    factors = {"problem": list(TARGET), "batch_size": ["full"], "seed": range(SEEDS)}
    relu = {"activation": ["relu"], "at_kink": ["0.0", "0.5", "1.0"], "dtype": ["float32", "float64"]}
    relu["bias_scale"] = [0.0, 0.01]
    softplus = {"activation": SOFTPLUS, "at_kink": ["as autograd"], "dtype": ["float64"], "bias_scale": [0.0]}
    table = pd.concat(
        [on_both_designs(KINK_VALUE, [0, HELD], **relu, **factors)]
        + [on_both_designs(KINK_VALUE, [0, HELD], **softplus, **factors).assign(run=lambda rows: rows["run"] + 1_000)],
        ignore_index=True,
    )
    by_seed = rng.uniform(0.1, 1, SEEDS)[table["seed"]] + (table["dtype"] == "float32") * 1e-8
    sign = of_run(table, rng, lambda rng, count: rng.choice([-1, 1], count))
    away = sign * near_one(rng, table, 0.3) / table["activation"].str.partition("_")[2].replace("", "inf").astype(float)
    return table.assign(objective=by_seed + away, near_kink=np.where(table["step"] > 0, 0.1, 0.0))


def lawful():
    """Run tables that obey every law, but for a little noise, by experiment."""
    rng = np.random.default_rng(0)
    return {NETS: networks_table(rng), FLOORS: floors_table(rng), KINK_VALUE: kink_value_table(rng)}
