"""Adaptive methods against PyTorch's optimisers, the problem that a proximal step solves, and certified solutions."""

import numpy as np
import pytest
import torch
from lasso_problems import PENALTIES_OVER_MAX, ensemble, iterates, random_problem
from numpy_methods import Function, moments

from ndgm.engine.descent import Schedule, descend
from ndgm.engine.methods import METHODS
from ndgm.engine.objectives.lasso import Lasso
from ndgm.theory.lasso import solve_lasso

PROBLEM = random_problem()
PENALTIES = PENALTIES_OVER_MAX * PROBLEM.penalty_max
STEPS, ETA = 1_000, 0.01


def problem(penalties=PENALTIES):
    objective, start, step_size = ensemble(PROBLEM, penalties)
    return objective, start, torch.full_like(step_size, ETA)


def torch_optimiser(name, w, eta):
    match name.split("_"):
        case ["rmsprop", decay]:
            return torch.optim.RMSprop([w], lr=eta, alpha=float(decay))
        case ["adagrad"]:
            return torch.optim.Adagrad([w], lr=eta)
        case ["sign"]:  # with both decays zero and no ε Adam's direction is g/|g|
            return torch.optim.Adam([w], lr=eta, betas=(0.0, 0.0), eps=0.0)
    return torch.optim.Adam([w], lr=eta, amsgrad=name == "amsgrad")


@pytest.mark.parametrize("name", ["rmsprop_0.9", "rmsprop_0.99", "rmsprop_0.999", "adam", "amsgrad", "adagrad", "sign"])
def test_adaptive_methods_step_as_torch_does(name):
    objective, start, step_size = problem()
    theirs, twin = start.clone(), problem()[0]
    optimiser = torch_optimiser(name, theirs, ETA)
    for point, ours in iterates(name, objective, start, step_size, STEPS):
        # At our point: a gradient of their own would differ in the last bits, and at a kink such differences grow.
        theirs.grad = twin.subgradient(point).clone()
        optimiser.step()
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-14)


class HalfSquare(Lasso):
    """The LASSO with decay·½‖w‖² in the place of its penalty."""

    decay = 0.3

    def penalty_subgradient(self, w):
        return self.decay * w


def test_decoupled_adam_with_half_the_square_as_penalty_is_adamw():
    _, start, step_size = problem()
    objective, twin = (HalfSquare(torch.tensor(PROBLEM.A), torch.tensor(PROBLEM.b), step_size) for _ in range(2))
    theirs = start.clone()
    optimiser = torch.optim.AdamW([theirs], lr=ETA, weight_decay=HalfSquare.decay)
    for point, ours in iterates("adam_decoupled", objective, start, step_size, STEPS):
        theirs.grad = twin.smooth_gradient(point).clone()
        optimiser.step()
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("name", "decay"), [("proximal_adam", 0.9), ("proximal_adam_without_momentum", 0.0)])
def test_proximal_adam_minimises_what_its_step_is_defined_by(name, decay):
    # ⟨m̂, x⟩ + λ‖x‖₁ + Σ s(x − w)²/(2η) has a zero among its subgradients at the new iterate.
    memories, zeros = [{} for _ in PENALTIES], 0
    for k, (point, found) in enumerate(iterates(name, *problem(), STEPS), start=1):
        for penalty, memory, w, x in zip(PENALTIES, memories, point.numpy(), found.numpy(), strict=True):
            m, s = moments(Function(PROBLEM.A, PROBLEM.b, penalty).smooth(w), memory, k, decay)
            pull, at_zero = m + s * (x - w) / ETA, x == 0
            np.testing.assert_allclose(pull[~at_zero], (-penalty * np.sign(x))[~at_zero], rtol=0, atol=1e-9)
            assert (np.abs(pull) <= penalty + 1e-9)[at_zero].all()
            zeros += at_zero.sum()
    assert zeros > STEPS  # so the map was seen to cut weights off, too


@pytest.mark.parametrize("name", ["proximal_adam", "proximal_adam_without_momentum"])
def test_proximal_adam_converges_to_the_certified_solution(name):
    penalties = PENALTIES[1:]
    trace = descend(problem(penalties)[0], METHODS[name], *problem(penalties)[1:], Schedule(20_000, (20_000,), 0))
    exact = solve_lasso(PROBLEM, penalties)
    np.testing.assert_allclose(trace.measured["l1_norm"][-1], exact.l1_norm, rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(trace.measured["zeros"][-1], (~exact.support).sum(1))


@pytest.mark.parametrize("name", ["adam_decoupled", "proximal_adam"])
def test_without_a_penalty_every_form_is_adam_bit_for_bit(name):
    *_, (_, plain) = iterates("adam", *problem(np.zeros(2)), STEPS)
    *_, (_, other) = iterates(name, *problem(np.zeros(2)), STEPS)
    assert torch.equal(plain, other)
