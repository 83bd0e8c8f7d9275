"""Wide two-layer networks: their data, step sizes and what the kernel is asked for."""

import numpy as np
import pytest

from ndgm.experiments.ensembles import sweep
from ndgm.experiments.overparameterization import pictures
from ndgm.store.run_tables import last_rows

SPHERES, DIGITS, CAPACITY = (f"overparameterization_{name}" for name in ("spheres", "digits", "capacity"))


@pytest.mark.parametrize("table", [SPHERES, DIGITS, CAPACITY])
def test_steps_are_as_long_as_the_kernel_allows(smoke, table):
    plan = smoke.experiment(table, step_size_times_largest_eigenvalue=0.5)
    twice = smoke.experiment(table, step_size_times_largest_eigenvalue=1.0)
    np.testing.assert_allclose(2 * plan.runs["step_size"], twice.runs["step_size"], rtol=1e-14)
    for rows in twice.ensembles(50):
        problem = twice.build(rows)
        loss = getattr(problem.objective, "objective", problem.objective)
        # The trace of the kernel is n/2, and its largest eigenvalue is at most that and at least 1/2.
        samples = loss.x.shape[1]
        assert (2 / samples - 1e-12 <= rows["step_size"]).all() and (rows["step_size"] <= 2).all()


def test_pictures_have_length_one_and_digits_from_five_on_are_one_class(smoke):
    (samples,) = smoke.inputs(DIGITS).samples["overparameterization"].values()
    x, y = pictures(samples)
    np.testing.assert_allclose(np.linalg.norm(x, axis=1), 1, rtol=1e-14)
    np.testing.assert_array_equal(y > 0, np.argmax(samples.targets, axis=1) >= 5)
    assert set(y) == {-1.0, 1.0}


def test_wide_networks_move_as_the_kernel_says(smoke, tmp_path):
    plan = smoke.experiment(SPHERES, units=[4096], seeds=3)
    ends = last_rows(sweep(plan.ensembles(10), plan.build, tmp_path, experiment=SPHERES).table)
    for name in ("distance", "path"):
        np.testing.assert_allclose(ends[name], ends[f"kernel_{name}"], rtol=0.05)
    assert (ends["least_gradient_ratio"] > 0.9 * ends["kernel_eigenvalue"]).all()
    assert (ends["objective"] < 1e-4 * 20 / 2).all()


def test_more_points_are_more_points_of_their_own(smoke):
    plan = smoke.experiment(CAPACITY)
    for rows in plan.ensembles(50):
        loss = plan.build(rows).objective
        assert loss.x.shape[1:] == (rows["samples"].iloc[0], rows["features"].iloc[0])
        assert rows["design"].iloc[0] == f"{rows['samples'].iloc[0]} points"
