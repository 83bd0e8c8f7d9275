"""Archives in the format of the binary version of CIFAR-10, made up."""

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
