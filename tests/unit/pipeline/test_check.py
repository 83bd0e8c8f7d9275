"""What the steps of a check share."""

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ndgm.groups import GROUPS
from ndgm.pipeline.check import MAY_LACK, MOST_PROGRAMS, Check, workers
from ndgm.pipeline.commands import all_parts
from ndgm.pipeline.steps import Deadline, Outcome

ROOT = Path(__file__).parents[3]


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
    there, missing = (check(tmp_path, file=str(tmp_path / name)) for name in ("archive", "no_archive"))
    # There is no program in this folder: it was called, and failed.
    assert there._make("a/b", "smoke", Deadline(60)).outcome == Outcome.FAILED
    ended = missing._make("a/b", "smoke", Deadline(60))
    assert ended.outcome == Outcome.NOT_REACHED and ended.lacking


@pytest.mark.parametrize("name", [*MAY_LACK, "numpy"])
def test_a_package_that_may_be_lacking_is_named_and_any_other_is_a_fault(tmp_path, name):
    wanted = f"raise ModuleNotFoundError(\"No module named '{name}.data'\")"
    ended = check(tmp_path).run([sys.executable, "-c", wanted], Deadline(60))
    lacking = (Outcome.NOT_REACHED, f"there is no {name}")
    assert (ended[:2] == lacking) == ended.lacking == (name in MAY_LACK)
    assert name in MAY_LACK or ended.outcome == Outcome.FAILED


def test_tables_are_not_made_of_data_that_are_not_there(tmp_path):
    config = json.loads((ROOT / "reference/smoke/settings.json").read_text())
    this = Check("cpu", {"smoke": config}, {}, ROOT, tmp_path, Deadline(60))
    reading = [part for part in all_parts(config, GROUPS) if part.samples]
    assert len(reading) > 5
    for part in reading:
        ended = this.make_tables(part, "smoke", 1, Deadline(60))
        assert ended.outcome == Outcome.NOT_REACHED and ended.fault.startswith("there is no ") and ended.lacking
        assert ended.fault.removeprefix("there is no ").removesuffix(".npz") in part.samples
