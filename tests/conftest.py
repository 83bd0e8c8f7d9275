"""What every test leaves as it found it, in whatever order tests run."""

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def torch_as_it_was() -> Iterator[None]:
    """PyTorch's precision, determinism and threads: programs set them for a process, and tests share one."""
    yield
    if torch := sys.modules.get("torch"):  # tests without it do not wait for it
        torch.set_default_dtype(torch.float32)
        torch.set_deterministic_debug_mode("default")
        torch.set_num_threads(1)
