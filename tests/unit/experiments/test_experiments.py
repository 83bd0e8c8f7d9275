"""Every experiment of the manifest, on smoke settings: its runs are well-formed, and each ensemble descends."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from smoke_scale import Smoke

from ndgm.data.kinds import Weights
from ndgm.engine.descent import Schedule
from ndgm.engine.methods import METHODS
from ndgm.experiments.ensembles import ELEMENTS, sweep
from ndgm.experiments.inputs import Found
from ndgm.groups import GROUPS
from ndgm.pipeline.jobs import JOBS, parts
from ndgm.pipeline.programs import function_of

CASES = [(job.name, part) for job in JOBS.values() for part in parts(job, Smoke.config)]
TRAINED = [case for case in CASES if JOBS[case[0]].trains]
# What reads results of other jobs is tested with its module.
TABULATED = [
    (name, part)
    for name, part in CASES
    if not JOBS[name].trains and not any(file.startswith("results/") for file in JOBS[name].reads)
]


def in_two_steps(experiment, settings, folder):
    """Two steps of every run."""

    def build(part):
        problem = experiment.build(part)
        assert problem.objective is not None and problem.schedule.recorded[-1] == problem.schedule.steps
        assert len(problem.start) == len(problem.step_size) == len(part) and problem.step_size.shape[1:] == (1,)
        assert problem.start.dtype == problem.step_size.dtype == getattr(torch, part.get("dtype", FLOAT64).iloc[0])
        # What asks for the number of steps when it is built, such as a resisting oracle, has as many at least.
        steps = min(2, problem.schedule.steps)
        return problem._replace(schedule=Schedule(steps, (steps,), 0))

    named = {"experiment": settings["experiment"], "undefined": settings["undefined"]}
    return sweep(experiment.ensembles(settings["ensemble_size"]), build, folder, **named)


FLOAT64 = pd.Series(["float64"])


def assert_well_formed(runs, experiment, settings):
    """Columns that every run table has, numbers of runs, and methods that exist."""
    assert {"run", "seed", "method", "step_size", "design"} <= set(runs.columns)
    np.testing.assert_array_equal(runs["run"], np.arange(len(runs)))
    assert set(runs["method"]) <= set(METHODS) and (runs["step_size"] > 0).all()
    assert not runs.drop(columns="run").duplicated().any()
    required = runs[[name for name in runs if not name.startswith(("predicted", "multiplier", "penalty_over"))]]
    assert required.notna().all().all()
    parts = list(experiment.ensembles(settings["ensemble_size"]))
    pd.testing.assert_frame_equal(pd.concat(parts).sort_values("run"), runs)
    for part in parts:
        assert part["method"].nunique() == 1 and len(part) % experiment.block == 0
        assert len(part) <= max(settings["ensemble_size"], experiment.block, ELEMENTS // experiment.dimension)


@pytest.mark.parametrize(("name", "part"), TRAINED)
def test_an_experiment_that_trains(smoke, tmp_path, name, part):
    found = {}
    for each in JOBS[name].experiments:
        settings = smoke.settings(each.table, part)
        inputs = replace(smoke.inputs(each.table, part), found=found)
        experiment = function_of("experiments", each.function)(settings, inputs)
        assert_well_formed(experiment.runs, experiment, settings)
        again = function_of("experiments", each.function)(settings, inputs)
        pd.testing.assert_frame_equal(again.runs, experiment.runs)
        found[each.table] = in_two_steps(experiment, settings, tmp_path / each.table)
        table = found[each.table].table
        assert table.groupby("run")["step"].max().between(1, 2).all() and np.isfinite(table["objective"]).all()
        if JOBS[name].weights:
            kept = np.stack([experiment.parameters(end) for end in found[each.table].ends.values()])
            assert Weights(kept).fits() and np.isfinite(kept).all()


@pytest.mark.parametrize(("name", "part"), TABULATED)
def test_an_experiment_that_tabulates(smoke, name, part):
    found = {}
    for each in JOBS[name].experiments:
        settings, inputs = smoke.settings(each.table, part), replace(smoke.inputs(each.table, part), found=found)
        result = function_of("experiments", each.function)(settings, inputs)
        found[each.table] = result if isinstance(result, Found) else Found(result, {})
        table = found[each.table].table
        assert table["experiment"].unique().tolist() == [each.table] and table.index.equals(pd.RangeIndex(len(table)))
        assert not table.duplicated().any()


def test_names_of_the_manifest_are_unique_and_each_table_has_a_function():
    jobs = [job for group in GROUPS for job in group.jobs]
    tables = [each.table for job in jobs for each in job.experiments]
    figures = [figure.name for group in GROUPS for figure in group.figures]
    for names in ([group.name for group in GROUPS], [job.name for job in jobs], tables, figures):
        assert len(set(names)) == len(names)
    for each in (each for job in jobs for each in job.experiments):
        assert function_of("experiments", each.function).__doc__
    assert {table for group in GROUPS for figure in group.figures for table in figure.tables} <= set(tables)
