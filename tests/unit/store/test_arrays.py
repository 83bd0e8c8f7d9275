"""Named arrays written to a file and read back."""

import io
import struct
import zipfile
import zlib

import numpy as np
import pytest

from ndgm.store.arrays import read_arrays, write_arrays
from ndgm.store.files import InputError


def test_arrays_are_read_back_and_their_bytes_are_fixed(tmp_path):
    arrays = {"b": np.arange(6.0).reshape(2, 3), ".a": np.array([True, False]), "text": np.array(["finished", "ä"])}
    for name in ("one.npz", "two.npz"):
        write_arrays(tmp_path / name, arrays)
    found = read_arrays(tmp_path / "one.npz")
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array, strict=True)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()


def test_entries_have_the_form_that_every_release_of_python_writes(tmp_path):
    """Version 2.0, neither compressed nor of the large form, of 1980: APPNOTE 6.3, section 4.3.7."""
    array = np.arange(6.0)
    write_arrays(tmp_path / "one.npz", {"a": array})
    raw = (tmp_path / "one.npz").read_bytes()
    signature, version, flags, method, _, date, crc, packed, size, name, extra = struct.unpack("<4s5H3I2H", raw[:30])
    assert (signature, version, flags, method, date) == (b"PK\x03\x04", 20, 0, 0, 1 << 5 | 1)
    entry = raw[30 + name : 30 + name + size]
    assert (packed, extra, raw[30 : 30 + name], crc) == (size, 0, b"a.npy", zlib.crc32(entry))
    np.testing.assert_array_equal(np.load(io.BytesIO(entry)), array)


def test_objects_are_not_pickled(tmp_path):
    with pytest.raises(ValueError, match="allow_pickle"):
        write_arrays(tmp_path / "objects.npz", {"a": np.array([{}], dtype=object)})
    assert list(tmp_path.iterdir()) == []
    np.savez(tmp_path / "objects.npz", a=np.array([{}], dtype=object))
    with pytest.raises(InputError, match="objects.npz"):
        read_arrays(tmp_path / "objects.npz")


def test_what_is_no_array_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="missing.npz: no such file"):
        read_arrays(tmp_path / "missing.npz")
    with zipfile.ZipFile(tmp_path / "text.npz", "w") as archive:
        archive.writestr("a.npy", "text")
    with pytest.raises(InputError, match="text.npz"):
        read_arrays(tmp_path / "text.npz")
