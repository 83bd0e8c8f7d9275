"""Mini-batches are the rows that NumPy's generators draw, in their order, whoever draws beside them."""

import numpy as np
import pytest
import torch

from ndgm.engine.objectives.batches import Batches, ShuffledBatches

SAMPLES, SIZE = 50, 8
CPU = torch.device("cpu")


def generators(*seeds):
    return [np.random.default_rng(seed) for seed in seeds]


def drawn(seeds, count, size=SIZE):
    batches, found = Batches(SAMPLES, size, generators(*seeds), CPU), []
    for _ in range(count):
        batches.draw()
        found.append(batches.rows.clone())
    return torch.stack(found, 1)  # (blocks, count, size)


@pytest.mark.parametrize("at_once", [1, 4, 1000])
def test_rows_are_those_of_the_generators(at_once, monkeypatch):
    monkeypatch.setattr(Batches, "at_once", at_once)
    expected = [rng.integers(SAMPLES, size=(13, SIZE)) for rng in generators(1, 2)]
    np.testing.assert_array_equal(drawn((1, 2), 13), expected)


def test_another_block_changes_no_draws():
    assert torch.equal(drawn((1, 2), 20)[1], drawn((2,), 20)[0])


def test_batches_are_not_drawn_twice(monkeypatch):
    monkeypatch.setattr(Batches, "at_once", 10)
    # Two batches of eight rows of fifty agree with probability 1e-13 or so.
    assert len(drawn((7,), 30)[0].unique(dim=0)) == 30


def test_rows_are_drawn_with_replacement_and_uniformly():
    found = drawn((3,), 4_000, size=5)[0]
    counts = found.flatten().bincount(minlength=SAMPLES)
    expected = len(found) * 5 / SAMPLES
    assert ((counts - expected).abs() < 5 * expected**0.5).all()  # five standard deviations of each count
    # Five of fifty are all different with probability ∏(1 − k/50) = .81.
    different = np.mean([len(row.unique()) == 5 for row in found])
    assert different == pytest.approx(np.prod(1 - np.arange(5) / SAMPLES), abs=5 * 0.4 / len(found) ** 0.5)


def test_before_the_first_draw_there_are_no_rows():
    with pytest.raises(IndexError):
        torch.zeros(SAMPLES)[Batches(SAMPLES, SIZE, generators(0), CPU).rows]


def test_an_epoch_has_every_sample_once_but_for_those_that_fill_no_batch():
    batches, found = ShuffledBatches(SAMPLES, SIZE, generators(4, 5), CPU), []
    for _ in range(3 * (SAMPLES // SIZE)):
        batches.draw()
        found.append(batches.rows.clone())
    orders = [rng.permutation(SAMPLES) for rng in generators(4, 5) for _ in range(3)]
    expected = np.reshape([order[: SAMPLES // SIZE * SIZE] for order in orders], (2, -1, SIZE))
    np.testing.assert_array_equal(torch.stack(found, 1), expected)
