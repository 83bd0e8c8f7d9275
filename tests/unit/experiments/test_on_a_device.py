"""What a CUDA device would refuse or do otherwise, found on the processor, for every experiment.

Steps are replayed with what a graph sees and no more; and tensors without numbers stand for those of a device, so that
one on the processor among them is a fault.
"""

from collections.abc import Iterator
from contextlib import suppress

import pandas as pd
import pytest
import torch
from graphs_on_the_processor import capture
from small_jobs import PARTS, experiment_of, swept
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensorDeviceMismatchError,
    FakeTensorMode,
)
from torch.utils._python_dispatch import TorchDispatchMode

import ndgm.engine.capture
import ndgm.engine.descent
from ndgm.engine.capture import replayed
from ndgm.engine.methods import METHODS
from ndgm.engine.objectives.objective import Averages, Averaging
from ndgm.experiments.ensembles import Plan
from ndgm.experiments.training import deterministic_torch

REFUSED = {"bincount.default", "cumsum.default", "histc.default", "kthvalue.default", "median.dim", "put_.default"}
"""Operations of `aten` without a deterministic kernel for a CUDA device, of those that anybody might take here.

Source: documentation of `torch.use_deterministic_algorithms`.
"""


class Operations(TorchDispatchMode):
    """Keeps the names of all operations."""

    def __init__(self):
        super().__init__()
        self.names = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.names.add(str(function).removeprefix("aten."))
        return function(*args, **kwargs or {})


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_replayed_steps_are_the_steps(part, monkeypatch, tmp_path):
    captures = []
    deterministic_torch("cpu")
    steps = swept(part, tmp_path / "steps")
    monkeypatch.setattr(ndgm.engine.capture, "_capture", lambda step: captures.append(step) or capture(step))
    on_device = torch.device("cuda")
    monkeypatch.setattr(ndgm.engine.descent, "replayed", lambda step, memory, _: replayed(step, memory, on_device))
    replays = swept(part, tmp_path / "replays")
    assert captures
    for name, found in steps.items():
        pd.testing.assert_frame_equal(replays[name].table, found.table, check_exact=True)


def one_of_each_kind(plan: Plan, size: int) -> Iterator[pd.DataFrame]:
    """Ensembles that differ in more than numbers, which decide nothing about where a tensor is."""
    seen = set()
    for ensemble in plan.ensembles(size):
        kind = tuple(ensemble.select_dtypes(exclude="number").iloc[0])
        if kind not in seen:
            seen.add(kind)
            yield ensemble


def take_a_step(experiment, ensemble):
    """One step of an ensemble, with averages, and what is measured of it; all tensors that are made on the way."""
    objective, start, step_size, *_ = experiment.build(ensemble)
    method = METHODS[ensemble["method"].iloc[0]]
    averages = Averages.zeros(objective.averaged, start)
    w = start.clone()
    state = method.start(w)
    objective.draw()
    w, state = method.step(Averaging(objective, averages), w, state, step_size)
    made = [w, *averages.per_run.values(), *averages.per_weight.values()]
    with suppress(DataDependentOutputException, DynamicOutputShapeException):  # a search ends as its numbers say
        made += objective.measure(method.iterate(w, state), start).values()
    return made


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_everything_is_on_the_device_and_deterministic(part, tmp_path):
    deterministic_torch("cpu")
    with Operations() as taken:
        found = swept(part, tmp_path)
    assert "mul.Tensor" in taken.names and not taken.names & REFUSED
    for place in range(len(part.job.experiments)):
        with FakeTensorMode():
            experiment, size = experiment_of(part, place, found, device="meta")
            for ensemble in one_of_each_kind(experiment, size):
                assert {tensor.device.type for tensor in take_a_step(experiment, ensemble)} == {"meta"}


def test_a_tensor_on_the_processor_among_those_of_a_device_is_a_fault():
    with FakeTensorMode(), pytest.raises(FakeTensorDeviceMismatchError):
        torch.ones(2, device="meta") + torch.ones(2)
