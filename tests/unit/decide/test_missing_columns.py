"""The table that lacks a column, whatever words pandas has for it, and no table where the fault is another."""

import re

import pandas as pd
import pytest

from ndgm.decide.claim import Claim
from ndgm.decide.entries import decide
from ndgm.decide.missing_columns import MissingColumn
from ndgm.decide.statistics import MissingValue, within
from ndgm.store.files import InputError

TABLES = {
    "first": pd.DataFrame({"design": ["a"], "run": [0], "gap": [1.0]}),
    "second": pd.DataFrame({"design": ["a"], "run": [0], "step_size": [0.1]}),
}


def decided(gather, tables=TABLES):
    return decide({"one": Claim("one", "toy", "S.", "finding", "f", "1", within(0), tuple(tables), gather)}, tables)


WAYS = {
    "one": lambda table, name: table[name],
    "several": lambda table, name: table[["design", name]],
    "a list of one": lambda table, name: table[[name]],
    "index": lambda table, name: table.set_index(["design", name]),
    "index of one": lambda table, name: table.set_index([name]),
    "groups": lambda table, name: table.groupby(["design", name]),
    "of groups": lambda table, name: table.groupby("design")[name].mean(),
    "order": lambda table, name: table.sort_values(name),
    "rows": lambda table, name: [getattr(row, name) for row in table.itertuples()],
    "pair": lambda table, name: table.set_index(["design", name])[[name, "gap"]],
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize(("place", "name"), [(0, "step_size"), (1, "gap")])
def test_the_table_that_was_asked_is_named(way, place, name):
    # The other table has the column.
    with pytest.raises(MissingColumn) as fault:
        decided(lambda *tables: way(tables[place], name))
    assert (fault.value.experiment, fault.value.column) == (list(TABLES)[place], name)
    assert str(fault.value) == f"one reads the column {name}, and the table of {list(TABLES)[place]} has none"


def test_a_claim_that_finds_nothing_beyond_it():
    def gather(first, second):
        if (first["step_size"] > 0).sum() == 0:
            raise MissingValue("no runs")

    with pytest.raises(MissingColumn, match="step_size, and the table of first"):
        decided(gather)


@pytest.mark.parametrize("key", ["subgradient", "gap", "design", 3, ("a", 1)])
def test_what_is_no_column_shows_as_itself(key):
    with pytest.raises(InputError, match=re.escape(f": one: KeyError: {key!r}")):
        decided(lambda first, second: {}[key])


def test_a_level_that_is_no_column():
    with pytest.raises(InputError, match=": one: KeyError: 'Level seed not found'"):
        decided(lambda first, second: first.set_index(["design", "run"])["gap"].xs(0, level="seed"))
