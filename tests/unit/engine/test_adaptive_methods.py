"""Adaptive update rules, held against PyTorch's optimisers, loops written by hand and certified solutions."""

from itertools import count

import numpy as np
import pytest
import torch

from ndgm.engine.descent import Schedule, descend
from ndgm.engine.methods import METHODS
from ndgm.engine.objectives.lasso import Lasso
from ndgm.engine.objectives.smoothed import SmoothedLasso
from ndgm.theory.lasso import Quadratic, solve_lasso

PENALTIES_OVER_MAX = np.array([0.0, 0.05, 0.3, 0.9, 2.0])
STEPS = 1_000


def random_problem(seed=0, samples=60, features=12):
    rng = np.random.default_rng(seed)
    Z = rng.standard_normal((samples, features))
    return Quadratic.from_data(Z, Z @ rng.standard_normal(features) + rng.standard_normal(samples))


PROBLEM = random_problem()
PENALTIES = PENALTIES_OVER_MAX * PROBLEM.penalty_max


def lasso(penalties=PENALTIES):
    return Lasso(torch.tensor(PROBLEM.A), torch.tensor(PROBLEM.b), torch.tensor(penalties).unsqueeze(1))


def starts(runs=5):
    return torch.tensor(np.random.default_rng(1).standard_normal((runs, PROBLEM.dimension)))


def step_sizes(eta, runs=5):
    return torch.full((runs, 1), eta, dtype=torch.float64)


def iterates(name, objective, w, step_size, steps=STEPS):
    """At each step the gradient that `descend` gives the method, and the iterate that it makes of it.

    The other side of a comparison gets the same gradients: its own would differ in the last bits, and at a kink or on
    a cycle such differences grow.
    """
    method, state, w = METHODS[name], {}, w.clone()
    for _ in range(steps):
        split = method.proximal or method.decoupled
        g = objective.gradient(w) if split else objective.subgradient(w)
        taken = g.clone()
        extra = [objective.shrink] if method.proximal else []
        extra += [objective.penalty_subgradient(w)] if method.decoupled else []
        w, state = method.rule(w, g, state, step_size, *extra)
        yield taken, w.clone()


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
def test_adaptive_rules_step_as_torch_does(name):
    theirs = starts()
    optimiser = torch_optimiser(name, theirs, 0.01)
    for g, ours in iterates(name, lasso(), starts(), step_sizes(0.01)):
        theirs.grad = g
        optimiser.step()
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-14)


def test_sign_descent_rests_where_the_gradient_is_zero():
    w, _ = METHODS["sign"].rule(torch.ones(1, 2), torch.tensor([[0.0, -3.0]]), {}, torch.full((1, 1), 0.5))
    assert w.tolist() == [[1.0, 1.5]]


def moments(decay):
    """Adam's m̂ and s = √v̂ + ε for each gradient sent, as its paper writes them."""
    m = v = 0.0
    answer = None
    for t in count(1):
        g = yield answer
        m, v = decay * m + (1 - decay) * g, 0.999 * v + 0.001 * g**2
        answer = m / (1 - decay**t), np.sqrt(v / (1 - 0.999**t)) + 1e-8


def test_decoupled_adam_steps_as_the_loop_written_by_hand():
    eta, x, direction = 0.01, starts().numpy(), moments(0.9)
    next(direction)
    for g, ours in iterates("adam_decoupled", lasso(), starts(), step_sizes(eta)):
        m, s = direction.send(g.numpy())
        x = x - eta * (m / s) - eta * PENALTIES[:, None] * np.sign(x)
        np.testing.assert_allclose(ours.numpy(), x, rtol=1e-12, atol=1e-14)


