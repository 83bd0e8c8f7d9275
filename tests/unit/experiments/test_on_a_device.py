"""What a CUDA device would refuse or do otherwise, found on the processor, for every experiment.

Steps are replayed with what a graph sees and no more; tensors without numbers stand for those of a device, so that one
on the processor among them is a fault, in whatever PyTorch does within an operation; and whole experiments are run on a
made-up device, to the same numbers. What is given no device does nothing in PyTorch.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from graphs_on_the_processor import capture
from made_up_device import DEVICE, ElsewhereError, MadeUpDevice
from small_jobs import PARTS, SMOKE, TABULATED, experiment_of, swept, tabulated
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
from ndgm.pipeline.jobs import JOBS, parts

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


def assert_same(found, expected):
    """Same tables to the last bit, and the same ends."""
    pd.testing.assert_frame_equal(found.table, expected.table, check_exact=True)
    assert found.ends.keys() == expected.ends.keys()
    for run, end in expected.ends.items():
        np.testing.assert_array_equal(found.ends[run], end)


@pytest.mark.elsewhere
@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_what_trains_on_the_device_finds_the_same(part, monkeypatch, tmp_path):
    expected = swept(part, tmp_path / "processor")
    monkeypatch.setattr(ndgm.engine.descent, "replayed", lambda step, memory, _: step)
    with MadeUpDevice() as device:
        found = swept(part, tmp_path / "device", device=DEVICE.type)
    assert device.operations
    for table, each in expected.items():
        assert_same(found[table], each)


@pytest.mark.parametrize("part", TABULATED, ids=lambda part: part.name)
def test_what_makes_a_table_on_the_device_makes_the_same(part, monkeypatch):
    """Eight experiments that train or send signals through networks once ran on the processor, whatever was asked."""
    monkeypatch.setattr(ndgm.engine.descent, "replayed", lambda step, memory, _: step)
    expected, begun = [], tabulated(part)
    for _ in part.job.experiments:
        with Operations() as taken:
            told, found = next(begun)
        assert bool(taken.names) == ("device" in told) and not taken.names & REFUSED
        expected.append(found)
    before = 0
    with MadeUpDevice() as device:
        for (told, found), each in zip(tabulated(part, device=DEVICE.type), expected, strict=True):
            assert_same(found, each)
            assert (device.operations > before) == ("device" in told)
            before = device.operations


def test_every_job_of_the_manifest_is_tried():
    """Here, or where its own module is tested: it may need data that no config of this size has."""
    tried = {part.job.name for part in (*PARTS, *TABULATED)}
    for job in (job for job in JOBS.values() if job.name not in tried):
        assert not parts(job, SMOKE)
        for module in job.modules:
            assert "MadeUpDevice()" in Path(__file__).with_name(f"test_{module}.py").read_text("utf-8")


def forgetful(device):
    """Experiments that forget the device, each at another place."""
    there, here = torch.ones(2, device=device), torch.from_numpy(np.ones(2))
    return {
        "where a tensor is made": lambda: there + here,
        "in a product": lambda: there.double() @ here.unsqueeze(1),
        "among several": lambda: torch.stack([there, here]),
        "where it writes": lambda: torch.abs(there, out=here),
        "in a module": lambda: torch.nn.Linear(2, 2, device=device)(here),
        "in a parameter": lambda: setattr(torch.nn.Linear(2, 2).weight, "data", there.expand(2, 2)),
        "in the way back": lambda: there.numpy(),
        "in a function of NumPy": lambda: np.log(there),
        "in a gradient": lambda: torch.autograd.grad(there.requires_grad_().sum(), there)[0] + here,
    }


@pytest.mark.parametrize("place", forgetful("cpu"))
def test_an_experiment_that_forgets_the_device_is_a_fault(place):
    with MadeUpDevice(), pytest.raises(ElsewhereError):
        forgetful(DEVICE.type)[place]()


def test_what_is_moved_is_a_tensor_of_its_own_and_numbers_are_anywhere():
    here = torch.arange(3.0)
    with MadeUpDevice() as device:
        there = here.to(DEVICE.type)
        back = there.cpu()
        there += torch.tensor(1.0)
        assert (there.device, there.sort().values.device, back.device) == (DEVICE, DEVICE, torch.device("cpu"))
        assert there.tolist() == [1, 2, 3] and back.numpy().tolist() == here.numpy().tolist() == [0, 1, 2]
        assert there.new_zeros(2).device == there.to(torch.float32).device == DEVICE and there.sum().item() == 6
    assert device.operations
