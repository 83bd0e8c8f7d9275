"""Attacks on ensembles of trained networks: pictures are changed so that a network takes them for another class.

All attacks but one are foolbox's. Source: Rauber, Zimmermann, Bethge and Brendel (2020), Foolbox Native.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import eagerpy
import foolbox
import torch
from foolbox import attacks
from torch import Tensor, nn

from ndgm.engine.networks import Networks, with_ones

STEP = 0.15
"""Step of projected gradient descent over the size that is allowed: seven steps lead to the end of it.

Chosen before the run: foolbox's own, 1/30 and 1/40, are made for 40 and 50 steps, and a config may ask for less.
"""

LEVELS = 255
"""Steps between the levels of a pixel that a file of a picture has, with its 8 bits."""

FURTHER = 2.5
"""How far the steps of the subspace attack would lead, over the length that is allowed.

Source: Madry, Makelov, Schmidt, Tsipras and Vladu (2018), Towards deep learning models resistant to adversarial
attacks.
"""

PROJECTIONS = 3
"""How often the subspace attack goes back and forth between its subspace and pixels from 0 to 1, at each step.

Measured on digits, for changes of length 1.2: their part outside of the subspaces is 4 % of their length with one turn,
1 % with three, and 0.5 % with five.
"""

SEARCH_STEP, FIRST_CONSTANT = 0.02, 1.0
"""Step of Carlini's and Wagner's attack, and the first constant that it tries.

