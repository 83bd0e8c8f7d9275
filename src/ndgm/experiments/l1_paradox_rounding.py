"""RMSProp on the modulus of one weight, with products that are fused into a sum, and with products that are not."""

import numpy as np
import pandas as pd

from ndgm.experiments.grids import grid
from ndgm.experiments.inputs import Inputs, Settings
from ndgm.store.provenance import generator
from ndgm.theory.rounding import multiply_add

DECAY, EPSILON, PENALTY = 0.99, 1e-8, 1.0
"""Of RMSProp, as in `METHODS`; and the slope of the kink."""


def rounding(settings: Settings, inputs: Inputs) -> pd.DataFrame:
    """What starts near the kink end with, over both roundings, both values of sign(0), gradient noise and seeds."""
    cells = grid(arithmetic=["fused", "unfused"], sign_of_zero=[0.0, 1.0], noise=[0.0, settings["noise"]])
    tables = [
        pd.DataFrame(
            {
                "experiment": settings["experiment"],
                "design": "kink",
                "method": "rmsprop_0.99",
                **{name: cell[name] for name in ("arithmetic", "sign_of_zero", "noise")},
                "penalty": PENALTY,
                "step_size": settings["step_size"],
                "seed": range(settings["seeds"]),
                **ends(settings, **cell),
            }
        )
        for cell in cells.drop(columns="run").to_dict("records")
    ]
    table = pd.concat(tables, ignore_index=True)
    table.insert(1, "run", range(len(table)))
    return table


def ends(settings: Settings, arithmetic: str, sign_of_zero: float, noise: float) -> dict[str, np.ndarray]:
    """For each seed the share of starts that end at exactly zero, and the mean of |w| over the last quarter, in steps.

    Only the product of the last line of a step, for which a processor may have one instruction, is fused or not.
    """
    draws = [generator(settings["root_seed"], "l1_paradox_rounding", "starts", n) for n in range(settings["seeds"])]
    step_size, steps, starts = settings["step_size"], settings["steps"], settings["starts"]
    w = step_size * settings["start_in_steps"] * np.stack([draw.standard_normal(starts) for draw in draws])
    noisy = [draw.standard_normal((steps, starts)) for draw in draws] if noise else []
    square, total, averaged = np.zeros_like(w), np.zeros(len(w)), steps // 4
    for done in range(steps):
        if done >= steps - averaged:
            total += np.abs(w).mean(1)
        gradient = PENALTY * np.where(w == 0, sign_of_zero, np.sign(w))
        if noisy:
            gradient += noise * PENALTY * np.stack([each[done] for each in noisy])
        square = DECAY * square + (1 - DECAY) * gradient**2
        direction = -gradient / (np.sqrt(square) + EPSILON)
        w = multiply_add(direction, step_size, w, fused=arithmetic == "fused")
    return {"share_at_zero": (w == 0).mean(1), "modulus_in_steps": total / averaged / step_size}
