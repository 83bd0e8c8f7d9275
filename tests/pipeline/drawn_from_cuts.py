"""Figures drawn, and claims decided, from the tables that configs would have made; in one process."""

import os
import runpy
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd
from changed_configs import Config
from copies import ROOT
from cut_runs import NothingLeft, cut, settings_of

from ndgm.decide.claim import CLAIMS
from ndgm.decide.entries import decide
from ndgm.groups import GROUPS
from ndgm.pipeline.jobs import FIGURES, table_files
from ndgm.store.run_tables import read_tables, write_table

for group in GROUPS:
    import_module(f"ndgm.claims.{group.name}")


class CutRuns:
    """Results that runs of smaller configs would have, made from those of a finished run as they are asked for.

    Args:
        results: Folder of the finished run.
        folder: Where tables and drawings go.
    """

    def __init__(self, results: Path, folder: Path) -> None:
        """Read the tables of the finished run."""
        paths = sorted([*results.glob("runs/*.parquet"), *results.glob("exact/*.parquet")])
        self.whole = read_tables(paths)
        self.folder = folder
        self._cuts: dict[tuple[str, str], tuple[Path, pd.DataFrame]] = {}

    def table(self, name: str, config: Config) -> tuple[Path, pd.DataFrame]:
        """File and content of an experiment's table; nothing is left of one that the run or the config has not."""
        if not self.has(name, config):
            raise NothingLeft(name)
        key = (name, settings_of(name, config))
        if key not in self._cuts:
            path = self.folder / "tables" / f"{name}_{len(self._cuts)}.parquet"
            table = cut(name, self.whole[name], config)
            write_table(path, table)
            self._cuts[key] = path, table
        return self._cuts[key]

    def has(self, name: str, config: Config) -> bool:
        """Whether the finished run has an experiment's table, and so would a run of the config."""
        return name in self.whole and bool(table_files(config, name))

    def has_all(self, config: Config) -> bool:
        """Whether something is left of every table that a run of the config would have."""
        try:
            return all(self.table(name, config) for name in self.whole if self.has(name, config))
        except NothingLeft:
            return False

    def cases(self, config: Config) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Figures and claims by name, with the files that they read."""
        wanted = [*((name, figure.tables) for name, figure in FIGURES.items())]
        wanted += [(name, claim.experiments) for name, claim in CLAIMS.items()]
        for name, tables in wanted:
            try:
                yield name, tuple(str(self.table(table, config)[0]) for table in tables)
            except NothingLeft:
                continue

    def draw(self, figure: str, config: Config, results: Path) -> None:
        """Run a figure's script on the config's tables."""
        paths = [str(self.table(name, config)[0]) for name in FIGURES[figure].tables]
        variables = {"NDGM_RESULTS": str(results), "NDGM_TABLES": os.pathsep.join(paths)}
        with mock.patch.dict(os.environ, variables):
            runpy.run_path(str(ROOT / "figures" / f"{figure}.py"))

    def decide(self, claim: str, config: Config) -> dict[str, Any]:
        """Entry of `claims.json` of a claim; empty where it is absent, because the config lacks what it speaks of."""
        this = CLAIMS[claim]
        tables = {name: self.table(name, config)[1] for name in this.experiments if self.has(name, config)}
        return next(iter(decide({claim: this}, tables)), {})


def diverged(table: pd.DataFrame, value: float) -> pd.DataFrame:
    """A run table in which every run has diverged, and measured nothing but one value: what is behind `step`."""
    columns = list(table.columns)
    measured = columns[columns.index("step") + 1 : columns.index("stopped_because")]
    numbers = [name for name in measured if pd.api.types.is_float_dtype(table[name])]
    return table.assign(stopped_because="diverged", **dict.fromkeys(numbers, value))
