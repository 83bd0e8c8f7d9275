"""Every source that the config may name makes data of a kind that is read back."""

from pathlib import Path

import numpy as np
import pytest

from ndgm.data.kinds import KINDS, read_data
from ndgm.data.sources import SOURCES
from ndgm.pipeline.programs import function_of
from ndgm.pipeline.settings import load
from ndgm.store.arrays import write_data

CONFIG = Path(__file__).parents[3] / "config"

ENTRIES = {
    f"{owner}/{name}": entry
    for scale in ("laptop", "full")
    for owner, names in load(scale, CONFIG)["samples"].items()
    for name, entry in names.items()
}
OFFERED = {
    "any/mnist": {"source": "mnist", "samples": 60, "wrong": 0.1},
    "any/split_mnist": {"source": "split_mnist", "test": 1000},
    "l1_paradox/mine": {"source": "csv", "file": "mine.csv"},
}
"""Entries of sources that a config may name and none of ours does."""
ENTRIES |= OFFERED


def made(entry, seed=0):
    source, options = entry["source"], {key: value for key, value in entry.items() if key != "source"}
    return function_of("data", f"{SOURCES[source]}.{source}")(np.random.default_rng(seed), **options)


def test_the_config_names_every_source():
    assert {entry["source"] for entry in ENTRIES.values()} == set(SOURCES)


@pytest.mark.parametrize("name", [name for name, entry in ENTRIES.items() if "file" not in entry])
def test_an_entry_of_the_config_is_made_and_read_back(tmp_path, name):
    data, path = made(ENTRIES[name]), tmp_path / "data.npz"
    assert type(data) in KINDS and data.fits()
    write_data(path, data)
    found = read_data(path)
    assert type(found) is type(data)
    for array, again, written in zip(found, made(ENTRIES[name]), data, strict=True):
        np.testing.assert_array_equal(array, written, strict=True)
        np.testing.assert_array_equal(again, written, strict=True)  # the generator decides all of it
