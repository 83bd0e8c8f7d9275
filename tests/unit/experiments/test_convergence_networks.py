"""Networks: which step sizes are run after tuning, where runs start, and which steps are recorded."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ndgm.experiments.convergence_networks import BY, WINDOW, decay, floors, kink_value, networks, tuning
from ndgm.experiments.ensembles import sweep
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
    assert (runs["step_size"] == middle).all() and runs["all_reach"].all() and not runs["at_edge"].any()
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


def test_floors_have_the_same_time_and_record_its_later_half(told, inputs):
    solutions = decay(told, inputs)
    rows = solutions.runs["run"]
    ends = dict.fromkeys(rows, np.zeros(len(solutions.build(solutions.runs.head(1)).start[0]), "f4"))
    found = inputs.found | {"convergence_decay": Found(pd.DataFrame(), ends)}
    for part in floors(told, replace(inputs, found=found)).ensembles(10**6):
        schedule = floors(told, replace(inputs, found=found)).build(part).schedule
        assert part["part_of_best_step"].nunique() == 1
        assert schedule.steps * part["part_of_best_step"].iloc[0] == told["floors"]["steps"]
        later = [step for step in schedule.recorded if step > schedule.steps / 2]
        assert schedule.recorded[-1] == schedule.steps and len(later) == min(WINDOW, schedule.steps // 2)


@pytest.mark.parametrize("size", [1, 10**6])
def test_all_step_sizes_of_a_cell_race_in_one_ensemble(size, told, inputs):
    plan = tuning(told | {"experiment": "convergence_tuning"}, inputs)
    cells = list(plan.ensembles(size))
    assert all(len(part) == told["tuning_seeds"] * 3 and len(part[BY].drop_duplicates()) == 1 for part in cells)
    target = plan.build(cells[0]).target
    np.testing.assert_array_equal(target.entry, cells[0]["step_size"])
    np.testing.assert_array_equal(target.objective, cells[0]["target"])


def test_runs_of_the_test_end_at_their_target(told, inputs, tmp_path):
    plan = networks(told, inputs)
    found = sweep([next(iter(plan.ensembles(4)))], plan.build, tmp_path, experiment=TABLE).table
    ends = found.groupby("run").last()
    reached = ends["stopped_because"] == "reached"
    assert reached.any() and (ends["objective"] <= ends["target"]).eq(reached).all()
    before = found[found["step"] < found.groupby("run")["step"].transform("max")]
    assert (before["objective"] > before["target"]).all()


def test_networks_of_a_seed_start_alike_with_every_activation_and_type(told, inputs):
    experiment = kink_value(told, inputs)
    runs = experiment.runs
    relu = runs.loc[runs["activation"] == "relu"]
    assert relu.groupby(["problem", "at_kink", "dtype", "bias_scale", "seed"]).size().eq(1).all()
    starts = {}
    for part in experiment.ensembles(10**6):
        for key, start in zip(
            zip(part["seed"], part["bias_scale"], strict=True), experiment.build(part).start, strict=True
        ):
            first = starts.setdefault(key, start.double())
            np.testing.assert_allclose(start.double(), first, rtol=1e-6)
    assert len(starts) == told["seeds"] * len(told["derivatives_at_kink"]["bias_scales"])


def test_first_biases_are_zero_or_of_their_scale(told, inputs):
    experiment = kink_value(told, inputs)
    part = experiment.runs[experiment.runs["dtype"] == "float64"]
    part = part[part["activation"] == "relu"].drop_duplicates(["seed", "bias_scale"])
    (zero, small), starts = told["derivatives_at_kink"]["bias_scales"], experiment.build(part).start.numpy()
    change = starts[(part["bias_scale"] == small).to_numpy()] - starts[(part["bias_scale"] == zero).to_numpy()]
    hidden = told["data"][PART]["hidden"]
    biases = change[change != 0]
    assert zero == 0 and len(biases) == told["seeds"] * (sum(hidden) + 1)
    assert np.sqrt(np.mean(biases**2)) == pytest.approx(small, rel=5 / np.sqrt(2 * len(biases)))


def test_what_is_recorded(told, inputs):
    first = {name: plan(told, inputs) for name, plan in {"to": networks, "decay": decay, "value": kink_value}.items()}
    to_target, decaying, value = (plan.build(plan.runs.head(1)) for plan in first.values())
    assert to_target.schedule.recorded[0] == 0 and to_target.schedule.recorded[-1] == told["steps"]
    assert decaying.schedule.steps == 2 * told["floors"]["decay_steps"] in decaying.schedule.recorded
    assert value.schedule.recorded == (0, told["derivatives_at_kink"]["steps"])
    assert not to_target.objective.kinks and decaying.objective.kinks and value.objective.kinks
