"""Where a number comes from: seeds, threads, versions, hashes."""

import hashlib
import json
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ndgm.store.files import file_hash

PACKAGES = ("numpy", "pandas", "pyarrow", "scikit-learn", "scipy", "torch")
"""Distributions whose versions can change the numbers of any table."""

OPTIONAL = {"eagerpy", "foolbox"}
"""Distributions that count only for programs that import them; a machine may lack them."""


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


def origin(settings: Mapping[str, Any], data: Mapping[str, Path]) -> dict[str, Any]:
    """Origin of a table: settings, hashes of code and data, versions; no time, host or path.

    Args:
        settings: All settings that its experiment was given.
        data: Files that it depends on, by a name.
    """
    packages = sorted({*PACKAGES, *OPTIONAL & sys.modules.keys()})
    return {
        "settings": settings,
        "code": code_hashes(),
        "data": {name: file_hash(path) for name, path in sorted(data.items())},
        "packages": {name: version(name).partition("+")[0] for name in packages},
    }


def record(settings: Mapping[str, Any], data: Mapping[str, Path]) -> dict[str, Any]:
    """What a table that PyTorch computed came from: its `origin`, and how it did on which device.

    Args:
        settings: All settings that its experiment was given, `device` among them.
        data: Files that it depends on, by a name.
    """
    import torch

    gpu = {"gpu": torch.cuda.get_device_name(), "cuda": torch.version.cuda} if settings["device"] == "cuda" else {}
    return {
        **origin(settings, data),
        "device": settings["device"],
        **gpu,
        "dtype": str(torch.get_default_dtype()).removeprefix("torch."),
        "threads": torch.get_num_threads(),
        "instruction_set": torch.backends.cpu.get_cpu_capability(),
    }
