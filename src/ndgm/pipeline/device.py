"""The device that a check ran on, and the versions that it ran with."""

import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from typing import Any

# All that a check of a device needs, besides Python.
PACKAGES = ("numpy", "pandas", "pyarrow", "pytest", "scikit-learn", "scipy", "torch", "tqdm")


def description(device: str) -> dict[str, Any]:
    """The device, its driver, the switches of this process, and the versions of all that decides the numbers.

    Args:
        device: `cpu` or `cuda`.
    """
    import torch

    described = {
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "processor": {"cores": os.cpu_count(), "machine": platform.machine()},
        "tf32": torch.backends.cuda.matmul.allow_tf32 or torch.backends.cudnn.allow_tf32,
        "deterministic": torch.get_deterministic_debug_mode() == 2,
    }
    if device != "cuda":
        return {**described, "device": {"name": device}}
    properties = torch.cuda.get_device_properties(0)
    return {
        **described,
        "device": {
            "name": properties.name,
            "compute_capability": f"{properties.major}.{properties.minor}",
            "multiprocessors": properties.multi_processor_count,
            "memory_in_gib": round(properties.total_memory / 2**30, 1),
            "driver": driver(),
            "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),
        },
    }


def driver() -> str | None:
    """Version of NVIDIA's driver; None where its program is not at hand."""
    program = shutil.which("nvidia-smi")
    if not program:
        return None
    command = [program, "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return next(iter(done.stdout.split()), None) if done.returncode == 0 else None


def _version(package: str) -> str | None:
    """Version of an installed package; None where it is found without being installed."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
