"""Named arrays on disk, as `.npz` archives without pickled objects."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ndgm.store.files import InputError, check_fingerprint, write_atomically


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays to an `.npz` file, by name, with its fingerprint; equal arrays give equal bytes.

    `np.savez` asks for the large form of every entry, which Python writes in another way from 3.11.4 on. Here an entry
    has it where its size needs it, so that all releases of Python give the same bytes.
    """
    with write_atomically(path, fingerprint=True) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name, array in arrays.items():
            entry = io.BytesIO()
            np.lib.format.write_array(entry, np.asanyarray(array), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy"), entry.getbuffer())


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
