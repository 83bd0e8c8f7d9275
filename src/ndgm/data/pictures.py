"""Pictures as they are, for what is asked of their pixels: split in two, with pixels between 0 and 1.

A picture is a row: its channels one after the other, each row by row. Pixels are multiples of 1/255, as files of
pictures have them.
"""

import numpy as np

from ndgm.data.kinds import Split
from ndgm.data.tables import cifar10_table, digits_table, mnist_table
from ndgm.store.files import InputError


def digit_pictures(rng: np.random.Generator, *, train: int, test: int) -> Split:
    """Handwritten digits of 8 × 8 pixels: a random subset to train on, and others; targets are one-hot classes.

    Their 17 greys are put on the nearest of 256.
    """
    pixels, classes = digits_table()
    return split_pictures(rng, (pixels * 255 / 16).round(), classes, train, test)


def mnist_pictures(rng: np.random.Generator, *, train: int, test: int) -> Split:
    """Handwritten digits of 28 × 28 pixels: a random subset of 5,000 to train on, and others; one-hot classes."""
    return split_pictures(rng, *mnist_table(), train, test)


def cifar10_pictures(rng: np.random.Generator, *, file: str, train: int, test: int) -> Split:
    """Colour pictures of 32 × 32 pixels: a random subset of the 50,000 to train on, and others; one-hot classes.

    Raises:
        InputError: if the archive is missing, is something else or holds fewer pictures.
    """
    return split_pictures(rng, *cifar10_table(file, train + test), train, test)


def split_pictures(rng: np.random.Generator, pixels: np.ndarray, classes: np.ndarray, train: int, test: int) -> Split:
    """Random pictures of a table, split into those to train on and others.

    Args:
        rng: Chooses them.
        pixels: From 0 to 255, shape (n, features).
        classes: From 0 to 9, shape (n,).
        train: How many are for training.
        test: How many others there are.

    Raises:
        InputError: if there are fewer pictures.
    """
    if train + test > len(pixels):
        raise InputError(f"{train} and {test} pictures are more than the {len(pixels):,} that there are")
    rows = rng.permutation(len(pixels))[: train + test]
    both = [(pixels[part] / 255, np.eye(10)[classes[part]]) for part in (rows[:train], rows[train:])]
    return Split(*both[0], *both[1])


def as_matrices(pictures: np.ndarray) -> np.ndarray:
    """Channels of pictures as matrices: one where the pixels are a square, three where a third of them are.

    Args:
        pictures: Shape (n, features).

    Returns:
        Shape (n, channels, side, side).

    Raises:
        ValueError: if neither the pixels nor a third of them are a square.
    """
    features = pictures.shape[1]
    for channels in (1, 3):  # three times a square is no square
        side = round((features / channels) ** 0.5)
        if channels * side**2 == features:
            return pictures.reshape(-1, channels, side, side)
    raise ValueError(f"{features} pixels are no square picture in grey or in colour")
