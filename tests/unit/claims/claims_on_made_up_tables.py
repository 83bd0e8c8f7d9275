"""Run tables made up to obey the law of a claim, changes that break it, and what is decided on them."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

from ndgm.decide.claim import CLAIMS
from ndgm.decide.entries import decide

STEPS = 2_000


def near_one(rng, runs, by):
    """A factor for each row."""
    return 1 + by * rng.uniform(-1, 1, len(runs))


def with_two_rows(runs, half, last):
    """A row at half of the steps and one at the end, with these values; what only one has is missing in the other."""
    both = pd.concat([runs.assign(step=STEPS // 2, **half), runs.assign(step=STEPS, **last)])
    both = both.sort_values(["design", "run", "step"], ignore_index=True)
    return both.assign(stopped_because="finished")


def copied_for_each_test(make):
    """A fixture: the tables of `make`, by experiment, made once, in copies that a test may change."""
    once = cache(make)

    @pytest.fixture
    def tables():
        return {experiment: table.copy() for experiment, table in once().items()}

    return tables


def claims_of(group):
    """The claims of a group, whose module has been imported, by id."""
    return {name: one for name, one in CLAIMS.items() if one.group == group}


def random_among(claims):
    return [name for name, one in claims.items() if one.test.random]


def row_of(name, tables):
    return decide({name: CLAIMS[name]}, tables)[0]


def measured(name, tables):
    """What a claim measures on the tables, in its unit."""
    one = CLAIMS[name]
    return one.gather(*(tables[experiment] for experiment in one.experiments)).measured


def with_unit(claims, beginning):
    """Those of the claims whose unit begins like this."""
    return [name for name, one in claims.items() if one.unit.startswith(beginning)]


def verdict(name, tables):
    return row_of(name, tables)["verdict"]


def why_inconclusive(name, tables):
    """What the evidence of an inconclusive claim lacks."""
    row = row_of(name, tables)
    assert row["verdict"] == "inconclusive"
    return row["gap"]


def reading(claims, table):
    """Those of the claims that read a table."""
    return {name: one for name, one in claims.items() if table in one.experiments}


def refuted(claims, tables, changed):
    """Which of the claims that read a changed table are refuted."""
    return {row["id"] for row in decide(reading(claims, changed), tables) if row["verdict"] == "refuted"}


def every_claim_is_in(where, names, claims, beginning):
    """Fail, with the line to write, unless a list of tests has every one of the claims and no other.

    Args:
        where: Name of the list.
        names: What its lines begin with: names of claims without their beginning, several with spaces between.
        claims: Those that it should have, by id.
        beginning: Of their ids.
    """
    named = {f"{beginning}{name}" for line in names for name in line.split()}
    faults = [
        f"add to {where} a line that {LINES[where]} {name}: it begins with {name.removeprefix(beginning)!r}, "
        f"without the prefix {beginning}"
        for name in sorted(set(claims) - named)
    ]
    faults += [f"{where}: {name} is none of the claims of this file" for name in sorted(named - set(claims))]
    assert not faults, "\n".join(faults)


LINES = {"BREAKS": "refutes", "NOISE": "drowns"}
"""What a line of each list does to a claim."""


def change(table, column, where, value):
    """Apply `value` to a column where a query holds; there must be such rows."""
    rows = table.query(where).index
    assert len(rows)
    table.loc[rows, column] = value(table.loc[rows])


def law(formula):
    """A value for `change`: a formula in the columns."""
    return lambda rows: rows.eval(formula)


def only(table, where):
    """The rows where a query holds, which must be some and not all."""
    rows = table.query(where)
    assert 0 < len(rows) < len(table)
    return rows


def diverge(table, where):
    """Runs stop early, as diverged ones do, with a loss that is not finite and without means."""
    runs = table.set_index(["design", "run"]).index
    hit = runs.isin(runs[table.eval(where)])
    assert hit.any()
    stays = ~hit | (table["step"] <= table.groupby(["design", "run"])["step"].transform("median"))
    table, hit = table[stays].copy(), hit[stays]
    last = hit & ~table.duplicated(["design", "run"], keep="last")
    table.loc[hit, "stopped_because"] = "diverged"
    table.loc[last, [name for name in table if name == "objective" or name.startswith("mean_")]] = np.nan
    return table
