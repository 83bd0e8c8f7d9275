"""Networks whose sharpness is followed: what the runs of a seed share."""

import numpy as np
import torch

from ndgm.experiments.edge_of_stability_networks import KEPT, directions

TABLE, PART = "edge_of_stability_networks", "digits"


def test_runs_of_a_seed_start_alike_and_smaller_than_he_does(smoke):
    experiment, settings = smoke.experiment(TABLE, PART), smoke.settings(TABLE, PART)
    starts = {}
    for part in experiment.ensembles(settings["ensemble_size"]):
        for seed, start in zip(part["seed"], experiment.build(part).start, strict=True):
            assert (starts.setdefault(seed, start) == start).all()
    assert sorted(starts) == list(range(settings["data"][PART]["seeds"]))
    # The first layer has 64 inputs: weights of variance 2/64, times the scale squared.
    weights = torch.stack(list(starts.values()))[:, : 64 * 16]
    error = 5 * np.sqrt(0.5 / weights.numel())
    np.testing.assert_allclose(weights.std(), settings["data"][PART]["start_scale"] * np.sqrt(2 / 64), rtol=error)


def test_each_problem_has_its_step_sizes(smoke):
    runs, settings = smoke.experiment(TABLE, PART).runs, smoke.settings(TABLE, PART)
    told = settings["data"][PART]["problems"]
    found = runs.groupby("problem")["step_size"].unique().map(list).to_dict()
    assert found == {name: problem["step_sizes"] for name, problem in told.items()}


def test_first_directions_are_those_of_a_seed(smoke):
    runs, settings = smoke.experiment(TABLE, PART).runs, smoke.settings(TABLE, PART)
    part = runs[runs["problem"] == "squared"].head(4)
    found = directions(settings, part, (64, 16, 10), 50)
    assert found.shape == (4, KEPT, 50)
    for _, rows in part.reset_index(drop=True).groupby("seed"):
        assert (found[rows.index] == found[rows.index[0]]).all()
    assert (found[0] != found[-1]).any() and (found[:, 0] != found[:, 1]).all()


def test_random_directions_are_those_of_a_seed_whatever_the_ensemble(smoke):
    experiment, settings = smoke.experiment(TABLE, PART), smoke.settings(TABLE, PART)
    drawn: dict[int, list] = {}
    for size in (settings["ensemble_size"], 3, 1):
        for part in experiment.ensembles(size):
            (curvature,) = experiment.build(part).objective.observers
            for seed, rng in zip(part["seed"], curvature.probes, strict=True):
                drawn.setdefault(seed, []).append(rng.standard_normal(50))
    assert sorted(drawn) == list(range(settings["data"][PART]["seeds"]))
    for draws in drawn.values():
        assert np.ptp(draws, 0).max() == 0
    assert len({draws[0][0] for draws in drawn.values()}) == settings["data"][PART]["seeds"]


def test_random_directions_change_with_the_root_seed(smoke):
    first = []
    for root_seed in (smoke.config["root_seed"], 1):
        experiment = smoke.experiment(TABLE, PART, root_seed=root_seed)
        (curvature,) = experiment.build(experiment.runs.head(1)).objective.observers
        first.append(curvature.probes[0].standard_normal())
    assert first[0] != first[1]
