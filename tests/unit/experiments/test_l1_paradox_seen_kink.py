"""Mean signs of weights against the law's solution of the rounded problem, and against the slopes of single kinks."""

import numpy as np
import pytest

from ndgm.experiments.l1_paradox_seen_kink import problems, seen_kink
from ndgm.theory.rounded_lasso import mean_weights

TABLE = "l1_paradox_seen_kink"


@pytest.fixture(scope="module")
def table(smoke):
    return seen_kink(smoke.settings(TABLE), smoke.inputs(TABLE))


def test_a_row_for_every_weight_of_every_run(smoke, table):
    settings, found = smoke.settings(TABLE), problems(smoke.settings(TABLE), smoke.inputs(TABLE))
    penalties = {name: 1 if name == "kinks" else len(settings["penalties_over_max"]) for name in found}
    counts = table.groupby("design").size()
    assert counts.to_dict() == {name: 2 * penalties[name] * problem.dimension for name, problem in found.items()}
    assert (table.groupby("run")["weight"].nunique() == table.groupby("run").size()).all()


def test_mean_signs_of_single_kinks_are_their_slopes(smoke, table):
    slopes = problems(smoke.settings(TABLE), smoke.inputs(TABLE))["kinks"].b
    for _, rows in table[table["design"] == "kinks"].groupby("method"):
        np.testing.assert_allclose(rows["sign"], slopes, atol=0.02)


def test_means_of_the_lasso_are_those_of_the_rounded_problem(smoke, table):
    settings = smoke.settings(TABLE)
    problem = problems(settings, smoke.inputs(TABLE))["gaussian"]
    rows = table[(table["design"] == "gaussian") & (table["method"] == "subgradient")]
    for _, run in rows.groupby("run"):
        step, penalty = run["step_size"].iloc[0], run["penalty"].iloc[0]
        expected = mean_weights(problem, penalty, step) / (step * penalty)
        assert np.median(np.abs(run["over_width"] - expected)) < 0.2
