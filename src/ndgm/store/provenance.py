"""Where a number comes from: seeds, threads, versions, hashes."""

import hashlib
import json
import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

# Distributions whose versions can change the numbers.
PACKAGES = ("numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "torch")


def seed_sequence(root_seed: int, experiment: str, component: str, replicate: int = 0) -> np.random.SeedSequence:
    """Seed of one component of one replicate; another run, component or experiment never changes it.

    Args:
        root_seed: The config's `root_seed`.
        experiment: For example `l1_paradox_lasso`.
        component: What is drawn, for example `start` or `batches`.
        replicate: The run's `seed`.
    """
    words = np.frombuffer(hashlib.sha256(f"{experiment}/{component}".encode()).digest(), dtype="<u4")
    return np.random.SeedSequence([root_seed, *words.tolist(), replicate])


def generator(root_seed: int, experiment: str, component: str, replicate: int = 0) -> np.random.Generator:
    """NumPy generator on `seed_sequence(...)`."""
    return np.random.Generator(np.random.PCG64(seed_sequence(root_seed, experiment, component, replicate)))


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def value_hash(value: Any) -> str:
    """SHA-256 of the canonical JSON of a value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def code_hashes() -> dict[str, str]:
    """Hash of the running program and of every module of ours that it has imported, by name."""
    ours = {name: module.__file__ for name, module in sys.modules.items() if name.partition(".")[0] == "ndgm"}
    program = getattr(sys.modules["__main__"], "__file__", None)
    if program:
        ours[Path(program).name] = program
    return {name: file_hash(Path(path)) for name, path in sorted(ours.items()) if path}


def record(settings: dict[str, Any], data: Iterable[Path]) -> dict[str, Any]:
    """What a run table came from: settings, hashes of code and data, versions. Holds no time, host or path.

    Args:
        settings: All settings that the program was given, `device` among them.
        data: Input files.
    """
    import torch

    gpu = {"gpu": torch.cuda.get_device_name(), "cuda": torch.version.cuda} if settings["device"] == "cuda" else {}
    return {
        "settings": settings,
        "code": code_hashes(),
        "data": {Path(path).name: file_hash(path) for path in sorted(data)},
        "packages": {name: version(name).partition("+")[0] for name in PACKAGES},
        "device": settings["device"],
        **gpu,
        "dtype": str(torch.get_default_dtype()).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "instruction_set": torch.backends.cpu.get_cpu_capability(),
    }
