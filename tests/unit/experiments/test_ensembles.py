"""Ensembles: how runs are cut into them, how a sweep resumes, and that runs do not depend on each other."""

import numpy as np
import pandas as pd
import pytest
import torch

from ndgm.engine.descent import Schedule, descend
from ndgm.engine.methods import METHODS
from ndgm.engine.objectives.lasso import Lasso
from ndgm.experiments.ensembles import (
    Plan,
    Problem,
    column,
    ensembles,
    read_trace,
    start_directions,
    starts,
    sweep,
    write_trace,
)
from ndgm.experiments.grids import grid

DIMENSION = 6


def design(seeds=3, methods=("subgradient", "ista")):
    runs = grid(method=list(methods), step_size=[0.05, 0.1], seed=range(seeds), penalty=[0.3, 2.0])
    return runs


class Build:
    """Builds a small LASSO, counts its calls, and can fail at one of them."""

    def __init__(self, fail_at=None, root_seed=1, steps=200):
        self.calls, self.fail_at, self.root_seed, self.steps = 0, fail_at, root_seed, steps
        Z = np.random.default_rng(0).standard_normal((30, DIMENSION))
        self.gram = torch.tensor(Z.T @ Z / 30)
        self.correlation = torch.tensor(Z.T @ np.ones(30) / 30)

    def __call__(self, part):
        self.calls += 1
        if self.calls == self.fail_at:
            raise KeyboardInterrupt
        start = start_directions(self.root_seed, part["seed"].max() + 1, DIMENSION)[part["seed"]]
        lasso = Lasso(self.gram, self.correlation, column(part, "penalty", "cpu"))
        return Problem(lasso, torch.tensor(start), column(part, "step_size", "cpu"), Schedule.halving(self.steps, 3))


