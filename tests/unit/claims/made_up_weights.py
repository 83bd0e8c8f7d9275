"""Tables of networks weight by weight, of pruning by means and of rounding, made up to obey their claims."""

import numpy as np
from claims_on_made_up_tables import near_one

from ndgm.experiments.grids import grid

WEIGHTS, STRIP, ROUNDING = "l1_paradox_weights", "l1_paradox_strip", "l1_paradox_rounding"
SEEDS = 20


def weights_table(rng):
    """Two penalties that leave networks accurate and one that does not; all but locked weights are on the kink."""
    table = grid(
        data=["digits", "mnist"],
        design=["full_batch", "minibatch"],
        method=["subgradient"],
        penalty=[0.001, 0.002, 0.1],
        seed=range(SEEDS),
        layer=[1, 2],
        state=["turning", "near_half", "locked", "moving"],
        over_width=[-1.5, -0.5, 0.5, 1.5],
    )
    table["run"] = table.groupby(["data", "design", "penalty", "seed"], sort=False).ngroup()
    table = table.assign(experiment=WEIGHTS, step_size=0.2, bin=(table["over_width"] * 10 + 10).astype(int))
    table["count"] = 1000
    on = table["state"].map({"locked": 0.2, "moving": 0.5}).fillna(0.99)
    table["on_kink"] = (1000 * on * near_one(rng, table, 0.002)).round().clip(upper=1000).astype(int)
    table["law_modulus"] = 1000 * table["step_size"] * table["penalty"]
    table["modulus"] = table["law_modulus"] * near_one(rng, table, 0.002)
    table["balance_modulus"] = table["modulus"]
    table["noise_over_penalty"] = 0.1
    table["crossing"] = np.where(table["over_width"].abs() < 1, 900, 0)
    for law, measured in (("noisy_modulus", "crossing_modulus"), ("noisy_mean", "crossing_mean")):
        table[law] = table["crossing"] * table["step_size"] * table["penalty"]
        table[measured] = table[law] * near_one(rng, table, 0.002)
    return table.assign(test_accuracy=np.where(table["penalty"] < 0.01, 0.95, 0.2))


def strip_table(rng):
    """The strip has the proximal network's zeros and costs no accuracy; thresholds have fewer of them in common.

    One data set has no proximal networks.
    """
    rules = ["none", "strip", "magnitude", "below_1e-2", "below_1e-3", "below_1e-4", "zeros"]
    table = grid(
        data=["digits", "mnist"],
        design=["full_batch", "minibatch"],
        penalty=[0.001, 0.002, 0.1],
        seed=range(SEEDS),
        rule=rules,
    ).assign(experiment=STRIP, step_size=0.2)
    table["method"] = np.where(table["rule"] == "zeros", "ista", "subgradient")
    table["sparsity"] = np.where(table["rule"] == "none", 0, 0.8) * near_one(rng, table, 0.002)
    table["accuracy"] = np.where(table["penalty"] < 0.01, 0.95, 0.2) * near_one(rng, table, 0.002)
    overlap = table["rule"].map({"none": 0.0, "strip": 0.95, "magnitude": 0.95, "zeros": 1.0}).fillna(0.5)
    table["overlap"] = overlap.where(table["data"] == "digits") * near_one(rng, table, 0.002)
    return table[(table["data"] == "digits") | (table["rule"] != "zeros")].reset_index(drop=True)


def rounding_table(rng):
    """Zeros of unfused products with sign(0) = 0 and no noise; half a step in all other cells."""
    table = grid(arithmetic=["fused", "unfused"], sign_of_zero=[0.0, 1.0], noise=[0.0, 0.01], seed=range(SEEDS)).assign(
        experiment=ROUNDING, design="kink", method="rmsprop_0.99", step_size=0.003
    )
    rests = (table["arithmetic"] == "unfused") & (table["sign_of_zero"] == 0) & (table["noise"] == 0)
    table["share_at_zero"] = np.where(rests, 0.8, 0.0) * near_one(rng, table, 0.002)
    table["modulus_in_steps"] = 0.5 * (1 - table["share_at_zero"]) * near_one(rng, table, 0.002)
    return table


def lawful():
    """Run tables that obey every law but for a little noise, by experiment."""
    rng = np.random.default_rng(0)
    return {WEIGHTS: weights_table(rng), STRIP: strip_table(rng), ROUNDING: rounding_table(rng)}
