"""The list of columns, against the tables of a run."""

import pyarrow.parquet as pq

from ndgm.paper.columns import COLUMNS, described
from ndgm.pipeline.jobs import JOBS, table_files
from ndgm.pipeline.settings import load

ELSEWHERE = {"top_five_accuracy"}
"""Columns of tables that only a config with an archive of CIFAR-10 has; a test of their experiment holds them."""


def test_the_columns_of_a_run_are_those_that_are_described(smoke_run):
    files = [path for folder in ("runs", "exact") for path in (smoke_run / "results/smoke" / folder).glob("*.parquet")]
    found = {described(name) for path in files for name in pq.read_schema(path).names}
    assert found == set(COLUMNS) - ELSEWHERE


def test_what_the_manifest_says_to_be_undefined_is_a_column_of_the_table(smoke_run):
    config = load("smoke")
    for experiment in (each for job in JOBS.values() for each in job.experiments):
        for file in table_files(config, experiment.table):
            columns = set(pq.read_schema(smoke_run / "results/smoke" / file).names)
            assert set(experiment.undefined) <= columns, experiment.table
