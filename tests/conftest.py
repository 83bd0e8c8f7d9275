"""What every test leaves as it found it, in whatever order tests run."""

import gc
import os
import sys
from collections.abc import Iterator

import pytest

os.environ["OMP_NUM_THREADS"] = "1"
"""One thread, as every program has it: two would wait for each other where tests run side by side."""

WHOLE_RUNS = "test_verify.py"
"""File whose tests make the whole runs of the smoke scale."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that make whole runs of the smoke scale: at the end one worker would wait for another.

    Each of two workers gets one half of the tests, and takes over from the other what that has not begun. Unit tests,
    which need no whole run, are in the second half.
    """
    items.sort(key=lambda item: item.path.name != WHOLE_RUNS)


def pytest_collection_finish() -> None:
    """What is loaded when tests begin stays to their end: no use to look for garbage in it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def torch_as_it_was() -> Iterator[None]:
    """PyTorch's precision, determinism and threads: programs set them for a process, and tests share one."""
    yield
    if torch := sys.modules.get("torch"):  # tests without it do not wait for it
        torch.set_default_dtype(torch.float32)
        torch.set_deterministic_debug_mode("default")
        torch.set_num_threads(1)
