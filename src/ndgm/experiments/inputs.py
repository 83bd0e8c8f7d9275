"""Inputs of an experiment other than its settings."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ndgm.data.kinds import read_data
from ndgm.store.files import read_json
from ndgm.store.run_tables import read_table

Settings = Mapping[str, Any]
READERS = {".npz": read_data, ".parquet": read_table, ".json": read_json}


@dataclass(frozen=True)
class Found:
    """Result of an experiment.

    Attributes:
        table: Its run table.
        ends: Where each run was at the end, by run; of one that does not train, what a later one of its job may use.
    """

    table: pd.DataFrame
    ends: Mapping[int, np.ndarray]


@dataclass(frozen=True)
class Inputs:
    """What an experiment may read.

    Attributes:
        samples: Data by owner and name, as the config's table of samples has them, in its order.
        reads: Content of the other files that its job reads, by the file's name.
        found: What earlier experiments of the same job found, by the name of their table.
    """

    samples: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    reads: Mapping[str, Any] = field(default_factory=dict)
    found: Mapping[str, Found] = field(default_factory=dict)


def read_inputs(samples: Iterable[Path], reads: Iterable[Path]) -> Inputs:
    """Inputs from files.

    Args:
        samples: Data, each in a folder of its owner's name.
        reads: Tables, weights and JSON.

    Raises:
        InputError: if a file is missing or damaged.
    """
    data: dict[str, dict[str, Any]] = {}
    for path in samples:
        data.setdefault(path.parent.name, {})[path.stem] = read_data(path)
    return Inputs(data, {path.name: READERS[path.suffix](path) for path in reads})
