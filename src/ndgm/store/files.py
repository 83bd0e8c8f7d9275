"""Files are written whole or not at all, and one that cannot be read is named in one line."""

import errno
import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class InputError(ValueError):
    """Something the user gave cannot be used; the message is one line that names the file and the key."""


@contextmanager
def write_atomically(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; when the block ends well it becomes `path`, otherwise it is removed.

    Args:
        path: Where the finished file will stand. Its folder is made if it does not exist.

    Yields:
        A path with the same suffix, in the same folder.

    Raises:
        OSError: naming `path`, if it cannot be written, for example because the disk is full.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The name is always the same, so that what a killed program leaves behind is overwritten by the next one.
    temporary = path.with_name(f".partial-{path.name}")
    try:
        yield temporary
        # Without it a power loss can leave the new name with none of the content.
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(temporary, path)
    except OSError as fault:
        if fault.filename not in (None, str(temporary)):
            raise
        # Writers of tables, archives and pictures do not say which file a full disk cut off.
        reason = fault.strerror or " ".join(str(fault).split())
        raise OSError(fault.errno or errno.EIO, reason, str(path)) from fault
    finally:
        temporary.unlink(missing_ok=True)


def rounded(value: Any, digits: int = 12) -> Any:
    """Copy of a JSON value in which floats have `digits` significant digits and non-finite ones are None."""
    if isinstance(value, dict):
        return {key: rounded(item, digits) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(item, digits) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.{digits}g}") if math.isfinite(value) else None
    return value


def write_json(path: Path, value: Any, sort_keys: bool = True) -> None:
    """Write `value` with floats of fixed length and sorted keys, so that equal values give equal bytes.

    Args:
        path: The file.
        value: A JSON value.
        sort_keys: Whether keys are sorted; a config's are not, because data are read in the order of its table of
            samples.
    """
    text = json.dumps(rounded(value), indent=2, sort_keys=sort_keys, ensure_ascii=False, allow_nan=False)
    with write_atomically(path) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        InputError: if the file is missing or is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, ValueError) as fault:
        raise InputError(f"{path}: truncated or corrupted ({fault}); remove it and run again") from None
