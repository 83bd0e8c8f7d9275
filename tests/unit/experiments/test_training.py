"""What a killed training program goes on from, what it writes, and what it refuses."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

import ndgm.experiments.ensembles
from ndgm.data.kinds import read_data
from ndgm.engine.descent import Schedule
from ndgm.engine.objectives.one_weight import OneWeight
from ndgm.experiments.ensembles import Plan, Problem
from ndgm.experiments.grids import grid
from ndgm.experiments.inputs import Inputs
from ndgm.experiments.training import NotYet, Shard, Task, train_job, train_shard
from ndgm.store.files import InputError
from ndgm.store.run_tables import read_table


@pytest.fixture
def trained(monkeypatch):
    """A list that grows with each ensemble that is trained."""
    descend, found = ndgm.experiments.ensembles.descend, []
    monkeypatch.setattr("ndgm.experiments.ensembles.descend", lambda *arguments: found.append(1) or descend(*arguments))
    return found


def descent(settings, inputs, starts=1.0, fails=False, **options):
    """Six runs on a parabola in two ensembles, the second of which may end in a fault."""

    def build(part):
        if fails and part["run"].min() > 0:
            raise KeyboardInterrupt
        ones = torch.ones(len(part), 1)
        first = starts * ones if np.isscalar(starts) else torch.tensor(np.stack([starts[run] for run in part["run"]]))
        return Problem(OneWeight(ones, 0 * ones, 0 * ones), first, 0.1 * ones, Schedule.geometric(20, 3))

    runs = grid(design=["a"], method=["subgradient"], step_size=[0.1], seed=range(6))
    return Plan(runs, build, ["design", "method"], **options)


def after(settings, inputs):
    """Descent from where the runs of `first` ended."""
    return descent(settings, inputs, starts=inputs.found["first"].ends)


def fault(settings, inputs):
    raise InputError("this is wrong")


def tasks_of(folder, weights=None, **functions):
    """Experiments of a job, by the names of their tables."""
    told = {"device": "cpu", "ensemble_size": 3, "undefined": []}
    return [
        Task(function, {**told, "experiment": name}, folder / f"{name}.parquet", weights)
        for name, function in functions.items()
    ]


def contents(folder):
    """All files below a folder."""
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def job(folder, weights=None, **functions):
    """Train experiments by the names of their tables, and read their tables."""
    tasks = tasks_of(folder, weights, **functions)
    train_job(tasks, Inputs(), {}, said.append)
    return [read_table(task.table) for task in tasks]


said = []


def test_a_killed_program_trains_no_finished_ensemble_again(tmp_path, trained):
    whole = job(tmp_path / "whole", first=descent, second=descent)
    with pytest.raises(KeyboardInterrupt):
        job(tmp_path / "killed", first=descent, second=lambda *told: descent(*told, fails=True))
    for table in (tmp_path / "killed").glob("*.parquet"):
        table.unlink()  # as Snakemake does with all that a failed job made
    trained.clear()
    again = job(tmp_path / "killed", first=descent, second=descent)
    assert len(trained) == 1  # of four: the last one of the second experiment
    for found, expected in zip(again, whole, strict=True):
        pd.testing.assert_frame_equal(found, expected)
    assert [path for path in (tmp_path / "killed").iterdir() if path.is_dir()] == []


def test_a_later_experiment_goes_on_from_what_an_earlier_one_found(tmp_path):
    first, second = job(tmp_path, first=descent, second=after)
    # On ½w² each of 20 steps takes w to .9w.
    ends = [table.groupby("run").last()["objective"] for table in (first, second)]
    np.testing.assert_allclose(ends[0], 0.9**40 / 2, rtol=1e-12)
    np.testing.assert_allclose(ends[1], 0.9**80 / 2, rtol=1e-12)


def test_a_fault_of_a_later_experiment_comes_up_before_the_first_is_trained(tmp_path):
    with pytest.raises(InputError, match="this is wrong"):
        job(tmp_path, first=descent, second=after, third=fault)
    assert list(tmp_path.iterdir()) == []


def test_a_key_that_is_missing_comes_up_before_the_first_is_trained(tmp_path):
    # Any KeyError of an experiment was taken for a result that it waits for, and the first one trained for nothing.
    with pytest.raises(KeyError, match="nothing"):
        job(tmp_path, first=descent, second=lambda settings, inputs: settings["nothing"])
    assert list(tmp_path.iterdir()) == []


def test_a_result_that_no_earlier_experiment_gives_is_named(tmp_path):
    with pytest.raises(NotYet, match="first has not run, or is no earlier experiment of the same job"):
        job(tmp_path, second=after)


def test_a_number_that_is_not_finite_stops_the_job_with_the_run_that_has_it(tmp_path):
    def gap(settings, inputs):
        experiment = descent(settings, inputs)
        experiment.runs.loc[4, "penalty_over_noise"] = np.nan
        return experiment

    with pytest.raises(
        InputError, match="gap: penalty_over_noise is nan where it should be finite: .*design a, .*seed"
    ):
        job(tmp_path, gap=gap, second=descent)
    assert not list(tmp_path.glob("*.parquet"))


def test_weights_are_what_runs_end_with_sorted_by_run(tmp_path):
    starts = {run: [float(run)] for run in range(6)}

    def weighed(settings, inputs):
        return descent(settings, inputs, starts=starts, parameters=lambda end: np.append(end, 2 * end))

    job(tmp_path, weights=tmp_path / "weights.npz", weighed=weighed)
    expected = 0.9**20 * np.arange(6)
    np.testing.assert_allclose(read_data(tmp_path / "weights.npz").weights, np.stack([expected, 2 * expected], 1))


def test_weights_of_runs_that_keep_no_ends_are_refused(tmp_path):
    """An archive of empty weights looked like any other."""

    def endless(settings, inputs):
        plan = descent(settings, inputs)
        return replace(plan, build=lambda part: plan.build(part)._replace(keeps_ends=False))

    with pytest.raises(ValueError, match="endless: weights are kept, but its problems keep no ends"):
        job(tmp_path, weights=tmp_path / "weights.npz", endless=endless)
    assert not (tmp_path / "weights.npz").exists()


@pytest.mark.parametrize("shards", [1, 2, 3, 5])
def test_shards_merge_to_the_same_files(tmp_path, shards, trained):
    """Whatever their number, of two ensembles; an experiment that waits for another is trained by the job itself."""
    functions = {"first": descent, "second": after, "third": descent}
    tasks, sharded = tasks_of(tmp_path / "whole", **functions), tasks_of(tmp_path / "sharded", **functions)
    train_job(tasks, Inputs(), {}, said.append)
    folders = [tmp_path / f"shards/job.{number}" for number in range(1, shards + 1)]
    for number, folder in enumerate(folders, start=1):
        train_shard(sharded, Inputs(), {}, said.append, Shard(number, shards), folder)
    trained.clear()
    train_job(sharded, Inputs(), {}, said.append, folders)
    assert len(trained) == 2  # those of the experiment that waits
    assert contents(tmp_path / "sharded") == contents(tmp_path / "whole")


def test_a_killed_shard_goes_on_and_a_torn_one_is_trained_again(tmp_path, trained):
    whole = job(tmp_path / "whole", first=descent)
    (task,) = tasks_of(tmp_path / "sharded", first=descent)
    killed = replace(task, function=lambda *told: descent(*told, fails=True))
    with pytest.raises(KeyboardInterrupt):
        train_shard([killed], Inputs(), {}, said.append, Shard(1, 1), tmp_path / "job.1")
    assert not (tmp_path / "job.1").exists()
    trained.clear()
    train_shard([task], Inputs(), {}, said.append, Shard(1, 1), tmp_path / "job.1")
    assert len(trained) == 1 and said[-1] == "job.1: 2 ensembles"
    torn = tmp_path / "job.1/first/1.checkpoint"
    torn.write_bytes(torn.read_bytes()[:-9])
    train_job([task], Inputs(), {}, said.append, [tmp_path / "job.1"])
    assert len(trained) == 2
    pd.testing.assert_frame_equal(read_table(task.table), whole[0])


def test_the_record_says_what_a_table_came_from(tmp_path):
    (tmp_path / "data").write_bytes(b"abc")
    (task,) = tasks_of(tmp_path, one=descent)
    said.clear()
    train_job([task], Inputs(), {"owner/data": tmp_path / "data"}, said.append)
    record = json.loads((tmp_path / "one.json").read_text())
    assert record["settings"] == task.settings and list(record["data"]) == ["owner/data"]
    assert record["dtype"] == "float64" and "ndgm.experiments.training" in record["code"]
    assert said == ["one: 6 runs of up to 20 steps: 6 finished"]
    assert read_table(task.table)["experiment"].unique().tolist() == ["one"]
