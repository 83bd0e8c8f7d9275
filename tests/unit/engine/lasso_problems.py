"""LASSO problems with exact solutions, and methods stepped on them one by one."""

from typing import NamedTuple

import numpy as np
import torch

from ndgm.engine.methods import METHODS
from ndgm.engine.objectives.lasso import Lasso
from ndgm.theory.lasso import Quadratic

PENALTIES_OVER_MAX = np.array([0.0, 0.05, 0.3, 0.9, 2.0])


def random_problem(seed=0, samples=60, features=12):
    rng = np.random.default_rng(seed)
    Z = rng.standard_normal((samples, features))
    return Quadratic.from_data(Z, Z @ rng.standard_normal(features) + rng.standard_normal(samples))


def starts(runs, features, seed=1):
    return torch.tensor(np.random.default_rng(seed).standard_normal((runs, features)))


class Ensemble(NamedTuple):
    """The objective at each penalty, starts, and a step 1/L for each run."""

    objective: Lasso
    start: torch.Tensor
    step_size: torch.Tensor


def ensemble(problem, penalties):
    objective = Lasso(torch.tensor(problem.A), torch.tensor(problem.b), torch.tensor(penalties).unsqueeze(1))
    step_size = torch.full((len(penalties), 1), 1 / problem.lipschitz, dtype=torch.float64)
    return Ensemble(objective, starts(len(penalties), problem.dimension), step_size)


def iterates(method, objective, w, step_size, steps):
    """The point where each step's gradient is taken, and the iterate after it, for a method or its name."""
    method = METHODS.get(method, method)
    w = w.clone()
    state = method.start(w)
    for _ in range(steps):
        point = w.clone()
        w, state = method.step(objective, w, state, step_size)
        yield point, method.iterate(w, state).clone()
