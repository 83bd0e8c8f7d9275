"""The engine on a CUDA device gives what it gives on the processor, and replayed steps what steps give one by one."""

import numpy as np
import pytest
import torch

import ndgm.engine.capture
import ndgm.engine.descent
from ndgm.data.regression import gaussian
from ndgm.engine.activations import activation
from ndgm.engine.curvature.observer import Observed
from ndgm.engine.curvature.orbit import Orbit
from ndgm.engine.curvature.tracking import TrackedCurvature
from ndgm.engine.descent import Schedule, descend
from ndgm.engine.methods import METHODS
from ndgm.engine.networks import Networks
from ndgm.engine.objectives.absolute_regression import AbsoluteRegression
from ndgm.engine.objectives.lasso import Lasso, MinibatchLasso
from ndgm.engine.objectives.max_affine import MaxAffine
from ndgm.engine.objectives.network import MinibatchNetworkLoss, NetworkLoss
from ndgm.engine.objectives.penalised_network import FactoredNetwork, PenalisedNetwork
from ndgm.experiments.determinism import deterministic_torch
from ndgm.theory.lasso import Quadratic, solve_lasso

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here"),
]
RUNS = 64
DATA = gaussian(np.random.default_rng(0), samples=100, features=20, nonzeros=5, noise=1.0)
PROBLEM = Quadratic.from_data(*DATA)
PENALTIES = np.geomspace(0.1, 3, RUNS) * PROBLEM.penalty_max


@pytest.fixture(autouse=True)
def switches_of_the_pipeline():
    """Deterministic kernels or a fault, and memory filled before it is used, as in every training program."""
    deterministic_torch("cuda")


def on(device, array):
    return torch.tensor(array, dtype=torch.float64, device=device)


def trace(device, method, objective, steps=4_000):
    start = on(device, np.random.default_rng(1).standard_normal((RUNS, PROBLEM.dimension)))
    step_size = on(device, np.full((RUNS, 1), 0.1 / PROBLEM.lipschitz))
    return descend(objective, METHODS[method], start, step_size, Schedule.halving(steps, 4))


def lasso(device):
    return Lasso(on(device, PROBLEM.A), on(device, PROBLEM.b), on(device, PENALTIES[:, None]))


