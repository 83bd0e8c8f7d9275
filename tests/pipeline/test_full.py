"""As much of a large config as a time limit lets in, on stand-ins for experiments whose ensembles take known times."""

import json
import os
import runpy
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from copies import ROOT

from ndgm.experiments.inputs import Found, Inputs
from ndgm.groups import GROUPS, Experiment, Job
from ndgm.pipeline.commands import Part
from ndgm.pipeline.jobs import parts

FULL = runpy.run_path(str(ROOT / "benchmarks/full.py"))
ENSEMBLES = [pd.DataFrame({"run": [2 * number, 2 * number + 1]}) for number in range(5)]
CONFIG = {"root_seed": 7, "device": "cpu", "ensemble_size": 2, "samples": {}, "block": {}}


RECORDED = 4
"""Steps of an ensemble at which it says how far it has come."""


class Limit:
    """A time limit on a clock that goes on when an ensemble is trained."""

    def __init__(self, clock: SimpleNamespace, seconds: float) -> None:
        self.clock, self.end = clock, clock.now + seconds

    @property
    def left(self) -> float:
        return max(self.end - self.clock.now, 0.0)

    def within(self, seconds: float) -> "Limit":
        return Limit(self.clock, min(self.left, seconds))


Taken = dict[str, float | Exception]


@pytest.fixture
def go_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Taken, dict, float, bool], None]:
    """Goes on with a job, of whose experiments each says the seconds that an ensemble takes, or what it raises."""

    def sweep(
        ensembles: Iterable[pd.DataFrame],
        build: Callable[[], None],
        folder: Path,
        advanced: Callable[[float], None],
        experiment: str,
        undefined: Iterable[str],
    ) -> Found:
        assert experiment and undefined == ("norm",)
        tables = []
        for number, ensemble in enumerate(ensembles):
            if not (kept := folder / str(number)).exists():
                for _ in range(RECORDED):
                    build()
                    advanced(len(ensemble) / RECORDED)
                kept.mkdir(parents=True)
            tables.append(ensemble.assign(step=9))
        return Found(pd.concat(tables), {})

    def go_on(taken: Taken, rows: dict[str, Any], left: float, until_end: bool) -> None:
        clock = SimpleNamespace(now=0.0)

        def pass_by(seconds: float) -> None:
            clock.now += seconds

        def function_of(room: str, name: str) -> Callable[[dict, Inputs], Any]:
            def function(told: dict, inputs: Inputs) -> Any:
                seconds = taken[name.partition(".")[2]]
                if isinstance(seconds, Exception):
                    raise seconds
                if name == "stand_in.needs_first":
                    assert len(inputs.found["first"].table) == 10
                runs = pd.concat(ENSEMBLES)
                return SimpleNamespace(
                    runs=runs, ensembles=lambda size: ENSEMBLES, build=lambda: pass_by(seconds / RECORDED)
                )

            return function

        stand_ins = {"function_of": function_of, "sweep": sweep, "time": SimpleNamespace(monotonic=lambda: clock.now)}
        for name, stand_in in stand_ins.items():
            monkeypatch.setitem(FULL["go_on"].__globals__, name, stand_in)
        experiments = tuple(Experiment(name, f"stand_in.{name}", "block", undefined=("norm",)) for name in taken)
        part = Part(Job("a_job", "A job", experiments), CONFIG, "")
        for name in taken:
            rows.setdefault(name, FULL["Progress"](name))
        FULL["go_on"](part, rows, tmp_path, until_end, Limit(clock, left), lambda: None, len(taken))

    return go_on


def ended(rows: dict[str, Any]) -> dict[str, int]:
    return {name: row.finished_ensembles for name, row in rows.items()}


def test_an_experiment_is_trained_to_its_end_where_there_is_time(go_on: Callable) -> None:
    rows: dict[str, Any] = {}
    go_on({"first": 2.0, "needs_first": 1.0}, rows, 100, True)
    assert ended(rows) == {"first": 5, "needs_first": 5}
    row = FULL["as_json"](rows["first"])
    assert row["finished"] and not row["failed"] and row["reason"] == ""
    assert (row["runs"], row["finished_runs"], row["steps"]) == (10, 10, 9)
    assert (row["seconds"], row["predicted_seconds"]) == (10, 10)


def test_an_experiment_for_which_there_is_no_time_has_one_ensemble_and_a_prediction(go_on: Callable) -> None:
    rows: dict[str, Any] = {}
    go_on({"first": 30.0, "needs_first": 1.0, "small": 1.0}, rows, 100, True)
    assert ended(rows) == {"first": 1, "needs_first": 0, "small": 5}
    assert not rows["first"].finished and FULL["as_json"](rows["first"])["predicted_seconds"] == 150
    assert rows["needs_first"].reason.startswith("first has not run") and not rows["needs_first"].failed


