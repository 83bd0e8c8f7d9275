"""Curvature tracked along gradient descent on networks, against torch.optim.SGD, LAPACK and an identity."""

import numpy as np
import pytest
import torch
from hessians import dense, gaussian, targets
from networks_in_torch import CRITERIA, RUNS, WIDTHS, flat, parameters, torch_model

import ndgm.engine.curvature.tracking
from ndgm.engine.activations import activation
from ndgm.engine.curvature.observer import Observed
from ndgm.engine.curvature.tracking import TrackedCurvature
from ndgm.engine.descent import Schedule, descend
from ndgm.engine.methods import METHODS
from ndgm.engine.networks import Networks
from ndgm.engine.objectives.network import NetworkLoss

STEPS, EVERY = 60, 7


def probes_of(runs):
    """Generator of the probes of each run, by its number."""
    return [np.random.default_rng(run) for run in runs]


def tracked(name="tanh", loss="squared", factors=(0.1, 0.5, 1.0, 1.5, 3.0)):
    networks = Networks(WIDTHS[1], activation(name))
    (x, y), start = targets(loss), parameters(networks)
    step_size = torch.tensor(factors, dtype=torch.float64).unsqueeze(1)
    directions = gaussian(RUNS, 2, networks.parameters)
    objective = NetworkLoss(networks, x, y, RUNS, loss=loss, runs_at_once=2)
    curvature = TrackedCurvature(
        objective, start, step_size, directions, probes_of(range(RUNS)), tolerance=1e-6, most_products=90
    )
    recorded = tuple(sorted({0, *range(0, STEPS + 1, EVERY), STEPS}))
    return Observed(objective, curvature), start, step_size, Schedule(STEPS, recorded, 0)


@pytest.mark.parametrize("loss", ["squared", "cross_entropy"])
@pytest.mark.parametrize("name", ["tanh", "relu"])
def test_what_is_followed_along_a_run(name, loss):
    objective, start, step_size, schedule = tracked(name, loss)
    trace = descend(objective, METHODS["subgradient"], start, step_size, schedule)
    x, y = targets(loss)
    for run in range(RUNS):
        model, eta = torch_model(objective.objective.networks, name, start[run]), step_size[run].item()
        optimiser = torch.optim.SGD(model.parameters(), lr=eta)
        values, gradients, iterates = [], [], []
        for _ in range(STEPS + 1):
            optimiser.zero_grad()
            value = CRITERIA[loss](model(x), y)
            value.backward()
            values.append(value.item())
            gradients.append(flat(model, lambda p: p.grad.clone()))
            iterates.append(flat(model).detach().clone())
            optimiser.step()
        squares = [g.square().sum().item() for g in gradients]
        curvature = [
            2 * (after - before + eta * s) / (eta**2 * s)
            for before, after, s in zip(values, values[1:], squares, strict=False)
        ]
        alone = NetworkLoss(objective.objective.networks, x, y, 1, loss=loss)
        for row, step in enumerate(trace.step):
            found = {key: value[row, run] for key, value in trace.measured.items()}
            sharpness = torch.linalg.eigvalsh(dense(alone, iterates[step][None]))[0, -1].item()
            expected = {
                "objective": values[step],
                "sharpness": sharpness,
                "squared_gradients": sum(squares[:step]),
                "weighted_curvature": sum(k * s for k, s in zip(curvature[:step], squares, strict=False)),
            }
            if step and squares[step - 1] > 1e-6:  # below that, values differ by little more than rounding
                s, g, after = squares[step - 1], gradients[step - 1], gradients[step]
                expected["relative_progress"] = (values[step] - values[step - 1]) / (eta * s)
                expected["directional_smoothness"] = (g @ (g - after)).item() / (eta * s)
                expected["step_curvature"] = curvature[step - 1]
            assert step or np.isnan(found["step_curvature"]) and np.isnan(found["relative_progress"])
            for key, value in expected.items():
                # Steps beyond the edge multiply rounding errors, by 1e6 or so in these runs.
                assert found[key] == pytest.approx(value, rel=1e-7, abs=1e-9), (key, run, step)


