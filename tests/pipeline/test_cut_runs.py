"""Which columns hold what a config names: those of the settings' names, or of an entry of `FACTORS`."""

import copy
from itertools import product

import pandas as pd
import pytest
from changed_configs import at
from copies import ROOT
from cut_runs import FACTORS, cut, factors_of

from ndgm.paper.columns import COLUMNS
from ndgm.pipeline.jobs import JOBS
from ndgm.pipeline.settings import load

FULL = load("full", ROOT / "config")
"""The scale that has every setting."""
TABLES = [each.table for job in JOBS.values() for each in job.experiments]


@pytest.mark.parametrize("table", TABLES)
def test_every_experiment_has_factors(table: str) -> None:
    """They are columns, and their settings are there; where names differ, the fault says what to add."""
    for factor in factors_of(table, FULL):
        assert factor.column in COLUMNS
        if isinstance(factor.key, str):
            at(FULL, tuple(factor.key.partition(".{")[0].split(".")))


@pytest.mark.parametrize("table", FACTORS)
def test_every_entry_is_needed(table: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says more than the names of the settings do."""
    entry = FACTORS[table]
    monkeypatch.delitem(FACTORS, table)
    try:
        assert table in TABLES and factors_of(table, FULL) != entry
    except KeyError as fault:
        assert f'FACTORS: add "{table}": [Factor(' in str(fault)


def test_a_setting_that_no_column_is_called_as_says_what_to_add(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line."""
    monkeypatch.delitem(FACTORS, "edge_of_stability_cycles")
    line = 'FACTORS: add "edge_of_stability_cycles": [Factor("…", "edge_of_stability.cycles.functions")]: no column is'
    with pytest.raises(KeyError) as fault:
        factors_of("edge_of_stability_cycles", FULL)
    assert line in str(fault.value)


def test_a_table_is_cut_by_settings_that_are_called_as_its_columns() -> None:
    """What is left has each combination of what the smaller config names."""

    def rows(block: dict) -> list[tuple]:
        return list(product(block["samples"], block["units"], range(block["seeds"])))

    columns, smaller = ["samples", "units", "seed"], copy.deepcopy(FULL)
    block = smaller["overparameterization"]["capacity"]
    block |= {"samples": block["samples"][:2], "units": block["units"][1:], "seeds": 1}
    table = pd.DataFrame(rows(FULL["overparameterization"]["capacity"]), columns=columns)
    found = cut("overparameterization_capacity", table, smaller)
    assert (
        list(found.itertuples(index=False, name=None)) == rows(block) != rows(FULL["overparameterization"]["capacity"])
    )
