"""Networks: which step sizes are run after tuning, where runs start, and which steps are recorded."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ndgm.experiments.convergence_networks import BY, decay, floors, kink_value, networks, schedule, tuning
from ndgm.experiments.inputs import Found
from ndgm.store.files import InputError

TABLE, PART = "convergence_networks", "teacher"


@pytest.fixture(scope="module")
def told(smoke):
    return smoke.settings(TABLE, PART)


@pytest.fixture(scope="module")
def inputs(smoke):
    """Inputs after a tuning in which the second of three step sizes is best, and reaches the target first."""
    inputs = smoke.inputs(TABLE, PART)
    runs = tuning(smoke.settings("convergence_tuning", PART), inputs).runs
    places = runs.groupby("step_size").ngroup()
    table = runs.assign(step=places.map({0: 9, 1: 5, 2: 7}), objective=0.0, stopped_because="finished")
    return replace(inputs, found={"convergence_tuning": Found(table, {})})


def test_tuning_uses_seeds_that_the_test_does_not(told, inputs):
    chosen = inputs.found["convergence_tuning"].table
    test = networks(told, inputs).runs
    assert not set(chosen["seed"]) & set(test["seed"])
    assert chosen.groupby([*BY, "seed"])["step_size"].nunique().eq(3).all()


def test_the_test_is_at_the_best_step_size(told, inputs):
    runs = networks(told, inputs).runs
    middle = sorted(inputs.found["convergence_tuning"].table["step_size"].unique())[1]
    assert (runs["step_size"] == middle).all() and not runs["at_edge"].any()
    targets = {name: problem["target"] for name, problem in told["data"][PART]["problems"].items()}
    assert runs["target"].tolist() == runs["problem"].map(targets).tolist()


def test_floors_go_on_where_decay_ended(told, inputs):
    solutions = decay(told, inputs)
    assert set(solutions.runs["batch_size"]) == {"full"}
    rng = np.random.default_rng(0)
    parameters = len(solutions.build(solutions.runs.head(1)).start[0])
    ends = {run: rng.standard_normal(parameters).astype("f4") for run in solutions.runs["run"]}
    found = inputs.found | {"convergence_decay": Found(pd.DataFrame(), ends)}
    experiment = floors(told, replace(inputs, found=found))
    runs = experiment.runs
    np.testing.assert_allclose(
        runs["step_size"], runs["decay_run"].map(solutions.runs["step_size"]) * runs["part_of_best_step"], rtol=1e-15
    )
    assert len(runs) == len(solutions.runs) * len(told["floors"]["parts_of_best_step"])
    for part in experiment.ensembles(50):
        start = experiment.build(part).start
        np.testing.assert_array_equal(start, np.stack([ends[run] for run in part["decay_run"]]))
        before = solutions.runs.set_index("run").loc[part["decay_run"]]
        assert (before[[*BY, "seed"]].to_numpy() == part[[*BY, "seed"]].to_numpy()).all()


def test_floors_of_what_was_not_tuned_are_refused(told, inputs):
    unknown = told | {"floors": told["floors"] | {"activations": ["tanh"]}}
    with pytest.raises(InputError, match="convergence.networks.floors: interpolated, tanh, full: not among"):
        decay(unknown, inputs)


def test_networks_of_a_seed_start_alike_with_every_activation_and_type(told, inputs):
    experiment = kink_value(told, inputs)
    runs = experiment.runs
    assert runs.loc[runs["activation"] == "relu"].groupby(["problem", "at_kink", "dtype", "seed"]).size().eq(1).all()
    starts = {}
    for part in experiment.ensembles(10**6):
        for seed, start in zip(part["seed"], experiment.build(part).start, strict=True):
            first = starts.setdefault(seed, start.double())
            np.testing.assert_allclose(start.double(), first, rtol=1e-6)
    assert len(starts) == told["seeds"]


def test_what_is_recorded(told):
    plain, decaying = schedule(told, decays=False), schedule(told, decays=True)
    assert plain.recorded[0] == 0 and plain.recorded[-1] == plain.steps == told["steps"]
    held = told["floors"]["steps"]
    assert decaying.steps == 2 * held
    # The last quarter of the held steps evenly, its end included.
    last = [step for step in decaying.recorded if 3 * held / 4 <= step <= held]
    assert {held - held // 4, held} <= set(last) and len(last) >= 9