def train(folder, build, runs=None, size=4, advanced=float, say=str):
    runs = design() if runs is None else runs
    return sweep(ensembles(runs, size, ["method"]), build, folder, advanced, say).table


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 11, 12, 13, 50, 1000])
@pytest.mark.parametrize("block", [1, 2, 6])
@pytest.mark.parametrize("together", [["method"], ["method", "step_size"]])
def test_ensembles_partition_the_runs(size, block, together):
    runs = design()
    parts = list(ensembles(runs, size, together, block))
    # A block is never cut, so one that is longer than the size is an ensemble by itself.
    assert max(map(len, parts)) <= max(size, block)
    for part in parts:
        assert len(part[together].drop_duplicates()) == 1
        assert len(part) % block == 0 and (part["run"].iloc[::block] % block == 0).all()
        assert (np.diff(part["run"]) == 1).all()
    # As few ensembles as that allows.
    longest = max(size // block, 1) * block
    assert len(parts) == sum(-(-len(alike) // longest) for _, alike in runs.groupby(together))
    pd.testing.assert_frame_equal(pd.concat(parts), runs)


def test_an_ensemble_is_bounded_by_what_its_rows_say():
    runs = pd.DataFrame({"method": "ista", "units": [2] * 5 + [8] * 3})
    parts = ensembles(runs, 4, ["units"], at_once=lambda rows: 16 // rows["units"].iloc[0])
    assert [(part["units"].iloc[0], len(part)) for part in parts] == [(2, 4), (2, 1), (8, 2), (8, 1)]


def test_ensembles_keep_runs_apart_that_are_interleaved():
    runs = grid(seed=range(4), method=["ista", "fista"])
    parts = list(ensembles(runs, 3, ["method"]))
    assert [part["method"].unique().tolist() for part in parts] == [["ista"]] * 2 + [["fista"]] * 2
    assert sorted(pd.concat(parts)["run"]) == list(range(8))


def test_the_table_has_a_row_for_each_run_and_recorded_step(tmp_path):
    runs = design(methods=["subgradient", "heavy_ball"])
    table = train(tmp_path, Build(), runs)
    expected = [(run, step) for run in range(24) for step in (50, 100, 150, 200)]
    assert list(zip(table["run"], table["step"], strict=True)) == expected
    first = table.groupby("run", as_index=False).first()[runs.columns]
    pd.testing.assert_frame_equal(first, runs, check_dtype=False)
    assert (table["stopped_because"] == "finished").all()


def test_runs_that_converge_have_fewer_rows_and_the_others_go_on(tmp_path):
    runs = design()
    runs.loc[runs["method"] == "ista", "step_size"] = 0.5
    table = train(tmp_path, Build(steps=8_000), runs)
    by_method = table.groupby("method")
    assert by_method["step"].max().to_dict() == {"ista": 2_000, "subgradient": 8_000}
    assert by_method["stopped_because"].unique().map(list).to_dict() == {
        "ista": ["converged"],
        "subgradient": ["finished"],
    }
    last = table[table["step"] == 8_000]
    assert last["mean_l1_norm"].notna().all() and table[table["step"] < 8_000]["mean_l1_norm"].isna().all()


def test_where_runs_end_is_what_their_last_row_measured(tmp_path):
    runs = grid(seed=range(4), penalty=[0.3, 2.0], method=["ista", "fista"], step_size=[0.1])
    for _ in range(2):  # the second time from what was kept
        found = sweep(ensembles(runs, 3, ["method"]), Build(), tmp_path)
        ends = found.ends
        assert sorted(ends) == runs["run"].tolist()
        for run, row in found.table.groupby("run").last().iterrows():
            assert np.abs(ends[run]).sum() == pytest.approx(row["l1_norm"], rel=1e-12)
            assert (ends[run] == 0).sum() == row["zeros"]


def test_ends_that_nothing_asks_for_are_not_kept_and_the_table_is_the_same(tmp_path):
    build = Build()

    def without_ends(part):
        return build(part)._replace(keeps_ends=False)

    expected = train(tmp_path / "with", build)
    for _ in range(2):  # the second time from what was kept
        found = sweep(ensembles(design(), 4, ["method"]), without_ends, tmp_path / "without")
        pd.testing.assert_frame_equal(found.table, expected, check_exact=True)
        assert found.ends == {}
    assert {read_trace(file).iterates.shape for file in (tmp_path / "without").iterdir()} == {(4, 0)}


@pytest.mark.parametrize("fail_at", [1, 3, 6])
def test_an_interrupted_sweep_resumes_to_the_same_table(tmp_path, fail_at):
    whole, build = Build(), Build(fail_at)
    expected = train(tmp_path / "whole", whole)
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "cut", build)
    done = fail_at - 1
    assert len(list((tmp_path / "cut").glob("*"))) == done
    shares = []
    again = Build()
    pd.testing.assert_frame_equal(train(tmp_path / "cut", again, advanced=shares.append), expected, check_exact=True)
    assert whole.calls == 6 and again.calls == 6 - done
    assert sum(shares) == pytest.approx(24)


@pytest.mark.parametrize(
    "tear",
    [lambda whole: whole[: len(whole) // 2], lambda whole: b"", lambda whole: whole[:-1] + bytes([whole[-1] ^ 1])],
    ids=["truncated", "emptied", "flipped"],
)
def test_a_torn_checkpoint_is_thrown_away_and_its_runs_are_trained_again(tmp_path, tear):
    # A power loss left one, and it blocked its job for good.
    expected = train(tmp_path, Build())
    kept = tmp_path / "2.checkpoint"
    whole = kept.read_bytes()
    kept.write_bytes(tear(whole))
    build, lines = Build(), []
    pd.testing.assert_frame_equal(train(tmp_path, build, say=lines.append), expected, check_exact=True)
    assert build.calls == 1 and kept.read_bytes() == whole
    (line,) = lines
    assert line.startswith(f"{kept}: ") and line.endswith("; it is thrown away, and its runs are trained again")


def test_ensemble_size_does_not_change_the_runs(tmp_path):
    runs = design(methods=["ista"])
    tables = [train(tmp_path / str(size), Build(), runs, size) for size in (1, 5, 12)]
    for table in tables[1:]:
        # A batched product is not bitwise its slices.
        pd.testing.assert_frame_equal(table, tables[0], rtol=1e-12, atol=1e-13)


def test_another_seed_does_not_change_the_runs(tmp_path):
    key = ["step_size", "seed", "penalty", "step"]
    few, more = (
        train(tmp_path / str(seeds), Build(), design(seeds, ["ista"])).drop(columns="run").sort_values(key)
        for seeds in (2, 5)
    )
    more = more[more["seed"] < 2]
    pd.testing.assert_frame_equal(more.reset_index(drop=True), few.reset_index(drop=True), rtol=1e-12, atol=1e-13)


def test_starts_are_gaussian_of_length_one_and_do_not_depend_on_their_number():
    few, more = start_directions(7, 2, 20_000), start_directions(7, 4, 20_000)
    np.testing.assert_array_equal(more[:2], few)
    # ‖w‖² is χ²(d)/d: mean 1, standard error √(2/d); cosines have standard error 1/√d.
    products = more @ more.T
    np.testing.assert_allclose(np.diag(products), 1, atol=5 * np.sqrt(2 / 20_000))
    assert np.abs(products[np.triu_indices(4, 1)]).max() < 5 / np.sqrt(20_000)
    assert (more != 0).all()
    assert (start_directions(8, 2, 20_000) != few).mean() > 0.999


def test_starts_are_those_of_each_runs_seed():
    part = grid(seed=[2, 0, 1], penalty=[1.0, 2.0])
    found = starts(part, {"root_seed": 7, "seeds": 3, "device": "cpu"}, 5)
    np.testing.assert_array_equal(found, start_directions(7, 3, 5)[part["seed"]])


def test_ensembles_of_an_experiment_follow_its_columns_and_blocks():
    runs = design()
    experiment = Plan(runs, Build(), ["method", "step_size"], block=2)
    parts = list(experiment.ensembles(5))
    assert [len(part) for part in parts] == [4, 2] * 4
    np.testing.assert_array_equal(experiment.parameters(np.arange(3.0)), np.arange(3.0))


def test_a_trace_is_kept_as_it_is(tmp_path):
    runs = design(methods=["ista"])
    runs["step_size"] = 0.5
    objective, start, step_size, schedule, *_ = Build(steps=3_000)(runs)
    trace = descend(objective, METHODS["ista"], start, step_size, schedule)
    write_trace(tmp_path / "0.checkpoint", trace)
    found = read_trace(tmp_path / "0.checkpoint")
    assert set(found.stopped_because) == {"converged"} and found.measured.keys() == trace.measured.keys()
    for name in ("step", "stopped_because", "last_row", "iterates"):
        np.testing.assert_array_equal(getattr(found, name), getattr(trace, name), strict=True)
    for name, values in trace.measured.items():
        np.testing.assert_array_equal(found.measured[name], values, strict=True)
