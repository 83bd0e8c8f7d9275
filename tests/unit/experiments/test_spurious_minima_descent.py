"""Descents of students: where they start, with which steps, and where those from split minima end."""

import numpy as np
import pytest

from ndgm.experiments.ensembles import sweep
from ndgm.experiments.inputs import Found, Inputs
from ndgm.experiments.spurious_minima_descent import Chain, after_two, normal_starts, pushed
from ndgm.store.files import InputError
from ndgm.store.run_tables import last_rows
from ndgm.theory.spurious_minima import gradient, hessian, kink_curvature, loss
from ndgm.theory.spurious_minima_search import minimum

ONE, TWO, STARTS = "spurious_minima_one", "spurious_minima_two", "spurious_minima_starts"


def swept(plan, folder, told):
    named = {"experiment": told["experiment"], "undefined": told["undefined"]}
    return sweep(plan.ensembles(500), plan.build, folder / told["experiment"], **named)


@pytest.fixture(scope="module")
def one(smoke, tmp_path_factory):
    return swept(smoke.experiment(ONE), tmp_path_factory.mktemp("runs"), smoke.settings(ONE))


def test_a_push_leads_along_directions_of_negative_curvature():
    teacher, point = np.eye(8), minimum("II", 8).matrix()
    settings = {"root_seed": 0, "experiment": ONE, "push": 1e-3}
    start, other = (pushed(point, -1, Chain(0, "II", "odd", 8, seed), settings) for seed in (0, 1))
    half = start[7] - start[8]
    np.testing.assert_allclose(start[7] + start[8], point[7], atol=1e-15)
    np.testing.assert_allclose(np.linalg.norm(half), np.sqrt(2) * 1e-3, rtol=1e-12)
    assert half @ kink_curvature(point, teacher)[7] @ half < 0 and not np.allclose(start, other)
    # Curvature c < 0 lowers the loss by c/2 times the square of the push, to leading order.
    curvature = half / 2e-3 @ kink_curvature(point, teacher)[7] @ half / 2e-3 * 4
    np.testing.assert_allclose(loss(start, teacher) - loss(point, teacher), curvature / 2 * 1e-6, rtol=0.02)


def test_one_neuron_at_the_odd_one_of_type_ii_leads_to_a_new_strict_minimum(one):
    ends = last_rows(one.table)
    odd = ends[(ends["design"] == "II") & (ends["split_neuron"] == "odd")]
    family = minimum("II_split", 8)
    np.testing.assert_allclose(odd["objective"], family.loss(), atol=1e-13)
    np.testing.assert_allclose(odd["smallest_eigenvalue"], family.spectrum()[0].value, atol=1e-9)
    for run in odd["run"]:
        w = one.ends[run].reshape(9, 8)
        assert np.linalg.norm(gradient(w, np.eye(8))) < 1e-12
        assert np.linalg.eigvalsh(hessian(w, np.eye(8)))[0] > 0
    others = ends.drop(odd.index)
    assert (others["objective"] < 1e-8).all() and others["smallest_eigenvalue"].isna().all()


def test_a_second_neuron_starts_where_the_first_ended(smoke, one):
    plan = after_two(smoke.settings(TWO), Inputs(found={ONE: one}))
    (rows,) = plan.ensembles(500)
    problem = plan.build(rows)
    assert (rows["neurons"] == 10).all() and problem.start.shape == (len(rows), 80)
    losses = problem.objective.value(problem.start).numpy()
    ends = last_rows(one.table).set_index("run")["objective"]
    # The push lowers the loss where it is made, by less than its square times a curvature of 1.
    assert ((ends - losses >= -1e-12) & (ends - losses < 1e-4)).all()


def test_runs_that_diverged_are_not_gone_on_from(smoke, one):
    table = one.table.assign(stopped_because="diverged")
    with pytest.raises(InputError, match=r"^spurious_minima.chains: 10 of 10 runs diverged"):
        after_two(smoke.settings(TWO), Inputs(found={ONE: Found(table, one.ends)}))


def test_starts_share_their_first_neurons_and_have_the_variance_of_one_over_k(smoke):
    settings = smoke.settings(STARTS)
    few, more = (normal_starts(settings, 8, neurons, range(200)) for neurons in (8, 10))
    np.testing.assert_array_equal(few, more[:, :8])
    # Six standard errors of a variance of 16,000 normal numbers.
    np.testing.assert_allclose(more.var(), 1 / 8, rtol=6 * np.sqrt(2 / more.size))


def test_steps_are_below_what_the_hessian_allows(smoke):
    plan = smoke.experiment(STARTS)
    for rows in plan.ensembles(500):
        problem = plan.build(rows)
        sharpness = np.linalg.eigvalsh(hessian(problem.objective.neurons(problem.start)[:5].numpy(), np.eye(8))).max()
        # Heavy ball with 0.9 is stable up to 3.8/sharpness.
        assert (rows["step_size"] < 3.8 / sharpness / 2).all()