@pytest.mark.parametrize("name", ["tanh", "relu", "hardtanh"])
def test_the_mean_curvature_telescopes(name):
    objective, start, step_size, schedule = tracked(name)
    measured = descend(objective, METHODS["subgradient"], start, step_size, schedule).measured
    eta = step_size.squeeze(1).numpy()
    f, squares = measured["objective"], measured["squared_gradients"]
    mean = measured["weighted_curvature"][1:] / squares[1:]
    np.testing.assert_allclose(mean, 2 / eta - 2 * (f[0] - f[1:]) / (eta**2 * squares[1:]), rtol=1e-10)
    np.testing.assert_allclose(measured["mean_squared_gradient_norm"][-1] * STEPS, squares[-1], rtol=1e-10)


def test_a_run_that_diverges_is_recorded_as_that():
    objective, start, step_size, schedule = tracked(factors=(0.1, 1e6, 0.1, 1e30, 0.1), name="relu")
    trace = descend(objective, METHODS["subgradient"], start, step_size, schedule)
    assert trace.stopped_because.tolist() == ["finished", "diverged", "finished", "diverged", "finished"]
    assert np.isfinite(trace.measured["sharpness"][:, [0, 2, 4]]).all()


def test_sums_over_all_steps_do_not_depend_on_where_averages_begin():
    found = []
    for average_from in (0, 50):
        objective, start, step_size, schedule = tracked()
        schedule = Schedule(schedule.steps, schedule.recorded, average_from)
        found.append(descend(objective, METHODS["subgradient"], start, step_size, schedule).measured)
    for name in ("squared_gradients", "weighted_curvature"):
        np.testing.assert_array_equal(found[0][name], found[1][name])
    assert (found[0]["mean_squared_gradient_norm"][-1] != found[1]["mean_squared_gradient_norm"][-1]).all()


def followed(runs, directions, objective, w, calls=3):
    """What is measured at each of several calls, of some of the runs."""
    loss = NetworkLoss(objective.objective.networks, *targets("squared"), len(runs))
    step_size = torch.full((len(runs), 1), 0.1, dtype=torch.float64)
    given = w[runs], step_size, directions[runs], probes_of(runs)
    curvature = TrackedCurvature(loss, *given, tolerance=1e-6, most_products=90)
    return [curvature.measure(w[runs], w[runs]) for _ in range(calls)]


def test_directions_on_other_eigenvectors_do_not_hide_the_sharpness():
    objective, w, *_ = tracked()
    hessians = dense(objective.objective, w)
    values, vectors = torch.linalg.eigh(hessians)
    # The second and third of each run, of which the one is an eigenpair without any residual.
    directions = vectors.mT[:, [-2, -3]].contiguous()
    for measured in followed(range(RUNS), directions, objective, w):
        torch.testing.assert_close(measured["sharpness"], values[:, -1], rtol=1e-6, atol=0)


def test_what_is_followed_is_that_of_a_run_and_not_of_its_ensemble():
    objective, w, *_ = tracked()
    directions = gaussian(RUNS, 2, w.shape[1])
    together = followed(range(RUNS), directions, objective, w)
    for run in range(RUNS):
        for both, alone in zip(together, followed([run], directions, objective, w), strict=True):
            for name in ("sharpness", "residual", "products"):
                torch.testing.assert_close(both[name][[run]], alone[name], rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("runs", [range(RUNS), [3], [4, 1]])
def test_a_probe_is_the_next_draw_of_the_generator_of_its_run(runs, monkeypatch):
    objective, w, *_ = tracked()
    probes = []
    inner = ndgm.engine.curvature.tracking.largest_eigenvalues

    def spy(product, start, probe, **limits):
        probes.append(probe)
        return inner(product, start, probe, **limits)

    monkeypatch.setattr(ndgm.engine.curvature.tracking, "largest_eigenvalues", spy)
    followed(list(runs), gaussian(RUNS, 2, w.shape[1]), objective, w)
    expected = [rng.standard_normal((3, w.shape[1])) for rng in probes_of(runs)]
    np.testing.assert_array_equal(torch.stack(probes), np.stack(expected, 1))
