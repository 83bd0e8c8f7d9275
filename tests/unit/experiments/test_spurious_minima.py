"""The table of symmetric minima, split neurons and large k, against dense Hessians and known numbers."""

import numpy as np
import pytest

from ndgm.experiments.spurious_minima import COORDINATES, NEGATIVE, minimum_of
from ndgm.pipeline.schema import schema
from ndgm.store.files import InputError
from ndgm.theory.spurious_minima import LIMITS, gradient, hessian, loss
from ndgm.theory.spurious_minima_search import FAMILIES

TABLE, SPLITS, LARGE = "spurious_minima", "spurious_minima_splits", "spurious_minima_large"


@pytest.fixture(scope="module")
def table(smoke):
    return smoke.experiment(TABLE)


def rebuilt(row):
    """W from the coordinates of a row alone, as one would who reads the table."""
    k = int(row["teacher_neurons"])
    own, other, last, odd_other, odd_own, second_other, second_own = row[list(COORDINATES)].astype(float)
    w = np.full((k, k), other) + (own - other) * np.eye(k)
    w[:-1, -1], w[-1, :-1], w[-1, -1] = last, odd_other, odd_own
    return w if np.isnan(second_own) else np.vstack([w, [*[second_other] * (k - 1), second_own]])


def test_coordinates_give_back_every_minimum_with_its_loss_and_spectrum(table):
    for (family, k), rows in table.groupby(["family", "teacher_neurons"]):
        w, teacher = rebuilt(rows.iloc[0]), np.eye(k)
        assert len(w) == rows["neurons"].iloc[0], family
        np.testing.assert_allclose(loss(w, teacher), rows["loss"].iloc[0], atol=1e-13)
        assert np.linalg.norm(gradient(w, teacher)) <= 1e-13
        spectrum = np.repeat(rows["eigenvalue"], rows["multiplicity"])
        np.testing.assert_allclose(spectrum, np.linalg.eigvalsh(hessian(w, teacher)), atol=1e-12)
        assert spectrum.min() > 0, f"{family} is no strict minimum at {k}"


def test_a_family_without_a_minimum_is_refused_with_its_key():
    with pytest.raises(InputError, match=r"^spurious_minima.minima.families.I: I has no minimum at 6: .* -0.00583$"):
        minimum_of("I", 6, "spurious_minima.minima.families.I")


@pytest.mark.parametrize("family", FAMILIES)
def test_the_config_allows_each_family_from_its_first_minimum_on(family):
    families = schema()["properties"]["spurious_minima"]["properties"]["minima"]["properties"]["families"]
    first = families["properties"][family]["items"]["minimum"]
    minimum_of(family, first, "key")
    with pytest.raises(InputError, match=rf"{family} has no minimum at {first - 1}"):
        minimum_of(family, first - 1, "key")


def test_curvatures_of_a_split_count_every_direction(smoke):
    table = smoke.experiment(SPLITS, families={"II": [8]}, shares=[0.5])
    for _, rows in table.groupby("split_neuron"):
        assert rows["multiplicity"].sum() == 8
        downhill = rows["split_curvature"] < NEGATIVE
        # At equal shares (u, −u) is an eigenvector of the whole Hessian, and the neuron itself is flat.
        assert rows.loc[downhill, "multiplicity"].sum() == rows["negative"].iloc[0] == 7
        np.testing.assert_allclose(rows.loc[~downhill, "split_curvature"], 0, atol=1e-14)
        np.testing.assert_allclose(rows["split_curvature"], 2 * rows["kink_curvature"], atol=1e-14)


def test_losses_at_large_k_approach_their_limits(smoke):
    table = smoke.experiment(LARGE, teachers=[10_000, 1_000_000]).set_index(["family", "teacher_neurons"])["loss"]
    for family, limit in LIMITS.items():
        far, near = (abs(table[family, k] * (k if family == "II" else 1) - limit) for k in (10_000, 1_000_000))
        assert near < far / 5 and near < 1e-3
