"""When a step is captured and replayed; what a device does with it is tested where there is one."""

import numpy as np
import pytest
import torch
from graphs_on_the_processor import Waits, capture

import ndgm.engine.capture
from ndgm.engine.capture import replayed
from ndgm.engine.descent import Schedule, descend
from ndgm.engine.methods import METHODS
from ndgm.engine.objectives.lasso import Lasso

CUDA = torch.device("cuda")


@pytest.fixture
def captures(monkeypatch):
    """Steps captured so far; to replay one is to call it."""
    captured = []
    monkeypatch.setattr(ndgm.engine.capture, "_capture", lambda step: captured.append(step) or step)
    return captured


def test_on_the_processor_a_step_is_left_as_it_is():
    assert replayed(print, list, torch.device("cpu")) is print


def test_a_step_that_works_in_place_is_captured_after_its_first_call(captures):
    w = torch.zeros(3)
    step = replayed(lambda: w.add_(1), lambda: [w], CUDA)
    for call in range(1, 5):
        step()
        assert len(captures) == 1 and torch.equal(w, torch.full((3,), float(call)))


def test_a_step_that_makes_its_state_is_captured_once_it_keeps_it(captures):
    state = []

    def work():
        if state:
            state[0].mul_(2)
        else:
            state.append(torch.ones(1))

    step = replayed(work, lambda: [*state], CUDA)
    step()
    assert not captures
    for _ in range(3):
        step()
    assert len(captures) == 1 and state[0] == 8


@pytest.mark.parametrize("change", ["number", "tensor"])
def test_a_step_that_changes_what_a_graph_would_not_is_never_captured(change, captures):
    state = [0 if change == "number" else torch.zeros(1)]

    def work():
        state[0] = state[0] + 1

    step = replayed(work, lambda: [*state], CUDA)
    for _ in range(5):
        step()
    assert not captures and state[0] == 5


@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_the_same_where_its_steps_are_replayed(name, captures, monkeypatch):
    design = torch.tensor(np.random.default_rng(0).standard_normal((30, 5)))
    gram, correlation = design.T @ design / 30, design.sum(0) / 30
    traces = []
    for device in (torch.device("cpu"), CUDA):
        monkeypatch.setattr(
            "ndgm.engine.descent.replayed", lambda step, memory, _, device=device: replayed(step, memory, device)
        )
        objective = Lasso(gram, correlation, torch.tensor([[0.1], [0.5]], dtype=torch.float64))
        objective.lowest = -1.0
        start, step_size = torch.ones(2, 5, dtype=torch.float64), torch.full((2, 1), 0.1, dtype=torch.float64)
        traces.append(descend(objective, METHODS[name], start, step_size, Schedule(30, (1, 10, 30), 15)))
    for quantity, values in traces[0].measured.items():
        np.testing.assert_array_equal(values, traces[1].measured[quantity])
    # With averages there are two kinds of steps. Numbers in the state, or buffers that change places, forbid a capture.
    start = torch.ones(1, 1)
    numbers = not all(isinstance(part, torch.Tensor) for part in METHODS[name].start(start))
    assert len(captures) == (0 if numbers else 1 if METHODS[name].rests else 2)


def test_the_stand_in_for_a_graph_sees_operations_alone():
    w, calls = torch.zeros(3), []

    def step():
        calls.append(None)
        w.add_(len(calls))
        w.mul_((w * 2).sign())

    replay = capture(step)
    assert torch.equal(w, torch.zeros(3))  # a capture runs nothing
    for _ in range(3):
        replay()
    assert torch.equal(w, torch.full((3,), 3.0)) and len(calls) == 1


@pytest.mark.parametrize(
    "step", [lambda w: w.sum().item(), lambda w: w[w > 0], lambda w: torch.linalg.eigvalsh(w.outer(w)), torch.nonzero]
)
def test_the_stand_in_for_a_graph_refuses_to_wait(step):
    with pytest.raises(Waits):
        capture(lambda: step(torch.ones(3)))
