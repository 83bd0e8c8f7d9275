"""What tests of experiments share."""

import pytest
import torch
from smoke_scale import Smoke


@pytest.fixture(scope="session")
def smoke() -> Smoke:
    """Experiments on the settings of the smoke scale."""
    return Smoke()


@pytest.fixture(autouse=True)
def double_precision():
    """As training programs have it; other tests of this process run with the type that they found."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)
