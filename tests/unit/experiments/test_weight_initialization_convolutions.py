"""Convolutional networks in the setting of the author's script: first weights, and tiny runs on made-up pictures."""

import numpy as np
import pandas as pd
import pytest
import torch
from graphs_on_the_processor import capture
from made_up_device import DEVICE, MadeUpDevice
from scipy import stats
from smoke_scale import ROOT
from test_on_a_device import REFUSED, Operations, assert_same, take_a_step
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

import ndgm.engine.capture
import ndgm.engine.descent
from ndgm.data.networks import cifar10
from ndgm.engine.capture import replayed
from ndgm.engine.convolutions import Convolutions
from ndgm.experiments.ensembles import sweep
from ndgm.experiments.inputs import Inputs
from ndgm.experiments.weight_initialization_convolutions import convolutions, start
from ndgm.paper.columns import COLUMNS
from ndgm.pipeline.jobs import JOBS, parts, settings
from ndgm.pipeline.settings import load
from ndgm.store.files import InputError

JOB = JOBS["train_weight_initialization_convolutions"]
(FULL,) = settings(JOB, load("full", ROOT / "config"), "cifar10")
AUTHORS = Convolutions(channels=tuple(FULL["channels"]), colours=3, side=32, classes=10)
PICTURES, BATCH, EPOCHS, SEEDS = 23, 5, 3, 2
TINY = FULL | {
    "device": "cpu",
    "channels": [2, 3],
    "data": {"cifar10": {"epochs": EPOCHS}},
    "batch_size": BATCH,
    "seeds": SEEDS,
    "samples_at_once": 10,
}
POOLING = {"max_pool2d_with_indices.default", "max_pool2d_with_indices_backward.default"}
"""Their gradient adds up in no fixed order on a CUDA device."""

ARMS = len(FULL["initializations"])


@pytest.fixture(scope="module")
def pictures(tmp_path_factory, archive, records):
    """As the pipeline reads them from an archive in the format of CIFAR-10, of which there are few."""
    contents = {"cifar-10-batches-bin/data_batch_1.bin": records(PICTURES).tobytes()}
    path = archive(tmp_path_factory.mktemp("data") / "cifar-10-binary.tar.gz", contents)
    return cifar10(np.random.default_rng(1), file=path, samples=PICTURES)


def planned(pictures, **changed):
    return convolutions(TINY | changed, Inputs({"weight_initialization": {"cifar10": pictures}}))


def swept(pictures, folder, size=2 * ARMS, **changed):
    plan = planned(pictures, **changed)
    return sweep(plan.ensembles(size), plan.build, folder)


def test_only_a_config_with_an_archive_has_the_job():
    assert {scale: parts(JOB, load(scale, ROOT / "config")) for scale in ("smoke", "laptop", "full")} == {
        "smoke": [],
        "laptop": [],
        "full": ["cifar10"],
    }


def test_the_setting_is_that_of_the_script():
    """Its channels, batches and epochs, and its method with the step and the first variance."""
    assert (FULL["channels"], FULL["batch_size"], FULL["data"]) == ([32, 64, 128], 32, {"cifar10": {"epochs": 10}})
    assert (FULL["method"], FULL["step_size"], FULL["initializations"][0]) == ("rmsprop_keras", 1e-4, 3.6)


@pytest.mark.parametrize("wanted", [str(each) for each in FULL["initializations"]])
def test_first_variances_are_those_of_keras(wanted):
    """`scale`/fan_in for a number, and 2/(fan_in + fan_out) for `glorot_normal`, both cut off at two deviations."""
    w = torch.tensor(start(FULL, AUTHORS, 3, wanted)).unsqueeze(0)
    law = stats.truncnorm(-2, 2)
    *convolved, (last, _) = AUTHORS.layers(w)
    for weights, biases in convolved:
        kernels = weights[0].unflatten(1, (-1, 3, 3))
        fan_in, fan_out = nn.init._calculate_fan_in_and_fan_out(kernels)
        variance = {"formula": 12.8 / fan_in, "glorot": 2 / (fan_in + fan_out)}.get(wanted) or float(wanted) / fan_in
        # The relative error of a mean square is √(kurtosis − 1) over √n.
        error = np.sqrt((law.moment(4) / law.var() ** 2 - 1) / kernels.numel())
        assert kernels.square().mean().item() == pytest.approx(variance, rel=5 * error)
        assert kernels.abs().max().item() <= 2 * np.sqrt(variance) / law.std()
        assert (biases == 0).all()
    # Keras' default for a dense layer is `glorot_uniform`.
    bound = np.sqrt(6 / sum(last.shape[1:]))
    assert 0.99 * bound < last.abs().max().item() <= bound


