"""Named arrays on disk, as `.npz` archives without pickled objects."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ndgm.store.files import InputError, check_fingerprint, write_atomically


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays to an `.npz` file, by name, with its fingerprint; equal arrays give equal bytes."""
    with write_atomically(path, fingerprint=True) as temporary:
        np.savez(temporary, allow_pickle=False, **arrays)


def write_data(path: Path, data: NamedTuple) -> None:
    """Write the arrays of a named tuple to an `.npz` file."""
    write_arrays(path, data._asdict())


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read all arrays of an `.npz` file, by name.

    Raises:
        InputError: if the file is missing or damaged.
    """
    check_fingerprint(path)
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = dict(archive)
        if texts := [name for name, array in arrays.items() if not isinstance(array, np.ndarray)]:
            raise ValueError(f"{texts[0]} is no array")
        return arrays
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except Exception as fault:  # a damaged archive can end in about ten kinds of them
        raise InputError(f"{path}: truncated or corrupted ({fault}); remove it and run again") from None