Chosen before the run: those of their paper (2017), which are foolbox's, 0.01 and 0.001, are made for 10,000 steps and 9
constants. Each constant that fails is followed by one ten times as large, so that of 6 three would be spent below 1.
"""


class Sizes(NamedTuple):
    """How large a change may be, and how long is searched.

    Attributes:
        largest_change: Of a pixel.
        length: Euclidean length of a change.
        subspace_length: That for the subspace attack.
        steps: Of attacks of a given size.
        search_steps: Of attacks that look for the smallest change.
        binary_search_steps: Of Carlini's and Wagner's constant.
    """

    largest_change: float
    length: float
    subspace_length: float
    steps: int
    search_steps: int
    binary_search_steps: int


class Victims(NamedTuple):
    """What is attacked.

    Attributes:
        networks: What is to be mistaken.
        pictures: Pixels from 0 to 1, of every network one after the other, shape (networks·pictures, features).
        classes: Shape (networks·pictures,).
        left: U of the leading singular vectors of each channel, shape (networks·pictures, channels, n, r).
        right: V, of the same shape.
    """

    networks: "TrainedNetworks"
    pictures: Tensor
    classes: Tensor
    left: Tensor
    right: Tensor


class TrainedNetworks(nn.Module):
    """Trained networks as one module; a batch holds equally many pictures for each network, network by network.

    Args:
        networks: The architecture.
        w: Parameters, shape (networks, P).
        centre: What was taken from pixels.
        scale: What they were divided by then.
    """

    def __init__(self, networks: Networks, w: Tensor, centre: float, scale: float) -> None:
        super().__init__()
        self.matrices = [layer.matrix for layer in networks.layers(w)]
        self.activation = networks.activation.module()
        self.centre, self.scale = centre, scale

    def forward(self, pictures: Tensor) -> Tensor:
        """Outputs, shape (networks·pictures, out)."""
        z = ((pictures - self.centre) / self.scale).unflatten(0, (len(self.matrices[0]), -1))
        for matrix in self.matrices[:-1]:
            z = self.activation(torch.bmm(with_ones(z), matrix))
        return torch.bmm(with_ones(z), self.matrices[-1]).flatten(0, 1)

    def takes_for(self, pictures: Tensor) -> Tensor:
        """Class of the largest output, shape (networks·pictures,)."""
        with torch.no_grad():
            return self(pictures).argmax(1)


Attack = Callable[[Victims, Sizes], Tensor]


def by_foolbox(make: Callable[[Sizes], attacks.Attack], size: Callable[[Sizes], float | None]) -> Attack:
    """An attack of foolbox.

    Args:
        make: Makes the attack.
        size: How large a change may be, or None where the smallest one is looked for.
    """

    def attack(victims: Victims, sizes: Sizes) -> Tensor:
        model = foolbox.PyTorchModel(victims.networks.eval(), bounds=(0, 1), device=victims.pictures.device)
        criterion = foolbox.Misclassification(eagerpy.astensor(victims.classes))
        return make(sizes)(model, victims.pictures, criterion, epsilons=size(sizes))[1]

    return attack


def in_leading_subspace(victims: Victims, sizes: Sizes) -> Tensor:
    """Gradient ascent on the loss, of UCVᵀ alone: what no statistic of the tail of a spectrum sees.

    A step goes along the gradient, projected onto the leading subspaces of the picture, with one length for all. A
    picture stays as it is once its network is mistaken on it as a file would hold it. Where pixels come to 0 or 1, what
    is cut off has a part outside of the subspaces.
    """

    def projected(changes: Tensor) -> Tensor:
        blocks = changes.view(shape)
        inner = victims.left.mT @ blocks @ victims.right
        return (victims.left @ inner @ victims.right.mT).flatten(1)

    channels, side, _ = victims.left.shape[1:]
    shape = (-1, channels, side, side)
    changed = victims.pictures.clone()
    for _ in range(sizes.steps):
        x = changed.clone().requires_grad_()
        loss = nn.functional.cross_entropy(victims.networks(x), victims.classes, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, x)
        along = projected(gradient)
        along *= FURTHER * sizes.subspace_length / sizes.steps / along.norm(dim=1, keepdim=True).clamp_min(1e-300)
        change = changed + along - victims.pictures
        for _ in range(PROJECTIONS):
            change = projected(change)
            change *= (sizes.subspace_length / change.norm(dim=1, keepdim=True).clamp_min(1e-300)).clamp_max(1)
            change = (victims.pictures + change).clamp(0, 1) - victims.pictures
        done = victims.networks.takes_for(as_stored(changed)) != victims.classes
        changed = torch.where(done.unsqueeze(1), changed, victims.pictures + change)
    return changed


ATTACKS: dict[str, Attack] = {
    "fgsm": by_foolbox(lambda sizes: attacks.LinfFastGradientAttack(), lambda sizes: sizes.largest_change),
    "pgd": by_foolbox(
        lambda sizes: attacks.LinfProjectedGradientDescentAttack(rel_stepsize=STEP, steps=sizes.steps),
        lambda sizes: sizes.largest_change,
    ),
    "pgd_l2": by_foolbox(
        lambda sizes: attacks.L2ProjectedGradientDescentAttack(rel_stepsize=STEP, steps=sizes.steps),
        lambda sizes: sizes.length,
    ),
    "deepfool": by_foolbox(lambda sizes: attacks.L2DeepFoolAttack(steps=sizes.search_steps), lambda sizes: None),
    "carlini_wagner": by_foolbox(
        lambda sizes: attacks.L2CarliniWagnerAttack(
            binary_search_steps=sizes.binary_search_steps,
            steps=sizes.search_steps,
            stepsize=SEARCH_STEP,
            initial_const=FIRST_CONSTANT,
            abort_early=False,  # it would look at all pictures together
        ),
        lambda sizes: None,
    ),
    "subspace": in_leading_subspace,
}
"""Attacks by name: what is attacked, and sizes → changed pictures, whether or not a network is mistaken on them.

Where Carlini's and Wagner's finds nothing, foolbox gives a picture of zeros.
"""


def attacked(name: str, victims: Victims, sizes: Sizes, seed: int) -> Tensor:
    """Changed pictures, shape (networks·pictures, features).

    Args:
        name: A key of `ATTACKS`.
        victims: What is attacked.
        sizes: How large a change may be.
        seed: Of its random start.

    Raises:
        ValueError: if there is no such attack.
    """
    if name not in ATTACKS:
        raise ValueError(f"no attack {name!r}; there are {', '.join(ATTACKS)}")
    with seeded(seed, victims.pictures.device):
        return ATTACKS[name](victims, sizes).detach()


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Random numbers of PyTorch from a seed, on a device too; afterwards they go on as if nothing had been drawn."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def as_stored(pictures: Tensor) -> Tensor:
    """Pixels on the nearest of the 256 levels that files of pictures have."""
    return (pictures * LEVELS).round_() / LEVELS
