"""Files are written whole or not at all, and one that cannot be read is named in one line.

A result that later jobs read has a fingerprint, a hidden file beside it in the format of `sha256sum`. Readers hold the
result against it: text, drawings and the footers of tables have no checksum of their own.
"""

import errno
import hashlib
import json
import math
import os
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class InputError(ValueError):
    """Something the user gave cannot be used; the message is one line that names the file and the key."""


@contextmanager
def write_atomically(path: Path, fingerprint: bool = False, by_many: bool = False) -> Iterator[Path]:
    """Give a temporary name beside `path`; when the block ends well it becomes `path`, otherwise it is removed.

    Args:
        path: Where the finished file will stand. Its folder is made if it does not exist.
        fingerprint: Whether its fingerprint is written beside it.
        by_many: Whether several processes may write it at once, so that each needs a temporary name of its own.

    Yields:
        A path with the same suffix, in the same folder.

    Raises:
        OSError: naming `path`, if it cannot be written, for example because the disk is full.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # One name for all times, where it can be: the next program overwrites what a killed one has left behind.
    temporary = path.with_name(f".partial-{os.getpid()}-{path.name}" if by_many else f".partial-{path.name}")
    try:
        yield temporary
        # Without it a power loss can leave the new name with none of the content.
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        if fingerprint:
            _write_fingerprint(path, file_hash(temporary))
        os.replace(temporary, path)
    except OSError as fault:
        if fault.filename not in (None, str(temporary)):
            raise
        # Writers of tables, archives and pictures do not say which file a full disk cut off.
        reason = fault.strerror or " ".join(str(fault).split())
        raise OSError(fault.errno or errno.EIO, reason, str(path)) from fault
    finally:
        temporary.unlink(missing_ok=True)


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fingerprint_of(path: Path) -> Path:
    """The file that holds the fingerprint of the result `path`."""
    return path.with_name(f".{path.name}.sha256")


def check_fingerprint(path: Path) -> None:
    """Hold a result against its fingerprint, where it has one.

    Raises:
        InputError: if it is not the file that was written there.
    """
    path = Path(path)
    try:
        written = fingerprint_of(path).read_text(encoding="utf-8", errors="replace").partition(" ")[0]
    except OSError:
        return  # a reference, a file of the user's own, or one that is not there
    if path.is_file() and file_hash(path) != written:
        wrong = f"expected the content that was written there, with the SHA-256 of {fingerprint_of(path).name}"
        raise InputError(f"{path}: changed or damaged: {wrong}; remove it and run again")


def _write_fingerprint(path: Path, digest: str) -> None:
    """Write the fingerprint of a result whose content has this SHA-256."""
    with write_atomically(fingerprint_of(path)) as temporary:
        temporary.write_text(f"{digest}  {path.name}\n", encoding="utf-8")


@contextmanager
def temporary_folder(within: str | None = None) -> Iterator[Path]:
    """Give a folder for files that nobody keeps.

    Args:
        within: Where it stands; where temporary files do, if nothing is said.

    Raises:
        OSError: naming the folder, if a file in it cannot be written and its writer does not say which.
    """
    with tempfile.TemporaryDirectory(dir=within) as folder:
        try:
            yield Path(folder)
        except OSError as fault:
            if fault.filename is not None:
                raise
            raise OSError(fault.errno or errno.EIO, fault.strerror or str(fault), folder) from fault


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


def write_json(path: Path, value: Any, sort_keys: bool = True, fingerprint: bool = False) -> None:
    """Write `value` with floats of fixed length and sorted keys, so that equal values give equal bytes.

    Args:
        path: The file.
        value: A JSON value.
        sort_keys: Whether keys are sorted; a config's are not, because data are read in the order of its table of
            samples.
        fingerprint: Whether its fingerprint is written beside it.
    """
    text = json.dumps(rounded(value), indent=2, sort_keys=sort_keys, ensure_ascii=False, allow_nan=False)
    with write_atomically(path, fingerprint) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file that holds one object.

    Raises:
        InputError: if the file is missing, damaged, or holds something else.
    """
    value = _json(path)
    if not isinstance(value, dict):
        raise InputError(f"{path}: expected one JSON object, and it holds {_kind(value)}; remove it and run again")
    return value


def read_json_list(path: Path, keys: Collection[str] = ()) -> list[dict[str, Any]]:
    """Read a JSON file that holds a list of objects.

    Args:
        path: The file.
        keys: What each object must have.

    Raises:
        InputError: if the file is missing, damaged, or holds something else.
    """
    value = _json(path)
    expected = " with ".join(filter(None, ["expected a list of JSON objects", ", ".join(keys)]))
    if not isinstance(value, list):
        raise InputError(f"{path}: {expected}, and it holds {_kind(value)}; remove it and run again")
    for place, item in enumerate(value):
        if not isinstance(item, dict):
            raise InputError(f"{path}: {expected}, and item {place} is {_kind(item)}; remove it and run again")
        if missing := [key for key in keys if key not in item]:
            raise InputError(f"{path}: {expected}, and item {place} has no {missing[0]}; remove it and run again")
    return value


def read_text(path: Path) -> str:
    """Read a text.

    Raises:
        InputError: if the file is missing, is not what was written, or is not UTF-8.
    """
    check_fingerprint(path)
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except UnicodeDecodeError as fault:
        raise InputError(f"{path}: not UTF-8: {fault.reason} at byte {fault.start}") from None


def _kind(value: Any) -> str:
    """What a JSON value is, in words."""
    kinds = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")


def _json(path: Path) -> Any:
    """What a JSON file holds."""
    check_fingerprint(path)
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, ValueError, RecursionError) as fault:
        raise InputError(f"{path}: truncated or corrupted ({fault}); remove it and run again") from None
