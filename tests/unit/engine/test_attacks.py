"""Attacks on networks: what each promises of its pictures, foolbox's own results, and spectra that one leaves alone."""

import foolbox
import numpy as np
import pytest
import torch

from ndgm.engine.activations import activation
from ndgm.engine.attacks import ATTACKS, Sizes, TrainedNetworks, Victims, as_stored, attacked, seeded
from ndgm.engine.networks import Networks
from ndgm.engine.pruning import sequential

COUNT, PICTURES, SIDE = 2, 12, 6
WIDTHS = (SIDE**2, 20, 10)
SIZES = Sizes(largest_change=0.1, length=0.8, subspace_length=1.5, steps=12, search_steps=30, binary_search_steps=3)
CENTRE, SCALE = 0.4, 0.25


@pytest.fixture(autouse=True)
def double_precision():
    """As training programs have it; every test leaves PyTorch as it found it."""
    torch.set_default_dtype(torch.float64)


@pytest.fixture
def parameters():
    draws = [np.random.default_rng(seed) for seed in range(COUNT)]
    return Networks(WIDTHS, activation("relu")).initial(draws)


@pytest.fixture
def target(parameters):
    """Two random networks, pictures on 256 levels, and the classes that each network takes them for."""
    networks = TrainedNetworks(Networks(WIDTHS, activation("relu")), torch.tensor(parameters), CENTRE, SCALE)
    pictures = np.random.default_rng(9).integers(256, size=(PICTURES, SIDE**2)) / 255
    left, _, right = np.linalg.svd(pictures.reshape(-1, 1, SIDE, SIDE))
    parts = (pictures, left[..., :3], np.swapaxes(right, -2, -1)[..., :3])
    x, u, v = (torch.tensor(np.concatenate([each] * COUNT)) for each in parts)
    return Victims(networks, x, networks.takes_for(x), u, v)


def test_the_module_is_each_network_on_its_own_pictures(target, parameters):
    rows = target.pictures.split(PICTURES)
    expected = [sequential(one, WIDTHS, "relu")((x - CENTRE) / SCALE) for one, x in zip(parameters, rows, strict=True)]
    torch.testing.assert_close(target.networks(target.pictures), torch.cat(expected))


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_gives_pictures_and_makes_networks_mistaken(target, name):
    found = attacked(name, target, SIZES, seed=3)
    empty = (found == 0).all(1)
    assert found.shape == target.pictures.shape and found.dtype == torch.float64 and not found.requires_grad
    assert found.min() >= 0 and found.max() <= 1
    mistaken = (target.networks.takes_for(found) != target.classes) & ~empty
    assert mistaken.double().mean() > 0.5
    assert torch.equal(found, attacked(name, target, SIZES, seed=3))


LIMITS = {
    "fgsm": (torch.inf, SIZES.largest_change),
    "pgd": (torch.inf, SIZES.largest_change),
    "pgd_l2": (2, SIZES.length),
    "subspace": (2, SIZES.subspace_length),
}
"""Norm that an attack is held to, and its largest value; the others look for the smallest change."""


@pytest.mark.parametrize("name", LIMITS)
def test_a_change_is_as_large_as_allowed_at_most(target, name):
    order, size = LIMITS[name]
    change = torch.linalg.vector_norm(attacked(name, target, SIZES, 0) - target.pictures, order, dim=1)
    assert size / 2 < change.max() <= size * (1 + 1e-9)


@pytest.mark.parametrize("name", [name for name in ATTACKS if name not in LIMITS])
def test_an_attack_without_a_limit_finds_a_shorter_change_of_every_picture(target, name):
    found, as_long_as_allowed = (attacked(one, target, SIZES, 0) - target.pictures for one in (name, "pgd_l2"))
    assert (found.norm(dim=1) < as_long_as_allowed.norm(dim=1)).all()


def test_foolbox_finds_the_same_for_one_network_and_one_picture_alone(target, parameters):
    one = sequential(parameters[1], WIDTHS, "relu")
    alone = torch.nn.Sequential(Standard(), one).eval()
    x, classes = target.pictures[PICTURES:], target.classes[PICTURES:]
    model = foolbox.PyTorchModel(alone, bounds=(0, 1))
    attacks = {
        "fgsm": (foolbox.attacks.LinfFastGradientAttack(), SIZES.largest_change),
        "deepfool": (foolbox.attacks.L2DeepFoolAttack(steps=30), None),
    }
    for name, (attack, size) in attacks.items():
        expected = attack(model, x[3:4], classes[3:4], epsilons=size)[1]
        torch.testing.assert_close(attacked(name, target, SIZES, 0)[PICTURES + 3 :][:1], expected)


class Standard(torch.nn.Module):
    """Pixels as networks take them."""

    def forward(self, x):
        return (x - CENTRE) / SCALE


def test_the_subspace_attack_leaves_the_tail_where_no_pixel_is_cut_off(target):
    inner = target._replace(pictures=0.4 + 0.2 * target.pictures)
    left, _, right = torch.linalg.svd(inner.pictures.view(-1, 1, SIDE, SIDE))
    inner = inner._replace(
        classes=inner.networks.takes_for(inner.pictures), left=left[..., :3], right=right.mT[..., :3]
    )
    found = attacked("subspace", inner, SIZES._replace(subspace_length=0.2), 0)
    assert found.min() > 0 and found.max() < 1
    change = (found - inner.pictures).view(-1, 1, SIDE, SIDE)
    outside = change - inner.left @ inner.left.mT @ change @ inner.right @ inner.right.mT
    assert outside.abs().max() < 1e-12 < 1e-3 < change.abs().max()


def test_random_numbers_go_on_as_if_nothing_had_been_drawn():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    with seeded(1, torch.device("cpu")):
        first = torch.rand(2)
    assert torch.equal(torch.rand(3), expected)
    with seeded(1, torch.device("cpu")):
        assert torch.equal(torch.rand(2), first)


def test_pixels_are_stored_on_256_levels():
    pixels = torch.tensor([0.0, 5e-7, 0.5, 1 / 255, 1.0])
    assert torch.equal(as_stored(pixels), torch.tensor([0, 0, 128 / 255, 1 / 255, 1]))


def test_an_attack_that_there_is_not_is_named(target):
    with pytest.raises(ValueError, match="no attack 'none'; there are fgsm, "):
        attacked("none", target, SIZES, 0)
