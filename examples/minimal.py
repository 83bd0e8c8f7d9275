"""One experiment and one claim: a larger penalty makes subgradient descent keep a larger L1 norm, by a closed form."""

import numpy as np
import pandas as pd
import torch

from ndgm.decide.claim import CLAIMS, Evidence, claim
from ndgm.decide.entries import decide
from ndgm.decide.statistics import equivalence
from ndgm.engine.descent import Schedule, descend
from ndgm.engine.methods import METHODS
from ndgm.engine.objectives.lasso import Lasso
from ndgm.experiments.ensembles import column
from ndgm.experiments.grids import grid
from ndgm.theory.l1_paradox import floor_above_penalty_max
from ndgm.theory.lasso import Quadratic

rng = np.random.default_rng(0)
problem = Quadratic.from_data(rng.standard_normal((40, 5)), rng.standard_normal(40))


def experiment() -> pd.DataFrame:
    """Sixty runs on one LASSO as one ensemble, at penalties so large that its exact solution is zero."""
    runs = grid(penalty=problem.penalty_max * np.array([2, 4, 8]), step_size=[0.1 / problem.lipschitz], seed=range(20))
    lasso = Lasso(torch.tensor(problem.A), torch.tensor(problem.b), column(runs, "penalty", "cpu"))
    start = torch.tensor(rng.standard_normal((len(runs), problem.dimension)))
    trace = descend(lasso, METHODS["subgradient"], start, column(runs, "step_size", "cpu"), Schedule.halving(4000, 2))
    runs["predicted"] = floor_above_penalty_max(runs["step_size"], runs["penalty"], problem.b)
    return runs.assign(norm=trace.measured["mean_l1_norm"][-1])


@claim(figure="none", kind="finding", test=equivalence(0.05))
def norm_above_penalty_max(lasso: pd.DataFrame) -> Evidence:
    """The L1 norm that subgradient descent keeps is (ηλ/2)(d + ‖b‖²/λ²), where the exact solution is zero."""
    runs = lasso.set_index(["penalty", "seed"])
    return Evidence(runs["norm"], runs["predicted"], compared="predicted")


(found,) = decide(CLAIMS, {"lasso": experiment()})
print(found["statement"], f"{found['verdict']}: measured {found['measured']:.3f}, predicted {found['reference']:.3f}")
