"""A small instance of every objective, and iterates that fit it."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

import ndgm.engine.objectives
from ndgm.engine.activations import activation
from ndgm.engine.convolutions import Convolutions
from ndgm.engine.curvature.observer import Observed
from ndgm.engine.curvature.orbit import Orbit
from ndgm.engine.networks import Networks
from ndgm.engine.objectives.absolute_regression import AbsoluteRegression
from ndgm.engine.objectives.batches import Batches
from ndgm.engine.objectives.convolutional_loss import ConvolutionalLoss
from ndgm.engine.objectives.lasso import Lasso, LassoDesigns, MinibatchLasso
from ndgm.engine.objectives.logistic import Logistic
from ndgm.engine.objectives.max_affine import MaxAffine, ResistingOracle
from ndgm.engine.objectives.network import MinibatchNetworkLoss, NetworkLoss
from ndgm.engine.objectives.objective import Averaging, Objective
from ndgm.engine.objectives.one_weight import OneWeight
from ndgm.engine.objectives.partly_trained import PartlyTrained, of_layers
from ndgm.engine.objectives.penalised_network import FactoredNetwork, PenalisedNetwork
from ndgm.engine.objectives.relu_regression import ReluRegression
from ndgm.engine.objectives.scalar import ScalarLoss
from ndgm.engine.objectives.smoothed import SmoothedLasso
from ndgm.engine.objectives.teacher_student import TeacherStudent
from ndgm.engine.objectives.two_layer import TwoLayerLoss

RUNS, SAMPLES, FEATURES = 6, 20, 5
NETWORKS = Networks((FEATURES, 4, 3), activation("tanh"))
CONVOLUTIONS = Convolutions(channels=(2,), colours=1, side=4, classes=3)


def normal(*shape, seed=0):
    return torch.tensor(np.random.default_rng(seed).standard_normal(shape))


DESIGN, TARGET = normal(SAMPLES, FEATURES, seed=1), normal(SAMPLES, seed=2)
GRAM, CORRELATION = DESIGN.T @ DESIGN / SAMPLES, DESIGN.T @ TARGET / SAMPLES
PENALTY = torch.linspace(0.1, 2, RUNS, dtype=torch.float64).unsqueeze(1)
WIDTH = torch.tensor([0, 0.01, 0.5, 1, 4, 0], dtype=torch.float64).unsqueeze(1)
OUTPUT = normal(RUNS, 3, seed=7)
CLASSES = torch.eye(3, dtype=torch.float64)[torch.tensor(np.random.default_rng(3).integers(3, size=SAMPLES))]


def generators():
    return [np.random.default_rng(seed) for seed in (4, 5)]


def network_loss():
    return NetworkLoss(NETWORKS, DESIGN, CLASSES, RUNS, classes=True, runs_at_once=4, samples_at_once=8)


def convolutional_loss():
    batches = Batches(SAMPLES, 3, generators(), DESIGN.device)
    return ConvolutionalLoss(CONVOLUTIONS, normal(SAMPLES, 1, 4, 4, seed=9), CLASSES, batches, samples_at_once=8)


class Example(NamedTuple):
    """How to make an objective, the number of weights of its iterates, and which of these stay 1."""

    make: Callable[[], Objective]
    size: int = FEATURES
    fixed: torch.Tensor = torch.zeros((), dtype=torch.bool)


def second_factors_of_biases():
    """Where iterates of a `FactoredNetwork` stay 1."""
    mask = torch.ones(2, NETWORKS.parameters, dtype=torch.bool)
    mask[0] = False
    for layer in NETWORKS.layers(mask):
        layer.weights.fill_(False)
    return mask.flatten()


EXAMPLES = {
    AbsoluteRegression: Example(lambda: AbsoluteRegression(DESIGN, TARGET, WIDTH)),
    ConvolutionalLoss: Example(convolutional_loss, CONVOLUTIONS.parameters),
    FactoredNetwork: Example(
        lambda: FactoredNetwork(network_loss(), 0.1 * PENALTY), 2 * NETWORKS.parameters, second_factors_of_biases()
    ),
    Lasso: Example(lambda: Lasso(GRAM, CORRELATION, PENALTY)),
    LassoDesigns: Example(
        lambda: LassoDesigns(torch.stack([DESIGN, -2 * DESIGN]), torch.stack([TARGET, TARGET + 1]), PENALTY)
    ),
    Logistic: Example(lambda: Logistic(DESIGN)),
    MaxAffine: Example(lambda: MaxAffine(normal(RUNS, 7, FEATURES, seed=6), 0.0)),
    MinibatchLasso: Example(lambda: MinibatchLasso(DESIGN, TARGET, PENALTY, 3, generators())),
    MinibatchNetworkLoss: Example(
        lambda: MinibatchNetworkLoss(NETWORKS, DESIGN, CLASSES, RUNS, 3, generators(), runs_at_once=4),
        NETWORKS.parameters,
    ),
    NetworkLoss: Example(network_loss, NETWORKS.parameters),
    Observed: Example(lambda: Observed(Logistic(DESIGN), Orbit(Logistic(DESIGN), PENALTY, normal(RUNS, FEATURES)))),
    OneWeight: Example(lambda: OneWeight(PENALTY, normal(RUNS, 1), PENALTY.flip(0)), 1),
    PartlyTrained: Example(
        lambda: PartlyTrained(network_loss(), of_layers(NETWORKS, [0, 1], DESIGN), 0.1 * PENALTY), NETWORKS.parameters
    ),
    PenalisedNetwork: Example(lambda: PenalisedNetwork(network_loss(), 0.1 * PENALTY), NETWORKS.parameters),
    ReluRegression: Example(lambda: ReluRegression(DESIGN, WIDTH)),
    ResistingOracle: Example(lambda: ResistingOracle(FEATURES - 1, lipschitz=2.0, radius=3.0)),
    ScalarLoss: Example(lambda: ScalarLoss("kink_aside"), 1),
    SmoothedLasso: Example(lambda: SmoothedLasso(GRAM, CORRELATION, PENALTY, WIDTH)),
    TeacherStudent: Example(lambda: TeacherStudent(normal(3, FEATURES, seed=8)), FEATURES * 2),
    TwoLayerLoss: Example(lambda: TwoLayerLoss(activation("gelu"), DESIGN, TARGET, OUTPUT, 4), FEATURES * 3),
}


def all_objectives():
    """Every class of objective in the engine."""
    for module in pkgutil.iter_modules(ndgm.engine.objectives.__path__, "ndgm.engine.objectives."):
        importlib.import_module(module.name)
    found, waiting = set(), [Objective]
    while waiting:
        below = waiting.pop().__subclasses__()
        # What a module wraps around an objective for itself alone is tested there.
        new = [kind for kind in below if kind.__module__.startswith("ndgm.engine.") and kind.__name__[0] != "_"]
        found, waiting = found | set(new), waiting + new
    concrete = {kind for kind in found if not inspect.isabstract(kind)}
    return sorted(concrete - {Averaging}, key=lambda kind: kind.__name__)


def example(kind):
    """A new instance of this class, with its first batches drawn."""
    assert kind in EXAMPLES, f"{kind.__name__} is not tested: add an instance to EXAMPLES in {__file__}"
    objective = EXAMPLES[kind].make()
    objective.draw()
    return objective


def iterates(kind, count=4):
    """Iterates in both memory layouts, shape (runs, d); some weights of the last are zero."""
    _, size, fixed = EXAMPLES[kind]
    found = [normal(RUNS, size, seed=10 + number) for number in range(count)]
    found[-1][:, ::2] = 0
    found = [w.masked_fill(fixed, 1) for w in found]
    return [w if number % 2 else w.T.contiguous().T for number, w in enumerate(found)]
