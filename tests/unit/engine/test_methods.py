"""Update rules and schedules, held against torch.optim, NumPy one-liners, certified solutions and proved rates."""

import numpy as np
import pytest
import torch
from torch.optim.sgd import sgd

from ndgm.engine.methods import METHODS, gradient_step, heavy_ball, truncated_gradient
from ndgm.engine.objectives.lasso import Lasso
from ndgm.engine.schedules import geometric
from ndgm.theory.convergence import geometric_rate
from ndgm.theory.lasso import Quadratic, solve_lasso

PENALTIES_OVER_MAX = np.array([0.05, 0.3, 0.9, 2.0])


def random_problem(seed=0, samples=60, features=12):
    rng = np.random.default_rng(seed)
    Z = rng.standard_normal((samples, features))
    return Quadratic.from_data(Z, Z @ rng.standard_normal(features) + rng.standard_normal(samples))


def ensemble(problem, penalties):
    """The objective at each penalty and a step 1/L for each run."""
    objective = Lasso(torch.tensor(problem.A), torch.tensor(problem.b), torch.tensor(penalties).unsqueeze(1))
    return objective, torch.full((len(penalties), 1), 1 / problem.lipschitz, dtype=torch.float64)


def starts(runs, features, seed=1):
    return torch.tensor(np.random.default_rng(seed).standard_normal((runs, features)))


def iterates(rule, objective, w, step_size, steps, proximal=True, **options):
    """The method's iterate after each step."""
    state, w = {}, w.clone()
    for _ in range(steps):
        g = objective.gradient(w) if proximal else objective.subgradient(w)
        w, state = rule(w, g, state, step_size, *([objective.shrink] if proximal else []), **options)
        yield state.get("iterate", w).clone()


@pytest.mark.parametrize(("rule", "momentum"), [(gradient_step, 0.0), (heavy_ball, 0.9)])
def test_subgradient_rules_step_as_torch_does(rule, momentum):
    problem = random_problem()
    penalties = PENALTIES_OVER_MAX * problem.penalty_max
    objective, step_size = ensemble(problem, penalties)
    step_size = 0.05 * step_size
    w = starts(len(penalties), problem.dimension)
    theirs = w.clone()
    # The function behind torch.optim.SGD: the class itself imports the compiler first, which takes seconds.
    options = {"lr": step_size[0].item(), "momentum": momentum, "weight_decay": 0, "dampening": 0}
    buffers = [None]
    for ours in iterates(rule, objective, w, step_size, 1_000, proximal=False):
        g = theirs @ objective.gram - objective.correlation + objective.penalty * theirs.sign()
        sgd([theirs], [g], buffers, foreach=False, nesterov=False, maximize=False, **options)
        # Rounding alone: the method contracts between changes of sign.
        torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-13)


