"""How methods treat the penalty, against what a few of their steps do."""

import pytest
import torch

from ndgm.engine.methods import METHODS
from ndgm.engine.objectives.lasso import Lasso
from ndgm.experiments.penalties import FACTORED, penalty_by

LASSO = Lasso(torch.eye(2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64), torch.full((1, 1), 0.7).double())


@pytest.mark.parametrize("name", [name for name in METHODS if not LASSO.lacks(METHODS[name].asks)])
def test_a_proximal_map_ends_at_exact_zeros_and_a_subgradient_steps_over_them(name):
    method = METHODS[name]
    w = torch.tensor([[0.0301, -0.0177]], dtype=torch.float64)
    state, step_size = method.start(w), torch.full((1, 1), 0.1, dtype=torch.float64)
    for _ in range(20):
        w, state = method.step(LASSO, w, state, step_size)
    zeros = bool((method.iterate(w, state) == 0).all())
    assert {True: "shrink", False: "subgradient"}[zeros] == penalty_by(name) or name == FACTORED


def test_every_method_has_a_way():
    assert {penalty_by(name) for name in METHODS} == {"shrink", "subgradient", "factors"}
    assert penalty_by("adam_decoupled") == "subgradient"