@pytest.mark.parametrize("method", ["ista", "fista"])
def test_proximal_methods_reach_the_certified_solution(method):
    found = trace("cuda", method, lasso("cuda"), steps=20_000)
    last = found.measured["l1_norm"][found.last_row, np.arange(RUNS)]
    # A move of 1e-14 per step, over a contraction of about 1e-3 per step.
    np.testing.assert_allclose(last, solve_lasso(PROBLEM, PENALTIES).l1_norm, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("method", [name for name in METHODS if "lowest" not in METHODS[name].asks])
def test_means_are_those_of_the_processor(method):
    there, here = (trace(device, method, lasso(device)) for device in ("cuda", "cpu"))
    name = "l1_norm" if METHODS[method].rests else "mean_l1_norm"
    # Orbits at a kink are chaotic: averages of a thousand steps agree to some parts in a thousand.
    np.testing.assert_allclose(there.measured[name][-1], here.measured[name][-1], rtol=0.02)


def test_the_same_bytes_twice():
    one, two = (trace("cuda", "subgradient", lasso("cuda")) for _ in range(2))
    for name, values in one.measured.items():
        np.testing.assert_array_equal(values, two.measured[name])


def test_batches_are_those_of_the_processor():
    gradients = []
    for device in ("cuda", "cpu"):
        generators = [np.random.default_rng(seed) for seed in range(8)]
        data = (on(device, DATA.design), on(device, DATA.target))
        objective = MinibatchLasso(*data, on(device, PENALTIES[:, None]), 4, generators)
        w = on(device, np.random.default_rng(2).standard_normal((RUNS, PROBLEM.dimension)))
        objective.draw()
        gradients.append(objective.smooth_gradient(w).cpu().numpy())
    np.testing.assert_allclose(*gradients, rtol=1e-12, atol=1e-12)


def network_loss(runs):
    networks = Networks((20, 16, 4), activation("relu"))
    rng = np.random.default_rng(3)
    x, y = (torch.tensor(rng.standard_normal((100, width)), device="cuda") for width in (20, 4))
    generators = [np.random.default_rng(seed) for seed in range(2)]
    start = torch.tensor(networks.initial([np.random.default_rng(seed) for seed in range(runs)]), device="cuda")
    return MinibatchNetworkLoss(networks, x, y, runs, 10, generators), start


@pytest.mark.parametrize("method", ["subgradient", "subgradient_geometric", "heavy_ball"])
def test_replayed_steps_of_networks_are_the_steps(method, monkeypatch):
    captures, traces = [], []
    capture = ndgm.engine.capture._capture
    for replays in (True, False):
        objective, start = network_loss(8)
        monkeypatch.setattr(ndgm.engine.capture, "_capture", lambda step: captures.append(step) or capture(step))
        if not replays:
            monkeypatch.setattr(ndgm.engine.descent, "replayed", lambda step, memory, device: step)
        step_size = torch.full((8, 1), 0.05, dtype=torch.float64, device="cuda")
        traces.append(descend(objective, METHODS[method], start, step_size, Schedule(50, (1, 10, 50), 25)))
    assert len(captures) == 1
    for name, values in traces[0].measured.items():
        # The same kernels on the same numbers; a library may choose others in a graph.
        np.testing.assert_allclose(values, traces[1].measured[name], rtol=1e-9, err_msg=name)


@pytest.mark.parametrize("method", [name for name in METHODS if "lowest" not in METHODS[name].asks])
def test_replayed_steps_of_the_lasso_are_the_steps(method, monkeypatch):
    replays = trace("cuda", method, lasso("cuda"), steps=100)
    monkeypatch.setattr(ndgm.engine.descent, "replayed", lambda step, memory, device: step)
    steps = trace("cuda", method, lasso("cuda"), steps=100)
    for name, values in replays.measured.items():
        np.testing.assert_allclose(values, steps.measured[name], rtol=1e-9, atol=1e-12, err_msg=name)


def tracked(device):
    networks = Networks((20, 16, 4), activation("tanh"))
    rng = np.random.default_rng(3)
    x, y = (on(device, rng.standard_normal((50, width))) for width in (20, 4))
    start = on(device, networks.initial([np.random.default_rng(seed) for seed in range(4)]))
    directions = on(device, rng.standard_normal((4, 2, networks.parameters)))
    step_size = on(device, np.full((4, 1), 0.05))
    probes = [np.random.default_rng(seed) for seed in range(4)]
    loss = NetworkLoss(networks, x, y, 4, runs_at_once=2)
    curvature = TrackedCurvature(loss, start, step_size, directions, probes, tolerance=1e-3, most_products=50)
    return Observed(loss, curvature), "subgradient", start, step_size


def orbit(device):
    slopes, start, step_size = (
        on(device, np.random.default_rng(4).standard_normal((8, *shape))) for shape in ((9, 5), (5,), (1,))
    )
    step_size, objective = 0.1 * step_size.abs(), MaxAffine(slopes, 0.0)
    return Observed(objective, Orbit(objective, step_size, start)), "subgradient", start, step_size


def penalised(device, kind):
    networks = Networks((20, 16, 4), activation("gelu"))
    rng = np.random.default_rng(3)
    x, y = (on(device, rng.standard_normal((50, width))) for width in (20, 4))
    draws = [np.random.default_rng(seed) for seed in range(4)]
    loss = MinibatchNetworkLoss(networks, x, y, 4, 10, draws)
    test_loss = NetworkLoss(networks, x, y, 4)
    objective = kind(loss, on(device, np.full((4, 1), 0.01)), test_loss)
    start = on(device, networks.initial([np.random.default_rng(seed) for seed in range(4)]))
    start = objective.start(start) if kind is FactoredNetwork else start
    method = "subgradient" if kind is FactoredNetwork else "proximal_adam"
    return objective, method, start, on(device, np.full((4, 1), 0.01))


def sharp(device):
    design = on(device, DATA.design)
    objective = AbsoluteRegression(design, design @ on(device, np.ones(20)), on(device, np.zeros((4, 1))))
    start = on(device, np.random.default_rng(1).standard_normal((4, 20)))
    return objective, "polyak", start, on(device, np.full((4, 1), 0.1))


PROBLEMS = {
    "tracked": tracked,
    "orbit": orbit,
    "penalised": lambda device: penalised(device, PenalisedNetwork),
    "factored": lambda device: penalised(device, FactoredNetwork),
    "sharp": sharp,
}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_what_the_pipeline_trains_is_what_the_processor_gives(problem):
    traces = []
    for device in ("cuda", "cpu"):
        objective, method, start, step_size = PROBLEMS[problem](device)
        traces.append(descend(objective, METHODS[method], start, step_size, Schedule(40, (1, 10, 40), 20)))
    for name, values in traces[0].measured.items():
        # Forty steps away rounding has grown little; the sharpness is known to its residual.
        tolerance = 1e-3 if name in ("sharpness", "residual") else 1e-6
        if name not in ("residual", "products"):
            np.testing.assert_allclose(values, traces[1].measured[name], rtol=tolerance, atol=1e-9, err_msg=name)
