"""What a killed training program goes on from, and what it refuses."""

import os
from types import SimpleNamespace

import pandas as pd
import pytest
import torch

import ndgm.experiments.ensembles
from ndgm.engine.descent import Schedule
from ndgm.engine.objectives.one_weight import OneWeight
from ndgm.experiments.ensembles import Problem, grid
from ndgm.experiments.training import deterministic_torch, train_each
from ndgm.store.files import InputError
from ndgm.store.run_tables import read_table

NAMES = ["first", "second"]


@pytest.fixture(autouse=True)
def switches_as_before():
    """Other tests of this process run with the switches that they found."""
    dtype, mode = torch.get_default_dtype(), torch.get_deterministic_debug_mode()
    yield
    torch.set_default_dtype(dtype)
    torch.set_deterministic_debug_mode(mode)


def program(tmp_path, fails_in=None):
    """Two experiments of two ensembles each; the second ensemble of one of them may end in a fault."""
    settings = [{"experiment": name, "device": "cpu", "ensemble_size": 3} for name in NAMES]

    def maker(told):
        def build(part):
            if told["experiment"] == fails_in and part["run"].min() > 0:
                raise KeyboardInterrupt
            ones = torch.ones(len(part), 1)
            return Problem(OneWeight(ones, 0 * ones, ones), ones, 0.1 * ones, Schedule.geometric(20, 3))

        runs = grid(design=["a"], method=["subgradient"], step_size=[0.1], seed=range(6))
        return runs, build, ["design", "method"]

    out = [tmp_path / f"{name}.parquet" for name in NAMES]
    arguments = SimpleNamespace(settings=settings, out=out)
    train_each(dict.fromkeys(NAMES, maker), arguments, [], lambda line: None)
    return [read_table(path) for path in out]


def test_a_killed_program_trains_no_finished_ensemble_again(tmp_path, monkeypatch):
    deterministic_torch("cpu")
    whole = program(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        program(tmp_path / "killed", fails_in="second")
    for table in (tmp_path / "killed").glob("*.parquet"):
        table.unlink()  # as Snakemake does with all that a failed job made
    trained = []
    descend = ndgm.experiments.ensembles.descend
    monkeypatch.setattr(
        "ndgm.experiments.ensembles.descend", lambda *arguments: trained.append(1) or descend(*arguments)
    )
    again = program(tmp_path / "killed")
    assert len(trained) == 1  # of four: the last one of the second experiment
    for found, expected in zip(again, whole, strict=True):
        pd.testing.assert_frame_equal(found, expected)
    assert [path.name for path in (tmp_path / "killed").iterdir() if path.name.startswith(".")] == []


def test_a_device_that_is_not_there_is_said_in_one_line(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="device: cuda: PyTorch finds no CUDA device here"):
        deterministic_torch("cuda")


def test_cublas_is_told_to_be_deterministic_where_nobody_did(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    deterministic_torch("cpu")
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
