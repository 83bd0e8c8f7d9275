"""The switches of PyTorch: a device that is not there, and what cuBLAS is told."""

import os

import pytest
import torch

from ndgm.experiments.determinism import deterministic_torch
from ndgm.store.files import InputError


def test_a_device_that_is_not_there_is_said_in_one_line(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="device: cuda: PyTorch finds no CUDA device here"):
        deterministic_torch("cuda")


def test_cublas_is_told_to_be_deterministic_where_nobody_did(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    deterministic_torch("cpu")
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