def test_ista_is_the_numpy_one_liner():
    problem = random_problem()
    penalties = PENALTIES_OVER_MAX * problem.penalty_max
    objective, step_size = ensemble(problem, penalties)
    w = starts(len(penalties), problem.dimension)
    x, eta, threshold = w.numpy().copy(), 1 / problem.lipschitz, penalties[:, None] / problem.lipschitz
    for ours in iterates(METHODS["ista"].rule, objective, w, step_size, 300):
        x = (v := x - eta * (x @ problem.A - problem.b)) - np.clip(v, -threshold, threshold)
        np.testing.assert_allclose(ours.numpy(), x, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", ["ista", "fista"])
def test_proximal_methods_reach_the_certified_solution(name):
    problem = random_problem()
    penalties = PENALTIES_OVER_MAX * problem.penalty_max
    objective, step_size = ensemble(problem, penalties)
    *_, found = iterates(METHODS[name].rule, objective, starts(len(penalties), problem.dimension), step_size, 3_000)
    exact = solve_lasso(problem, penalties).weights
    # The smallest eigenvalue of A is about L/8: 3,000 steps leave nothing but rounding.
    np.testing.assert_allclose(found.numpy(), exact, rtol=0, atol=1e-13)
    np.testing.assert_array_equal(found.numpy() == 0, exact == 0)


def test_fista_and_ista_keep_their_proved_rates():
    # Nesterov's worst case: a chain, so ill-conditioned that no method is fast by luck.
    d, steps = 100, 140
    A = (2 * np.eye(d) - np.eye(d, k=1) - np.eye(d, k=-1)) / 4
    problem = Quadratic(A, np.eye(d)[0] / 4, 1.0)
    penalties = np.array([1e-4, 3e-4])
    exact = solve_lasso(problem, penalties)
    objective, step_size = ensemble(problem, penalties)
    least = objective.measure(torch.tensor(exact.weights), None)["objective"].numpy()
    k = np.arange(1, steps + 1)[:, None]

    def gaps(name):
        x = iterates(METHODS[name].rule, objective, torch.zeros(2, d, dtype=torch.float64), step_size, steps)
        return np.stack([objective.measure(one, None)["objective"].numpy() for one in x]) - least

    scale = problem.lipschitz * (exact.weights**2).sum(1)
    fista, ista = gaps("fista"), gaps("ista")
    # Beck and Teboulle (2009), theorems 4.4 and 3.1, with the start at zero and the step 1/L.
    assert (fista <= 2 * scale / (k + 1) ** 2).all()
    assert (ista <= scale / (2 * k)).all()
    # FISTA's bound separates the two methods here, so it would notice a FISTA that has lost its momentum.
    assert (ista > 2 * scale / (k + 1) ** 2).any(axis=0).all()


def test_truncated_gradient_of_period_one_is_ista_bit_for_bit():
    problem = random_problem()
    penalties = PENALTIES_OVER_MAX * problem.penalty_max
    objective, step_size = ensemble(problem, penalties)
    w = starts(len(penalties), problem.dimension)
    plain = list(iterates(METHODS["ista"].rule, objective, w, step_size, 50))
    truncated = list(iterates(truncated_gradient, objective, w, step_size, 50, period=1))
    assert all(torch.equal(*pair) for pair in zip(plain, truncated, strict=True))


def test_truncated_gradient_of_period_ten():
    problem = random_problem()
    penalties = np.array([0.9, 2.0]) * problem.penalty_max
    objective, step_size = ensemble(problem, penalties)
    step_size = 0.1 * step_size
    w = starts(len(penalties), problem.dimension)
    x, eta = w.numpy().copy(), 0.1 / problem.lipschitz
    for step, ours in enumerate(iterates(truncated_gradient, objective, w, step_size, 200), start=1):
        x = x - eta * (x @ problem.A - problem.b)
        if step % 10 == 0:
            x = np.sign(x) * np.maximum(np.abs(x) - 10 * eta * penalties[:, None], 0)
        np.testing.assert_allclose(ours.numpy(), x, rtol=1e-12, atol=1e-14)
        assert step % 10 == 0 or (ours != 0).all()
    assert (ours == 0).sum() > problem.dimension  # after a multiple of ten


def test_schedules_hold_the_step_for_half_the_run_and_then_follow_their_formulas():
    steps, held = 1_000, 500
    j = np.arange(1, steps - held + 1)
    for name, decay in (("subgradient_sqrt", 1 / np.sqrt(j)), ("subgradient_geometric", 1e-6 ** (j / len(j)))):
        factors = [METHODS[name].schedule(done, steps) for done in range(steps)]
        assert factors[:held] == [1.0] * held
        np.testing.assert_allclose(factors[held:], decay, rtol=1e-12)


@pytest.mark.parametrize("steps", [2, 7, 1_000])
def test_the_geometric_rate_is_what_the_factor_loses_with_each_step(steps):
    factors = [geometric(done, steps) for done in range(steps)]
    np.testing.assert_allclose(np.diff(np.log10(factors))[steps // 2 - 1 :], geometric_rate(steps), rtol=1e-12)
    assert factors[-1] == 1e-6


def test_schedules_from_the_first_step_on():
    steps, k = 1_000, np.arange(1_000)
    for name, formula in (
        ("subgradient", np.ones(steps)),
        ("subgradient_inverse_sqrt", 1 / np.sqrt(k + 1)),
        ("subgradient_linear", (steps - k) / steps),
    ):
        np.testing.assert_allclose([METHODS[name].schedule(done, steps) for done in k], formula, rtol=1e-12)


def test_a_geometric_step_converges_on_a_sharp_problem_where_a_constant_one_hovers():
    # With b = 0 and a large penalty w = 0 is a sharp minimum: the floor is ηλ/2 per weight at the last step (Davis
    # et al. 2018), so a step that ends a million times smaller ends a million times closer, give or take the phase.
    objective = Lasso(torch.eye(5, dtype=torch.float64), torch.zeros(5, dtype=torch.float64), torch.ones(1, 1))
    ends = {}
    for name in ("subgradient", "subgradient_geometric"):
        w, state, steps = starts(1, 5), {}, 4_000
        for done in range(steps):
            step_size = torch.full((1, 1), 0.1 * METHODS[name].schedule(done, steps), dtype=torch.float64)
            w, state = METHODS[name].rule(w, objective.subgradient(w), state, step_size)
        ends[name] = w.abs().mean().item()
    assert 0.02 < ends["subgradient"] < 0.1
    assert ends["subgradient_geometric"] < 1.1e-7
