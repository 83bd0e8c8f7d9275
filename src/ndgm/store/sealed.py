"""Bytes that carry their own length and hash, so that a torn file is known from a whole one."""

import hashlib
from pathlib import Path

from ndgm.store.files import write_atomically

_LENGTH = 8
"""Bytes that hold the length; the hash follows them."""
_HEAD = _LENGTH + hashlib.sha256().digest_size


class TornError(ValueError):
    """A file was truncated, emptied or changed after it had been written."""


def write_sealed(path: Path, content: bytes) -> None:
    """Write the length of `content` as eight bytes, its SHA-256, and `content`."""
    head = len(content).to_bytes(_LENGTH, "little") + hashlib.sha256(content).digest()
    with write_atomically(path) as temporary:
        temporary.write_bytes(head + content)


def read_sealed(path: Path) -> bytes:
    """Content of a file that `write_sealed` wrote.

    Raises:
        TornError: if length or hash are not those of the content.
        OSError: if the file cannot be read.
    """
    whole = Path(path).read_bytes()
    length, digest, content = whole[:_LENGTH], whole[_LENGTH:_HEAD], whole[_HEAD:]
    if len(whole) < _HEAD or int.from_bytes(length, "little") != len(content):
        raise TornError(f"{path}: its length is not the one that it was written with")
    if hashlib.sha256(content).digest() != digest:
        raise TornError(f"{path}: its bytes are not those that it was written with")
    return content
