"""Moves of the weights, against sums over the iterates themselves."""

import numpy as np
import pytest
import torch

from ndgm.engine.activations import activation
from ndgm.engine.curvature.observer import Observed
from ndgm.engine.descent import Schedule, descend
from ndgm.engine.methods import METHODS
from ndgm.engine.moves import LeastGradient, Moves, UnitMoves
from ndgm.engine.objectives.two_layer import TwoLayerLoss

RUNS, SAMPLES, INPUTS, UNITS, STEPS = 3, 6, 4, 40, 12


@pytest.fixture
def run():
    """A trace with moves, and every iterate of the same descent written out, shape (steps + 1, runs, d, m)."""
    torch.manual_seed(0)
    x, y = torch.randn(RUNS, SAMPLES, INPUTS).double(), torch.randn(RUNS, SAMPLES).double()
    output, start = torch.randn(RUNS, UNITS).double().sign() / UNITS**0.5, torch.randn(RUNS, INPUTS * UNITS).double()
    step_size = torch.tensor([[0.1], [0.2], [0.05]], dtype=torch.float64)
    loss = TwoLayerLoss(activation("relu"), x, y, output)
    observed = Observed(loss, Moves(start, step_size), UnitMoves(loss, start), LeastGradient(start))
    trace = descend(observed, METHODS["subgradient"], start, step_size, Schedule(STEPS, (0, 5, STEPS), 0))
    iterates, ratios = [start], []
    for _ in range(STEPS):
        value, g = loss.value_and_subgradient(iterates[-1])
        ratios.append(g.square().sum(1) / (2 * value))
        iterates.append(iterates[-1] - step_size * g)
    return trace.measured, torch.stack(iterates).unflatten(2, (INPUTS, UNITS)).numpy(), x.numpy(), torch.stack(ratios)


def test_distance_and_path_are_those_of_the_iterates(run):
    measured, iterates, *_ = run
    steps = np.linalg.norm(np.diff(iterates, axis=0), axis=(2, 3))
    for row, step in enumerate((0, 5, STEPS)):
        np.testing.assert_allclose(measured["path"][row], steps[:step].sum(0), rtol=1e-12)
        distance = np.linalg.norm(iterates[step] - iterates[0], axis=(1, 2))
        np.testing.assert_allclose(measured["distance"][row], distance, rtol=1e-12)
    assert (measured["distance"] <= measured["path"] * (1 + 1e-12)).all()


def test_flips_and_rows_are_counted_against_the_start(run):
    measured, iterates, x, _ = run
    signs = [np.einsum("rnd,rdm->rnm", x, w) > 0 for w in iterates]
    for row, step in enumerate((0, 5, STEPS)):
        np.testing.assert_allclose(measured["flips"][row], (signs[step] != signs[0]).mean((1, 2)), rtol=1e-12)
        rows = np.linalg.norm(iterates[step] - iterates[0], axis=1).max(1)
        np.testing.assert_allclose(measured["largest_row_move"][row], rows, rtol=1e-12)
    assert measured["flips"][-1].min() > 0


def test_the_least_gradient_is_that_of_all_iterates_before(run):
    measured, _, _, ratios = run
    assert np.isnan(measured["least_gradient_ratio"][0]).all()
    for row, step in enumerate((5, STEPS), 1):
        expected = ratios[:step].numpy().min(0)
        np.testing.assert_allclose(measured["least_gradient_ratio"][row], expected, rtol=1e-12)


def test_a_start_that_is_overwritten_later_stays_the_start(run):
    start, step_size = torch.ones(1, 2), torch.ones(1, 1)
    moves = Moves(start, step_size)
    start.zero_()
    assert moves.measure(torch.zeros(1, 2), start)["distance"].item() == pytest.approx(2**0.5)
