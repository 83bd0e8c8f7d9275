"""An objective of two lines has everything that the penalty brings; its minimum is known."""

import pytest
import torch

from ndgm.engine.objectives.l1_penalised import L1Penalised
from ndgm.engine.objectives.objective import Averages

RUNS, WEIGHTS = 4, 6


class SquaredDistance(L1Penalised):
    """½‖w − c‖² + λ‖w‖₁, whose minimum is c, soft-thresholded at λ."""

    def __init__(self, center, penalty):
        super().__init__(penalty, torch.empty_like(center))
        self.center = center

    def _smooth_value(self, w):
        return (w - self.center).square().sum(1) / 2

    def _smooth_gradient(self, w):
        return torch.sub(w, self.center, out=self._gradient)


@pytest.fixture
def objective():
    generator = torch.Generator().manual_seed(5)
    center = torch.randn(RUNS, WEIGHTS, dtype=torch.float64, generator=generator)
    return SquaredDistance(center, torch.tensor([[0.0], [0.1], [0.7], [2.0]], dtype=torch.float64))


def test_the_subgradient_is_that_of_the_value(objective):
    w = (objective.center.flip(0) + 0.3).requires_grad_()
    objective.value(w).sum().backward()
    torch.testing.assert_close(objective.subgradient(w.detach()), w.grad, rtol=1e-14, atol=1e-14)


def test_at_zero_the_subgradient_is_that_of_the_smooth_part(objective):
    w = torch.zeros(RUNS, WEIGHTS, dtype=torch.float64)
    torch.testing.assert_close(objective.subgradient(w), -objective.center, rtol=0, atol=0)
    assert not objective.penalty_subgradient(w).any()


def test_one_proximal_step_lands_on_the_minimum(objective):
    w = objective.center.flip(1).clone()
    found = objective.shrink(w - objective.smooth_gradient(w), torch.ones(RUNS, 1, dtype=torch.float64))
    soft = objective.center.sign() * (objective.center.abs() - objective.penalty).clamp_min(0)
    torch.testing.assert_close(found, soft, rtol=0, atol=1e-15)
    assert objective.measure(found, w)["zeros"].tolist() == (soft == 0).sum(1).tolist()
    # Nothing near it is lower.
    nudges = 1e-3 * torch.eye(WEIGHTS, dtype=torch.float64)
    lowest = objective.value(found)
    assert all((objective.value(found + sign * nudge) >= lowest).all() for nudge in nudges for sign in (-1, 1))


@pytest.mark.parametrize("gradient", ["subgradient", "smooth_gradient"])
def test_averages_are_those_of_the_whole_objective(objective, gradient):
    averages = Averages.zeros(objective.averaged, objective.center)
    iterates = [objective.center + shift for shift in (0.2, -0.4, 1.0)]
    for w in iterates:
        getattr(objective, gradient)(w, averages)
    w = torch.stack(iterates)
    g = w - objective.center + objective.penalty * w.sign()
    found = objective.means(averages, len(iterates))
    expected = {"mean_l1_norm": w.abs(), "mean_squared_gradient_norm": g.square(), "mean_inner_product": w * g}
    assert list(found) == list(expected)
    for name, terms in expected.items():
        torch.testing.assert_close(found[name], terms.sum(2).mean(0), rtol=1e-13, atol=1e-13)