def test_decoupled_adam_with_half_the_square_as_penalty_is_adamw():
    eta, decay, theirs = 0.01, 0.3, starts()
    optimiser = torch.optim.AdamW([theirs], lr=eta, weight_decay=decay)
    ours, state, objective = starts(), {}, lasso()
    for _ in range(STEPS):
        theirs.grad = objective.gradient(ours).clone()
        optimiser.step()
        rule = METHODS["adam_decoupled"].rule
        ours, state = rule(ours, objective.gradient(ours), state, step_sizes(eta), decay * ours)
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(("name", "decay"), [("proximal_adam", 0.9), ("proximal_adam_without_momentum", 0.0)])
def test_proximal_adam_steps_as_the_loop_written_by_hand(name, decay):
    eta, x, zeros, direction = 0.01, starts().numpy(), 0, moments(decay)
    next(direction)
    for g, ours in iterates(name, lasso(), starts(), step_sizes(eta)):
        m, s = direction.send(g.numpy())
        before, v = x, x - eta * m / s
        x = np.sign(v) * np.maximum(np.abs(v) - eta * PENALTIES[:, None] / s, 0)
        np.testing.assert_allclose(ours.numpy(), x, rtol=1e-12, atol=1e-14)
        # What is minimised, ⟨m̂, x⟩ + λ‖x‖₁ + Σ s(x − w)²/(2η), has a zero among its subgradients at the new iterate.
        pull = m + s * (ours.numpy() - before) / eta
        penalty = np.broadcast_to(PENALTIES[:, None], pull.shape)
        at_zero = ours.numpy() == 0
        zeros += at_zero.sum()
        np.testing.assert_allclose(pull[~at_zero], (-penalty * np.sign(x))[~at_zero], rtol=0, atol=1e-9)
        assert (np.abs(pull) <= penalty + 1e-9)[at_zero].all()
    assert zeros > STEPS  # so the map was seen to cut weights off, too


@pytest.mark.parametrize("name", ["proximal_adam", "proximal_adam_without_momentum"])
def test_proximal_adam_converges_to_the_certified_solution(name):
    penalties = PENALTIES[1:]
    trace = descend(
        lasso(penalties),
        METHODS[name],
        starts(len(penalties)),
        step_sizes(0.01, len(penalties)),
        Schedule(20_000, (20_000,), 0),
    )
    exact = solve_lasso(PROBLEM, penalties)
    np.testing.assert_allclose(trace.measured["l1_norm"][-1], exact.l1_norm, rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(trace.measured["zeros"][-1], (~exact.support).sum(1))


@pytest.mark.parametrize("name", ["adam_decoupled", "proximal_adam"])
def test_without_a_penalty_every_form_is_adam_bit_for_bit(name):
    *_, (_, plain) = iterates("adam", lasso(np.zeros(2)), starts(2), step_sizes(0.01, 2))
    *_, (_, other) = iterates(name, lasso(np.zeros(2)), starts(2), step_sizes(0.01, 2))
    assert torch.equal(plain, other)


def test_the_penalty_splits_off_from_the_subgradient():
    width = torch.tensor([[0.0], [0.1], [0.5], [0.0], [2.0]], dtype=torch.float64)
    w = starts()
    for objective in (
        lasso(),
        SmoothedLasso(torch.tensor(PROBLEM.A), torch.tensor(PROBLEM.b), torch.tensor(PENALTIES)[:, None], width),
    ):
        whole = objective.subgradient(w).clone()
        parts = objective.gradient(w) + objective.penalty_subgradient(w)
        torch.testing.assert_close(parts, whole, rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("smoothed", [False, True])
def test_averages_of_a_decoupled_method_are_those_of_its_iterates_and_whole_subgradients(smoothed):
    arguments = torch.tensor(PROBLEM.A), torch.tensor(PROBLEM.b), torch.tensor(PENALTIES)[:, None]
    objective = SmoothedLasso(*arguments, torch.full((5, 1), 0.1)) if smoothed else Lasso(*arguments)
    steps, begin = 60, 20
    schedule = Schedule(steps, (steps,), begin)
    trace = descend(objective, METHODS["adam_decoupled"], starts(), step_sizes(0.1), schedule)
    w = [starts(), *(w for _, w in iterates("adam_decoupled", objective, starts(), step_sizes(0.1), steps))]
    g = [objective.subgradient(one).clone() for one in w]
    for name, values in (
        ("l1_norm", [one.abs().sum(1) for one in w]),
        ("squared_gradient_norm", [one.square().sum(1) for one in g]),
        ("inner_product", [(x * y).sum(1) for x, y in zip(w, g, strict=True)]),
    ):
        mean = torch.stack(values[begin:steps]).mean(0).numpy()
        np.testing.assert_allclose(trace.measured[f"mean_{name}"][-1], mean, rtol=1e-12)
