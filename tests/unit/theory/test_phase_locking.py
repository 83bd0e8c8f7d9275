"""The number that says where the law holds, against weights in closed form and plain runs of the method."""

import numpy as np
import pytest

from ndgm.theory.lasso import Quadratic
from ndgm.theory.phase_locking import phase_discrepancy, unstirred_modulus
from ndgm.theory.rounded_lasso import mean_weights, second_order_l1_norm

MARGIN = 0.03


def problem_of(family, seed):
    """A sparse linear model on columns that are independent, correlated, orthogonal or doubled."""
    rng = np.random.default_rng(seed)
    samples, features = {"wide": (50, 150), "few": (200, 10)}.get(family, (200, 40))
    Z = rng.standard_normal((samples, features))
    if family == "correlated":
        at = np.arange(features)
        Z = Z @ np.linalg.cholesky(0.9 ** np.abs(at[:, None] - at)).T
    if family == "orthogonal":
        Z = np.linalg.qr(Z - Z.mean(0))[0]
    if family == "doubled":
        Z = np.hstack([Z[:, :10], Z[:, :10]])
    Z = (Z - Z.mean(0)) / Z.std(0)
    y = Z[:, :3] @ [1.0, -1.0, 1.0] + rng.standard_normal(samples)
    return Quadratic.from_data(Z, (y - y.mean()) / y.std())


def number_and_error(problem, penalty_over_max, step_times_lipschitz, steps=12_000):
    """Both numbers, and the relative error of the law to second order, from a plain loop."""
    penalty, step_size = penalty_over_max * problem.penalty_max, step_times_lipschitz / problem.lipschitz
    means = mean_weights(problem, penalty, step_size)
    numbers = phase_discrepancy(np.diag(problem.A), means, penalty, step_size)
    w = means + step_size * penalty * np.random.default_rng(9).standard_normal(len(means))
    total = 0.0
    for step in range(steps):
        total += np.abs(w).sum() if step >= steps // 2 else 0
        w = w - step_size * (problem.A @ w - problem.b + penalty * np.sign(w))
    law = second_order_l1_norm(problem, means, penalty, step_size)
    return float(numbers.total), float(numbers.net), abs(total / (steps - steps // 2) / law - 1)


CELLS = [
    (family, seed, penalty, step)
    for family in ["wide", "few", "independent", "correlated", "orthogonal", "doubled"]
    for seed in range(2)
    for penalty, step in [(0.3, 0.1), (0.99, 0.1), (0.9, 0.3), (2.0, 0.02)]
]
# Few weights are where both numbers are large.
CELLS += [("few", seed, penalty, step) for seed in (2, 3) for penalty, step in [(0.99, 0.1), (0.9, 0.3)]]


def test_it_separates_runs_that_obey_the_law_from_others():
    found = np.array([number_and_error(problem_of(family, 100 + seed), *cell) for family, seed, *cell in CELLS])
    total, net, error = found.T
    small, large = total <= MARGIN, net > 5 * MARGIN
    assert small.sum() >= 15 and large.sum() >= 5
    assert (error[small] <= MARGIN).all()
    assert np.median(error[large]) > 3 * MARGIN and (error[large] > MARGIN).all()
    assert (net <= total + 1e-12).all()


@pytest.mark.parametrize(("rate", "steps"), [(1e-2, 2_000), (2e-3, 8_000), (1e-3, 16_000), (1e-5, 16_000)])
def test_slow_weights_are_followed_for_longer(rate, steps):
    """For ten relaxation times by doublings, three at most; the mean is that of a plain loop."""
    curvature, pull, penalty, step_size = np.array([rate / 0.01]), np.array([-0.6]), 1.0, 0.01
    w = step_size * penalty * np.sin(1.0) / 2
    kept = []
    for _ in range(steps):
        kept.append(abs(w))
        w = (1 - step_size * curvature) * w - step_size * (pull + penalty * np.sign(w))
    found = unstirred_modulus(curvature, pull, penalty, step_size)
    np.testing.assert_allclose(found, np.mean(kept[steps // 4 :], axis=0), rtol=1e-9)


def test_each_weight_is_followed_by_its_own_pace():
    """What one keeps does not depend on those beside it, however slow they are."""
    curvature, pull = np.array([[1.0, 0.02], [0.0, 3.0]]), np.array([[0.3, -0.6], [0.1, 0.2]])
    penalty, step_size = np.array([[1.0], [2.0]]), np.array([[0.01], [0.1]])
    # Where a weight begins is made of its number in its design.
    together = unstirred_modulus(curvature, pull, penalty, step_size)
    alone = [unstirred_modulus(*(each[i] for each in (curvature, pull, penalty, step_size))) for i in range(2)]
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together[:, :1], unstirred_modulus(curvature[:, :1], pull[:, :1], penalty, step_size))


def test_it_says_no_for_orthogonal_columns_near_penalty_max():
    for seed in range(3):
        problem = problem_of("orthogonal", seed)
        penalty, step_size = 0.95 * problem.penalty_max, 0.3 / problem.lipschitz
        means = mean_weights(problem, penalty, step_size)
        assert phase_discrepancy(np.diag(problem.A), means, penalty, step_size).total > MARGIN


def test_two_points_without_pull():
    # c = 0: a cycle ±p with p = ηλ/(2 − ηa), which every start reaches.
    curvature = np.array([0.5, 1.0, 3.0])
    np.testing.assert_allclose(
        unstirred_modulus(curvature, np.zeros(3), 2.0, 0.1), 0.2 / (2 - 0.1 * curvature), rtol=1e-6
    )


def test_a_pull_beyond_the_penalty_leaves_a_weight_at_rest():
    np.testing.assert_allclose(unstirred_modulus(np.array([2.0]), np.array([-3.0]), 1.0, 0.1), 1.0, rtol=1e-12)


@pytest.mark.parametrize("pull", [0.0, 0.31, -0.62])
def test_without_curvature_a_rotation_fills_its_interval(pull):
    # H(m) around m = −ηc, but for where in the interval a rational rotation begins.
    step_size, penalty, pull = 0.1, 1.0, pull + 1 / np.sqrt(5_000)
    measured = unstirred_modulus(np.zeros(200), np.full(200, pull), penalty, step_size).mean()
    width = step_size * penalty
    assert measured == pytest.approx((step_size * pull) ** 2 / (2 * width) + width / 2, rel=0.01)


@pytest.mark.parametrize(("penalty", "step_size", "named"), [(-1, 0.1, "penalty"), (1, 0, "step size")])
def test_what_is_no_penalty_or_step_is_named(penalty, step_size, named):
    """It once said 0, that the law holds."""
    with pytest.raises(ValueError, match=f"every {named} must be positive"):
        phase_discrepancy(np.ones(2), np.zeros(2), penalty, step_size)


def test_many_designs_at_once():
    problems = [problem_of("independent", seed) for seed in range(3)]
    penalty = np.array([0.9 * problem.penalty_max for problem in problems])
    step_size = np.array([0.1 / problem.lipschitz for problem in problems])
    means = np.stack([mean_weights(*each) for each in zip(problems, penalty, step_size, strict=True)])
    curvature = np.stack([np.diag(problem.A) for problem in problems])
    together = phase_discrepancy(curvature, means, penalty, step_size)
    alone = [phase_discrepancy(*each) for each in zip(curvature, means, penalty, step_size, strict=True)]
    np.testing.assert_allclose(together, np.transpose(alone), rtol=1e-9)
