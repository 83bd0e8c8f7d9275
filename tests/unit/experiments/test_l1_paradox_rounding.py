"""RMSProp on one kink against the step of the library, and what the roundings make of it."""

import numpy as np
import pytest
import torch

from ndgm.experiments.l1_paradox_rounding import rounding
from ndgm.store.provenance import generator

TABLE = "l1_paradox_rounding"


@pytest.fixture(scope="module")
def table(smoke):
    return rounding(smoke.settings(TABLE), smoke.inputs(TABLE))


def test_all_cells_have_all_seeds(smoke, table):
    cells = table.groupby(["arithmetic", "sign_of_zero", "noise"])["seed"].agg(list)
    assert len(cells) == 2 * 2 * 2
    assert all(seeds == list(range(smoke.settings(TABLE)["seeds"])) for seeds in cells)


def test_iterates_are_those_of_torch_as_long_as_rounding_does_not_matter(smoke):
    settings = smoke.settings(TABLE) | {"steps": 40, "seeds": 1}
    found = rounding(settings, smoke.inputs(TABLE)).query("noise == 0")
    draws = generator(settings["root_seed"], TABLE, "starts", 0)
    w = torch.tensor(settings["step_size"] * settings["start_in_steps"] * draws.standard_normal(settings["starts"]))
    w.requires_grad_()
    optimiser = torch.optim.RMSprop([w], lr=settings["step_size"], alpha=0.99)
    total = 0.0
    for done in range(40):
        total += float(w.detach().abs().mean()) if done >= 30 else 0
        optimiser.zero_grad()
        w.abs().sum().backward()
        optimiser.step()
    np.testing.assert_allclose(found["modulus_in_steps"], total / 10 / settings["step_size"], rtol=1e-9)


def test_exact_zeros_are_made_by_unfused_products_and_sign_0_of_0_alone(table):
    zeros = table.groupby(["arithmetic", "sign_of_zero", "noise"])["share_at_zero"].mean()
    assert zeros["unfused", 0.0, 0.0] > 0.3
    assert (zeros.drop(("unfused", 0.0, 0.0)) == 0).all()
    # Half a step is what hovers: what rests at zero keeps nothing.
    kept = table.groupby(["arithmetic", "sign_of_zero", "noise"])["modulus_in_steps"].mean()
    np.testing.assert_allclose(kept, 0.5 * (1 - zeros), rtol=0.02)
