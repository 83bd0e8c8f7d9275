"""What tests of experiments share."""

import pytest
import torch
from smoke_scale import Smoke

from ndgm.experiments.determinism import deterministic_torch


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Set the switches of PyTorch as programs do, before a fixture of any scope runs an experiment.

    But memory that nothing has written is NaN here.
    """
    deterministic_torch("cpu")
    torch.utils.deterministic.fill_uninitialized_memory = True


@pytest.fixture(scope="session")
def smoke() -> Smoke:
    """Experiments on the settings of the smoke scale."""
    return Smoke()