def test_a_seed_has_one_draw_for_all_variances():
    networks = Convolutions(channels=(2, 3), colours=3, side=32, classes=10)
    low, high, other = (networks.layers(torch.tensor(start(TINY, networks, seed, wanted)).unsqueeze(0))
                        for seed, wanted in ((0, "3.6"), (0, "14.4"), (1, "3.6")))  # fmt: skip
    for (one, _), (two, _) in zip(low[:-1], high[:-1], strict=True):
        torch.testing.assert_close(two, 2 * one, rtol=1e-14, atol=0)
    assert torch.equal(low[-1][0], high[-1][0]) and not torch.equal(low[0][0], other[0][0])


def test_runs_of_a_seed_stay_together_and_see_the_same_batches(pictures):
    plan = planned(pictures)
    assert [len(rows) for rows in plan.ensembles(ARMS + 1)] == [ARMS] * SEEDS
    (rows,) = plan.ensembles(SEEDS * ARMS)
    assert rows["initialization"].tolist() == ["3.6", "formula", "glorot"] * SEEDS
    problem = plan.build(rows)
    problem.objective.draw()
    assert problem.objective.batches.rows.shape == (SEEDS, BATCH)
    # Copies of one network have the same gradient at the same seed alone.
    alike = problem.objective.subgradient(problem.start[:1].repeat(SEEDS * ARMS, 1)).reshape(SEEDS, ARMS, -1)
    torch.testing.assert_close(alike, alike[:, :1].expand_as(alike), rtol=1e-4, atol=1e-7)
    assert (alike[0, 0] - alike[1, 0]).abs().max() > 1e-4


def test_a_tiny_run_is_recorded_by_epoch_and_is_deterministic(pictures, tmp_path):
    first, again = (swept(pictures, tmp_path / str(time)) for time in range(2))
    pd.testing.assert_frame_equal(first.table, again.table, check_exact=True)
    table = first.table
    assert table["step"].unique().tolist() == [PICTURES // BATCH * epoch for epoch in range(EPOCHS + 1)]
    assert len(table) == SEEDS * ARMS * (EPOCHS + 1) and (table["stopped_because"] == "finished").all()
    assert table["design"].unique().tolist() == ["cifar10"] and np.isfinite(table["objective"]).all()
    assert (table["accuracy"] <= table["top_five_accuracy"]).all() and set(table) <= set(COLUMNS)
    ends = np.stack(list(first.ends.values()))
    assert ends.dtype == np.float32 and len(np.unique(ends, axis=0)) == SEEDS * ARMS
    other = swept(pictures, tmp_path / "other", root_seed=FULL["root_seed"] + 1).table
    assert not other["objective"].isin(table["objective"]).any()


def test_a_run_depends_on_none_beside_it(pictures, tmp_path):
    """But for the order in which products add up."""
    together, alone = (swept(pictures, tmp_path / str(size), size).ends for size in (2 * ARMS, ARMS))
    for run, end in together.items():
        np.testing.assert_allclose(alone[run], end, atol=1e-4)


def test_longer_training_fits_a_few_pictures(pictures, tmp_path):
    table = swept(pictures, tmp_path, data={"cifar10": {"epochs": 60}}, step_size=0.02, seeds=1).table
    ends = table.groupby("initialization")["objective"].agg(["first", "last"])
    assert ends["last"]["formula"] < 0.5 * ends["first"]["formula"]


def test_replayed_steps_are_the_steps(pictures, monkeypatch, tmp_path):
    steps = swept(pictures, tmp_path / "steps")
    captures = []
    monkeypatch.setattr(ndgm.engine.capture, "_capture", lambda step: captures.append(step) or capture(step))
    device = torch.device("cuda")
    monkeypatch.setattr(ndgm.engine.descent, "replayed", lambda step, memory, _: replayed(step, memory, device))
    pd.testing.assert_frame_equal(swept(pictures, tmp_path / "replays").table, steps.table, check_exact=True)
    assert captures


def test_everything_is_on_the_device_and_deterministic(pictures):
    """As `test_on_a_device.py` has it for the experiments of smoke, to which this one does not belong."""
    with FakeTensorMode():
        plan = planned(pictures, device="meta")
        (rows,) = plan.ensembles(SEEDS * ARMS)
        made = take_a_step(plan, rows)
        assert {tensor.device.type for tensor in made} == {"meta"}
    with Operations() as taken:
        plan = planned(pictures)
        take_a_step(plan, rows)
    assert any("convolution" in name for name in taken.names) and not taken.names & {*REFUSED, *POOLING}


def test_a_run_on_the_device_finds_the_same(pictures, monkeypatch, tmp_path):
    expected = swept(pictures, tmp_path / "processor")
    monkeypatch.setattr(ndgm.engine.descent, "replayed", lambda step, memory, _: step)
    with MadeUpDevice() as device:
        found = swept(pictures, tmp_path / "device", device=DEVICE.type)
    assert device.operations
    assert_same(found, expected)


def test_fewer_pictures_than_a_batch_has(pictures):
    with pytest.raises(InputError) as fault:
        planned(pictures, batch_size=PICTURES + 1)
    key = "weight_initialization.convolutions.batch_size"
    assert str(fault.value) == f"{key}: {PICTURES + 1} is more than the {PICTURES} pictures of cifar10"