def test_the_rest_of_the_time_goes_to_more_ensembles(go_on: Callable) -> None:
    rows: dict[str, Any] = {}
    go_on({"first": 30.0}, rows, 100, True)
    go_on({"first": 30.0}, rows, 70, False)
    assert ended(rows) == {"first": 3} and rows["first"].seconds == 90


def test_an_experiment_that_ends_later_opens_the_way_for_the_next(go_on: Callable) -> None:
    rows: dict[str, Any] = {}
    go_on({"first": 30.0, "needs_first": 1.0}, rows, 100, True)
    assert ended(rows) == {"first": 1, "needs_first": 0}
    go_on({"first": 30.0, "needs_first": 1.0}, rows, 200, False)
    assert ended(rows) == {"first": 5, "needs_first": 5} and rows["needs_first"].reason == ""


def test_a_fault_is_kept_and_not_tried_again(go_on: Callable) -> None:
    rows: dict[str, Any] = {}
    # One once passed for an experiment that waits, because its key was the name of another.
    go_on({"first": 1.0, "misspelt": KeyError("first")}, rows, 100, True)
    assert rows.pop("misspelt").failed and not rows.pop("first").failed
    go_on({"first": RuntimeError("CUDA out of memory.\nTried to"), "other": 1.0}, rows, 100, True)
    assert rows["first"].failed and rows["first"].reason == "RuntimeError: CUDA out of memory. Tried to"
    go_on({"first": 1.0, "other": 1.0}, rows, 100, False)
    assert ended(rows) == {"first": 0, "other": 5}


def test_a_first_ensemble_that_takes_longer_than_its_share_leaves_the_later_ones_theirs(go_on: Callable) -> None:
    """One whose duration nobody knew once took all of the time."""
    rows: dict[str, Any] = {}
    go_on({"first": 100.0, "second": 1.0, "third": 2.0}, rows, 150, True)
    assert ended(rows) == {"first": 0, "second": 5, "third": 5}
    row = FULL["as_json"](rows["first"])
    assert (row["stopped"], row["seconds"], row["predicted_seconds"]) == (100, 0, 500)
    assert not row["failed"] and not row["finished"] and row["reason"] == ""


def test_a_first_ensemble_that_was_stopped_begins_again_where_there_is_time_for_it(go_on: Callable) -> None:
    rows: dict[str, Any] = {}
    go_on({"first": 100.0, "second": 1.0}, rows, 100, True)
    go_on({"first": 100.0, "second": 1.0}, rows, 99, False)
    assert ended(rows) == {"first": 0, "second": 5}
    go_on({"first": 100.0, "second": 1.0}, rows, 101, False)
    assert ended(rows) == {"first": 1, "second": 5} and rows["first"].seconds == 100


def test_what_one_leaves_of_its_share_is_for_those_after_it(go_on: Callable) -> None:
    rows: dict[str, Any] = {}
    go_on({"first": 1.0, "second": 19.0}, rows, 100, True)
    assert ended(rows) == {"first": 5, "second": 5}


def test_nothing_begins_when_no_time_is_left(go_on: Callable) -> None:
    rows: dict[str, Any] = {}
    go_on({"first": 1.0}, rows, 0, True)
    assert ended(rows) == {"first": 0} and rows["first"].reason == ""


def test_without_data_nothing_is_trained(tmp_path: Path) -> None:
    config = {**CONFIG, "samples": {"pictures": {"many": {"source": "cifar10"}}}}
    job = Job("a_job", "A job", (Experiment("first", "stand_in.first", "block"),), samples=("pictures/*",))
    rows = {"first": FULL["Progress"]("first")}
    limit = Limit(SimpleNamespace(now=0.0), 100)
    FULL["go_on"](Part(job, config, ""), rows, tmp_path, True, limit, lambda: None, 1)
    assert rows["first"].reason == "its data are not there" and not rows["first"].failed


def test_all_experiments_are_in_the_file_from_the_start(tmp_path: Path) -> None:
    """An ensemble of the first experiment once took all of the time, and nothing was said of any."""
    names = {"config": ROOT / "reference/smoke/settings.json", "folder": tmp_path, "out": tmp_path / "rows.json"}
    options = [str(word) for name, path in names.items() for word in (f"--{name}", path)]
    command = [sys.executable, str(ROOT / "benchmarks/full.py"), *options, "--seconds", "0"]
    subprocess.run(command, check=True, env=os.environ | {"PYTHONPATH": str(ROOT / "src")})
    rows = json.loads((tmp_path / "rows.json").read_text())
    config = json.loads(names["config"].read_text())
    jobs = [job for group in GROUPS for job in group.jobs if job.trains and parts(job, config)]
    trained = {each.table for job in jobs for each in job.experiments}
    assert {row["name"].rpartition("/")[2] for row in rows} == trained
    assert not any(row["finished"] or row["failed"] for row in rows)
