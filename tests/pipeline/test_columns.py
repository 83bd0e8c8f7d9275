"""The list of columns, against the tables of a run."""

import pyarrow.parquet as pq

from ndgm.paper.columns import COLUMNS, described

ELSEWHERE = {"top_five_accuracy"}
"""Columns of tables that only a config with an archive of CIFAR-10 has; a test of their experiment holds them."""


def test_the_columns_of_a_run_are_those_that_are_described(smoke_run):
    files = [path for folder in ("runs", "exact") for path in (smoke_run / "results/smoke" / folder).glob("*.parquet")]
    found = {described(name) for path in files for name in pq.read_schema(path).names}
    assert found == set(COLUMNS) - ELSEWHERE
