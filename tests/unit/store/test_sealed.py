"""A file that carries its length and hash is read back whole, or not at all."""

import hashlib

import pytest

from ndgm.store.sealed import TornError, read_sealed, write_sealed

CONTENTS = [b"", b"\0", b"a checkpoint" * 20]


@pytest.mark.parametrize("content", CONTENTS)
def test_content_is_read_back_and_its_hash_is_the_standard_one(tmp_path, content):
    write_sealed(tmp_path / "file", content)
    assert read_sealed(tmp_path / "file") == content
    whole = (tmp_path / "file").read_bytes()
    assert whole == len(content).to_bytes(8, "little") + hashlib.sha256(content).digest() + content


@pytest.mark.parametrize("content", CONTENTS)
def test_every_truncation_and_every_flipped_bit_is_found(tmp_path, content):
    path = tmp_path / "file"
    write_sealed(path, content)
    whole = path.read_bytes()
    torn = [whole[:length] for length in range(len(whole))] + [whole + b"\0", bytes(len(whole))]
    for position in range(8 * len(whole)):
        flipped = bytearray(whole)
        flipped[position // 8] ^= 1 << position % 8
        torn.append(bytes(flipped))
    for damaged in torn:
        path.write_bytes(damaged)
        with pytest.raises(TornError, match=str(path)):
            read_sealed(path)


def test_a_missing_file_is_no_torn_one(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_sealed(tmp_path / "file")
