"""Archives in the format of the binary version of CIFAR-10, made up; and files of any format, damaged."""

import io
import tarfile

import numpy as np
import pytest


@pytest.fixture(scope="session")
def archive():
    """Writes files, by their names, into an archive."""

    def written(path, contents):
        with tarfile.open(path, "w:gz") as files:
            for name, content in contents.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                files.addfile(entry, io.BytesIO(content))
        return str(path)

    return written


@pytest.fixture(scope="session")
def records():
    """So many random pictures with a random class each, always the same ones."""

    def drawn(count):
        rng = np.random.default_rng(count)
        pixels = rng.integers(256, size=(count, 3072), dtype=np.uint8)
        return np.concatenate([rng.integers(10, size=(count, 1), dtype=np.uint8), pixels], 1)

    return drawn


@pytest.fixture(scope="session")
def damaged():
    """A file truncated at many lengths, with one byte changed in many places, and things that it is not."""

    def contents(whole):
        yield from (whole[:length] for length in range(0, len(whole), 41))
        yield whole[:-1]
        for position in range(0, len(whole), 11):
            for bits in (0xFF, 0x01):
                yield whole[:position] + bytes([whole[position] ^ bits]) + whole[position + 1 :]
        yield b"run,step\n1,2\n"
        yield b"\x93NUMPY" + whole

    return contents
