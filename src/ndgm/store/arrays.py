"""Named arrays on disk, as `.npz` archives."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ndgm.store.files import InputError, write_atomically


def write_data(path: Path, data: NamedTuple) -> None:
    """Write the arrays of a named tuple to an `.npz` file."""
    with write_atomically(path) as temporary:
        np.savez(temporary, **data._asdict())


def read_data(path: Path, kind: Any) -> Any:
    """Read an instance of a subclass of `NamedTuple`, `kind`, whose fields are the arrays of an `.npz` file.

    Raises:
        InputError: if the file is missing, truncated or holds something else.
    """
    arrays = read_arrays(path)
    if missing := [name for name in kind._fields if name not in arrays]:
        raise InputError(f"{path}: there is no {missing[0]!r} in it; remove it and run again")
    return kind(**{name: arrays[name] for name in kind._fields})


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read all arrays of an `.npz` file, by name.

    Raises:
        InputError: if the file is missing or truncated.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return dict(arrays)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except Exception as fault:  # a damaged archive can end in about ten kinds of them
        raise InputError(f"{path}: truncated or corrupted ({fault}); remove it and run again") from None
