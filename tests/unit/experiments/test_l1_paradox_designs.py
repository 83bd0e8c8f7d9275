"""Random designs: units, what is drawn, and predictions against a plain loop of the method."""

from dataclasses import replace
from unittest import mock

import numpy as np
import pytest

from ndgm.data.regression import standardised
from ndgm.engine.pruning import USUAL_THRESHOLDS
from ndgm.experiments.l1_paradox_designs import DESIGN_ELEMENTS, designs, drawn, turns
from ndgm.store.files import InputError
from ndgm.theory.lasso import CertificateError, Quadratic, solve_lasso
from ndgm.theory.rounded_lasso import mean_weights

TABLE = "l1_paradox_designs"


@pytest.fixture(scope="module")
def table(smoke):
    return designs(smoke.settings(TABLE), smoke.inputs(TABLE))


def test_a_row_for_every_family_design_step_and_penalty(smoke, table):
    settings = smoke.settings(TABLE)
    cells = len(settings["step_sizes_times_lipschitz"]) * len(settings["penalties_over_max"])
    drawn_designs, cases = len(settings["families"]) * settings["seeds"], len(settings["cases"])
    assert len(table) == cells * (drawn_designs + cases) and table["single_case"].sum() == cells * cases
    assert list(table["design"].unique()) == [*settings["families"], *settings["cases"]]
    assert (table["stopped_because"] == "finished").all()


def test_a_case_is_the_design_that_the_samples_have(smoke, table):
    case = table[table["design"] == "diabetes"].iloc[0]
    problem = Quadratic.from_data(*smoke.inputs(TABLE).samples["l1_paradox"]["diabetes"])
    assert case["penalty"] == pytest.approx(case["penalty_over_max"] * problem.penalty_max)
    assert case["step_size"] == pytest.approx(case["step_size_times_lipschitz"] / problem.lipschitz)
    assert case["dimension"] == problem.dimension and case["seed"] == 0


def test_a_case_that_is_named_like_a_family_is_refused(smoke):
    # Both would stand in one cell.
    settings = smoke.settings(TABLE) | {"cases": ["gaussian"]}
    with pytest.raises(InputError, match=r"^l1_paradox.designs.cases: gaussian is the name of a family"):
        designs(settings, smoke.inputs(TABLE))


