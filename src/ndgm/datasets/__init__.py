"""Data sets: generated ones, and real tables that scikit-learn ships; and the files that hold them."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ndgm.files import InputError, write_atomically


def write_data(path: Path, data: NamedTuple) -> None:
    """Write the arrays of a data set to an `.npz` file."""
    with write_atomically(path) as temporary:
        np.savez(temporary, **data._asdict())


def read_data(path: Path, kind: type) -> Any:
    """Read a data set of the named tuple `kind` from an `.npz` file.

    Raises:
        InputError: if the file is missing, truncated or holds something else.
    """
    try:
        with np.load(path) as arrays:
            return kind(**{name: arrays[name] for name in kind._fields})
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except Exception as fault:  # a damaged archive can end in about ten kinds of them
        raise InputError(f"{path}: truncated or corrupted ({fault}); remove it and run again") from None
