"""What the steps of a check share."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ndgm.groups import GROUPS
from ndgm.pipeline.check import MOST_PROGRAMS, Check, workers
from ndgm.pipeline.steps import Deadline, Outcome


def check(tmp_path, **options):
    config = {"root_seed": 7, "samples": {"a": {"b": {"source": "teacher", **options}}}}
    return Check("cpu", {"smoke": config}, {"teacher": "networks"}, tmp_path, tmp_path, Deadline(60))


def test_all_groups_are_checked():
    assert check(Path()).groups == GROUPS


def test_a_scale_has_folders_of_its_own(tmp_path):
    this = check(tmp_path)
    folders = [this.data("smoke"), this.results("smoke"), this.results("smoke", 2), this.data("full")]
    assert len(set(folders)) == 4 and all(tmp_path in folder.parents for folder in folders)


def test_not_more_programs_run_at_a_time_than_there_are_cores():
    with workers() as pool:
        assert isinstance(pool, ThreadPoolExecutor)
        assert 1 <= pool._max_workers <= min(MOST_PROGRAMS, os.cpu_count() or 1)


def test_an_archive_that_is_here_is_read(tmp_path):
    (tmp_path / "archive").touch()
    there, missing = (check(tmp_path, archive=str(tmp_path / name)) for name in ("archive", "no_archive"))
    # There is no program in this folder: it was called, and failed.
    assert there._make("a/b", "smoke", Deadline(60)).outcome == Outcome.FAILED
    assert missing._make("a/b", "smoke", Deadline(60)).outcome == Outcome.NOT_REACHED