def test_norms_are_those_of_a_plain_loop(smoke, table):
    (part,) = drawn(smoke.settings(TABLE), "sparse", [0.9])
    rows = table[(table["design"] == "sparse") & (table["penalty_over_max"] == 2.0)]
    for seed, row in rows.set_index("seed").iterrows():
        problem = part.problems[seed]
        assert row["penalty"] == pytest.approx(2 * problem.penalty_max) and row["exact_zeros"] == problem.dimension
        assert row["step_size"] == pytest.approx(row["step_size_times_lipschitz"] / problem.lipschitz)
        w, total, mean, steps = np.linspace(-0.1, 0.1, problem.dimension), 0.0, 0.0, 20_000
        for step in range(steps):
            if step >= steps // 2:
                total, mean = total + np.abs(w).sum(), mean + w / (steps - steps // 2)
            w = w - row["step_size"] * (problem.A @ w - problem.b + row["penalty"] * np.sign(w))
        # Another start: phases that lock elsewhere, and the tolerance of means.
        assert row["mean_l1_norm"] == pytest.approx(total / (steps - steps // 2), rel=0.02)
        # Above λ_max the law has every weight within a step of zero.
        width = row["step_size"] * row["penalty"]
        law = mean_weights(problem, row["penalty"], row["step_size"], np.zeros(problem.dimension))
        assert row["strip_mean_error"] == pytest.approx(np.median(np.abs(mean - law)) / width, abs=0.05)


def test_of_no_weights_near_zero_the_error_is_0(smoke):
    source = {"source": "gaussian", "samples": 100, "features": 4, "nonzeros": 4, "noise": 0.1}
    settings = smoke.settings(TABLE) | {"families": {"dense": source}, "cases": [], "penalties_over_max": [0.01]}
    table = designs(settings, smoke.inputs(TABLE))
    assert (table["strip"] == 0).all() and (table["strip_mean_error"] == 0).all()
    assert (table["largest_mean_error"] > 0).all()


def test_supports_are_compared_with_the_exact_one(table):
    counts = table[["wrong_by_strip", *(f"wrong_below_{name}" for name in USUAL_THRESHOLDS)]]
    assert ((counts >= 0) & (counts.le(table["dimension"], axis=0))).all().all()
    # Above λ_max all is zero, and every mean is within a step of it.
    assert (table.loc[table["penalty_over_max"] > 1, "wrong_by_strip"] == 0).all()


def test_a_design_does_not_depend_on_those_drawn_beside_it(smoke):
    source = smoke.settings(TABLE)["families"]["widest"] | {"samples": DESIGN_ELEMENTS // 1000}
    settings = smoke.settings(TABLE) | {"families": {"widest": source}}
    few, many = ([*drawn(settings | {"seeds": n}, "widest", [0.9])] for n in (2, 4))
    assert len(many) == 2 and many[1].first == 2
    np.testing.assert_array_equal(few[0].samples[1].design, many[0].samples[1].design)
    exact = solve_lasso(Quadratic.from_data(*many[1].samples[0]), 0.9 * many[1].problems[0].penalty_max)
    np.testing.assert_array_equal(exact.weights, many[1].exact[0].weights[0])


def test_turning_points_are_of_the_same_designs(smoke, table):
    turning = turns(smoke.settings("l1_paradox_turns"), smoke.inputs("l1_paradox_turns"))
    assert turning["law_turning_point_over_max"].between(0.5, 1.5).all()
    scale = {
        name: (rows["penalty"] / rows["penalty_over_max"]).groupby(rows["seed"]).mean()
        for name, rows in {"all": table[table["design"] == "gaussian"], "turning": turning}.items()
    }
    np.testing.assert_allclose(scale["all"], scale["turning"], rtol=1e-12)


def test_a_family_that_makes_no_design_is_named(smoke):
    source = {"source": "orthogonal", "samples": 5, "features": 9, "nonzeros": 2, "noise": 1.0}
    with pytest.raises(InputError, match=r"^l1_paradox.designs.families.odd: 9 columns"):
        designs(smoke.settings(TABLE) | {"families": {"odd": source}}, smoke.inputs(TABLE))


def nearly_repeated(seed):
    """Columns that are repeated but for rounding, of which no support is certain."""
    rng = np.random.default_rng(seed)
    Z = rng.standard_normal((60, 8))
    Z = np.hstack([Z, Z + 1e-9 * rng.standard_normal(Z.shape)])
    return standardised(Z, Z[:, 0] - Z[:, 1] + rng.standard_normal(60))


def uncertified():
    """The first of such designs whose solution cannot be certified at a small penalty."""
    for seed in range(20):
        try:
            problem = Quadratic.from_data(*(design := nearly_repeated(seed)))
            solve_lasso(problem, 0.05 * np.array([problem.penalty_max]))
        except CertificateError:
            return design
    raise AssertionError("all are certified")


def test_a_design_without_a_certified_solution_is_named(smoke):
    design, whole = uncertified(), smoke.inputs(TABLE)
    inputs = replace(whole, samples={"l1_paradox": {**whole.samples["l1_paradox"], "mine": design}})
    settings = smoke.settings(TABLE) | {"penalties_over_max": [0.05], "cases": ["mine"], "families": {}}
    with pytest.raises(InputError, match=r"^samples.l1_paradox.mine: design 0: .*penalty"):
        designs(settings, inputs)


def test_a_norm_without_a_minimum_is_named(smoke, monkeypatch):
    """As where the law's norm is smallest below the penalties that are looked at."""
    monkeypatch.setattr("ndgm.theory.rounded_lasso.GRID", np.array([1.4, 1.45, 1.5]))
    with pytest.raises(
        InputError, match=r"^l1_paradox.designs.families.gaussian: design 0: at a step of .*no turning point"
    ):
        turns(smoke.settings("l1_paradox_turns"), smoke.inputs("l1_paradox_turns"))


def test_a_turning_point_that_cannot_be_certified_is_named(smoke, monkeypatch):
    fault = mock.Mock(side_effect=CertificateError("no certified solution"))
    monkeypatch.setattr("ndgm.experiments.l1_paradox_designs.rounded_turning_point", fault)
    with pytest.raises(InputError, match=r"^l1_paradox.designs.families.gaussian: design 0: no certified solution$"):
        turns(smoke.settings("l1_paradox_turns"), smoke.inputs("l1_paradox_turns"))


def test_a_step_beyond_stability_is_recorded_as_divergence(smoke):
    source = {"source": "gaussian", "samples": 20, "features": 4, "nonzeros": 2, "noise": 1.0}
    settings = smoke.settings(TABLE) | {"families": {"few": source}, "cases": [], "step_sizes_times_lipschitz": [2.5]}
    table = designs(settings, smoke.inputs(TABLE))
    assert (table["stopped_because"] == "diverged").all() and not table["stationary"].any()


def test_designs_that_run_apart_are_in_one_cell(smoke):
    # Penalties over λ_max that were computed back from each design's own differed in the last bit.
    source = {"source": "gaussian", "samples": 250, "features": 300, "nonzeros": 2, "noise": 1.0}
    settings = smoke.settings(TABLE) | {
        "families": {"long": source},
        "cases": [],
        "penalties_over_max": [0.3, 0.99],
        "seeds": 3,
    }
    table = designs(settings | {"most_steps": 1024}, smoke.inputs(TABLE))
    assert sorted(table["penalty_over_max"].unique()) == [0.3, 0.99]
