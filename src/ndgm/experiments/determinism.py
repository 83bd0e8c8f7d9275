"""The switches of PyTorch that every program with experiments sets before it runs one."""

import os

import torch

from ndgm.store.files import InputError


def deterministic_torch(device: str) -> None:
    """One thread, float64, deterministic kernels, no TF32: the numbers are decided by config, code and data alone.

    Args:
        device: What the config says.

    Raises:
        InputError: if there is no such device here.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("device: cuda: PyTorch finds no CUDA device here")
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it cuBLAS refuses to be deterministic
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    # What `use_deterministic_algorithms` does too, but that also imports the compiler: half of a small job.
    torch.set_deterministic_debug_mode("error")
    # It fills each buffer before it is used, hundreds of megabytes at a time. The tests of experiments leave it on, so
    # that what is read before it is written shows as NaN.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
